# pg_dump and restore of a database with the extension; labels of roles by
# pg_dumpall.

use strict;
use warnings;

use Test::More;

use ESG::Catalog;
use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $dir = $certs->dir;
my %node = map { $_ => ESG::Node->new($_) } qw(old new bare);

foreach my $name (qw(old new bare))
{
	$node{$name}->setup(ca => $ca, server => $server, extension => 0, preload => $name eq 'bare' ? '' : 'ext_ssl_guard');
	$node{$name}->start;
}

# psql with a file; (status, what it said)
sub run_file
{
	my ($node, $db, $file) = @_;
	my $said = '';

	IPC::Run::run([ 'psql', '-Xq', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-h', $node->host, '-p', $node->port, '-d', $db, '-f', $file ],
		'<', \undef, '>&', \$said);
	return ($? >> 8, $said);
}

$node{old}->safe_psql('postgres', q{CREATE ROLE viewer; CREATE ROLE billing LOGIN; CREATE DATABASE app;
	SECURITY LABEL FOR ext_ssl_guard ON ROLE billing IS 'uri=spiffe://prod/billing issuer="CN=Test CA"'});
$node{old}->safe_psql('app', q{
	CREATE SCHEMA guard;
	CREATE EXTENSION ext_ssl_guard SCHEMA guard;
	CREATE VIEW public.mine AS SELECT setting, common_name, severity FROM guard.ssl_guard_certificates WHERE kind = 'server';
	CREATE TABLE kept AS SELECT c AS certificate, now() AS at FROM guard.ssl_guard_inspect(pg_read_file('server.crt')) AS c;
	GRANT USAGE ON SCHEMA guard TO viewer;
	GRANT SELECT ON guard.ssl_guard_status TO viewer;
	GRANT EXECUTE ON FUNCTION guard.ssl_guard_read_status() TO viewer});

my @connection = ('-h', $node{old}->host, '-p', $node{old}->port);
$node{old}->command_ok([ 'pg_dumpall', @connection, '--roles-only', '-f', "$dir/roles.sql" ], 'pg_dumpall');
$node{old}->command_ok([ 'pg_dump', @connection, '-f', "$dir/app.sql", 'app' ], 'pg_dump');
$node{old}->command_ok([ 'pg_dump', @connection, '-Fc', '-f', "$dir/app.dump", 'app' ], 'pg_dump -Fc');
like(ESG::Certs::slurp("$dir/roles.sql"), qr/^SECURITY LABEL FOR "?ext_ssl_guard"? ON ROLE "?billing"? IS 'uri=/m, 'the label is dumped');
unlike(ESG::Certs::slurp("$dir/app.sql"), qr/CREATE (FUNCTION|TYPE) guard\.ssl_guard/, 'the objects of the extension are not');

# restored
$node{new}->psql('postgres', ESG::Certs::slurp("$dir/roles.sql"), on_error_stop => 0);
is($node{new}->safe_psql('postgres', "SELECT label FROM pg_shseclabel WHERE objoid = 'billing'::regrole"),
	'uri=spiffe://prod/billing issuer="CN=Test CA"', 'the label is restored');
$node{new}->safe_psql('postgres', 'CREATE DATABASE app; CREATE DATABASE app2');
is_deeply([ run_file($node{new}, 'app', "$dir/app.sql") ], [ 0, '' ], 'the dump is restored without a word');
$node{new}->command_ok([ 'pg_restore', '-h', $node{new}->host, '-p', $node{new}->port, '--exit-on-error', '-d', 'app2', "$dir/app.dump" ], 'pg_restore');
foreach my $db (qw(app app2))
{
	is_deeply([ ESG::Catalog::describe($node{new}, $db) ], [ ESG::Catalog::describe($node{old}, 'app') ], "$db: the catalogs are the same");
	is($node{new}->safe_psql($db, 'SELECT * FROM mine'), 'ssl_cert_file|localhost|ok', "$db: a view upon ours answers");
	is($node{new}->safe_psql($db, 'SELECT (certificate).common_name FROM kept'), 'localhost', "$db: a stored certificate is there");
	is($node{new}->safe_psql($db, 'SET ROLE viewer; SELECT count(*) FROM guard.ssl_guard_status'), '1', "$db: what was granted holds");
}

# where the library is not preloaded, labels are an error, the rest is not
$node{bare}->psql('postgres', ESG::Certs::slurp("$dir/roles.sql") =~ s/^SECURITY LABEL.*//mgr, on_error_stop => 0);
my (undef, undef, $err) = $node{bare}->psql('postgres', "\\set VERBOSITY verbose\n" . join("\n", ESG::Certs::slurp("$dir/roles.sql") =~ /^(SECURITY LABEL.*)/mg));
like($err, qr/ERROR:  22023: security label provider "ext_ssl_guard" is not loaded/, 'not preloaded: a label says so');
$node{bare}->safe_psql('postgres', 'CREATE DATABASE app');
is_deeply([ run_file($node{bare}, 'app', "$dir/app.sql") ], [ 0, '' ], 'not preloaded: the database is restored');
is($node{bare}->safe_psql('app', 'SELECT * FROM mine'), 'ssl_cert_file|localhost|ok', 'and answers');

# A database of an old version is restored with the default version: views of
# users with columns that were renamed since are not; after an update they are.
$node{old}->safe_psql('postgres', 'CREATE DATABASE v1_0');
$node{old}->safe_psql('v1_0', "CREATE EXTENSION ext_ssl_guard VERSION '1.0'; CREATE VIEW mine AS SELECT source FROM ssl_guard_certificates");
$node{new}->safe_psql('postgres', 'CREATE DATABASE v1_0; CREATE DATABASE updated');
$node{old}->command_ok([ 'pg_dump', @connection, '-f', "$dir/v1_0.sql", 'v1_0' ], 'pg_dump of 1.0');
my (undef, $said) = run_file($node{new}, 'v1_0', "$dir/v1_0.sql");
like($said, qr/ERROR:  column (ssl_guard_certificates\.)?"?source"? does not exist/, 'a view upon a column that was renamed since');
$node{old}->safe_psql('v1_0', 'ALTER EXTENSION ext_ssl_guard UPDATE');
$node{old}->command_ok([ 'pg_dump', @connection, '-f', "$dir/updated.sql", 'v1_0' ], 'pg_dump after the update');
is_deeply([ run_file($node{new}, 'updated', "$dir/updated.sql") ], [ 0, '' ], 'is restored');
is($node{new}->safe_psql('updated', 'SELECT DISTINCT source FROM mine ORDER BY 1'), "ssl_ca_file\nssl_cert_file", 'and answers');

$_->stop foreach values %node;
done_testing();
