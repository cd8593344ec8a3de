# What is wrong with pg_hba.conf is an alarm only while posture_check is on; and
# nothing is wrong with the one that a distribution's package begins with.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $node = ESG::Node->new('main');
$node->setup(ca => $ca, server => $server,
	conf => "ext_ssl_guard.file_poll_interval = 0\next_ssl_guard.expire_check_interval = 1s\npassword_encryption = scram-sha-256");
$node->start;

my $codes = "SELECT coalesce(string_agg(code, ' ' ORDER BY code), '') FROM ssl_guard_alarms";
my $found = "SELECT coalesce(string_agg(array_to_string(findings, ','), ' '), '') FROM ssl_guard_hba WHERE findings <> '{}'";

sub sql { return $node->safe_psql('postgres', $_[0]); }

# The worker has looked at everything once more.
sub looked
{
	my $since = sql('SELECT clock_timestamp()');

	return $node->wait_sql("SELECT last_check_at > '$since' FROM ssl_guard_status", 't') eq 't';
}

# ---- the setting
$node->set_hba('hostssl all all 10.0.0.0/8 trust');
$node->reload;
is($node->wait_sql($codes, 'hba_trust'), 'hba_trust', 'on: an alarm');
$node->apply('ext_ssl_guard.posture_check' => 'off');
is($node->wait_sql($codes, ''), '', 'off: what stood is cleared');
ok(looked(), 'the worker looks again');
is(sql($codes), '', 'and raises nothing');
is(sql("SELECT count(*) FROM ssl_guard_check()"), 0, 'nor does ssl_guard_check()');
is(sql($found), 'hba_trust', 'the view still shows it');
# with EXEC_BACKEND each backend loads the file, and nobody gets in if it cannot
$node->set_hba('host all all 10.0.0.0/8 password', ESG::Node::exec_backend() ? () : 'hostssl all all bogus');
$node->reload;
ok(looked(), 'something else is wrong');
is(sql($codes), '', 'which is no alarm either');
$node->set_hba('hostssl all all 10.0.0.0/8 trust');
$node->apply('ext_ssl_guard.posture_check' => 'on');
is($node->wait_sql($codes, 'hba_trust'), 'hba_trust', 'on again: an alarm again');

# ---- what Debian's packages begin with: initdb's, with a line for the superuser
my $dir = $certs->dir . '/data';
my $password = $certs->dir . '/password';
ESG::Certs::spew($password, "not secret\n");
is(system("initdb -D '$dir' -U postgres --no-sync --auth-local=peer --auth-host=scram-sha-256 --pwfile='$password' >/dev/null 2>&1"), 0, 'initdb');
my $hba = ESG::Certs::slurp("$dir/pg_hba.conf");
ok($hba =~ s/^(local\s+all\s+all\s+peer)$/local   all             postgres                                peer\n\n$1/m, 'has a line for everybody on this machine');
is(() = $hba =~ /^(?:local|host)\s/mg, 7, 'seven lines');
sql("ALTER ROLE postgres PASSWORD 'not secret'");
ESG::Certs::spew($node->path('pg_hba.conf'), $hba);
ESG::Certs::spew($node->path('pg_ident.conf'), ESG::Certs::slurp("$dir/pg_ident.conf"));
$node->restart;

my $tcp = $node->tcp(user => 'postgres', more => "password='not secret'");
is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_hba', connstr => $tcp), 7, 'they are in force, and shown');
is($node->safe_psql('postgres', $found, connstr => $tcp), '', 'without a finding');
is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_check()', connstr => $tcp), 0, 'a check raises no alarm');
is($node->safe_psql('postgres', $codes, connstr => $tcp), '', 'nor has the worker');
# and its twin
ESG::Certs::spew($node->path('pg_hba.conf'), $hba . "host all all 0.0.0.0/0 scram-sha-256\n");
is($node->safe_psql('postgres', $found, connstr => $tcp), 'hba_plaintext', 'one line for the world is a finding');

$node->stop;
done_testing();
