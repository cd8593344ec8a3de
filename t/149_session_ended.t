# session_check = enforce: when a session is ended, and when it is not.

use strict;
use warnings;

use Test::More;
use IPC::Run ();
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Node;
use ESG::Sessions;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	crl => $certs->make_crl($ca, 'empty'),
	conf => "ext_ssl_guard.session_check = 'enforce'\next_ssl_guard.exempt_roles = 'exempt'\nlog_line_prefix = '%n [%p] '",
	init => { allows_streaming => 1 },
	hba => [
		'hostnossl all plain 127.0.0.1/32 trust',
		'hostssl replication,all all 127.0.0.1/32 trust clientcert=verify-ca' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN; CREATE ROLE exempt LOGIN; CREATE ROLE plain LOGIN; CREATE ROLE standby LOGIN REPLICATION');

my $made = 0;

# a certificate that ends in so many seconds
sub ending
{
	my ($seconds) = @_;
	my $end = int(time) + $seconds;
	my $client = $certs->make_client('ending' . ++$made, ca => $ca, not_before => ESG::Certs::stamp(-86400), not_after => ESG::Certs::stamp($seconds));

	# the second in which it was made
	my $text = `openssl x509 -in '$client->{single}' -noout -enddate`;
	require Time::Local;
	my %month = (Jan => 0, Feb => 1, Mar => 2, Apr => 3, May => 4, Jun => 5, Jul => 6, Aug => 7, Sep => 8, Oct => 9, Nov => 10, Dec => 11);
	$client->{end} = Time::Local::timegm($5 // 0, $4, $3, $2, $month{$1}, $6) if $text =~ /=(\w{3}) +(\d+) (\d+):(\d+):(\d+) (\d+)/;
	return $client;
}

# when the log says that this backend was told to end
sub told_at
{
	my ($pid, $offset) = @_;

	$node->wait_log(qr/^[\d.]+ \[\d+\] LOG:  ending session of role [^\n]*\n[^\n]*DETAIL:  [^\n]* pid=$pid /m, $offset);
	return $1 if $node->log_since($offset) =~ /^([\d.]+) \[\d+\] LOG:  ending session of role [^\n]*\n[^\n]*DETAIL:  [^\n]* pid=$pid /m;
	return 0;
}

# --- at most a second late ------------------------------------------------------------------------

foreach my $seconds (4, 6)
{
	my $client = ending($seconds);
	my $offset = $node->log_end;
	my $session = ESG::Sessions->open($node, user => 'app', client => $client);
	my $bystander = ESG::Sessions->open($node, user => 'plain', sslmode => 'disable');

	ok($session->alive, 'a session, while its certificate lasts');
	my $late = told_at($session->{pid}, $offset) - $client->{end};
	ok($late >= 0 && $late <= 1, "is ended at its end, $late seconds late");
	like($session->wait_end, qr/FATAL:  terminating connection due to administrator command/, 'by core');
	ok($bystander->alive, 'one without a certificate goes on');
}

# --- grace -----------------------------------------------------------------------------------------

$node->apply('ext_ssl_guard.session_grace' => '3s');
{
	my $client = ending(3);
	my $offset = $node->log_end;
	my $session = ESG::Sessions->open($node, user => 'app', client => $client);

	is($node->wait_sql(q{SELECT severity FROM ssl_guard_alarms WHERE code = 'session_outlives_certificate'}, 'critical'), 'critical', 'grace: an alarm at its end');
	ok($session->alive, 'the session goes on');
	my $late = told_at($session->{pid}, $offset) - $client->{end} - 3;
	ok($late >= 0 && $late <= 1, "and is ended when the grace has passed, $late seconds late");
	$session->wait_end;
	is($node->wait_sql(q{SELECT count(*) FROM ssl_guard_alarms WHERE code = 'session_outlives_certificate'}, 0), 0, 'that clears the alarm');
}
{
	my $denied = $certs->make_client('denied', ca => $ca);
	my $session = ESG::Sessions->open($node, user => 'app', client => $denied);
	my $offset = $node->log_end;

	$node->apply('ext_ssl_guard.denied_certificates' => $denied->{fingerprint});
	my $late = told_at($session->{pid}, $offset);
	my ($reload) = $node->log_since($offset) =~ /^([\d.]+) \[\d+\] LOG:  received SIGHUP/m;
	$late -= $reload + 3;
	ok($late >= 0 && $late <= 1.5, "denied: ended $late seconds after the grace");
	like($node->log_since($offset), qr/LOG:  ending session of role "app": its client certificate is one of "ext_ssl_guard.denied_certificates"\n.*DETAIL:  code=session_denied role=app/, 'with the reason');
	$node->apply('ext_ssl_guard.denied_certificates' => '', 'ext_ssl_guard.session_grace' => '0');
}

# --- exempt roles, replication, local sessions ---------------------------------------------------

my $bad = $certs->make_client('bad', ca => $ca);
my %session = map { ($_ => ESG::Sessions->open($node, user => $_, client => $bad)) } qw(exempt app);
my $local = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', 'SELECT pg_sleep(60)' ], '<', '/dev/null', '>', \my $local_out, '2>', \my $local_err);
my $wal = PostgreSQL::Test::Utils::tempdir();
my $receiver = IPC::Run::start([ 'pg_receivewal', '-n', '-D', $wal, '-d', $node->tcp(user => 'standby', client => $bad) ], '<', '/dev/null', '>', \my $wal_out, '2>', \my $wal_err);
$node->wait_sql(q{SELECT count(*) FROM ssl_guard_sessions WHERE role_name = 'standby' AND database IS NULL}, 1);
my $offset = $node->log_end;
$certs->revoke($ca, $bad);
$node->replace($certs->make_crl($ca, 'revoked'), 'root.crl');
$node->reload;
like($session{app}->wait_end, qr/FATAL/, 'revoked: one that is not exempt is ended');
ok($session{exempt}->alive, 'one of an exempt role is not');
is($node->wait_sql(q{SELECT string_agg(object, ', ' ORDER BY object) FROM ssl_guard_alarms WHERE code = 'session_revoked' AND severity = 'critical'},
		qr/standby/), join(', ', map { qq{role "$_", $bad->{fingerprint}} } qw(exempt standby)), 'both that go on are alarms');
ok($receiver->pumpable, 'nor is replication');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_replication}), 1, 'which goes on');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND client_addr IS NULL}), 1, 'nor is a local session');

# --- a worker that is gone leaves nothing undone -------------------------------------------------

my $worker = $node->safe_psql('postgres', 'SELECT worker_pid FROM ssl_guard_status');
kill 'TERM', $worker;
$node->wait_sql("SELECT worker_pid IS DISTINCT FROM $worker FROM ssl_guard_status");
my $client = ending(3);
$offset = $node->log_end;
my $session = ESG::Sessions->open($node, user => 'app', client => $client);
my $pid = $session->{pid};
told_at($pid, $offset);
like($session->wait_end, qr/FATAL/, 'a worker started anew ends what the one before it would have');
ok($session{exempt}->alive, 'and knows whom not');
is($node->safe_psql('postgres', q{SELECT count(*) FROM ssl_guard_alarms WHERE code = 'session_revoked'}), 2, 'the alarms stand');

# --- and replication, if it is to be -----------------------------------------------------------------

$offset = $node->log_end;
$node->apply('ext_ssl_guard.session_check_replication' => 'on');
$node->wait_log(qr/LOG:  ending session of role "standby": its client certificate was revoked/, $offset);
$receiver->finish;
isnt($receiver->result, 0, 'session_check_replication: pg_receivewal ends');
is($node->wait_sql('SELECT count(*) FROM pg_stat_replication', 0), 0, 'there is no replication any more');
ok($session{exempt}->alive, 'an exempt role goes on');
$local->kill_kill;

# a role that is gone is like others
$node->safe_psql('postgres', 'CREATE ROLE gone LOGIN');
my $denied = $certs->make_client('gone', ca => $ca);
my $gone = ESG::Sessions->open($node, user => 'gone', client => $denied);
$node->safe_psql('postgres', 'DROP ROLE gone');
$node->apply('ext_ssl_guard.denied_certificates' => $denied->{fingerprint});
like($gone->wait_end, qr/FATAL/, 'the session of a role that was dropped');

# prepared transactions stay
$node->stop;
done_testing();
