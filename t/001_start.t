# The server starts with the library, says so in SQL, lets everybody in, and
# stops without a complaint.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $client = $certs->make_client('alice', ca => $ca);
my $node = ESG::Node->new('main');

$node->setup(ca => $ca, server => $server);
$node->start;

$node->safe_psql('postgres', 'CREATE ROLE alice LOGIN');
is($node->wait_sql('SELECT worker_pid IS NOT NULL AND last_check_at IS NOT NULL FROM ssl_guard_status'),
	't', 'the worker has made its first check');
is($node->safe_psql('postgres', "SELECT severity, code, object FROM ssl_guard_alarms"),
	'', 'a sound set-up raises no alarm');
is($node->count_log(qr/(WARNING|ERROR|FATAL|PANIC):/), 0, 'nor a line in the log');

my ($status, $out, $err) = $node->tcp_psql(
	'SELECT session_user', user => 'alice', client => $client, sslmode => 'verify-full',
	host => 'localhost');
is("$status $out $err", '0 alice ', 'a client with a certificate logs in');
($status, $out, $err) = $node->tcp_psql('SELECT session_user', user => 'alice');
is("$status $out $err", '0 alice ', 'and one without');

is($node->safe_psql('postgres', "SELECT extversion FROM pg_extension WHERE extname = 'ext_ssl_guard'"),
	$node->safe_psql('postgres', 'SELECT version FROM ssl_guard_status'),
	'the library and the extension are of one version');

my $offset = $node->log_end;
$node->restart;
is($node->wait_sql('SELECT worker_pid IS NOT NULL FROM ssl_guard_status'), 't', 'all again after a restart');
$node->stop;
is($node->count_log(qr/(WARNING|ERROR|PANIC|exited with exit code [2-9]|terminated by signal)/, $offset),
	0, 'stopping is quiet');

done_testing();
