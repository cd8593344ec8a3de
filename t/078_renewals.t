# Learned renewals: what the server saw of them, what it makes of that, what a
# restart keeps and a copy does not, and that a late one is said in time.

use strict;
use warnings;

use Time::HiRes qw(sleep time);

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $node = ESG::Node->new('renewals');
my $made = 0;
my ($day, $hour) = (86400, 3600);

# A certificate that began and will end so many seconds from now.
sub cert
{
	my ($begin, $end, %options) = @_;

	return $certs->make_server('cert' . ++$made, ca => $ca, subject => '/CN=localhost',
		not_before => ESG::Certs::stamp($begin), not_after => ESG::Certs::stamp($end), %options);
}

# Of a hundred days, so many are left.
sub with_left { my ($days, @options) = @_; return cert(($days - 100) * $day, $days * $day, @options); }

# the same of a CRL of a hundred hours
sub crl_with_left
{
	my ($hours) = @_;

	return $certs->make_crl($ca, 'crl' . ++$made, last_update => ($hours - 100) * $hour, next_update => $hours * $hour);
}

sub sql { return $node->safe_psql('postgres', $_[0]); }

# 'severity code' of the alarms about the end of what lies in that file, as a fresh look has them
sub verdict
{
	my ($file) = @_;

	return sql("SELECT coalesce(string_agg(severity || ' ' || code, ', ' ORDER BY code), '') FROM ssl_guard_check()
		WHERE object ~ '/$file:' AND code ~ 'expire|renewal'");
}

sub message { return sql("SELECT regexp_replace(message, '.* was', 'was') FROM ssl_guard_alarms WHERE code = 'renewal_overdue' AND object ~ '/$_[0]:'"); }

sub usual
{
	my ($file) = @_;
	my $view = $file =~ /crl$/ ? 'ssl_guard_crls' : 'ssl_guard_certificates';

	return "SELECT coalesce(string_agg(date_trunc('hour', usual_renewal + '1 min')::text, ', '), 'unknown') FROM $view WHERE path ~ '/$file\$'";
}

# Puts it there, and lets somebody see it.
sub put
{
	my ($file, $what) = @_;

	$node->replace(ref $what ? $what->{cert} : $what, $file);
	sql('SELECT count(*) FROM ssl_guard_check()');
	return;
}

my $first = with_left(20.5);
$node->setup(ca => $ca, server => $first, crl => crl_with_left(10.5), conf => <<'CONF');
ext_ssl_guard.file_poll_interval = 0
ext_ssl_guard.expire_check_interval = 0
ext_ssl_guard.extra_files = 'extra.crt'
CONF
$node->replace(with_left(20.5)->{cert}, 'extra.crt');
$node->start;
$node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status');

# --- twice is a habit ----------------------------------------------------------

my $key = { key => $first };
is(verdict('server.crt'), 'warning expires_soon', 'nothing learned: the threshold');
is(sql(usual('server.crt')), 'unknown', 'nothing is usual');
put('server.crt', with_left(20.7, %$key));
is(sql(usual('server.crt')), 'unknown', 'one renewal is no habit');
is(sql("SELECT now() - renewed_at < '5 min' FROM ssl_guard_certificates WHERE kind = 'server'"), 't', 'but it was seen');
is(sql("SELECT count(renewed_at) FROM ssl_guard_certificates WHERE kind = 'ca'"), 0, 'that of the CA not');
is(verdict('server.crt'), 'warning expires_soon', 'still the threshold');
put('server.crt', with_left(20.9, %$key));
is(sql(usual('server.crt')), '20 days 12:00:00', 'after the second it is known');
is(verdict('server.crt'), 'notice expires_soon', 'renewed as usual: no warning');
put('server.crt', with_left(15.5, %$key));
is(verdict('server.crt'), 'warning expires_soon, warning renewal_overdue', 'a fifth later: overdue');
is(message('server.crt'), 'was renewed with 20 days left the last 2 times, now 15 are left', 'and how late');
is(sql("SELECT count(*) FROM ssl_guard_certificates WHERE 'renewal_overdue' = ANY(findings) AND kind = 'server'"), 1, 'in the view, too');
put('server.crt', with_left(9.5, %$key));
is(verdict('server.crt'), 'warning expires_soon, critical renewal_overdue', 'less than half: critical');
my $offset = $node->log_end;
put('server.crt', with_left(99, %$key));
is(verdict('server.crt'), '', 'renewed at last');
is($node->count_log(qr/alarm cleared: certificate .* was renewed with/, $offset), 1, 'says the log');
is(sql(usual('server.crt')), '20 days 12:00:00', 'the late one is not the habit');

# what is in the file when the worker looks counts once, whoever saw it
put('extra.crt', with_left(20.7));
$node->apply();
put('extra.crt', with_left(20.9));
$node->apply();
put('extra.crt', with_left(21.1));
$node->apply();
$node->wait_sql('SELECT last_check_at > last_reload_at FROM ssl_guard_status');
put('extra.crt', with_left(15.5));
is(message('extra.crt'), 'was renewed with 20 days left the last 3 times, now 15 are left', 'three, seen by several');
is(verdict('extra.crt'), 'notice expires_soon, warning renewal_overdue', 'in an extra file');

# --- CRLs ------------------------------------------------------------------------

put('root.crl', crl_with_left(10.7));
put('root.crl', crl_with_left(10.9));
is(sql(usual('root.crl')), '10:00:00', 'a CRL');
is(verdict('root.crl'), '', 'renewed as usual');
put('root.crl', crl_with_left(7.5));
is(verdict('root.crl'), 'warning renewal_overdue', 'overdue, long before its threshold');
is(message('root.crl'), 'was renewed with 10 hours left the last 2 times, now 7 are left', 'in hours');
put('root.crl', crl_with_left(99));
is(verdict('root.crl'), '', 'renewed');

# --- the setting --------------------------------------------------------------------

put('extra.crt', with_left(20.9));
$node->apply('ext_ssl_guard.learn_renewals' => 'off');
is(sql(usual('extra.crt')), 'unknown', 'off: nothing is known');
is(sql('SELECT count(renewed_at) FROM ssl_guard_certificates'), 0, 'nor shown');
put('extra.crt', with_left(15.5));
is(verdict('extra.crt'), 'notice expires_soon', 'nor late');
$node->apply('ext_ssl_guard.learn_renewals' => 'on');
is(verdict('extra.crt'), 'notice expires_soon, warning renewal_overdue', 'on: what was known is known again');

# --- a link to a directory that is swapped ------------------------------------------

mkdir $node->path('tls') or die $!;
foreach my $round (1 .. 3)
{
	mkdir $node->path("tls/..$round") or die $!;
	ESG::Certs::spew($node->path("tls/..$round/tls.crt"), ESG::Certs::slurp(with_left(20.5 + $round / 10)->{cert}));
	symlink "..$round", $node->path('tls/..new') or die $!;
	rename $node->path('tls/..new'), $node->path('tls/..data') or die $!;
	symlink '..data/tls.crt', $node->path('tls/tls.crt') if $round == 1;
	$node->apply('ext_ssl_guard.extra_files' => 'extra.crt, tls/tls.crt') if $round == 1;
	sql('SELECT count(*) FROM ssl_guard_check()');
}
is(sql(usual('tls.crt')), '20 days 14:00:00', 'as Kubernetes does it');

# --- what a restart keeps, and a copy does not ----------------------------------------

my $file = $node->path('pg_stat/ext_ssl_guard.renewals');
my $all = "SELECT string_agg(path || ' ' || usual_renewal::text, ', ' ORDER BY path, position) FROM ssl_guard_certificates WHERE usual_renewal IS NOT NULL";
my $known = sql($all);
$offset = $node->log_end;
$node->stop;
ok(-f $file && ((stat $file)[2] & 07777) == 0600, 'the file is there, for the server alone');
$node->start;
is(sql($all), $known, 'a restart keeps it');
is($node->count_log(qr/ext_ssl_guard\.renewals/, $offset), 0, 'without a word');

# replaced while the server was down: when it was made is when it came
$node->stop;
my $stopped = int time;
sleep 0.1 while time < $stopped + 2;
my $meanwhile = cert(0, 99 * $day);
my $begin = int time;
$node->replace($meanwhile->{cert}, 'extra.crt');
sleep 0.1 while time < $begin + 3;
$node->start;
is($node->wait_sql("SELECT $begin - extract(epoch FROM renewed_at)::bigint < 2 FROM ssl_guard_certificates WHERE path ~ 'extra.crt'"), 't',
	'renewed while the server was down');
is(sql("SELECT renewed_at = not_before FROM ssl_guard_certificates WHERE path ~ 'extra.crt'"), 't', 'when it was made');

$node->stop;
my $home = $node->data_dir;
rename $home, "$home.elsewhere" or die "rename: $!";
is(system('cp', '-a', "$home.elsewhere", $home), 0, 'a copy');
$offset = $node->log_end;
$node->start;
is($node->count_log(qr/removed file "pg_stat\/ext_ssl_guard\.renewals" of learned renewals, which belongs to another/, $offset), 1,
	'does not take over what another server saw');
is(sql($all), '', 'and knows nothing');
$node->stop;

foreach my $damage ([ 'cut', sub { truncate($file, 100) or die $! } ], [ 'with another byte', sub {
	my $text = ESG::Certs::slurp($file);

	substr($text, -1) ^= "\x01";
	ESG::Certs::spew($file, $text);
} ])
{
	my ($how, $spoil) = @$damage;

	unlink "$file.damaged";
	$spoil->();
	$offset = $node->log_end;
	$node->start;
	is($node->count_log(qr/LOG:  ignoring damaged file "pg_stat\/ext_ssl_guard\.renewals" of learned renewals/, $offset), 1, "$how: said");
	ok(-f "$file.damaged", 'and kept');
	$node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status');
	$node->stop;
	ok(-f $file, 'a good one is there again');
}

# --- in time ------------------------------------------------------------------------

# a life of 200 seconds, renewed when a minute is left
$node->set_conf('ext_ssl_guard.file_poll_interval' => '1s', 'ext_ssl_guard.extra_files' => 'brief.crt');
my $t0 = int time;
sub brief { return cert($t0 - 140 + $_[0] - int time, $t0 + 60 + $_[0] - int time); }
$node->replace(brief(0)->{cert}, 'brief.crt');
$node->start;
$node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status');
foreach my $round (1, 2)
{
	my $brief = brief($round * 10);

	$node->replace($brief->{cert}, 'brief.crt');
	# the worker's own look, at the file's change
	$node->wait_sql("SELECT count(*) FROM ssl_guard_certificates WHERE fingerprint = '$brief->{fingerprint}' AND renewed_at IS NOT NULL
		AND (SELECT last_check_at FROM ssl_guard_status) > to_timestamp(" . time . ')', 1);
}
my ($end, $usual) = split /\|/, sql("SELECT extract(epoch FROM not_after)::bigint, extract(epoch FROM usual_renewal)::bigint
	FROM ssl_guard_certificates WHERE path ~ 'brief.crt'");
cmp_ok($usual, '>', 10, 'a habit of less than a minute');
my %moment = (warning => $end + 1 - ($usual - int($usual / 5)), critical => $end + 1 - int($usual / 2));
foreach my $severity (qw(warning critical))
{
	$node->wait_log(qr/code=renewal_overdue severity=$severity .*brief|code=renewal_overdue severity=$severity setting=ext_ssl_guard.extra_files/, $offset);
	my $late = time - $moment{$severity};

	note sprintf '%s %+.1f s', $severity, $late;
	cmp_ok($late, '>', -1, "$severity: not before its moment");
	cmp_ok($late, '<', 3, "$severity: within seconds, while nobody looks");
}
$node->stop;

done_testing();
