# client_certificate_check: what is wrong with a client's certificate, seen at
# its login; warned about, or refused.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

# weak certificates get through the handshake only below OpenSSL's own level
my $openssl_conf = PostgreSQL::Test::Utils::tempdir() . '/openssl.cnf';
open(my $out, '>', $openssl_conf) or die "openssl.cnf: $!";
print $out <<'CONF';
openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = system
[system]
CipherString = DEFAULT:@SECLEVEL=0
CONF
close $out;
$ENV{OPENSSL_CONF} = $openssl_conf;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca', subject => '/CN=Client CA');
my $weak_ca = $certs->make_ca('weakca', ca => $ca, subject => '/CN=Weak CA', key => 'rsa:1024',
	not_before => ESG::Certs::stamp(-86400), not_after => '99991231235959Z');
my $sha1_ca = $certs->make_ca('sha1ca', ca => $ca, subject => '/CN=SHA-1 CA', digest => 'sha1');
my %client = (
	good => $certs->make_client('good', ca => $ca),
	rsa1024 => $certs->make_client('rsa1024', ca => $ca, key => 'rsa:1024'),
	sha1 => $certs->make_client('sha1', ca => $ca, digest => 'sha1'),
	soon => $certs->make_client('soon', ca => $ca, days_left => 3.5),
	two_names => $certs->make_client('two_names', ca => $ca, subject => '/CN=first/CN=second'),
	under_weak => $certs->make_client('under_weak', ca => $weak_ca, chain => [$weak_ca]),
	under_sha1 => $certs->make_client('under_sha1', ca => $sha1_ca, chain => [$sha1_ca]),
	ca_itself => $certs->make_ca('ca_itself', ca => $ca, eku => 'clientAuth',
		key_usage => 'critical,digitalSignature,keyCertSign'),
	odd => $certs->make_client('odd', ca => $ca, key => 'rsa:1024', serial => '00', subject => "/CN=o\ndd"),
	evil => $certs->make_client('evil', ca => $ca, key => 'rsa:1024',
		subject => "/CN=evil\nFATAL:  forged line"),
);
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	conf => "ssl_ciphers = 'DEFAULT:\@SECLEVEL=0'\next_ssl_guard.file_poll_interval = '1s'",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN; CREATE ROLE exempt LOGIN');


sub apply
{
	my (%settings) = @_;

	$node->apply(map { ("ext_ssl_guard.$_" => $settings{$_}) } keys %settings);
}

# "in", or the finding's code
sub login
{
	my ($name, %options) = @_;
	my ($status, undef, $err) =
	  $node->tcp_psql('SELECT 1', user => 'app', client => $client{$name}, %options);

	return 'in' if $status == 0;
	return $err =~ /client certificate was refused \((\w+)\)/ ? $1 : $err;
}

sub findings
{
	my ($name) = @_;

	return $node->safe_psql('postgres',
		"SELECT findings FROM ssl_guard_client_certificates WHERE fingerprint = '$client{$name}{fingerprint}'");
}

# name => [code that the login raises, refused by enforce?]
my %expected = (
	rsa1024 => [ 'weak_key', 1 ],
	sha1 => [ 'weak_signature', 1 ],
	soon => [ 'expires_very_soon', 0 ],
	two_names => [ 'multiple_common_names', 0 ],
	under_weak => [ 'weak_key', 1 ],
	under_sha1 => [ 'weak_signature', 1 ],
	ca_itself => [ 'ca_as_leaf', 0 ],
);

# the default, warn: everybody gets in, one alarm each
foreach my $name (sort keys %expected)
{
	my $offset = $node->log_end;

	is(login($name), 'in', "$name: warn lets it in");
	$node->wait_log(qr/code=$expected{$name}[0] .*fingerprint=$client{$name}{fingerprint}/, $offset);
	like(findings($name), qr/\b$expected{$name}[0]\b/, "$name: the registry has the finding");
	is(login($name), 'in', "$name: and again");
	is($node->count_log(qr/code=$expected{$name}[0] .*fingerprint=$client{$name}{fingerprint}/, $offset),
		1, "$name: two logins, one line");
}
is(login('good'), 'in', 'a good certificate gets in');
is(findings('good'), '{}', 'a good certificate has no findings');
like(findings('under_weak'), qr/weak_issuer_key/, 'the key of the issuer counts');

# An intermediate's faults are called its own.
sub message
{
	my ($name, $code) = @_;

	return $node->safe_psql('postgres',
		"SELECT message FROM ssl_guard_alarms WHERE code = '$code' AND object = 'client:$client{$name}{fingerprint}'");
}

is(message('under_weak', 'weak_key'),
	'client certificate "CN=under_weak" comes with an intermediate certificate that has a weak key (RSA, 1024 bits)',
	'the key of an intermediate');
is(message('under_weak', 'weak_issuer_key'),
	'client certificate "CN=under_weak" is signed by an issuer with a weak key (RSA, 1024 bits)',
	'which signed the client\'s own');
like(message('under_sha1', 'weak_signature'),
	qr/^client certificate "CN=under_sha1" comes with an intermediate certificate that is signed with weak algorithm \S*SHA1$/i,
	'the signature of an intermediate');

# What is said of a client's certificate is what is said of a file's.
my @watched = qw(rsa1024 sha1 soon odd);
my %watched = map { ($client{$_}{single} => $_, "client:$client{$_}{fingerprint}" => $_) } @watched;
my $watched_count = 6;

sub said
{
	my ($from) = @_;
	my $rows = $node->safe_psql('postgres', "SELECT object, code, message FROM ssl_guard_alarms WHERE object LIKE '$from'");
	my %said;

	foreach my $row (split /\n/, $rows)
	{
		my ($object, $code, $message) = split /\|/, $row;
		my $name = $watched{ $object =~ s/:1$//r } or next;

		$said{"$name $code"} = $message =~ s/^(client )?certificate ".*?"( in file ".*?")? //r;
	}
	return \%said;
}

is(login('odd'), 'in', 'odd: warn lets it in');
apply(extra_files => join(', ', map { $client{$_}{single} } @watched));
$node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE object LIKE '%.crt:1'", $watched_count);
my $said = said('client:%');
is(scalar keys %$said, $watched_count, 'all faults of four certificates');
is($said->{'odd malformed_name'}, 'has a malformed name (control character)', 'with what is wrong');
is($said->{'odd odd_serial'}, 'has an odd serial number (zero)', 'each with its own');
is_deeply($said, said('%.crt:1'), 'the same words for clients and files');
apply(extra_files => '');

# The checks are run again, not the login.
apply(min_security_bits => 192);
is(findings('good'), '{weak_signature,weak_key,weak_issuer_key}', 'a stricter policy judges what is in the registry');
apply(min_security_bits => 112);
is(findings('good'), '{}', 'and the former one again');

# enforce
apply(client_certificate_check => 'enforce', exempt_roles => 'exempt');
foreach my $name (sort keys %expected)
{
	my $offset = $node->log_end;
	my ($code, $refused) = @{ $expected{$name} };

	is(login($name), $refused ? $code : 'in', "$name: enforce");
	next unless $refused;
	$node->wait_log(qr/FATAL:.*client certificate was refused \($code\)/, $offset);
	like($node->log_since($offset), qr/code=$code role=app .*fingerprint=$client{$name}{fingerprint}/,
		"$name: the log has role and certificate");
	is(login($name, user => 'exempt'), 'in', "$name: an exempt role gets in");
}
is(login('good'), 'in', 'enforce lets a good certificate in');
is( $node->safe_psql('postgres',
		"SELECT logins, denials FROM ssl_guard_client_certificates
		 WHERE fingerprint = '$client{rsa1024}{fingerprint}' AND role_name = 'app'"),
	'2|1',
	'accepted and refused logins are counted');
is($node->safe_psql('postgres', 'SELECT 1'), '1', 'a Unix socket is never refused');

# the client learns the code and nothing else
my (undef, undef, $told) = $node->tcp_psql('SELECT 1', user => 'app', client => $client{rsa1024});
unlike($told, qr/1024|DETAIL|HINT|subject/, 'the client is not told details');

# regraded
apply(finding_overrides => 'weak_key=off');
is(login('rsa1024'), 'in', 'a finding that is off does not refuse');
$node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'weak_key'", '0');
is( $node->safe_psql('postgres', "SELECT count(*) FROM ssl_guard_alarms WHERE code = 'weak_key'"),
	'0', 'its alarm is cleared');
apply(finding_overrides => '');
is(login('rsa1024'), 'weak_key', 'switched on again, it refuses again');

# off
apply(client_certificate_check => 'off');
my $offset = $node->log_end;
is(login('sha1'), 'in', 'off lets everybody in');
$node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE object LIKE 'client:%'", '0');
is($node->count_log(qr/WARNING:.*client certificate/, $offset), 0, 'off raises no alarm');

# a name made to deceive
apply(client_certificate_check => 'enforce');
$offset = $node->log_end;
is(login('evil'), 'weak_key', 'an evil name is refused for its key');
is($node->count_log(qr/^FATAL:  forged line/, $offset), 0, 'a newline in a name makes no line');
like($node->log_since($offset), qr/\\x0a/i, 'it is shown escaped');

# what a log shipper goes by
$node->set_conf(log_error_verbosity => 'verbose');
apply();
$offset = $node->log_end;
is(login('rsa1024'), 'weak_key', 'refused');
$node->wait_log(qr/FATAL:  28000: client certificate was refused \(weak_key\)/, $offset);

done_testing();
