# ESG::Cases: the faults of the catalogue, each made with as little else wrong as
# can be.
#
#   use ESG::Cases;
#
#   ESG::Cases::begin(ESG::Certs->new);
#   my $files = $ESG::Cases::case{weak_key}{L}->();
#   my %good = ESG::Cases::good();          # server.crt, server.key, root.crt
#   my %text = ESG::Cases::odd_forms();     # of a certificate, by name
#
# A case is { file => text }: of server.crt, server.key, root.crt and root.crl,
# those that differ from the good ones (undef: not there); and
#
#   client   the certificate that a client shows, in place of $client
#   root     the path of the CA that clients trust, in place of $ca
#   mode     [mode, file]
#
# The letters are the places of docs/findings.md; and of a file A and R if it has
# CAs or CRLs.

package ESG::Cases;

use strict;
use warnings;

use Exporter qw(import);
use MIME::Base64 qw(encode_base64);

use ESG::Certs;
use ESG::Der;

our @EXPORT_OK = qw(text with_server new_server below_other other_ca forged_client);

our ($certs, $ca, $middle, $stranger, $server, $below, $client, $crl);
our $made = 0;

sub begin
{
	($certs) = @_;
	$ca = $certs->make_ca('ca');
	$middle = $certs->make_ca('middle', ca => $ca, days_left => 1000);
	$stranger = $certs->make_ca('stranger');
	$server = $certs->make_server('server', ca => $ca);
	$below = $certs->make_server('below', ca => $middle);
	$client = $certs->make_client('client', ca => $ca, subject => '/CN=alice');
	$crl = $certs->make_crl($ca, 'good');
	return;
}

sub good { return ('server.crt' => text($server), 'server.key' => text($server->{key}), 'root.crt' => text($ca)); }

sub text { return ESG::Certs::slurp(ref $_[0] ? $_[0]->{cert} : $_[0]); }

# A server with that certificate, in the file that text.
sub with_server
{
	my ($cert, $text, %more) = @_;

	return { 'server.crt' => $text // text($cert), 'server.key' => text($cert->{key}), %more };
}

sub new_server { return with_server($certs->make_server('server' . ++$made, ca => $ca, @_)); }

# a PEM block with lines of that length
sub block
{
	my ($der, $length, $end) = @_;
	my $text = encode_base64($der, '');

	$text =~ s/(.{$length})(?=.)/$1$end/g;
	return "-----BEGIN CERTIFICATE-----$end$text$end-----END CERTIFICATE-----$end";
}

# The good server's certificate, and what it might be taken for, as people and programs write it: name => text.
sub odd_forms
{
	my $pem = text($server);
	my $der = ESG::Certs::openssl('x509', '-in', $server->{cert}, '-outform', 'DER');
	my %form = (
		'as it is' => $pem,
		'DER' => $der,
		'half of it in DER' => substr($der, 0, length($der) / 2),
		'nothing' => '',
		'lines that end as on Windows' => $pem =~ s/\n/\r\n/gr,
		'lines that end as on old Macs' => $pem =~ s/\n/\r/gr,
		'no newline at the end' => $pem =~ s/\n\z//r,
		'text before' => "subject=/CN=localhost\n$pem",
		'text behind' => "$pem\nthat was it",
		'a NUL in the text before' => "a\0b\n$pem",
		'NUL bytes' => "\0" x 4096,
		'a long first line' => ('x' x 4000) . "\n$pem",
		'a megabyte of comment' => ("# comment\n" x 100_000) . $pem,
		'a blank line within' => $pem =~ s/^((?:.*\n){3})/$1\n/r,
		'a cut block behind' => $pem . substr($pem, 0, 200),
		'garbage in a block behind' => "$pem-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		'an empty block' => "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
		'an empty sequence' => block("\x30\0", 64, "\n"),
		'characters that are no base64' => $pem =~ s/^((?:.*\n){2}.{10})./$1*/r,
		'another kind of block' => $pem =~ s/CERTIFICATE/CMS/gr,
		'an old name of the block' => $pem =~ s/ CERTIFICATE/ X509 CERTIFICATE/gr,
		'blanks behind the lines' => $pem =~ s/\n/ \n/gr,
		'one behind the other' => $pem . text($below) . text($middle));

	$form{"lines of $_"} = block($der, $_, "\n") foreach 16, 76, 254, 256, 257, 1023, 4000;
	return %form;
}

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

our %case = (
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

# What nobody could tell from what breaks, or another case of the same fault has
# shown.
our %further = (
	broken_key => { L => sub {
			my $cert = $certs->make_server('even', ca => $ca, key => 'rsa:2048');

			with_server($cert, resigned($cert, sub { $_[0][ $der{key} ] =~ s/\x02\x03\x01\x00\x01\z/\x02\x03\x01\x00\x00/ }));
		} },
	crl_expires_very_soon => { R => sub { new_crl(last_update => -100 * 86400, next_update => 86400) } },
	crl_expires_soon => { R => sub { new_crl(last_update => -396 * 86400, next_update => 20 * 86400) } },
	file_not_reloaded => { R => sub { new_crl(next_update => 200 * 86400) } },
);

1;
