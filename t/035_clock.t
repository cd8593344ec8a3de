# The clock is set forward and back.

use strict;
use warnings;

use Time::HiRes qw(sleep time);

use Test::More;

use ESG::Certs;
use ESG::Clock;
use ESG::Node;

my $clock = ESG::Clock->new('clocks set forward and back are');

# how long a jump may go unnoticed
my $round = 12;
my $year = 365 * 86400;
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $client = $certs->make_client('postgres', ca => $ca, days_left => 20, lifetime => 40);
my $node = ESG::Node->new('clock');

sub sql { return $node->safe_psql('postgres', $_[0]); }

sub codes
{
	return "SELECT coalesce(string_agg(DISTINCT code, ' ' ORDER BY code), '') FROM ssl_guard_alarms WHERE severity > 'notice'";
}

$node->setup(ca => $ca, server => $certs->make_server('server', ca => $ca), crl => $certs->make_crl($ca, 'crl'),
	conf => "autovacuum = off\next_ssl_guard.file_poll_interval = 0\next_ssl_guard.expire_check_interval = 0\next_ssl_guard.posture_check = off");
$clock->start($node);
is(($node->tcp_psql('SELECT 1', client => $client))[0], 0, 'a client logs in');
is($node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status'), 't', 'a check');
is(sql(codes()), '', 'all is well');

# --- forward and back ------------------------------------------------------------

$clock->set($year);
is($node->wait_sql(codes(), 'crl_expired expired', $round), 'crl_expired expired', 'a year ahead: all has ended');
$clock->set(0);
is($node->wait_sql(codes(), '', $round), '', 'back: nothing has');
my $ended = "SELECT count(*) FROM ssl_guard_alarms WHERE code = 'expired' AND object ~ '$client->{fingerprint}'";
$clock->set(21 * 86400);
is($node->wait_sql($ended, 1, $round), 1, "three weeks ahead: the client's has ended");
$clock->set(0);
is($node->wait_sql($ended, 0, $round), 0, 'back: it has not');
$clock->set(-$year);
is($node->wait_sql(codes(), 'crl_not_yet_valid not_yet_valid', $round), 'crl_not_yet_valid not_yet_valid',
	'a year back: nothing has begun');
is(sql("SELECT next_check_at < now() + '1 year' FROM ssl_guard_status"), 't', 'the beginning is the next moment');
$clock->set(0);
is($node->wait_sql(codes(), '', $round), '', 'and forward again');

# --- set back around a reload -------------------------------------------------------

# with ssl off no load ends that could tell the worker to go on
$node->set_conf(ssl => 'off', 'ext_ssl_guard.file_poll_interval' => '1s', 'ext_ssl_guard.extra_files' => 'extra.crt');
$node->replace($ca->{cert}, 'extra.crt');
$clock->set(86400);
$node->reload;
$node->wait_sql("SELECT NOT ssl FROM ssl_guard_status");
sleep 3;
$node->set_conf('ext_ssl_guard.expire_check_interval' => '1h');
$node->reload;
# before the second is over that the worker waits for the outcome
$node->wait_sql("SELECT current_setting('ext_ssl_guard.expire_check_interval')", '1h');
$clock->set(0);
unlink $node->path('extra.crt');
is($node->wait_sql(codes(), 'file_missing', $round), 'file_missing', 'set back within a second of a reload: files are still looked at');

# the watch after a reload is over after seconds, also by a clock that was set back
$clock->set(86400);
$node->reload;
sleep 1.5;
$clock->set(0);
$node->set_conf('ext_ssl_guard.file_poll_interval' => '0');
SKIP:
{
	my $pid = sql('SELECT worker_pid FROM ssl_guard_status');
	my $switches = sub { return ESG::Certs::slurp("/proc/$pid/status") =~ /^voluntary_ctxt_switches:\s+(\d+)/m ? $1 : undef; };

	skip 'no /proc/PID/status', 1 unless -r "/proc/$pid/status" && defined $switches->();
	sleep 5;
	my $before = $switches->();
	sleep 5;
	# a look each second, no more
	cmp_ok($switches->() - $before, '<=', 15, 'set back past a reload: no short sleeps for a day');
}

# --- reloads under a clock set back -----------------------------------------------------

# which certificate is served is told by the order of loads, not by their times
my $second = $certs->make_server('second', ca => $ca);
$node->set_conf(ssl => 'on', 'ext_ssl_guard.extra_files' => '', 'ext_ssl_guard.file_poll_interval' => '1s', 'ext_ssl_guard.self_probe' => 'off');
$clock->set(86400);
$node->reload;
$node->wait_sql('SELECT ssl FROM ssl_guard_status');
is(($node->tcp_psql('SELECT 1'))[0], 0, 'a login, a day ahead');
is($node->wait_sql('SELECT in_sync FROM ssl_guard_status'), 't', 'sees the certificate that was loaded');
$clock->set(0);
$node->replace($second->{cert}, 'server.crt');
$node->replace($second->{key}, 'server.key');
$node->reload;
is($node->wait_sql("SELECT in_sync AND served_fingerprint = '$second->{fingerprint}' FROM ssl_guard_status"), 't',
	'the clock set back, and another load: its certificate is served');
is(($node->tcp_psql('SELECT 1'))[0], 0, 'a login');
is(sql('SELECT served_seen_by FROM ssl_guard_status'), 'login', 'says the same');
sleep 2;
is(sql(codes()), '', 'no false alarm');

$node->stop;
done_testing();
