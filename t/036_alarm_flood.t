# Clients decide how many alarms there are about them: those about the server
# have places of their own, and who is no role has none.

use strict;
use warnings;

use IPC::Run ();
use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $client = $certs->make_client('client', ca => $ca, days_left => 3);
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca, days_left => 3),
	conf => "ext_ssl_guard.file_poll_interval = '1s'\next_ssl_guard.identity_check = 'warn'\next_ssl_guard.role_label_check = 'warn'",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->start;

sub query { return $node->safe_psql('postgres', $_[0]); }

# A login for each of the roles, in one program that ends with the first that is
# refused; returns how many got in.
sub logins
{
	my (@roles) = @_;
	my ($out, $err) = ('', '');
	my $script = join('', map { "\\connect '" . $node->tcp(user => $_, client => $client) . "'\nSELECT current_user;\n" } @roles);

	IPC::Run::run([ 'psql', '-XAtqw', '-h', $node->host, '-p', $node->port, 'postgres' ],
		'<', \$script, '>', \$out, '2>', \$err);
	return scalar(() = $out =~ /^role\d/mg);
}

# The same for those who will not get in, several at a time.
sub attempts
{
	my (@roles) = @_;
	my $connection = $node->tcp(user => '{}', client => $client);
	my ($in, $out, $err) = (join("\n", @roles), '', '');

	IPC::Run::run([ qw(xargs -P 6 -I {} psql -XAtqw -c), 'SELECT current_user', '-d', $connection ],
		'<', \$in, '>', \$out, '2>', \$err);
	return scalar(() = $out =~ /^(?:invented|nologin|role)\d/mg);
}

sub counts { return query('SELECT count(*), count(*) FILTER (WHERE object LIKE \'role "%\') FROM ssl_guard_alarms'); }

# Who is no role, or may not log in, takes no place: neither among the alarms
# nor among the certificates.
query('CREATE ROLE nologin1 NOLOGIN; CREATE ROLE role0 LOGIN');
my $before = counts();
my $offset = $node->log_end;
is(attempts((map { "invented$_" } 1 .. 100), 'nologin1'), 0, '100 invented roles, and one that may not log in');
is($node->count_log(qr/FATAL:  role "invented\d+" does not exist/, $offset), 100, 'each of them got as far as the check of roles');
is($node->count_log(qr/role "nologin1" is not permitted to log in/, $offset), 1, 'and the other one');
is(counts(), $before, 'no alarm about them');
is($node->count_log(qr/code=identity_mismatch/, $offset), 0, 'no line');
is(query('SELECT client_certificates FROM ssl_guard_status'), 0, 'none of them is remembered');
is(query("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'expires_very_soon'"), 1,
	'the alarm about the server\'s certificate stands, and none about the client\'s');
is(logins('role0'), 1, 'a role');
is(query("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'identity_mismatch'"), 1, 'has an alarm');
is(query('SELECT role_name FROM ssl_guard_client_certificates'), 'role0', 'and is remembered');

# Enforced, too: a refusal is counted for roles only.
$node->apply('ext_ssl_guard.identity_check' => 'enforce');
is(attempts('invented1', 'nologin1', 'role0'), 0, 'all are refused');
is(query('SELECT role_name, denials FROM ssl_guard_client_certificates'), 'role0|1', 'a role\'s refusal is counted');
$node->apply('ext_ssl_guard.identity_check' => 'off');
$node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'identity_mismatch'", 0);

# More alarms of roles that are there than there are places.
query(<<'SQL');
DO $$
BEGIN
	FOR i IN 1 .. 560 LOOP
		EXECUTE format('CREATE ROLE role%s LOGIN', i);
		EXECUTE format('SECURITY LABEL FOR ext_ssl_guard ON ROLE role%s IS %L', i, 'cn=nobody');
	END LOOP;
END
$$
SQL
my @roles = map { "role$_" } 1 .. 560;
$offset = $node->log_end;
is(logins(@roles), 560, '560 roles with a label that is not met get in');
is(query("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'role_label_mismatch'"), 128, 'alarms of logins have 128 places');
is($node->count_log(qr/too many alarms/, $offset), 1, 'said once');
like($node->log_since($offset), qr/DETAIL:  Alarms of this kind, which clients cause, have at most 128 places/, 'and why');
is(query('SELECT alarms_evicted FROM ssl_guard_status'), 560 - 128, 'those without a place are counted');
logins(@roles[ 400 .. 559 ]);
query('SELECT count(*) FROM ssl_guard_check()') for 1 .. 3;
is(query('SELECT alarms_evicted FROM ssl_guard_status'), 560 - 128, 'each of them once');
my ($severity) = query("SELECT DISTINCT severity FROM ssl_guard_alarms WHERE code = 'role_label_mismatch'");
$node->set_conf(
	'ext_ssl_guard.extra_files' => join(',', map { "nowhere$_.crt" } 1 .. 90),
	'ext_ssl_guard.finding_overrides' => "file_missing=$severity");
$node->reload;
is($node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'file_missing'", 90), 90,
	'90 new ones about the server, no more severe, find a place');
is(query("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'role_label_mismatch'"), 128, 'and take nobody\'s');
is(query("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'expires_very_soon'"), 2, 'the certificates\' alarms stand');

# A worse one of the same kind finds a place, which another one loses.
$node->apply('ext_ssl_guard.finding_overrides' => 'role_label_mismatch=critical');
is(logins(@roles[ 200 .. 209 ]), 10, 'ten that had none');
is(query("SELECT severity, count(*) FROM ssl_guard_alarms WHERE code = 'role_label_mismatch' GROUP BY 1 ORDER BY 1"),
	"$severity|118\ncritical|10", 'are worse now, and have a place');
is(query('SELECT alarms_evicted FROM ssl_guard_status'), 560 - 128 + 10, 'who lost it is counted');

my $limit = ESG::Node::shmem_limit();
is(query("SELECT sum(allocated_size) <= $limit FROM pg_shmem_allocations WHERE name LIKE 'ext_ssl_guard%'"),
	't', 'shared memory');
$node->stop;
done_testing();
