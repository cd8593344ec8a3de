# Every hint works: followed to the letter, the alarm is cleared and no other has
# come.  Here those about single certificates; see t/ESG/Hints.pm.

use strict;
use warnings;

use Test::More;

use ESG::Cases qw(text with_server new_server below_other other_ca);
use ESG::Certs;
use ESG::Hints qw(extra follow issue edit put set anew hint path shell done reload query);

ESG::Hints::begin();

my $certs = $ESG::Cases::certs;
my $ca = $ESG::Cases::ca;
my %below = %{ with_server($ESG::Cases::below, text($ESG::Cases::below) . text($ESG::Cases::middle)) };

# a good chain, in place of one below a bad intermediate
my $new_chain = sub { issue(%below) };
my $new_ca = sub { issue('root.crt' => text($ca)) };

# the certificate of that CA with its key, for as long as usual
sub renewed_ca
{
	my ($own, %options) = @_;

	return $certs->make_ca($own->{name} . '_renewed', key => $own, subject => "/CN=$own->{name}", %options);
}

# --- signature -------------------------------------------------------------------

follow('weak_signature', 'Have the certificate reissued with a signature over SHA-256 or better.',
	[ 'LX', anew(digest => 'sha256') ], [ 'I', $new_chain ]);
follow('unknown_signature',
	'Nobody here can judge the signature. Have the certificate reissued with RSA or ECDSA over SHA-256 or better.',
	[ 'LX', anew(digest => 'sha256') ]);
follow('bad_pss_parameters',
	'Clients may reject what the CA\'s software wrote there. Have the certificate reissued with a plain RSA or ECDSA signature, or by software that names one digest for both.',
	[ 'LX', anew() ],
	[ 'one digest', sub { issue(%{ other_ca('rsa:2048', sigopt => [ 'rsa_padding_mode:pss', 'rsa_mgf1_md:sha256' ]) }) },
		$ESG::Cases::case{bad_pss_parameters}{L} ]);
follow('signature_algorithm_mismatch', 'The certificate was altered or badly made. Have it reissued.', [ 'LX', anew() ]);

# One name, two keys, and no key identifiers that tell them apart.
my %namesake = map { $_ => $certs->make_cert("namesake$_", subject => '/CN=namesake', days_left => 3000, lifetime => 3600, bare => 1,
		extensions => [ 'basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign', 'subjectKeyIdentifier=hash' ]) } 1, 2;
my $of_second = $certs->make_cert('of_second', ca => $namesake{2}, subject => '/CN=localhost', san => ['DNS:localhost'], bare => 1,
	extensions => [ 'extendedKeyUsage=serverAuth', 'subjectKeyIdentifier=hash', 'authorityKeyIdentifier=none' ]);
follow('bad_signature',
	"The certificate was altered, or the issuer's certificate is one with the same name and another key. Install the issuer that belongs to it, or have it reissued.",
	[ 'LX', anew() ],
	[ 'the issuer that belongs to it', sub { issue('root.crt' => text($namesake{2})) },
		sub { with_server($of_second, undef, 'root.crt' => text($namesake{1})) } ]);
follow('weak_issuer_key',
	"A certificate is no stronger than its issuer's key. Have it reissued by a CA with a key of RSA 2048, P-256 or better.",
	[ 'below a weak one', $new_chain, sub { below_other(key => 'rsa:1024') } ]);
follow('scram_incompatible_signature',
	'Logins with scram-sha-256 fail with "could not find digest for NID UNDEF", unless the client sets channel_binding=disable. Have the certificate reissued by a CA that signs with RSA or ECDSA.',
	[ 'L', anew() ]);

# --- key -------------------------------------------------------------------------

follow('weak_key', 'Make a new key of RSA 2048, P-256 or better and have a certificate issued for it.',
	[ 'LX', anew(key => 'rsa:2048') ], [ 'P-256', anew(key => 'ec:prime256v1'), $ESG::Cases::case{weak_key}{L} ],
	[ 'A', sub { issue('root.crt' => text($certs->make_ca('strong', key => 'rsa:2048'))) },
		sub { { 'root.crt' => text($certs->make_ca('frail', key => 'rsa:1024')) } } ]);
follow('broken_key',
	'The private key can be computed from the public one. Make a new key with sound software and have the certificate replaced at once.',
	[ 'LX', anew(key => 'rsa:2048') ]);
follow('explicit_ec_parameters',
	'Make a new key on a named curve (openssl ecparam -name prime256v1 -param_enc named_curve -genkey -noout) and have a certificate issued for it.',
	[ 'LX', sub {
		my ($command) = hint() =~ /\((openssl [^)]*)\)/;

		shell("$command > named.key");
		anew(key => { key => path('named.key') })->();
	} ]);
follow('unusable_key',
	'Have a certificate issued for an RSA, ECDSA or Ed25519 key, or install an OpenSSL that knows this type.',
	[ 'LX', anew(key => 'rsa:2048') ], map { my $kind = $_; [ $kind, anew(key => $kind), $ESG::Cases::case{unusable_key}{L} ] } qw(ec:prime256v1 ed25519));
follow('dsa_key', 'DSA was withdrawn by FIPS 186-5. Make an RSA or ECDSA key and have a certificate issued for it.',
	[ 'LX', anew(key => 'rsa:2048') ]);
follow('small_exponent', 'Make the next key with the usual exponent 65537.', [ 'LX', anew(key => 'rsa:2048') ]);
follow('uncommon_curve', 'Some clients cannot use it. Make the next key on P-256, P-384 or P-521.',
	[ 'LX', anew(key => 'ec:secp384r1') ]);
follow('shared_ca_key',
	"Whoever holds the server's key can issue certificates. Make a key of its own for the server and have a certificate issued for it.",
	[ "the CA's, which is in the file", anew(), sub { my $case = new_server(key => $ca); $case->{'server.crt'} .= text($ca); $case } ]);

# --- time ------------------------------------------------------------------------

foreach my $code (qw(expired expires_very_soon))
{
	follow($code, 'Replace the certificate and reload the server.',
		[ 'L', sub { edit(%{ new_server() }) } ],
		[ 'A', sub { edit('root.crt' => text(renewed_ca({ name => "ended_$code", key => $certs->dir . "/ended_$code.key" }))) },
			sub { { 'root.crt' => text($certs->make_ca("ended_$code", days_left => $code eq 'expired' ? -1 : 2)) } } ],
		[ 'I', sub { edit(%below) }, sub { below_other(days_left => $code eq 'expired' ? -1 : 2) } ]);
	follow($code, 'Replace the certificate and let the program that uses it load the new one.', [ 'X', anew() ]);
}
follow('expires_soon', 'Have the certificate renewed, replace it and reload the server.',
	[ 'L', sub { edit(%{ new_server() }) } ],
	[ 'A', sub { edit('root.crt' => text(renewed_ca({ name => 'ending', key => $certs->dir . '/ending.key' }))) },
		sub { { 'root.crt' => text($certs->make_ca('ending', days_left => 60)) } } ]);
follow('expires_soon', 'Have the certificate renewed, replace it and let the program that uses it load the new one.', [ 'X', anew() ]);

# Late: one with less left than those before it had when they were replaced, all
# of one name, in a file of their own.
sub late
{
	my ($file, $make, %conf) = @_;

	return sub {
		my $last;

		reload();
		foreach my $left (20.5, 20.7, 20.9, 15.5)
		{
			$last = $make->($left);
			put($file => $last);
			set(%conf);
			query('SELECT count(*) FROM ssl_guard_check()');
		}
		return { $file => $last };
	};
}

sub aged_cert
{
	my ($left) = @_;

	return text($certs->make_server('aged', ca => $ca, key => $ESG::Cases::server, subject => '/CN=late', san => ['DNS:late'],
		not_before => ESG::Certs::stamp(($left - 100) * 86400), not_after => ESG::Certs::stamp($left * 86400)));
}

sub aged_crl { return text($certs->make_crl($ca, 'aged', last_update => ($_[0] - 100) * 3600, next_update => $_[0] * 3600)); }

my $crl_name = ESG::Certs::openssl('crl', '-in', $ESG::Cases::crl, '-noout', '-hash') =~ s/\n//r . '.r0';
mkdir path('late_crls') or die "mkdir: $!";
my $see = 'See why it was not renewed this time';
follow('renewal_overdue', "$see, put the renewed one in its place and reload the server.",
	[ 'L', anew(), late('server.crt', \&aged_cert) ],
	[ 'R', sub { issue('late.crl' => text($ESG::Cases::crl)) }, late('late.crl', \&aged_crl, ssl_crl_file => 'late.crl') ]);
follow('renewal_overdue', "$see, put the renewed one in its place and let the program that uses it load it.",
	[ 'X', anew(), late('extra.crt', \&aged_cert) ]);
follow('renewal_overdue', "$see, and put the renewed one in its place.",
	[ 'R in a directory', sub { put("late_crls/$crl_name" => text($ESG::Cases::crl)) },
		late("late_crls/$crl_name", \&aged_crl, ssl_crl_dir => 'late_crls') ]);
follow('not_yet_valid', 'Check the clocks of this host and of the CA, or install a certificate that is valid now.', [ 'LX', anew() ],
	[ 'A', $new_ca, sub { { 'root.crt' => text($certs->make_ca('later', not_before => ESG::Certs::stamp(86400), not_after => ESG::Certs::stamp(9e7))) } } ]);
follow('invalid_time', 'OpenSSL refuses what it cannot date. Have it reissued with times as in RFC 5280 sections 4.1.2.5 and 5.1.2.4.',
	[ 'LX', anew() ], [ 'R', sub { issue('root.crl' => text($ESG::Cases::crl)) } ]);
follow('validity_reversed', 'Have the certificate reissued with notAfter later than notBefore.', [ 'LX', anew() ]);
follow('validity_too_long', 'Have the next certificate issued for a shorter time, or raise "ext_ssl_guard.max_validity".',
	[ 'L', anew(lifetime => 300, days_left => 299) ],
	[ 'the setting', sub { set('ext_ssl_guard.max_validity' => '4001d') }, $ESG::Cases::case{validity_too_long}{L} ]);
my $ends_first = "The chain ends at the earlier date. Replace the issuer's certificate, too, before that date";
foreach my $days (200, 60)
{
	my $shorter = $certs->make_ca("shorter$days", days_left => $days);
	my $longer = $certs->make_server("longer$days", ca => $shorter);
	my $renewed = text(renewed_ca($shorter));

	follow('outlives_issuer', "$ends_first, and reload the server.",
		[ "$days days", sub { edit('root.crt' => $renewed) }, sub { with_server($longer, undef, 'root.crt' => text($shorter)) } ]);
	follow('outlives_issuer', "$ends_first.",
		[ "$days days, elsewhere", sub { edit('extra.crt' => text($longer) . $renewed) }, sub { extra('server', text($longer) . text($shorter)) } ]);
}

# --- names, extensions, structure --------------------------------------------------

follow('no_alt_name',
	'Clients written in Go, Java or Rust refuse its name with sslmode=verify-full. Have the certificate reissued with the host name as a DNS alternative name.',
	[ 'L', anew(san => ['DNS:localhost']) ]);
follow('multiple_common_names', 'Have the certificate reissued with one common name.', [ 'L', anew(subject => '/CN=localhost') ]);
follow('nul_in_name',
	'Such names are made to deceive (CVE-2009-4034). Find out who issued the certificate and have it reissued without.', [ 'LX', anew() ]);
follow('malformed_name', 'Have the certificate reissued with printable UTF-8 names.', [ 'LX', anew(subject => "/CN=localhost/O=B\xc3\xbccher") ]);
follow('ca_as_leaf',
	'Whoever holds its key can issue certificates. Have a certificate with CA:FALSE issued for a key of its own.',
	[ 'L', anew(is_ca => 0) ],
	[ 'self-signed', sub { issue(%{ with_server($certs->make_server('alone_now')) }) },
		sub { with_server($certs->make_server('alone_ca', is_ca => 1, key_usage => 'digitalSignature,keyCertSign')) } ]);
follow('self_signed_server',
	'Clients can only trust it by having this very certificate as sslrootcert. Have one issued by a CA.', [ 'L', anew() ]);
follow('wrong_purpose',
	'Have the certificate reissued with the extended key usage that fits: serverAuth for the server, clientAuth for clients.',
	[ 'L', anew(eku => 'serverAuth') ]);
follow('key_usage_mismatch', 'Have the certificate reissued with a fitting keyUsage extension.',
	[ 'L', anew(key_usage => 'critical,digitalSignature') ]);
follow('unknown_critical_extension',
	'Peers must refuse it (RFC 5280 section 4.2). Have the certificate reissued with that extension non-critical or left out.',
	[ 'LX', anew() ], [ 'non-critical', anew(extensions => ['1.2.3.4=ASN1:UTF8String:x']), $ESG::Cases::case{unknown_critical_extension}{L} ]);
follow('malformed_extension', 'OpenSSL refuses such certificates when it verifies them. Have the certificate reissued.', [ 'LX', anew() ]);
follow('odd_serial',
	'Have the next certificate issued with a positive serial number of at most 20 octets (RFC 5280 section 4.1.2.2).',
	[ 'L', anew(serial => '7F' . 'AB' x 19) ], [ 'X', anew(serial => '01') ]);
follow('must_staple', 'Strict clients refuse it. Have the certificate reissued without the TLS feature extension (RFC 7633).', [ 'L', anew() ]);
follow('bad_dns_name',
	'Have the certificate reissued with plain host names, such as db.example.com or *.example.com; IP addresses have a kind of their own (iPAddress).',
	[ 'L', anew(san => [ 'DNS:localhost', 'DNS:db.example.com', 'DNS:*.example.com', 'IP:127.0.0.1' ]) ]);
follow('cn_not_in_alt_name',
	'Clients that find DNS names in subjectAltName ignore the common name. Have the certificate reissued with that name among them.',
	[ 'a host name', anew(subject => '/CN=db.example.com', san => [ 'DNS:other.example.com', 'DNS:db.example.com' ]),
		sub { new_server(subject => '/CN=db.example.com', san => ['DNS:other.example.com']) } ]);
follow('strict_client_refuses',
	'Python 3.13 and later refuse it with sslmode=verify-ca and verify-full, as "openssl verify -x509_strict" does. Have the certificate reissued.',
	[ 'L', anew(key_usage => 'critical,digitalSignature') ], [ 'I', $new_chain ],
	[ 'A', sub { issue('root.crt' => text(renewed_ca({ name => 'lax', key => $certs->dir . '/lax.key' }))) },
		sub { { 'root.crt' => text($certs->make_ca('lax', key_usage => '')) } } ]);

done('certificates');
