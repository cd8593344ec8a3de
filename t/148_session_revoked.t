# session_check = enforce: a CRL is loaded, and of 200 sessions exactly those end
# whose certificates it lists, while the others go on with what they do.

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
my $other_ca = $certs->make_ca('other_ca');
my $intermediate = $certs->make_ca('intermediate', ca => $ca);
my $doomed_ca = $certs->make_ca('doomed_ca', ca => $ca);
# the same serial number under another CA is another certificate
my %client = (
	good => $certs->make_client('good', ca => $ca),
	bad => $certs->make_client('bad', ca => $ca, serial => '0A0B0C'),
	namesake => $certs->make_client('namesake', ca => $other_ca, serial => '0A0B0C'),
	below => $certs->make_client('below', ca => $intermediate, chain => [$intermediate]),
	below_good => $certs->make_client('below_good', ca => $intermediate, chain => [$intermediate]),
	below_doomed => $certs->make_client('below_doomed', ca => $doomed_ca, chain => [$doomed_ca]));
my @cas = ($ca, $other_ca, $intermediate, $doomed_ca);
my $sequence = 0;
my $node = ESG::Node->new('main');

# of all CAs, as they are now
sub crls
{
	$sequence++;
	return $certs->concat("all_$sequence.crl", map { $certs->make_crl($_, "$_->{name}_$sequence", last_update => $sequence - 3600) } @cas);
}

$node->setup(
	ca => $certs->concat('cas.crt', $ca->{cert}, $other_ca->{cert}),
	server => $certs->make_server('server', ca => $ca),
	crl => crls(),
	conf => "max_connections = 260\next_ssl_guard.session_check = 'enforce'\nlog_min_messages = debug1",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN; CREATE ROLE bench LOGIN; GRANT ALL ON SCHEMA public TO bench');

# 180 clients of pgbench, and one with each certificate, of the bad one more
my $bench_out = '';
$node->safe_psql('postgres', 'SET ROLE bench; CREATE TABLE t (x int)');
my $script = PostgreSQL::Test::Utils::tempdir() . '/script.sql';
ESG::Certs::spew($script, "SELECT count(*) FROM t;\n\\sleep 50 ms\n");
my $bench = IPC::Run::start([ 'pgbench', '-n', '-f', $script, '-c', '180', '-j', '2', '-T', 3600,
		$node->tcp(user => 'bench', client => $client{good}) ], '<', '/dev/null', '>', \$bench_out, '2>&1');
my @sessions = map { my $name = $_; { name => $name, session => ESG::Sessions->open($node, user => 'app', client => $client{$name}) } }
  ((sort keys %client), ('bad') x 14);

$node->wait_sql('SELECT count(*) FROM ssl_guard_sessions', '200');
is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_sessions'), '200', '200 sessions');
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT state, ' ') FROM ssl_guard_sessions}), 'valid', 'all of them valid');

# reloaded without news: nothing
my $offset = $node->log_end;
my $judged = qr/DEBUG:  .*ext_ssl_guard session judge.*\n/;
$node->replace(crls(), 'root.crl');
$node->reload;
$node->wait_log(qr/$judged/, $offset);
is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_sessions'), '200', 'a CRL that lists none of them');

$certs->revoke($ca, $client{bad});
$certs->revoke($intermediate, $client{below});
$certs->revoke($ca, $doomed_ca);
$offset = $node->log_end;
$node->replace(crls(), 'root.crl');
my $others = q{SELECT string_agg(pid::text, ' ' ORDER BY pid) FROM ssl_guard_sessions WHERE role_name = 'bench'};
my $before_it = $node->safe_psql('postgres', $others);
my $began = time;
$node->reload;
$node->wait_sql(q{SELECT count(*) FROM ssl_guard_sessions WHERE role_name = 'app'}, '3');
my $took = time - $began;
# not only when they are looked at anyway, which is after a minute
cmp_ok($took, '<', 30, "17 of them end, in $took seconds from the signal on");
my %alive = map { ($_ => 0) } sort keys %client;
$alive{ $_->{name} } += $_->{session}->alive ? 1 : 0 foreach @sessions;
is(join(' ', map { "$_=$alive{$_}" } sort keys %alive), 'bad=0 below=0 below_doomed=0 below_good=1 good=1 namesake=1', 'exactly those');
is($node->count_log(qr/LOG:  ending session of role "app": its client certificate was revoked$/, $offset), 17, 'the log has the reason of each');
is($node->count_log(qr/DETAIL:  code=session_revoked role=app pid=\d+ host=127\.0\.0\.1 fingerprint=$client{bad}{fingerprint} not_after=/, $offset), 15, 'with its certificate');
like($node->log_since($offset), qr/LOG:  ending session.*?FATAL:  terminating connection due to administrator command/s, 'before the end');
like($_->{session}{err}, qr/FATAL:  terminating connection due to administrator command/, 'the client is told by core') foreach grep { $_->{name} eq 'below' } @sessions;
is($node->safe_psql('postgres', q{SELECT count(*) FROM ssl_guard_alarms WHERE code LIKE 'session_%'}), 0, 'no alarm is left');

# a new login is core's own answer
foreach my $name (sort keys %client)
{
	my ($status) = $node->tcp_psql('SELECT 1', user => 'app', client => $client{$name});

	is($status == 0 ? 1 : 0, $alive{$name}, "$name: a new login " . ($alive{$name} ? 'gets in' : 'is refused'));
}
is($node->safe_psql('postgres', $others), $before_it, 'the 180 others are the same');
$bench->pump_nb;
ok($bench->pumpable, 'pgbench goes on') or diag($bench_out);
$bench->kill_kill(grace => 5);
unlike($bench_out, qr/error|terminat|abort|fatal/i, 'without one error') or diag($bench_out);

# --- two reloads in quick succession: the last one counts --------------------------------------------

my %late = map { ($_ => $certs->make_client("late_$_", ca => $ca)) } 1, 2;
my %late_session = map { ($_ => ESG::Sessions->open($node, user => 'app', client => $late{$_})) } 1, 2;
$certs->revoke($ca, $late{1});
$node->replace(crls(), 'root.crl');
$node->reload;
$certs->revoke($ca, $late{2});
$node->replace(crls(), 'root.crl');
$node->reload;
like($late_session{$_}->wait_end, qr/FATAL:  terminating connection/, "reload $_ of two") foreach 1, 2;

# --- which CRL counts ----------------------------------------------------------------------------------

# an older CRL beside the newest one, which does not list it any more
my $held = $certs->make_client('held', ca => $ca);
my $before = $certs->make_crl($ca, 'before', last_update => -7200);
my $index = ESG::Certs::slurp($certs->dir . '/ca.ca/index.txt');
$certs->revoke($ca, $held);
my $listing = $certs->make_crl($ca, 'listing', last_update => -5000);
ESG::Certs::spew($certs->dir . '/ca.ca/index.txt', $index);
my @others = grep { $_ != $ca } @cas;
my $lifted = $certs->concat('lifted.crl', $listing, $certs->make_crl($ca, 'newest', last_update => -60), map { $certs->make_crl($_, "$_->{name}_lifted") } @others);

# one whose signature is another CA's: OpenSSL refuses everybody for it, but it revokes nobody
$node->replace($lifted, 'root.crl');
$node->apply();
my $held_session = ESG::Sessions->open($node, user => 'app', client => $held);
ok($held_session->alive, 'in an older CRL only: it gets in');
$offset = $node->log_end;
$node->reload;
$node->wait_log($judged, $offset);
my $done = $node->log_end;
is($node->safe_psql('postgres', "SELECT state FROM ssl_guard_sessions WHERE pid = $held_session->{pid}"), 'valid', 'and stays');
$node->replace($certs->concat('listed.crl', $listing, map { $certs->make_crl($_, "$_->{name}_listed") } @others), 'root.crl');
$node->reload;
like($held_session->wait_end, qr/FATAL:  terminating connection/, 'when that one is all there is, it ends');

# --- a reload that fails --------------------------------------------------------------------------------

my $spared = ESG::Sessions->open($node, user => 'app', client => $client{good});
$certs->revoke($ca, $client{good});
$node->replace(crls(), 'root.crl');
my $cert = ESG::Certs::slurp($node->path('server.crt'));
ESG::Certs::spew($node->path('server.crt'), "no certificate\n");
$node->reload;
SKIP:
{
	skip 'EXEC_BACKEND: each backend loads the files by itself', 1 if ESG::Node::exec_backend();
	$node->wait_sql(q{SELECT count(*) FROM ssl_guard_alarms WHERE code = 'reload_failed'}, 1);
	ok($spared->alive, 'a CRL that could not be loaded ends nobody');
}
ESG::Certs::spew($node->path('server.crt'), $cert);
$node->reload;
like($spared->wait_end, qr/FATAL:  terminating connection/, 'when it is loaded, it does');

$node->stop;
done_testing();
