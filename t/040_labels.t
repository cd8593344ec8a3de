# Role labels: what they require of a login, and how they are set.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca', subject => '/O=Example/CN=Prod CA');
my $other_ca = $certs->make_ca('other_ca', subject => '/O=Example/CN=Test CA');
my $server = $certs->make_server('server', ca => $ca);
my @san = (
	'URI:spiffe://prod/billing', 'URI:spiffe://prod/audit', 'email:Billing@Example.com',
	'DNS:billing.example.com', 'UPN:billing@corp', 'IP:192.0.2.7', 'IP:2001:db8::7');
my $job = $certs->make_client('job', ca => $ca, subject => "/O=Example/CN=J\xc3\xb6b 7", serial => '0A1B', san => \@san);
# the same names and serial number from another CA
my $fake = $certs->make_client('fake', ca => $other_ca, subject => "/O=Example/CN=J\xc3\xb6b 7", serial => '0A1B', san => \@san);
my $near = $certs->make_client(
	'near',
	ca => $ca,
	subject => '/O=Example/CN=job 70',
	serial => '0A1C',
	san => ['URI:spiffe://prod/billing2', 'email:billing@example.com', 'DNS:x.billing.example.com',
		'UPN:Billing@corp', 'IP:192.0.2.70']);
my $colons = uc($job->{fingerprint}) =~ s/(..)(?=.)/$1:/gr;
my $upper = uc $job->{fingerprint};
my $node = ESG::Node->new('main');

$node->setup(
	ca => $certs->concat('both.crt', $ca->{cert}, $other_ca->{cert}),
	server => $server,
	init => { allows_streaming => 1 },
	conf => "ssl_min_protocol_version = 'TLSv1.2'\npassword_encryption = 'scram-sha-256'\next_ssl_guard.posture_check = off",
	hba => [
		'local replication all trust',
		'hostssl replication all 127.0.0.1/32 trust',
		'host template1 all 127.0.0.1/32 trust',
		'hostssl all scram 127.0.0.1/32 scram-sha-256',
		'hostssl all plain 127.0.0.1/32 password',
		'hostssl all certified 127.0.0.1/32 cert map=certified',
		'hostssl all all 127.0.0.1/32 trust'
	]);

# (status, stderr) of SECURITY LABEL
sub set_label
{
	my ($role, $label, %options) = @_;
	my $literal = defined $label ? "\$label\$$label\$label\$" : 'NULL';
	my ($status, undef, $err) = ($options{node} // $node)->psql($options{dbname} // 'postgres',
		"\\set VERBOSITY verbose\nSECURITY LABEL FOR ext_ssl_guard ON ROLE $role IS $literal");

	return ($status, $err);
}

sub label
{
	my ($status, $err) = set_label(@_);

	die "label '$_[1]': $err" if $status != 0;
	return $err;
}

# "in", or what the client was told
sub login
{
	my ($user, $client, %options) = @_;
	my $on = delete $options{node} // $node;
	my ($status, $out, $err) =
	  $on->tcp_psql($options{sql} // 'SELECT 1', user => $user, client => $client, %options);

	return 'in' if $status == 0;
	return $1 if $err =~ /FATAL:\s+(?:client certificate|connection) was refused \((\w+)\)\s*$/;
	return $err;
}

open(my $map, '>', $node->path('pg_ident.conf')) or die $!;
print $map "certified /^J certified\ncertified /^job certified\n";
close $map;
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE ROLE billing LOGIN SUPERUSER;
	CREATE ROLE free LOGIN IN ROLE billing;
	CREATE ROLE scram LOGIN PASSWORD 'secret';
	CREATE ROLE plain LOGIN PASSWORD 'secret';
	CREATE ROLE certified LOGIN;
	CREATE ROLE walsender LOGIN REPLICATION;
});

# Each key, met and not met.  The same label is put on a superuser.
foreach my $requirement (
	"cn=\"J\xc3\xb6b 7\"",
	"dn=\"CN=J\xc3\xb6b 7,O=Example\"",
	'dn="CN=J\\\\C3\\\\B6b 7,O=Example"',
	'dns=Billing.EXAMPLE.com',
	'email=Billing@example.COM',
	'uri=spiffe://prod/billing',
	'upn=billing@corp',
	'ip=192.0.2.7',
	'ip=2001:DB8:0::7',
	'serial=0a:1b',
	'serial=A1B issuer="CN=Prod CA,O=Example"',
	"fingerprint=$job->{fingerprint}",
	"fingerprint=$upper",
	"fingerprint=$colons")
{
	label('billing', $requirement);
	is(login('billing', $job), 'in', "met: $requirement");
	is(login('billing', $near), 'role_label_mismatch', "not met: $requirement");
}
label('billing', 'issuer="CN=Prod CA,O=Example" serial=0A1B');
is(login('billing', $job), 'in', 'issuer: the right one');
is(login('billing', $fake), 'role_label_mismatch', 'issuer: another one with the same names and serial');
label('billing', 'x509');
is(login('billing', $near), 'in', 'x509: any certificate');
is(login('billing', undef), 'role_label_mismatch', 'x509: none');
is(login('billing', undef, dbname => 'template1', sslmode => 'disable'),
	'role_label_mismatch', 'x509: no TLS');

# Any of the values of one key, all of the keys.
label('billing', 'uri=spiffe://prod/none uri=spiffe://prod/audit');
is(login('billing', $job), 'in', 'any of two values');
is(login('billing', $near), 'role_label_mismatch', 'none of two values');
label('billing', 'uri=spiffe://prod/audit upn=billing@corp ip=192.0.2.7');
is(login('billing', $job), 'in', 'all of three keys');
label('billing', 'uri=spiffe://prod/audit upn=billing@corp2 ip=192.0.2.7');
my $offset = $node->log_end;
is(login('billing', $job), 'role_label_mismatch', 'two of three keys');
is($node->count_log(qr/FATAL:  client certificate was refused \(role_label_mismatch\)/, $offset), 1, 'in the log');
like(
	$node->log_since($offset),
	qr/DETAIL:  code=role_label_mismatch role=billing host=127\.0\.0\.1 fingerprint=$job->{fingerprint} requirement=upn reason="the certificate has no such value" label="uri=/,
	'with the requirement');
my (undef, undef, $told) = $node->tcp_psql('SELECT 1', user => 'billing', client => $job);
unlike($told, qr/upn|DETAIL|HINT/, 'the client is not told');

# Who is bound, who is not.
is(login('free', undef), 'in', 'a member of the role is not bound');
is($node->safe_psql('postgres', 'SELECT session_user', extra_params => [ '-U', 'billing' ]),
	'billing', 'nor is a local connection');
$node->apply('ext_ssl_guard.exempt_roles' => 'billing');
is(login('billing', undef), 'in', 'nor an exempt role');
$node->apply('ext_ssl_guard.exempt_roles' => '');
is(login('billing', undef), 'role_label_mismatch', 'but a superuser is');
like(login('unknown_role', $job), qr/role "unknown_role" does not exist/, 'a role that does not exist is left to core');

# tls and min_tls.
label('billing', 'tls');
is(login('billing', undef), 'in', 'tls: with');
is(login('billing', undef, dbname => 'template1', sslmode => 'disable'), 'role_label_mismatch', 'tls: without');
foreach my $case (
	[ 'TLSv1.2', 'TLSv1.2', 'in' ], [ 'TLSv1.2', 'TLSv1.3', 'in' ],
	[ 'TLSv1.3', 'TLSv1.2', 'role_label_mismatch' ], [ 'TLSv1.3', 'TLSv1.3', 'in' ])
{
	my ($min, $version, $want) = @$case;

	label('billing', "min_tls=$min");
	is(login('billing', undef, more => "ssl_min_protocol_version=$version ssl_max_protocol_version=$version"),
		$want, "min_tls=$min over $version");
}

# Whatever the authentication method; and walsenders.
foreach my $user (qw(scram plain certified))
{
	label($user, 'uri=spiffe://prod/billing');
	is(login($user, $job, more => 'password=secret'), 'in', "$user: met");
	is(login($user, $near, more => 'password=secret'), 'role_label_mismatch', "$user: not met");
}
label('walsender', 'uri=spiffe://prod/billing');
is(login('walsender', $job, sql => 'IDENTIFY_SYSTEM', more => 'replication=1'), 'in', 'walsender: met');
is(login('walsender', $near, sql => 'IDENTIFY_SYSTEM', more => 'replication=1'),
	'role_label_mismatch', 'walsender: not met');

# Transactional, and taken away with NULL.
label('billing', 'cn=nobody');
$node->safe_psql('postgres', 'BEGIN; SECURITY LABEL FOR ext_ssl_guard ON ROLE billing IS NULL; ROLLBACK');
is(login('billing', $job), 'role_label_mismatch', 'rolled back');
label('billing', undef);
is(login('billing', undef), 'in', 'taken away');

# The modes.
label('billing', 'cn=nobody');
$node->apply('ext_ssl_guard.role_label_check' => 'warn');
$offset = $node->log_end;
is(login('billing', $near), 'in', "warn: login $_") foreach 1 .. 3;
is($node->count_log(qr/WARNING:  login does not meet the security label of role "billing"/, $offset),
	1, 'warn: one line for three logins');
is( $node->safe_psql('postgres', 'SELECT code, severity, occurrences FROM ssl_guard_alarms'),
	'role_label_mismatch|warning|3',
	'warn: an alarm');
label('billing', 'cn="job 70"');
is(login('billing', $near), 'in', 'warn: mended');
is($node->count_log(qr/alarm cleared: login does not meet/, $offset), 1, 'warn: cleared');
is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_alarms'), '0', 'warn: no alarm any more');
label('billing', 'cn=nobody');
$node->apply('ext_ssl_guard.role_label_check' => 'off');
$offset = $node->log_end;
is(login('billing', undef), 'in', 'off');
is($node->count_log(qr/label/, $offset), 0, 'off: nothing in the log');
$node->apply('ext_ssl_guard.role_label_check' => 'enforce');
is(login('billing', undef), 'role_label_mismatch', 'enforce again');

# Bad labels are refused with the position of the fault, and change nothing.
foreach my $case (
	[ '', 1 ], [ 'colour=red', 1 ], [ 'tls CN=alice', 5 ], [ 'cn=', 4 ], [ 'x509 cn="alice', 9 ],
	[ "cn=J\xc3\xb6rg colour=red", 9 ], [ 'ip=192.0.2.256', 4 ], [ 'tls fingerprint=abcd', 17 ],
	[ 'min_tls=SSLv3', 9 ], [ 'tls tls', 5 ], [ 'serial=xyz', 8 ], [ 'cn="a"b', 7 ])
{
	my ($status, $err) = set_label('billing', $case->[0]);

	like("$status $err", qr/^3 .*ERROR:  22023: invalid security label for role "billing" at character $case->[1]: /,
		"bad label '$case->[0]'");
}
is($node->safe_psql('postgres', "SELECT label FROM pg_shseclabel WHERE provider = 'ext_ssl_guard' AND objoid = 'billing'::regrole"),
	'cn=nobody', 'the label before is still there');
like(label('billing', 'serial=0A1B'), qr/NOTICE:  00000: the security label names a serial number but no issuer.*HINT:  Add ca=/s,
	'a serial number without issuer draws a notice');
unlike(label('billing', 'serial=0A1B ca=' . 'ab' x 32), qr/NOTICE/, 'with the CA that it says to add it does not');
unlike(label('billing', 'serial=0A1B issuer=CN=x'), qr/NOTICE/, 'with issuer it does not');

# Roles only.
$node->safe_psql('postgres', 'CREATE TABLE t (c int); CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1');
foreach my $object ('TABLE t', 'COLUMN t.c', 'FUNCTION f()', 'DATABASE postgres', 'SCHEMA public', 'TABLESPACE pg_default')
{
	my (undef, undef, $err) = $node->psql('postgres',
		"\\set VERBOSITY verbose\nSECURITY LABEL FOR ext_ssl_guard ON $object IS 'tls'");

	like($err, qr/ERROR:  42809: security labels of "ext_ssl_guard" can be set on roles only/, $object);
}

# Encodings: a login has none.
$node->safe_psql('postgres', "CREATE DATABASE latin ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
{
	local $ENV{PGCLIENTENCODING} = 'UTF8';
	my (undef, $err) = set_label('billing', "cn=J\xc3\xb6rg", dbname => 'latin');

	like($err, qr/ERROR:  0A000: a security label with characters outside ASCII/, 'LATIN1: not outside ASCII');
	label('billing', "cn=\"J\xc3\xb6b 7\"");
	label('free', 'dn="CN=J\\\\C3\\\\B6b 7,O=Example"', dbname => 'latin');
}
is(login('free', $job), 'in', 'but escaped');
is(login('free', $near), 'role_label_mismatch', 'to the same effect');

# A label that cannot be read, as from another version of the library.
$node->safe_psql('postgres', q{
	SET allow_system_table_mods = on;
	UPDATE pg_shseclabel SET label = 'tls shoe_size=42' WHERE objoid = 'free'::regrole});
$offset = $node->log_end;
is(login('free', $job), 'role_label_mismatch', 'unreadable: enforce refuses');
like($node->log_since($offset), qr/reason="the label cannot be read: at character 5: unknown key/, 'and says why');
$node->apply('ext_ssl_guard.role_label_check' => 'warn');
is(login('free', $job), 'in', 'unreadable: warn lets in');
is($node->count_log(qr/WARNING:  login does not meet the security label of role "free"/, $offset), 1, 'and logs');
$node->apply('ext_ssl_guard.role_label_check' => 'enforce');
label('free', undef);

# A standby has the labels, too.
label('billing', 'uri=spiffe://prod/billing');
$node->backup('base');
my $standby = ESG::Node->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->{esg_ca} = $node->{esg_ca};
chmod 0600, $standby->path("server.key");
$standby->start;
is(login('billing', $job, node => $standby), 'in', 'standby: met');
is(login('billing', $near, node => $standby), 'role_label_mismatch', 'standby: not met');
label('billing', 'uri=spiffe://prod/none');
$node->wait_for_catchup($standby);
is(login('billing', $job, node => $standby), 'role_label_mismatch', 'standby: a change has arrived');
$standby->stop;

# Dumped and restored, into a server that never asks for a certificate.
label('billing', "cn=\"J\xc3\xb6b 7\" uri=spiffe://prod/billing");
my $dump = $certs->dir . '/roles.sql';
$node->command_ok([ 'pg_dumpall', '-h', $node->host, '-p', $node->port, '-U', 'postgres', '--roles-only', '-f', $dump ], 'pg_dumpall');
$node->stop;
my $plain = ESG::Node->new('plain');
$plain->setup(hba => ['host all all 127.0.0.1/32 trust']);
$plain->start;
$plain->psql('postgres', ESG::Certs::slurp($dump), on_error_stop => 0);
is($plain->safe_psql('postgres', "SELECT label FROM pg_shseclabel WHERE objoid = 'billing'::regrole"),
	"cn=\"J\xc3\xb6b 7\" uri=spiffe://prod/billing", 'restored');
is(login('billing', undef, node => $plain, sslmode => 'disable'), 'role_label_mismatch', 'and enforced');

# Nobody can meet it there: role_label_unsatisfiable.
is($plain->wait_sql("SELECT object FROM ssl_guard_alarms WHERE code = 'role_label_unsatisfiable'"
		  , 'role "billing"'), 'role "billing"', 'the login raised the alarm');
like(label('postgres', 'x509', node => $plain), qr/WARNING:  55000: no client can meet the security label/, 'setting one warns');
like(label('postgres', 'tls', node => $plain), qr/WARNING:  55000: .*: it requires TLS, and "ssl" is off/, 'also without a certificate');
label('postgres', 'x509', node => $plain);
is($plain->safe_psql('postgres', "SELECT string_agg(object, ',' ORDER BY object) FROM ssl_guard_check() WHERE code = 'role_label_unsatisfiable' AND object ~ 'postgres|billing'"),
	'role "billing",role "postgres"', 'the check finds all');
label($_, undef, node => $plain) foreach qw(billing postgres scram plain certified walsender);
is($plain->safe_psql('postgres', "SELECT count(*) FROM ssl_guard_check() WHERE code = 'role_label_unsatisfiable'"),
	'0', 'and clears them');
$plain->stop;

# Without the library there is no provider, and nothing is enforced.
my $bare = ESG::Node->new('bare');
$bare->setup(preload => '');
$bare->start;
my (undef, $err) = set_label('postgres', 'tls', node => $bare);
like($err, qr/ERROR:  22023: security label provider "ext_ssl_guard" is not loaded/, 'without the library');
$bare->stop;

done_testing();
