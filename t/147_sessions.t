# ssl_guard_sessions: who is there, with which certificate, and would it let him
# in again?

use strict;
use warnings;

use Test::More;
use IPC::Run ();

use ESG::Certs;
use ESG::Node;
use ESG::Sessions;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my %client = (
	good => $certs->make_client('good', ca => $ca),
	bad => $certs->make_client('bad', ca => $ca),
	denied => $certs->make_client('denied', ca => $ca),
	by_serial => $certs->make_client('by_serial', ca => $ca),
	ending => $certs->make_client('ending', ca => $ca, not_before => ESG::Certs::stamp(-86400), not_after => ESG::Certs::stamp(20)));
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	crl => $certs->make_crl($ca, 'empty'),
	conf => "restart_after_crash = on\next_ssl_guard.session_check = 'warn'",
	hba => [
		'hostnossl all plain 127.0.0.1/32 trust',
		'hostssl all naked 127.0.0.1/32 trust',
		'hostssl all all 127.0.0.1/32 trust clientcert=verify-ca' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN; CREATE ROLE plain LOGIN; CREATE ROLE naked LOGIN; CREATE DATABASE other');

my %session;
$session{$_} = ESG::Sessions->open($node, user => 'app', client => $client{$_}) foreach sort keys %client;
$session{plain} = ESG::Sessions->open($node, user => 'plain', sslmode => 'disable', dbname => 'other');
$session{naked} = ESG::Sessions->open($node, user => 'naked');

sub row
{
	my ($columns, $name) = @_;

	return $node->safe_psql('postgres', "SELECT $columns FROM ssl_guard_sessions WHERE pid = $session{$name}{pid}");
}

sub states
{
	my $rows = $node->safe_psql('postgres', 'SELECT pid, state FROM ssl_guard_sessions');
	my %state = map { split /\|/ } split /\n/, $rows;

	return join(' ', map { "$_=" . ($state{ $session{$_}{pid} } // 'gone') } sort keys %session);
}

# --- what is shown ------------------------------------------------------------------------

is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_sessions'), scalar keys %session, 'one row for each session over TCP, none for local ones');
is(row('role_name, database, host(address), transport, fingerprint, subject, state', 'good'),
	"app|postgres|127.0.0.1|tls|$client{good}{fingerprint}|CN=good|valid", 'a session with a certificate');
is(row('tls_version, cipher', 'good'),
	$node->safe_psql('postgres', "SELECT version, cipher FROM pg_stat_ssl WHERE pid = $session{good}{pid}"), 'its TLS is what core says');
is(row(q{s.not_after = c.not_after AND s.expires_in BETWEEN c.expires_in - '1 minute'::interval AND c.expires_in + '1 minute'::interval FROM ssl_guard_client_certificates c, ssl_guard_sessions s WHERE s.fingerprint = c.fingerprint AND s.pid = } . $session{good}{pid} . ' UNION SELECT NULL::boolean', 'good') =~ /^t$/m ? 't' : 'f',
	't', 'so is the end of its certificate');
is($node->safe_psql('postgres',
		"SELECT login_at BETWEEN backend_start AND now() FROM ssl_guard_sessions JOIN pg_stat_activity USING (pid) WHERE pid = $session{good}{pid}"),
	't', 'when it logged in');
is(row('role_name, database, transport, tls_version, cipher, fingerprint, subject, not_after, expires_in, state', 'plain'),
	'plain|other|plain|||||||no_certificate', 'a session without TLS');
like(row('transport, tls_version, fingerprint, state', 'naked'), qr/^tls\|TLSv1\.[23]\|\|no_certificate$/, 'one with TLS, without a certificate');

# --- states ---------------------------------------------------------------------------------

is(states(), 'bad=valid by_serial=valid denied=valid ending=valid good=valid naked=no_certificate plain=no_certificate', 'all are good');
is($node->safe_psql('postgres', q{SELECT count(*) FROM ssl_guard_alarms WHERE code LIKE 'session_%'}), 0, 'no alarm');
my $offset = $node->log_end;
$certs->revoke($ca, $client{bad});
$node->replace($certs->make_crl($ca, 'second'), 'root.crl');
$node->set_conf('ext_ssl_guard.denied_certificates' => "$client{denied}{fingerprint}, $client{by_serial}{serial}\@$ca->{fingerprint}");
$node->reload;
$node->wait_sql("SELECT state FROM ssl_guard_sessions WHERE pid = $session{bad}{pid}", 'revoked');
$node->wait_sql("SELECT state FROM ssl_guard_sessions WHERE pid = $session{ending}{pid}", 'expired');
is(states(), 'bad=revoked by_serial=denied denied=denied ending=expired good=valid naked=no_certificate plain=no_certificate', 'each is what it is');

# core's own answer
foreach my $name (sort keys %client)
{
	my ($status) = $node->tcp_psql('SELECT 1', user => 'app', client => $client{$name});

	is($status == 0 ? 'in' : 'out', $name eq 'good' ? 'in' : 'out', "$name: a new login");
}

# --- warn ---------------------------------------------------------------------------------

sub alarms
{
	return $node->safe_psql('postgres',
		q{SELECT string_agg(code || ' ' || severity, ', ' ORDER BY code, object) FROM ssl_guard_alarms WHERE code LIKE 'session_%'});
}

$node->wait_sql(q{SELECT count(*) FROM ssl_guard_alarms WHERE code LIKE 'session_%'}, 4);
is(alarms(), 'session_denied warning, session_denied warning, session_outlives_certificate warning, session_revoked warning', 'warn: an alarm for each');
like($node->log_since($offset),
	qr/WARNING:  session of role "app" goes on although its client certificate was revoked\n.*DETAIL:  code=session_revoked severity=warning role=app pid=$session{bad}{pid} host=127\.0\.0\.1 fingerprint=$client{bad}{fingerprint} not_after=\S+ sessions=1( cluster=\S+)?$/m,
	'in the log');
my $second = ESG::Sessions->open($node, user => 'app', client => $client{good});
$_->alive or fail('a session was ended') foreach values %session, $second;
is($node->count_log(qr/code=session_revoked severity=warning role/, $offset), 1, 'one line');

# gone: cleared
$session{bad}->close;
$node->wait_log(qr/LOG:  alarm cleared: session of role "app" goes on although its client certificate was revoked/, $offset);
is($node->wait_sql(q{SELECT count(*) FROM ssl_guard_alarms WHERE code = 'session_revoked'}, 0), 0, 'the session has ended: its alarm is cleared');
is(alarms(), 'session_denied warning, session_denied warning, session_outlives_certificate warning', 'those of others are not');
$node->set_conf('ext_ssl_guard.denied_certificates' => '');
$node->reload;
is($node->wait_sql(q{SELECT count(*) FROM ssl_guard_alarms WHERE code = 'session_denied'}, 0), 0, 'not denied any more: cleared');
$node->set_conf('ext_ssl_guard.finding_overrides' => 'session_outlives_certificate=off');
$node->reload;
is($node->wait_sql(q{SELECT count(*) FROM ssl_guard_alarms WHERE code LIKE 'session_%'}, 0), 0, 'regraded to off: cleared');
$node->set_conf('ext_ssl_guard.finding_overrides' => '');
$node->reload;
$node->wait_sql(q{SELECT count(*) FROM ssl_guard_alarms WHERE code LIKE 'session_%'}, 1);
$node->set_conf('ext_ssl_guard.session_check' => 'off');
$node->reload;
is($node->wait_sql(q{SELECT count(*) FROM ssl_guard_alarms WHERE code LIKE 'session_%'}, 0), 0, 'off: cleared');
is(row('state', 'ending'), 'expired', 'what can be told at once is told with off, too');

# --- what a session does makes no difference ---------------------------------------------------

my $busy = ESG::Sessions->open($node, user => 'app', client => $client{good});
is($busy->query('SET ROLE NONE; DISCARD ALL; SELECT 1'), '1', 'DISCARD ALL');
is($node->safe_psql('postgres', "SELECT role_name, state FROM ssl_guard_sessions WHERE pid = $busy->{pid}"), 'app|valid', 'the session is there');
my ($pid) = ($busy->{pid});
$busy->close;
is($node->wait_sql("SELECT count(*) FROM ssl_guard_sessions WHERE pid = $pid", 0), 0, 'and gone when it is');

# --- a crash leaves nothing --------------------------------------------------------------------

$_->close foreach $second;
$offset = $node->log_end;
kill 'KILL', $session{good}{pid};
$node->wait_log(qr/terminated by signal 9.*database system is ready to accept connections/s, $offset);
is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_sessions'), 0, 'after a crash there is no session');
my $after = ESG::Sessions->open($node, user => 'app', client => $client{good});
is($node->safe_psql('postgres', "SELECT state FROM ssl_guard_sessions WHERE pid = $after->{pid}"), 'valid', 'but the new ones');
$after->close;

$node->stop;
done_testing();
