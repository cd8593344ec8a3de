# ssl_guard_reset() and ssl_guard_resets: counters of logins begin anew.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $client = $certs->make_client('app', ca => $ca);
my $stranger = $certs->make_client('stranger', ca => $certs->make_ca('elsewhere'));
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	hba => ['hostssl all all 127.0.0.1/32 trust']);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');

sub query { return $node->safe_psql('postgres', $_[0]); }

# what there is of each
my %count = (
	client_certificates => 'SELECT count(*) FROM ssl_guard_client_certificates',
	handshake_failures => 'SELECT count(*) FROM ssl_guard_handshake_failures',
	transport => 'SELECT count(*) FROM ssl_guard_transport',
	ca_usage => q{SELECT count(*) FROM ssl_guard_certificates WHERE logins > 0},
	# of alarms as many commands have run
	alarm_counts => q{SELECT alarm_commands_run FROM ssl_guard_status});
my @names = sort keys %count;
my $handshakes = !ESG::Node::exec_backend();

sub counts { return join ' ', map { query($count{$_}) } @names; }

is(query('SELECT string_agg(name, q ORDER BY name) FROM ssl_guard_resets, (SELECT chr(32)) AS s (q)'), "@names", 'the names');
is(query(q{SELECT bool_and(stats_reset BETWEEN pg_postmaster_start_time() - '1 minute'::interval AND now()) FROM ssl_guard_resets}), 't', 'they count since the start');
$node->tcp_psql('SELECT 1', user => 'app', client => $client);
$node->tcp_psql('SELECT 1', user => 'app', client => $stranger);
$node->wait_sql($count{handshake_failures}, 1) if $handshakes;
my $failures = $handshakes ? 1 : 0;
# an alarm, of which somebody is told once
$node->apply('ext_ssl_guard.alarm_command' => 'cat >/dev/null', 'ext_ssl_guard.extra_files' => 'missing.crt');
$node->wait_sql($count{alarm_counts}, 1);
$node->apply('ext_ssl_guard.alarm_command' => '');
is(counts(), "1 1 1 $failures 1", 'one of each');
foreach my $name (@names)
{
	my $others = join ' ', map { query($count{$_}) } grep { $_ ne $name } @names;
	my $before = query(q{SELECT clock_timestamp()});

	is(query("SELECT ssl_guard_reset('$name')"), { handshake_failures => $failures, alarm_counts => 0 }->{$name} // 1, "$name: one is forgotten");
	is(query($count{$name}), 0, 'it is gone');
	is(join(' ', map { query($count{$_}) } grep { $_ ne $name } @names), $others, 'and nothing else');
	is(query("SELECT string_agg(name, ',') FROM ssl_guard_resets WHERE stats_reset >= '$before'"), $name, 'since now');
}
my ($status, $out, $err) = $node->psql('postgres', q{\set VERBOSITY verbose
SELECT ssl_guard_reset('alarms')});
like($err, qr/22023: there are no counters "alarms"\nHINT:  There are "client_certificates", "handshake_failures", "transport", "ca_usage", "alarm_counts"\./, 'another name');
is(query('SELECT ssl_guard_reset(NULL) IS NULL'), 't', 'no name');

# kept, but for what is not kept itself
my $since = query(q{SELECT name, stats_reset FROM ssl_guard_resets WHERE name NOT IN ('handshake_failures', 'alarm_counts') ORDER BY name});
$node->restart;
is(query(q{SELECT name, stats_reset FROM ssl_guard_resets WHERE name NOT IN ('handshake_failures', 'alarm_counts') ORDER BY name}), $since, 'kept over a restart');
is(query(q{SELECT stats_reset >= pg_postmaster_start_time() - '1 minute'::interval FROM ssl_guard_resets WHERE name IN ('handshake_failures', 'alarm_counts')}), "t\nt", 'these begin with the server');
is(query('SELECT count(*) FROM ssl_guard_resets'), 5, 'each once');

$node->stop;
done_testing();
