# ALTER EXTENSION UPDATE: a database of each released version keeps working
# with the new library, and is after the update what a fresh one is.

use strict;
use warnings;

use File::Basename qw(dirname);
use Test::More;

use ESG::Catalog;
use ESG::Certs;
use ESG::Node;

my $src = $ENV{SRC} // dirname(dirname(__FILE__));
my @released = ('1.0');
my ($current) = ESG::Certs::slurp("$src/ext_ssl_guard.control") =~ /^default_version = '([\d.]+)'/m;
# what a released version calls otherwise: view => { name there => name now }
my %renamed = (
	'1.0' => {
		ssl_guard_certificates => { source => 'setting' },
		ssl_guard_crls => { source => 'setting' },
		ssl_guard_client_certificates => { first_seen => 'first_seen_at', last_seen => 'last_seen_at' },
		ssl_guard_handshake_failures => { first_seen => 'first_seen_at', last_seen => 'last_seen_at' }
	});
# what is later at each look
my $moving = "'expires_in', 'last_seen_at', 'occurrences', 'next_check_at', 'last_check_at'";

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca', subject => '/CN=Test CA');
my $server = $certs->make_server('server', ca => $ca, san => ['DNS:localhost'], days_left => 5);
my $client = $certs->make_client('alice', ca => $ca, subject => '/CN=alice');
my $late = $certs->make_client('late', ca => $ca, subject => '/CN=late', days_left => -3);
my $pem = ESG::Certs::slurp($server->{cert});
my $node = ESG::Node->new('main');

$node->setup(ca => $ca, server => $server, crl => $certs->make_crl($ca, 'crl'), extension => 0);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE alice LOGIN; CREATE ROLE viewer; CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION ext_ssl_guard');
is($node->safe_psql('fresh', "SELECT extversion FROM pg_extension WHERE extname = 'ext_ssl_guard'"),
	$current, 'a fresh database has the current version');
is(($node->tcp_psql('SELECT 1', user => 'alice', client => $client))[0], 0, 'a login with a certificate');
isnt(($node->tcp_psql('SELECT 1', user => 'alice', client => $late))[0], 0, 'and one that fails');
$node->wait_sql('SELECT count(*) FROM pg_stat_activity WHERE backend_type = \'client backend\'', '1');
sub views
{
	my ($db) = @_;

	return split /\n/, $node->safe_psql($db, "SELECT relname FROM pg_class WHERE relkind = 'v' AND relname ~ '^ssl_guard_' ORDER BY 1");
}

# the rows of a view, as JSON with the names of today
sub rows
{
	my ($db, $view, $names) = @_;
	my $row = 'to_jsonb(v)';

	foreach my $old (sort keys %{ $names // {} })
	{
		$row = "($row - '$old' || jsonb_build_object('$names->{$old}', v.$old))";
	}
	return $node->safe_psql($db, "SELECT $row - ARRAY[$moving] AS line FROM $view AS v ORDER BY line");
}

sub poll_failures
{
	# with EXEC_BACKEND they are not seen
	return if ESG::Node::exec_backend();
	$node->poll_query_until('fresh', 'SELECT count(*) > 0 FROM ssl_guard_handshake_failures')
	  or die 'the failed handshake was not counted';
}

poll_failures();
$node->safe_psql('fresh', 'SELECT count(*) FROM ssl_guard_check()');

foreach my $version (@released)
{
	my $db = 'v' . $version =~ tr/./_/r;

	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, "CREATE EXTENSION ext_ssl_guard VERSION '$version'");
	is($node->safe_psql($db, "SELECT extversion FROM pg_extension WHERE extname = 'ext_ssl_guard'"), $version, "$version is installed");
	is($node->safe_psql($db, "SELECT count(*) FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid JOIN pg_proc p ON p.oid = d.objid"
		  . " WHERE d.deptype = 'e' AND d.classid = 'pg_proc'::regclass AND p.prosrc ~ '_1_1\$'"), 0, "$version has symbols of its own");

	# before: the library answers what the old script declares
	foreach my $view (views($db))
	{
		# columns that came later
		my @added = grep { $_ } split /\n/, $node->safe_psql('fresh',
			"SELECT attname FROM pg_attribute WHERE attrelid = '$view'::regclass AND attnum > "
			  . $node->safe_psql($db, "SELECT relnatts FROM pg_class WHERE oid = '$view'::regclass"));
		my $known = join(' ', map { "- '$_'" } @added);
		my ($now, $then);

		# a directory above the data directory may change between the two
		foreach my $attempt (1 .. 10)
		{
			$now = $node->safe_psql('fresh',
				"SELECT to_jsonb(v) - ARRAY[$moving] $known AS line FROM $view AS v ORDER BY line");
			$then = rows($db, $view, $renamed{$version}{$view});
			last if $now eq $then;
		}
		like($now, qr/^\{/, "$view has rows") unless $view eq 'ssl_guard_handshake_failures' && ESG::Node::exec_backend();
		is($then, $now, "$version: $view answers before the update");
	}
	is($node->safe_psql($db, "SELECT to_jsonb(i) - 'expires_in' FROM ssl_guard_inspect('$pem') AS i"),
		$node->safe_psql('fresh', "SELECT to_jsonb(i) - 'expires_in' FROM ssl_guard_inspect('$pem') AS i"), 'so does ssl_guard_inspect()');
	is($node->safe_psql($db, "SELECT * FROM ssl_guard_identity_check('alice', '$pem')"),
		$node->safe_psql('fresh', "SELECT * FROM ssl_guard_identity_check('alice', '$pem')"), 'and ssl_guard_identity_check()');
	is($node->safe_psql($db, 'SELECT code FROM ssl_guard_check() ORDER BY 1'),
		$node->safe_psql('fresh', 'SELECT code FROM ssl_guard_check() ORDER BY 1'), 'and ssl_guard_check()');
	is(($node->tcp_psql('SELECT common_name, severity FROM ssl_guard_session_certificate()',
		user => 'alice', client => $client, dbname => $db))[1], 'alice|ok', 'and ssl_guard_session_certificate()');

	# views of users, and what they granted
	$node->safe_psql($db, <<'SQL');
CREATE VIEW mine AS SELECT source, common_name FROM ssl_guard_certificates WHERE kind = 'server';
CREATE VIEW seen AS SELECT role_name, last_seen > '2000-01-01' AS lately FROM ssl_guard_client_certificates;
GRANT SELECT ON ssl_guard_status, ssl_guard_crls TO viewer;
SQL
	$node->safe_psql($db, 'ALTER EXTENSION ext_ssl_guard UPDATE');

	# after: the catalogs are those of a fresh database, but for the user's own
	is($node->safe_psql($db, 'SELECT * FROM mine'), 'ssl_cert_file|localhost', 'a view upon ours survives the update');
	is($node->safe_psql($db, 'SELECT * FROM seen'), 'alice|t', 'and one upon a renamed column');
	is($node->safe_psql($db, "SELECT has_table_privilege('viewer', 'ssl_guard_status', 'SELECT'), has_table_privilege('viewer', 'ssl_guard_crls', 'SELECT')"),
		't|t', 'privileges do, too');
	$node->safe_psql($db, 'DROP VIEW mine, seen; REVOKE SELECT ON ssl_guard_status, ssl_guard_crls FROM viewer');
	is_deeply([ ESG::Catalog::describe($node, $db) ], [ ESG::Catalog::describe($node, 'fresh') ],
		"$version: the catalogs after the update are those of a fresh database");
	foreach my $view (views('fresh'))
	{
		my ($now, $then);

		# the same as before
		foreach my $attempt (1 .. 10)
		{
			($now, $then) = (rows('fresh', $view), rows($db, $view));
			last if $now eq $then;
		}
		is($then, $now, "$version: $view answers after the update");
	}
}

cmp_ok(scalar ESG::Catalog::describe($node, 'fresh'), '>', 500, 'the comparison had something to compare');

# another schema, and a session that does not look there
$node->safe_psql('postgres', 'CREATE DATABASE schemas');
$node->safe_psql('schemas', "CREATE SCHEMA guard; CREATE EXTENSION ext_ssl_guard SCHEMA guard VERSION '1.0'");
$node->safe_psql('schemas', 'ALTER EXTENSION ext_ssl_guard UPDATE');
is($node->safe_psql('schemas', "SELECT setting FROM guard.ssl_guard_certificates WHERE kind = 'server'"), 'ssl_cert_file',
	'updated in a schema of its own');

# what stands in the way of an update is named
$node->safe_psql('postgres', 'CREATE DATABASE in_the_way');
$node->safe_psql('in_the_way', "CREATE EXTENSION ext_ssl_guard VERSION '1.0'; CREATE VIEW mine AS SELECT * FROM ssl_guard_session_certificate()");
my ($status, undef, $err) = $node->psql('in_the_way', 'ALTER EXTENSION ext_ssl_guard UPDATE');
like($err, qr/ERROR:  cannot drop function ssl_guard_session_certificate\(\) because other objects depend on it/, 'a view upon a function that changes');
is($node->safe_psql('in_the_way', "SELECT extversion FROM pg_extension WHERE extname = 'ext_ssl_guard'"), '1.0', 'leaves the old version');
$node->safe_psql('in_the_way', 'DROP VIEW mine; ALTER EXTENSION ext_ssl_guard UPDATE');

$node->stop;
done_testing();
