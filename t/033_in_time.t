# In time: a verdict that changes is said when it changes, with all intervals
# at their defaults, and nobody looks in between.

use strict;
use warnings;

use Time::HiRes qw(sleep time);
use Time::Local qw(timegm);

use Test::More;

use ESG::Certs;
use ESG::Der;
use ESG::Node;

my $late = 2;
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $node = ESG::Node->new('in_time');

# a CRL of a million entries takes a while to make, and is to end later than the rest
my $entries = 1_000_000;
my $list = join '', map { "\x30\x19\x02\x08\x01" . pack('NnC', $_, $_ & 0xffff, 1) . "\x17\x0d260101000000Z" } 1 .. $entries;
my $large = $certs->dir . '/large.crl';

sub stamp { return ESG::Certs::stamp($_[0] - int time); }

sub make_large_crl
{
	my ($this_update, $next_update) = @_;
	my $small = $certs->make_crl($ca, 'small', last_update => $this_update, next_update => $next_update);

	ESG::Certs::spew($large, ESG::Der::resign($small, $ca->{key}, sub {
		splice @{ $_[0] }, $ESG::Der::crl{next_update} + 1, 0, ESG::Der::tlv(0x30, $list);
	}));
	return $large;
}

# --- five lives that end within a minute --------------------------------------

$node->setup(ca => $ca, server => $certs->make_server('first', ca => $ca), crl => $certs->make_crl($ca, 'first'),
	conf => "log_timezone = 'UTC'\next_ssl_guard.extra_files = 'extra.crt, future.crt, large.crl'");
my $t0 = int time;
make_large_crl(-100, 58);
my %begin = (server => $t0 - 30, extra => $t0 - 40, client => $t0 - 60, future => $t0 + 30);
my %end = (server => $t0 + 50, extra => $t0 + 40, client => $t0 + 47, future => $t0 + 30 * 86400);
my %made = map {
	my $how = $_ eq 'server' ? 'make_server' : $_ eq 'client' ? 'make_client' : 'make_cert';
	$_ => $certs->$how($_, ca => $ca, not_before => stamp($begin{$_}), not_after => stamp($end{$_}))
} keys %end;
my ($crl_begin, $crl_end) = (int(time) - 60, int(time) + 45);
$node->replace($made{server}{cert}, 'server.crt');
$node->replace($made{server}{key}, 'server.key');
$node->replace($made{$_}{cert}, "$_.crt") foreach qw(extra future);
$node->replace($certs->make_crl($ca, 'crl', last_update => $crl_begin - int time, next_update => $crl_end - int time), 'root.crl');
$node->replace($large, 'large.crl');
# a file that was written a moment ago is looked at twice
sleep 0.1;
$node->start;
my ($exit, $out, $err) = $node->tcp_psql('SELECT 1', client => $made{client});
is("$exit $out", '0 1', 'the client logs in') or diag $err;

sub sql { return $node->safe_psql('postgres', $_[0]); }

# seconds since 1970 from openssl's words
sub crl_moment
{
	my ($path, $which) = @_;
	my $text = ESG::Certs::openssl('crl', '-in', $path, '-noout', "-$which");

	$text =~ /=\s*(\w{3})\s+(\d+) (\d+):(\d+):(\d+) (\d+) GMT/ or die "no time in \"$text\"";
	my %month = (Jan => 0, Feb => 1, Mar => 2, Apr => 3, May => 4, Jun => 5,
		Jul => 6, Aug => 7, Sep => 8, Oct => 9, Nov => 10, Dec => 11);
	return timegm($5, $4, $3, $2, $month{$1}, $6);
}

sub share
{
	my ($of, $level, $life) = @_;
	my $percent = sql("SELECT coalesce(nullif(current_setting('ext_ssl_guard.${of}_${level}_lifetime_percent', true), ''), "
		  . "current_setting('ext_ssl_guard.expire_${level}_lifetime_percent'))");

	return int($life * $percent / 100);
}

# [moment, pattern of the line, name] of all that will happen
sub list_events
{
	my @plan;

	foreach my $name (qw(server extra client))
	{
		my $life = $end{$name} - $begin{$name};
		my $of = "fingerprint=$made{$name}{fingerprint}";

		push @plan, [ $end{$name} - share('expire', 'alert', $life) + 1, qr/code=expires_soon .*$of/, "$name: expires soon" ],
		  [ $end{$name} - share('expire', 'critical', $life) + 1, qr/code=expires_very_soon .*$of/, "$name: very soon" ],
		  [ $end{$name}, qr/code=expired .*$of/, "$name: expired" ];
	}
	foreach my $crl ([ 'root.crl', 'setting=ssl_crl_file' ], [ 'large.crl', 'setting=\S+extra_files' ])
	{
		my ($begin, $end) = map { crl_moment($node->path($crl->[0]), $_) } qw(lastupdate nextupdate);

		push @plan, [ $end - share('crl', 'alert', $end - $begin) + 1, qr/code=crl_expires_soon .*$crl->[1]/, "$crl->[0]: expires soon" ],
		  [ $end - share('crl', 'critical', $end - $begin) + 1, qr/code=crl_expires_very_soon .*$crl->[1]/, "$crl->[0]: very soon" ],
		  [ $end, qr/code=crl_expired .*$crl->[1]/, "$crl->[0]: expired" ];
	}
	push @plan, [ $begin{future}, qr/code=not_yet_valid .*cleared=yes .*future\.crt/, 'future: valid now' ];
	return sort { $a->[0] <=> $b->[0] } @plan;
}

# when the log first says so, seconds since 1970
sub logged_at
{
	my ($pattern) = @_;

	foreach my $line (split /\n/, $node->log_since(0))
	{
		return timegm($6, $5, $4, $3, $2 - 1, $1) + $7
		  if $line =~ $pattern && $line =~ /^(\d+)-(\d+)-(\d+) (\d+):(\d+):(\d+)(\.\d+) UTC/;
	}
	return;
}

my @plan = list_events();
is($node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status'), 't', 'the first check is done');
my $checked = logged_at(qr/has checked the TLS set-up/);
like($node->log_since(0), qr/LOG:  ext_ssl_guard \d[\d.]* has checked the TLS set-up: files 7, certificates 4, CRLs 2; standing alarms: critical \d+, warning \d+, notice \d+$/m,
	'one line says so');
is($node->count_log(qr/has checked the TLS set-up/), 1, 'and one only');

sub worker_io
{
	my $pid = sql('SELECT worker_pid FROM ssl_guard_status');

	open(my $in, '<', "/proc/$pid/io") or return;
	local $/ = undef;
	return <$in> =~ /^rchar: (\d+)/m ? $1 : undef;
}

# until the last has come, ssl_guard_status names the next
my $last = $plan[-1][0];
my ($named, $wrong) = (0, '');
my $read = worker_io();
while ((my $now = time) < $last - 1)
{
	my ($next) = grep { $_->[0] > $now } @plan;

	# not when one is just being met
	if ($next->[0] > $now + 2 && !grep { abs($_->[0] - $now) < $late } @plan)
	{
		my $shown = sql('SELECT extract(epoch FROM next_check_at)::bigint FROM ssl_guard_status');

		$named++;
		$wrong .= " $shown instead of $next->[0]" if $shown != $next->[0];
	}
	sleep 1;
}
sleep 0.1 while time < $last + $late;
SKIP:
{
	# the moments are seconds apart
	skip 'this machine was too busy to look at next_check_at between them', 1 unless $named;
	is($wrong, '', "next_check_at was the next moment of all, $named times");
}
foreach my $event (@plan)
{
	my ($moment, $pattern, $name) = @$event;
	my $at = logged_at($pattern);
	# what has happened by the first check is found by it
	my $due = $moment > $checked ? $moment : $checked - 0.1;

	ok(defined $at && $at >= $due && $at - $due < $late, sprintf('%s, at +%d s', $name, $moment - $t0))
	  or diag defined $at ? sprintf('said %.3f s late', $at - $due) : 'not said';
	note sprintf('%+.3f s', $at - $due) if defined $at;
}
SKIP:
{
	skip 'no /proc/PID/io', 1 unless defined $read;
	cmp_ok(worker_io() - $read, '<', 4 << 20, 'without reading the CRL of a million entries again');
}
is(sql('SELECT count(*) FROM ssl_guard_alarms WHERE code IN (\'expired\', \'crl_expired\')'), 5, 'all have ended');
($exit, $out, $err) = $node->tcp_psql('SELECT 1', client => $made{client});
isnt($exit, 0, 'and the client is refused');

# --- nothing to do -------------------------------------------------------------

SKIP:
{
	my $pid = sql('SELECT worker_pid FROM ssl_guard_status');
	my $switches = sub { return ESG::Certs::slurp("/proc/$pid/status") =~ /^voluntary_ctxt_switches:\s+(\d+)/m ? $1 : undef; };

	skip 'no /proc/PID/status', 1 unless -r "/proc/$pid/status" && defined $switches->();
	sleep 1;
	my $before = $switches->();
	sleep 10;
	cmp_ok($switches->() - $before, '<=', 5, 'ten idle seconds wake the worker a few times at most');
}

# --- intervals of 0 --------------------------------------------------------------

my $t1 = int time;
$certs->make_cert('extra2', ca => $ca, not_before => stamp($t1 - 100), not_after => stamp($t1 + 9));
$node->replace($certs->dir . '/extra2.crt', 'extra.crt');
$node->set_conf('ext_ssl_guard.extra_files' => 'extra.crt', 'ext_ssl_guard.expire_check_interval' => 0,
	'ext_ssl_guard.file_poll_interval' => 0);
my $offset = $node->log_end;
$node->reload;
is($node->wait_sql("SELECT extract(epoch FROM next_check_at)::bigint FROM ssl_guard_status", $t1 + 9), $t1 + 9,
	'no checks but for the events: the end is one');
is($node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'expired' AND object ~ 'extra.crt'", 1), 1, 'and is met');
cmp_ok(time, '<', $t1 + 9 + $late + 1, 'in time');

# --- a refused login -----------------------------------------------------------

$node->replace($certs->make_server('fresh', ca => $ca)->{cert}, 'server.crt');
$node->replace($certs->dir . '/fresh.key', 'server.key');
$node->replace($certs->make_crl($ca, 'fresh'), 'root.crl');
$node->set_conf('ext_ssl_guard.file_permission_check' => 'enforce');
$node->reload;
my $alarm = "SELECT count(*) FROM ssl_guard_alarms WHERE code = 'permissions_too_open'";
$node->wait_sql("SELECT in_sync AND last_check_at > last_reload_at FROM ssl_guard_status");
is(($node->tcp_psql('SELECT 1'))[0], 0, 'files in order: a login');
chmod 0666, $node->path('root.crt') or die $!;
# longer than the worker looks closely after a reload
sleep 4;
is(sql($alarm), 0, 'a file made writable, which nobody looks at');
isnt(($node->tcp_psql('SELECT 1'))[0], 0, 'the next login is refused');
is($node->wait_sql($alarm, 1, 1), 1, 'and a second later the alarm stands');
chmod 0644, $node->path('root.crt') or die $!;

# --- a new client ----------------------------------------------------------------

# the outlook's own next moment is months away
my $t2 = int time;
my $brief = $certs->make_client('brief', ca => $ca, not_before => stamp($t2 - 10), not_after => stamp($t2 + 8));
is(($node->tcp_psql('SELECT 1', client => $brief))[0], 0, 'a client whose certificate has seconds left');
is($node->wait_sql("SELECT extract(epoch FROM next_check_at)::bigint <= $t2 + 8 FROM ssl_guard_status"), 't', 'brings the next moment nearer');
is($node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'expired' AND object ~ '$brief->{fingerprint}'", 1), 1, 'its end is met');
cmp_ok(time, '<', $t2 + 8 + $late + 1, 'in time');

$node->stop;
done_testing();
