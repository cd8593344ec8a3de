# identity_check: which identity of a client's certificate may be which role,
# by real logins.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca', subject => '/O=Example/CN=Prod CA');
my $server = $certs->make_server('server', ca => $ca);
my $alice = $certs->make_client('alice', ca => $ca);
my $job = $certs->make_client(
	'job',
	ca => $ca,
	subject => '/O=Example/CN=job 7',
	serial => '0A1B',
	san => [
		'URI:spiffe://other/x', 'URI:spiffe://prod/billing', 'email:billing@example.com',
		'DNS:billing.example.com', 'DNS:billing', 'UPN:billing@corp', 'IP:192.0.2.7'
	]);
# never billing, whatever is asked: each of its values is a near miss
my $near = $certs->make_client(
	'near',
	ca => $ca,
	subject => '/O=Example/CN=job 70',
	serial => '0A1C',
	san => [
		'URI:spiffe://prod/billing2', 'email:billing@example.com.evil.org',
		'DNS:billing.example.org', 'UPN:billing@corp2', 'IP:192.0.2.70'
	]);
# more names than are looked at
my $many = $certs->make_client('many', ca => $ca,
	extensions => [ 'subjectAltName=' . join(',', ('DNS:x') x 1000, 'DNS:billing') ]);
# DNS "billing\0x", DNS "", e-mail address in Latin-1
my $odd = $certs->make_client('odd', ca => $ca,
	extensions => ['2.5.29.17=DER:30:17:82:09:62:69:6c:6c:69:6e:67:00:78:82:00:81:08:62:69:6c:40:e4:2e:64:65']);
# names made for the log
my $forger = $certs->make_client('forger', ca => $ca, subject => "/CN=x\nFATAL:  forged",
	extensions => ['subjectAltName=URI:http://x\x0aLOG:  forged']);
my $colons = uc($job->{fingerprint}) =~ s/(..)(?=.)/$1:/gr;
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $server,
	conf => "password_encryption = 'scram-sha-256'\nmax_wal_senders = 4\nwal_level = replica",
	hba => [
		'hostssl replication all 127.0.0.1/32 trust clientcert=verify-ca',
		'hostssl template1 all 127.0.0.1/32 trust',
		'hostssl all scram 127.0.0.1/32 scram-sha-256 clientcert=verify-ca',
		'hostssl all plain 127.0.0.1/32 password clientcert=verify-ca',
		'hostssl all certified 127.0.0.1/32 cert map=certified',
		'hostssl all all 127.0.0.1/32 trust clientcert=verify-ca'
	]);

sub write_map
{
	my (@lines) = @_;

	open(my $out, '>', $node->path('pg_ident.conf')) or die "pg_ident.conf: $!";
	print $out join("\n", @lines), "\n";
	close $out;
}

# Settings, in force when it returns: postgresql.conf and pg_ident.conf are read together.
sub apply
{
	my (%settings) = @_;

	$node->apply(map { ("ext_ssl_guard.$_" => $settings{$_}) } keys %settings);
}

# "in", or what the client was told
sub login
{
	my ($user, $client, %options) = @_;
	my ($status, $out, $err) =
	  $node->tcp_psql($options{sql} // 'SELECT 1', user => $user, client => $client, %options);

	return 'in' if $status == 0;
	return $1 if $err =~ /FATAL:\s+client certificate was refused \((\w+)\)\s*$/;
	return $err;
}

write_map(
	'certified "job 7" certified',
	'cn "job 7" billing',
	'dn "CN=job 7,O=Example" billing',
	'uri spiffe://prod/billing billing',
	'email /^([a-z]+)@example\.com$ \1',
	'dns billing.example.com billing',
	'upn billing@corp billing',
	'ip 192.0.2.7 billing',
	'serial "0A1B/CN=Prod CA,O=Example" billing',
	"fingerprint $job->{fingerprint} billing",
	"colons $colons billing",
	'any /^.*$ billing',
	'several nobody billing',
	'several billing@corp billing',
	'scram spiffe://prod/billing scram',
	'scram spiffe://prod/billing plain',
	'scram spiffe://prod/billing certified',
	'scram spiffe://prod/billing walsender');
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE ROLE alice LOGIN;
	CREATE ROLE billing LOGIN SUPERUSER;
	CREATE ROLE scram LOGIN PASSWORD 'secret';
	CREATE ROLE plain LOGIN PASSWORD 'secret';
	CREATE ROLE certified LOGIN;
	CREATE ROLE walsender LOGIN REPLICATION;
	CREATE ROLE watcher;
	GRANT pg_monitor TO watcher;
});

# Nobody is refused by default.
is(login('billing', $near), 'in', 'off: any certificate');

# Without a map an identity must equal the role's name.
apply(identity_check => 'enforce');
is(login('alice', $alice), 'in', 'cn: equals the role name');
is(login('billing', $alice), 'identity_mismatch', 'cn: differs from it');
is(login('billing', $job), 'identity_mismatch', 'cn alone does not look at other names');
apply(identity_sources => 'uri, dns');
is(login('billing', $job), 'in', 'dns: the second of two names equals the role name');
is(login('alice', $alice), 'identity_mismatch', 'no silent fallback to the common name');

# Each source with a map.
foreach my $source (qw(cn dn uri email dns upn ip serial fingerprint))
{
	apply(identity_sources => $source, identity_map => $source);
	is(login('billing', $job), 'in', "$source: mapped");
	is(login('billing', $near), 'identity_mismatch', "$source: a near miss");
}
apply(identity_sources => 'fingerprint', identity_map => 'colons');
is(login('billing', $job), 'in', 'fingerprint with colons: mapped');
is(login('billing', $near), 'identity_mismatch', 'fingerprint with colons: a near miss');

# The regular expression also says for which role.
apply(identity_sources => 'email', identity_map => 'email');
is(login('alice', $job), 'identity_mismatch', 'another role than the expression gives');

# Several sources: any may match; and what is logged of it.
apply(identity_sources => 'cn, dns, upn', identity_map => 'several');
my $offset = $node->log_end;
is(login('billing', $job), 'in', 'several sources: the last one matches');
is($node->count_log(qr/usermap|billing/, $offset), 0, 'mismatches on the way are not logged');
is(login('billing', $near), 'identity_mismatch', 'several sources: none matches');
is($node->count_log(qr/no match in usermap/, $offset), 0, 'nor are they when all fail');
is($node->count_log(qr/FATAL:  client certificate was refused \(identity_mismatch\)/, $offset),
	1, 'one line says so');
like(
	$node->log_since($offset),
	qr/DETAIL:  code=identity_mismatch role=billing host=127\.0\.0\.1 fingerprint=$near->{fingerprint} .*map=several identities="cn:\\"job 70\\", dns:\\"billing\.example\.org\\", upn:\\"billing\@corp2\\""/,
	'its detail has what was expected and what was there');
my (undef, undef, $told) = $node->tcp_psql('SELECT 1', user => 'billing', client => $near);
unlike($told, qr/several|upn|DETAIL|HINT/, 'the client is not told');

# Names with line feeds stay on their line.
apply(identity_sources => 'cn, uri', identity_map => '');
$offset = $node->log_end;
is(login('billing', $forger), 'identity_mismatch', 'a name with a line feed');
like($node->log_since($offset), qr/identities="cn:\\"x\\\\x0aFATAL:  forged/, 'is escaped in the log');
unlike($node->log_since($offset), qr/^(FATAL|LOG):/m, 'and forges no line');

# NUL, empty and badly encoded values match nothing, not even a map that takes all.
foreach my $source (qw(dns email))
{
	apply(identity_sources => $source, identity_map => '');
	is(login('billing', $odd), 'identity_mismatch', "$source: odd values, no map");
	apply(identity_map => 'any');
	is(login('billing', $odd), 'identity_mismatch', "$source: odd values, a map that takes all");
	is(login('billing', $job), 'in', "$source: which it does with good ones");
}
is( $node->safe_psql(
		'postgres',
		"SELECT source, matched, rule FROM ssl_guard_identity_check('billing', pg_read_file('$odd->{cert}'))"),
	"email|f|never matches: value is badly encoded or has control characters\n"
	  . 'decision|f|identity_mismatch: no identity matches in map "any"',
	'the dry run says why');
apply(identity_map => '');

# What cannot be answered is refused.
apply(identity_sources => 'dns');
$offset = $node->log_end;
is(login('billing', $many), 'identity_mismatch', 'too many identities to look at');
like($node->log_since($offset), qr/reason="the certificate has too many identities"/, 'says the log');
apply(identity_sources => 'cn, dns, upn', identity_map => 'several');

# A map that does not exist.
apply(identity_map => 'missing');
is(login('billing', $job), 'identity_mismatch', 'a map that does not exist matches nothing');

# The other authentication methods, and lines that ask for no certificate.
apply(identity_sources => 'uri', identity_map => 'scram');
foreach my $user (qw(scram plain))
{
	is(login($user, $job, more => 'password=secret'), 'in', "$user: password and identity");
	like(login($user, $job, more => 'password=wrong'), qr/password authentication failed/,
		"$user: identity alone is not enough");
	is(login($user, $near, more => 'password=secret'), 'identity_mismatch',
		"$user: nor the password alone");
}
is(login('certified', $job), 'in', 'cert: core and the map agree');
apply(identity_map => 'uri');
is(login('certified', $job), 'identity_mismatch', 'cert: core accepts, the map does not');
like(login('certified', $near), qr/certificate authentication failed/, 'cert: core refuses');
is(login('billing', $near, dbname => 'template1'), 'in', 'a line without clientcert is not checked');
apply(identity_map => 'scram');

# TLS versions and walsenders.
foreach my $version (qw(TLSv1.2 TLSv1.3))
{
	my $more = "ssl_min_protocol_version=$version ssl_max_protocol_version=$version password=secret";

	is(login('scram', $job, more => $more), 'in', "$version: accepted");
	is(login('scram', $near, more => $more), 'identity_mismatch', "$version: refused");
}
is(login('walsender', $job, sql => 'IDENTIFY_SYSTEM', more => 'replication=1'), 'in', 'walsender: accepted');
is(login('walsender', $near, sql => 'IDENTIFY_SYSTEM', more => 'replication=1'),
	'identity_mismatch', 'walsender: refused');

# Who is never denied.
is($node->safe_psql('postgres', 'SELECT session_user', extra_params => [ '-U', 'billing' ]),
	'billing', 'a local connection');
is(login('billing', $near), 'identity_mismatch', 'the same role over TCP');
$offset = $node->log_end;
apply(exempt_roles => 'alice, billing');
is(login('billing', $near), 'in', 'an exempt role');
is($node->count_log(qr/WARNING:  no identity of the client certificate belongs to role "billing"/, $offset),
	1, 'is logged all the same');
is(login('scram', $near, more => 'password=secret'), 'identity_mismatch', 'others are not exempt');
apply(exempt_roles => '');

# warn: logs what enforce would refuse, once for each role and certificate.
apply(identity_check => 'warn');
$offset = $node->log_end;
is(login('scram', $near, more => 'password=secret'), 'in', "warn: login $_") foreach 1 .. 3;
is($node->count_log(qr/WARNING:/, $offset), 1, 'warn: one line for three logins');
like(
	$node->log_since($offset),
	qr/DETAIL:  code=identity_mismatch severity=warning role=scram host=127\.0\.0\.1 fingerprint=$near->{fingerprint}/,
	'warn: with the certificate');
is( $node->safe_psql(
		'postgres',
		q{SELECT code, severity, occurrences FROM ssl_guard_alarms WHERE object ~ 'scram'}),
	'identity_mismatch|warning|3',
	'warn: an alarm');
apply(identity_map => '', identity_sources => 'dns');
is(login('billing', $many), 'in', 'warn: what cannot be answered is let in');
is($node->count_log(qr/reason="the certificate has too many identities"/, $offset), 1, 'warn: and logged');
apply(identity_map => 'scram', identity_sources => 'uri');
is(login('scram', $job, more => 'password=secret'), 'in', 'warn: a good login');
is($node->count_log(qr/alarm cleared/, $offset), 0, 'does not clear it');
write_map('scram /^spiffe: scram');
apply();
is(login('scram', $near, more => 'password=secret'), 'in', 'the map is mended');
is($node->count_log(qr/alarm cleared: .*scram/, $offset), 1, 'and the alarm is gone');

# An alarm that no login will clear: the check is off, or the code is.
my $standing = q{SELECT count(*) FROM ssl_guard_alarms WHERE code = 'identity_mismatch' AND object ~ 'scram'};
apply(file_poll_interval => '1s', identity_map => '');
foreach my $off ([ identity_check => 'off', 'warn' ], [ finding_overrides => 'identity_mismatch=off', '' ])
{
	my ($setting, $value, $back) = @$off;

	is(login('scram', $near, more => 'password=secret'), 'in', "$setting: warned of");
	is($node->safe_psql('postgres', $standing), '1', "$setting: an alarm");
	sleep 2;
	is($node->safe_psql('postgres', $standing), '1', "$setting: it stands");
	apply($setting => $value);
	is($node->wait_sql($standing, '0'), '0', "$setting: switched off, it is gone");
	apply($setting => $back);
}

$node->stop;
done_testing();
