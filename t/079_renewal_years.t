# Years of renewals at a server whose clock is set: no warning while all is
# renewed as usual, one when a renewal does not come.  The same without a
# server, for more programs, is t/unit/test_renewal.c.

use strict;
use warnings;

use Time::HiRes qw(time);

use Test::More;

use ESG::Certs;
use ESG::Clock;
use ESG::Node;

my $clock = ESG::Clock->new('years of renewals at a server are');

my ($hour, $day) = (3600, 86400);
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca', days_left => 7000, lifetime => 7300);
my $node = ESG::Node->new('years');
my ($made, $now) = (0, 0);

# name, file, lifetime, what is left when it is renewed
my @programs = (
	{ name => 'certmonger', file => 'certmonger.crt', life => 730 * $day, left => 28 * $day },
	{ name => 'AD CS', file => 'adcs.crt', life => 365 * $day, left => 42 * $day },
	{ name => 'certbot', file => 'certbot.crt', life => 90 * $day, left => 30 * $day },
	{ name => 'CloudNativePG', file => 'cnpg.crt', life => 90 * $day, left => 7 * $day },
	{ name => 'step-ca', file => 'step.crt', life => $day, left => 8 * $hour },
	{ name => 'weekly CRL', file => 'weekly.crl', life => 7 * $day + 12 * $hour, left => 12 * $hour });

# seconds from the real time, in one step
sub set_clock
{
	($now) = @_;
	$clock->set($now);
	return;
}

sub sql { return $node->safe_psql('postgres', $_[0]); }

# What the program makes at the clock's time: [text, end]
sub make
{
	my ($program) = @_;
	my $end = $now + $program->{life};

	return [ ESG::Certs::slurp($certs->make_crl($ca, 'crl' . ++$made, last_update => $now, next_update => $end)), $end ] if $program->{file} =~ /crl/;
	return [ ESG::Certs::slurp($certs->make_cert('cert' . ++$made, ca => $ca, subject => "/CN=host", key => $ca,
			not_before => ESG::Certs::stamp($now), not_after => ESG::Certs::stamp($end))->{cert}), $end ];
}

sub renew
{
	my ($program) = @_;
	my $next = make($program);

	ESG::Certs::spew($node->path("$program->{file}.new"), $next->[0]);
	rename $node->path("$program->{file}.new"), $node->path($program->{file}) or die "rename: $!";
	$program->{end} = $next->[1];
	sql('SELECT count(*) FROM ssl_guard_check()');
	return;
}

my $bad = "SELECT coalesce(string_agg(severity || ' ' || code || ' ' || message, '; '), '') FROM ssl_guard_alarms
	WHERE severity > 'notice' AND code ~ 'expire|renewal'";

$node->setup(ca => $ca, server => $certs->make_server('server', ca => $ca, days_left => 6000, lifetime => 6100),
	conf => "autovacuum = off\next_ssl_guard.file_poll_interval = 1s\next_ssl_guard.expire_check_interval = 0\next_ssl_guard.extra_files = '"
	  . join(', ', map { $_->{file} } @programs) . "'");
foreach my $program (@programs)
{
	my $first = make($program);

	ESG::Certs::spew($node->path($program->{file}), $first->[0]);
	$program->{end} = $first->[1];
}
$clock->start($node);
$node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status');

# one program after the other, each from the clock's present: three renewals, and one that does not come
foreach my $program (@programs)
{
	my ($name, $left) = @{$program}{qw(name left)};
	my $of = "path ~ '/$program->{file}\$'";
	my $view = $program->{file} =~ /crl/ ? 'ssl_guard_crls' : 'ssl_guard_certificates';
	my $alarm = "SELECT coalesce(max(severity)::text, '') FROM ssl_guard_alarms WHERE code = 'renewal_overdue' AND object ~ '/$program->{file}:'";

	$node->set_conf('ext_ssl_guard.extra_files' => $program->{file});
	$node->reload;
	$node->wait_sql('SHOW ext_ssl_guard.extra_files', $program->{file});
	# what the years before have made old
	renew($program);
	foreach my $round (1 .. 3)
	{
		set_clock($program->{end} - $left);
		renew($program);
		is(sql($bad), '', "$name: renewed as usual") if $round > 2;
	}
	is(sql("SELECT abs(extract(epoch FROM usual_renewal) - $left) < 60 FROM $view WHERE $of"), 't', "$name: what is usual");
	set_clock($program->{end} - $left - 60);
	is(sql("SELECT count(*) FROM ssl_guard_check() WHERE severity > 'notice' AND code ~ 'expire|renewal'"), 0, "$name: just before it is due, no warning");
	set_clock($program->{end} - int($left * 0.8) - 60);
	is(sql("SELECT count(*) FROM ssl_guard_check() WHERE code = 'renewal_overdue'"), 0, "$name: not yet overdue");
	set_clock($program->{end} - int($left * 0.8) + 30);
	is($node->wait_sql($alarm, 'warning', 30), 'warning', "$name: it does not come: overdue");
	set_clock($program->{end} - int($left * 0.5) + 30);
	is($node->wait_sql($alarm, 'critical', 30), 'critical', "$name: nor later: critical");
	renew($program);
	is($node->wait_sql($bad, '', 30), '', "$name: it has come");
}
$node->stop;

done_testing();
