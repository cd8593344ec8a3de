# docs/findings.md says what a fault breaks.  Here each of those faults is made,
# on a server without the extension, and libpq and core say what breaks:
#
#   start    the server does not start
#   all      no TLS connection
#   verify   clients with sslmode=verify-ca
#   full     only those with sslmode=verify-full
#   scram    logins with scram-sha-256
#   tls12    TLS 1.2
#   login    logins with a client certificate
#   client   libpq does not load that client certificate, or keeps it back
#   nothing
#
# An entry has it in a comment, <!-- tried: L=verify C=login -->: the letters are
# those of the entry's first line, and of a file A and R if it has CAs or CRLs.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Der;
use ESG::Docs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $middle = $certs->make_ca('middle', ca => $ca, days_left => 1000);
my $stranger = $certs->make_ca('stranger');
my $server = $certs->make_server('server', ca => $ca);
my $below = $certs->make_server('below', ca => $middle);
my $client = $certs->make_client('client', ca => $ca, subject => '/CN=alice');
my $crl = $certs->make_crl($ca, 'good');
my $node = ESG::Node->new('breaks');
my $made = 0;

# The same for every distribution's OpenSSL.
$ENV{OPENSSL_CONF} = ESG::Certs::spew($certs->dir . '/openssl.cnf', <<'CNF');
openssl_conf = begin
[begin]
ssl_conf = ssl
[ssl]
system_default = all
[all]
MinProtocol = TLSv1.2
CipherString = DEFAULT:@SECLEVEL=2
CNF

$node->setup(ca => $ca, server => $server, preload => '', hba => [
		'hostssl all alice 127.0.0.1/32 trust clientcert=verify-ca',
		'hostssl all bob 127.0.0.1/32 scram-sha-256',
		'hostssl all all 127.0.0.1/32 trust' ]);
$node->start;
$node->safe_psql('postgres', "SET password_encryption = 'scram-sha-256'; CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN PASSWORD 'secret'");
$node->stop;

# --- what is tried ----------------------------------------------------------------

sub text { return ESG::Certs::slurp(ref $_[0] ? $_[0]->{cert} : $_[0]); }

# A server with that certificate, in the file that text.
sub with_server
{
	my ($cert, $text, %more) = @_;

	return { 'server.crt' => $text // text($cert), 'server.key' => text($cert->{key}), %more };
}

sub new_server { return with_server($certs->make_server('server' . ++$made, ca => $ca, @_)); }

# with a certificate that no CA's program makes
sub forged { return with_server($server, $_[0]); }

sub new_client { return { client => $certs->make_client('client' . ++$made, ca => $ca, subject => '/CN=alice', @_) }; }

sub forged_client
{
	my ($edit) = @_;
	my $case = new_client();

	ESG::Certs::spew($case->{client}{cert}, $edit->($case->{client}));
	return $case;
}

sub new_crl { return { 'root.crl' => text($certs->make_crl($ca, 'crl' . ++$made, @_)) }; }

# a CA of its own, in ssl_ca_file, and a client of it
sub new_ca
{
	my $own = $certs->make_ca('ca' . ++$made, @_);

	return { 'root.crt' => text($own), client => $certs->make_client("client$made", ca => $own, subject => '/CN=alice') };
}

my %der = %ESG::Der::cert;
my %list = %ESG::Der::crl;
my $oid = "\x06\x08\x2a\x86\x48\xce\x3d\x04\x03";	# ecdsa-with-SHA..., but for its last octet

sub resigned { return ESG::Der::resign($_[0]{cert}, $ca->{key}, $_[1]); }

sub spoil_name
{
	my ($from, $to) = @_;

	return sub { $_[0][ $der{subject} ] =~ s/$from/$to/ };
}

sub spoil_signature { substr($_[0][2], -1) ^= "\x01"; return; }

sub swap_algorithm { $_[0][1] =~ s/\Q$oid\E\x02/$oid\x03/; return; }

sub reverse_times
{
	my ($part) = @_;
	my $times = ESG::Der::fields($part->[ $der{validity} ]);

	$part->[ $der{validity} ] = ESG::Der::tlv(0x30, $times->[1] . $times->[0]);
	return;
}

my @future = (not_before => ESG::Certs::stamp(86400), not_after => ESG::Certs::stamp(300 * 86400));
my $broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

sub explicit_key
{
	my $key = $certs->dir . '/explicit.key';

	ESG::Certs::openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-pkeyopt', 'ec_param_enc:explicit',
		'-out', $key) unless -f $key;
	return { key => $key };
}

# signed by another CA, which is in ssl_ca_file and in the client's store
sub other_ca
{
	my ($key, @options) = @_;
	my $own = $certs->make_ca('ca' . ++$made, key => $key, $key =~ /^ed/ ? (digest => 'null') : ());

	return with_server($certs->make_server("server$made", ca => $own, @options), undef, 'root.crt' => text($own), root => $own->{cert});
}

sub trusted { return ESG::Certs::openssl('x509', '-in', $middle->{cert}, '-trustout', '-addtrust', 'serverAuth'); }

sub small_exponent
{
	my $key = $certs->dir . '/small.key';

	ESG::Certs::openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-pkeyopt', 'rsa_keygen_pubexp:3', '-out', $key);
	return new_server(key => { key => $key });
}

# X25519 in place of an Ed25519 key
sub agreement_key
{
	my $cert = $certs->make_server('agreement', ca => $ca, key => 'ed25519');

	return with_server($cert, resigned($cert, sub { $_[0][ $der{key} ] =~ s/\x06\x03\x2b\x65\x70/\x06\x03\x2b\x65\x6e/ }));
}

sub ended_middle
{
	my $own = $certs->make_ca('ended', ca => $ca, days_left => -1);
	my $cert = $certs->make_server('below_ended', ca => $own);

	return with_server($cert, text($cert) . text($own));
}

sub weak_middle
{
	my $own = $certs->make_ca('weak_middle', ca => $ca, digest => 'sha1');
	my $cert = $certs->make_server('below_weak', ca => $own);

	return with_server($cert, text($cert) . text($own));
}

# a server's certificate below an intermediate that is made so
sub below_other
{
	my $own = $certs->make_ca('other_middle' . ++$made, ca => $ca, @_);
	my $cert = $certs->make_server("below_other$made", ca => $own);

	return with_server($cert, text($cert) . text($own));
}

sub cannot_sign_crls
{
	my $case = new_ca(key_usage => 'critical,keyCertSign');

	return { %$case, 'root.crl' => text($certs->make_crl({ name => "ca$made", cert => $certs->dir . "/ca$made.crt", key => $certs->dir . "/ca$made.key" }, "crl$made")) };
}

my %case = (
	weak_signature => { L => sub { new_server(digest => 'sha1') }, I => \&weak_middle, C => sub { new_client(digest => 'sha1') } },
	unknown_signature => { L => sub { forged(ESG::Der::edit($server->{cert}, sub { s/\Q$oid\E\x02/$oid\x77/ foreach @{ $_[0] }[ 0, 1 ] })) } },
	bad_pss_parameters => { L => sub { other_ca('rsa:2048', sigopt => [ 'rsa_padding_mode:pss', 'rsa_mgf1_md:sha1' ]) } },
	signature_algorithm_mismatch => { L => sub { forged(ESG::Der::edit($server->{cert}, \&swap_algorithm)) },
		C => sub { forged_client(sub { ESG::Der::edit($_[0]{cert}, \&swap_algorithm) }) } },
	bad_signature => { L => sub { forged(ESG::Der::edit($server->{cert}, \&spoil_signature)) } },
	weak_issuer_key => { L => sub { other_ca('rsa:1024') } },
	scram_incompatible_signature => { L => sub { other_ca('ed25519', digest => 'null') } },
	weak_key => { L => sub { new_server(key => 'rsa:1024') }, C => sub { new_client(key => 'rsa:1024') } },
	explicit_ec_parameters => { L => sub { new_server(key => explicit_key()) }, C => sub { new_client(key => explicit_key()) } },
	unusable_key => { L => \&agreement_key },
	dsa_key => { L => sub { new_server(key => 'dsa:2048') }, C => sub { new_client(key => 'dsa:2048') } },
	small_exponent => { L => \&small_exponent },
	uncommon_curve => { L => sub { new_server(key => 'ec:secp256k1') }, C => sub { new_client(key => 'ec:secp256k1') } },
	shared_ca_key => { L => sub { new_server(key => $ca) } },
	expired => { L => sub { new_server(days_left => -1) }, I => \&ended_middle, A => sub { new_ca(days_left => -1) },
		C => sub { new_client(days_left => -1) } },
	expires_very_soon => { L => sub { new_server(days_left => 1) } },
	expires_soon => { L => sub { new_server(days_left => 20) } },
	not_yet_valid => { L => sub { new_server(@future) }, A => sub { new_ca(@future) }, C => sub { new_client(@future) } },
	invalid_time => { L => sub { forged(resigned($server, sub { $_[0][ $der{validity} ] =~ s/..Z\z/xxZ/s })) },
		R => sub { { 'root.crl' => ESG::Der::resign($crl, $ca->{key}, sub { $_[0][ $list{next_update} ] =~ s/..Z\z/xxZ/s }) } } },
	validity_reversed => { L => sub { forged(resigned($server, \&reverse_times)) },
		C => sub { forged_client(sub { resigned($_[0], \&reverse_times) }) } },
	validity_too_long => { L => sub { new_server(lifetime => 4000, days_left => 3999) } },
	outlives_issuer => { I => \&ended_middle },
	no_alt_name => { L => sub { new_server(san => []) } },
	multiple_common_names => { L => sub { new_server(subject => '/CN=other/CN=localhost', san => []) } },
	nul_in_name => { L => sub { my $case = new_server(san => []); $case->{'server.crt'} = resigned({ cert => $certs->dir . "/server$made.crt" }, spoil_name('localhost', "local\0ost")); $case },
		C => sub { forged_client(sub { resigned($_[0], spoil_name('alice', "al\0ce")) }) } },
	malformed_name => { L => sub { forged(resigned($server, spoil_name('localhost', "local\nost"))) },
		C => sub { forged_client(sub { resigned($_[0], spoil_name('alice', "al\nce")) }) } },
	ca_as_leaf => { L => sub { new_server(is_ca => 1, key_usage => 'digitalSignature,keyCertSign') }, C => sub { new_client(is_ca => 1) } },
	self_signed_server => { L => sub { with_server($certs->make_server('alone')) } },
	wrong_purpose => { L => sub { new_server(eku => 'clientAuth') }, C => sub { new_client(eku => 'serverAuth') } },
	key_usage_mismatch => { L => sub { new_server(key_usage => 'keyEncipherment') }, C => sub { new_client(key_usage => 'keyEncipherment') } },
	unknown_critical_extension => { L => sub { new_server(extensions => ['1.2.3.4=critical,ASN1:UTF8String:x']) },
		C => sub { new_client(extensions => ['1.2.3.4=critical,ASN1:UTF8String:x']) } },
	malformed_extension => { L => sub { new_server(extensions => ['nsCertType=DER:04:01'], san => []) },
		C => sub { new_client(extensions => ['nsCertType=DER:04:01']) } },
	odd_serial => { L => sub { forged(resigned($server, sub { $_[0][ $der{serial} ] = ESG::Der::tlv(0x02, "\0") })) } },
	must_staple => { L => sub { new_server(extensions => ['tlsfeature=status_request']) } },
	chain_out_of_order => { L => sub { with_server($below, text($below) . text($ca) . text($middle)) } },
	leaf_not_first => { L => sub { with_server($below, text($middle) . text($below)) } },
	chain_incomplete => { L => sub { with_server($below) } },
	chain_refused => { L => sub { below_other(extensions => ['nameConstraints=critical,permitted;DNS:example.org']) },
		I => sub { below_other(is_ca => 0) } },
	bad_dns_name => { L => sub { new_server(san => ['DNS:localhost:5432']) } },
	cn_not_in_alt_name => { L => sub { new_server(subject => '/CN=localhost', san => ['DNS:other.example.com']) } },
	strict_client_refuses => { L => sub { new_server(key_usage => 'critical,digitalSignature,keyCertSign') },
		I => sub { below_other(key_usage => '') }, A => sub { new_ca(key_usage => '') } },
	root_in_chain => { I => sub { with_server($server, text($server) . text($ca)) } },
	duplicate_certificate => { I => sub { with_server($server, text($server) x 2) } },
	unrelated_certificate => { I => sub { with_server($server, text($server) . text($stranger)) } },
	not_a_ca => { A => sub { { 'root.crt' => text($client) } } },
	crl_expired => { R => sub { new_crl(last_update => -90000, next_update => -3600) } },
	crl_not_yet_valid => { R => sub { new_crl(last_update => 86400) } },
	crl_missing => { A => sub { { 'root.crl' => text($certs->make_crl($stranger, 'strange')) } } },
	crl_bad_signature => { R => \&cannot_sign_crls },
	crl_unknown_issuer => { R => sub { { 'root.crl' => text($crl) . text($certs->make_crl($stranger, 'strange2')) } } },
	crl_unusable => { R => sub { new_crl(extensions => [ 'issuingDistributionPoint=critical,@scope', '[scope]', 'onlyAA=TRUE' ]) } },
	crl_weak_signature => { R => sub { new_crl(digest => 'sha1') } },
	crl_no_next_update => { R => sub { { 'root.crl' => ESG::Der::resign($crl, $ca->{key}, sub { splice @{ $_[0] }, $list{next_update}, 1 }) } } },
	file_missing => { F => sub { { 'root.crt' => undef } } },
	file_unreadable => { F => sub { { mode => [ 0, 'server.crt' ] } } },
	file_unparsable => { F => sub { { 'root.crt' => '<html>' } }, R => sub { { 'root.crl' => text($server) } } },
	file_partly_read => { F => sub { with_server($below, text($below) =~ s/\n\z//r . text($middle)) } },
	trusted_certificate_block => { F => sub { with_server($below, text($below) . trusted()) }, A => sub { { 'root.crt' => trusted() } } },
	permissions_too_open => { F => sub { { mode => [ 0666, 'root.crt' ] } } },
);

# --- what breaks ------------------------------------------------------------------

sub put
{
	my ($name, $text) = @_;
	my $path = $node->path($name);

	unlink $path;
	return unless defined $text;
	ESG::Certs::spew($path, $text);
	chmod $name =~ /key/ ? 0600 : 0644, $path or die "chmod: $!";
	return;
}

sub install
{
	my ($case) = @_;
	my %good = ('server.crt' => text($server), 'server.key' => text($server->{key}), 'root.crt' => text($ca), 'root.crl' => undef);

	put($_, exists $case->{$_} ? $case->{$_} : $good{$_}) foreach keys %good;
	chmod $case->{mode}[0], $node->path($case->{mode}[1]) or die "chmod: $!" if $case->{mode};
	$node->set_conf(ssl_crl_file => $case->{'root.crl'} ? 'root.crl' : '');
	return;
}

sub fails
{
	my (%options) = @_;
	my ($status, $out, $err) = $node->tcp_psql('SELECT 1', %options);

	return $status ? $err || 'failed' : '';
}

# what breaks for clients without a certificate
sub server_breaks
{
	my ($case) = @_;
	my @root = (root => $case->{root} // $node->{esg_ca});

	return 'all' if fails();
	return 'verify' if fails(sslmode => 'verify-ca', @root);
	return 'full' if fails(sslmode => 'verify-full', host => 'localhost', more => 'hostaddr=127.0.0.1', @root);
	return 'tls12' if fails(more => 'ssl_max_protocol_version=TLSv1.2');
	local $ENV{PGPASSWORD} = 'secret';
	return 'scram' if fails(user => 'bob');
	return 'nothing';
}

sub client_breaks
{
	my ($case) = @_;
	my $said = fails(user => 'alice', client => $case->{client} // $client);

	return $said eq '' ? 'nothing' : $said =~ /could not read certificate|requires a valid client certificate/ ? 'client' : 'login';
}

sub breaks
{
	my ($place, $case) = @_;
	my $result = 'start';

	install($case);
	if ($node->start(fail_ok => 1))
	{
		$result = $place =~ /[CAR]/ ? client_breaks($case) : server_breaks($case);
		$node->stop;
	}
	return $result;
}

is(breaks('L', {}), 'nothing', 'nothing is broken');
is(breaks('C', { client => $client, 'root.crl' => text($crl) }), 'nothing', 'and a client gets in, with a CRL');

my %entry = ESG::Docs->new('docs/findings.md')->{text} =~ /^### (\w+)\n(.*?)(?=^##|\z)/gms;
foreach my $code (sort { $a cmp $b } keys %entry)
{
	my %said = ($entry{$code} =~ /^<!-- tried: (.*?) -->$/m ? $1 : '') =~ /(\w)=(\w+)/g;

	is(join(' ', sort keys %said), join(' ', sort keys %{ $case{$code} // {} }), "$code: the places that are tried");
	foreach my $place (sort keys %{ $case{$code} // {} })
	{
		is(breaks($place, $case{$code}{$place}->()), $said{$place}, "$code in $place");
	}
	delete $case{$code};
}
is(join(' ', sort keys %case), '', 'each code that is tried has an entry');
done_testing();
