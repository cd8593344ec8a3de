# ML-DSA certificates (FIPS 204), where OpenSSL knows them: 3.5 or newer.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $known = `openssl list -public-key-algorithms 2>/dev/null`;
plan skip_all => 'this OpenSSL has no ML-DSA' unless $known =~ /ML-DSA-44/;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $node = ESG::Node->new('main');
my %set = map { $_ => $certs->make_ca("ca$_", key => "ML-DSA-$_", digest => 'null') } (44, 65, 87);
my $small = $certs->make_server('small', ca => $set{87}, key => 'ML-DSA-44', digest => 'null');
my $large = $certs->make_server('large', ca => $set{44}, key => 'ML-DSA-87', digest => 'null');
my $mixed = $certs->make_server('mixed', ca => $set{87}, digest => 'null');
my $client = $certs->make_client('app', ca => $set{65}, key => 'ML-DSA-65', digest => 'null');

$node->setup(
	ca => $certs->concat('roots.crt', map { $_->{cert} } $ca, @set{ 44, 65, 87 }),
	server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.file_poll_interval = 1s\npassword_encryption = 'scram-sha-256'",
	hba => [
		'hostssl all bound 127.0.0.1/32 scram-sha-256',
		'hostssl all all 127.0.0.1/32 trust clientcert=verify-ca' ]);
$node->start;
$node->safe_psql('postgres', "CREATE ROLE bound LOGIN PASSWORD 'secret'; CREATE ROLE app LOGIN");

sub inspect
{
	my ($cert, $columns) = @_;
	my $pem = ESG::Certs::slurp($cert->{single});

	return $node->safe_psql('postgres', "SELECT $columns FROM ssl_guard_inspect('$pem'::text)");
}

sub findings
{
	my ($cert, $bits) = @_;
	my $pem = ESG::Certs::slurp($cert->{single});

	$node->safe_psql('postgres', "ALTER SYSTEM SET ext_ssl_guard.min_security_bits = $bits");
	$node->reload;
	$node->wait_sql("SELECT setting = '$bits' FROM pg_settings WHERE name = 'ext_ssl_guard.min_security_bits'");
	return $node->safe_psql('postgres', "SELECT array_to_string(findings, ' ') FROM ssl_guard_inspect('$pem'::text)");
}

my %strength = (44 => 128, 65 => 192, 87 => 256);
foreach my $number (sort keys %strength)
{
	is(inspect($set{$number}, 'key_algorithm, security_bits, signature_algorithm, self_signed, severity'),
		"ML-DSA-$number|$strength{$number}|ML-DSA-$number|t|ok", "ML-DSA-$number");
	unlike(findings($set{$number}, $strength{$number}), qr/weak_key/, "ML-DSA-$number has $strength{$number} bits");
	like(findings($set{$number}, $strength{$number} + 1), qr/weak_key/, "and no more")
	  if $strength{$number} < 256;
}

# key and signature are judged each by itself
unlike(findings($large, 128), qr/weak_/, 'ML-DSA-87 signed by ML-DSA-44: 128 bits');
like(findings($large, 129), qr/weak_signature/, 'ML-DSA-87 signed by ML-DSA-44: the signature is the weaker one');
unlike(findings($large, 129), qr/weak_key/, 'ML-DSA-87 signed by ML-DSA-44: the key is not');
like(findings($small, 129), qr/weak_key/, 'ML-DSA-44 signed by ML-DSA-87: the key is the weaker one');
unlike(findings($small, 129), qr/weak_signature/, 'ML-DSA-44 signed by ML-DSA-87: the signature is not');
like(findings($mixed, 129), qr/weak_key/, 'P-256 signed by ML-DSA-87: the key is the weaker one');
unlike(findings($mixed, 129), qr/weak_signature/, 'P-256 signed by ML-DSA-87: the signature is not');
findings($mixed, 112);

# a client with one
is(($node->tcp_psql('SELECT 1', user => 'app', client => $client))[0], 0, 'a client with ML-DSA-65 gets in');
is($node->safe_psql('postgres', "SELECT key_algorithm, signature_algorithm, severity FROM ssl_guard_client_certificates"),
	'ML-DSA-65|ML-DSA-65|ok', 'and is in the registry');

# channel binding, before and after the server's certificate gets such a signature
local $ENV{PGPASSWORD} = 'secret';
my @bound = (user => 'bound', more => 'channel_binding=require');
is(($node->tcp_psql('SELECT 1', @bound))[0], 0, 'channel binding works with ECDSA');
is($node->safe_psql('postgres', "SELECT count(*) FROM ssl_guard_alarms WHERE code = 'scram_incompatible_signature'"),
	'0', 'and nothing is said');
my $offset = $node->log_end;
$node->replace($small->{key}, 'server.key');
$node->replace($small->{cert}, 'server.crt');
$node->reload;
$node->wait_log(qr/code=scram_incompatible_signature/, $offset);
is($node->wait_sql("SELECT severity FROM ssl_guard_alarms WHERE code = 'scram_incompatible_signature'", 'warning'),
	'warning', 'scram_incompatible_signature is raised for ML-DSA');
isnt(($node->tcp_psql('SELECT 1', @bound))[0], 0, 'rightly: channel binding fails');

done_testing();
