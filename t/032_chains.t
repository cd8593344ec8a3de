# Chains as clients see them: what we say of a file for "ssl_cert_file" is held
# against what "openssl verify" says of it, in three ways: as a client that
# trusts the root has it, as a strict client has it (-x509_strict, the default
# of Python 3.13), and the file's own chain by itself (-partial_chain).
#
# A row is a chain; where our verdict differs from openssl's, the row says why.

use strict;
use warnings;

use IPC::Run ();
use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $no_roots = PostgreSQL::Test::Utils::tempdir();
my $number = 0;

# the roots of this machine must not matter
$ENV{SSL_CERT_DIR} = $no_roots;
$ENV{SSL_CERT_FILE} = "$no_roots/none.pem";

sub name { return 'c' . ++$number; }

my @ca_lines = ('basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign',
	'subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid');
my @leaf_lines = ('basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature',
	'extendedKeyUsage=serverAuth', 'subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid');

# lines without those of some extensions, and with others
sub lines
{
	my ($lines, $without, @more) = @_;

	return (bare => 1, extensions => [ (grep { !/^(?:$without)=/ } @$lines), @more ]);
}

sub root { return $certs->make_ca(name(), subject => '/CN=Root ' . $number, @_); }
sub sub_ca { my ($ca, %more) = @_; return $certs->make_ca(name(), ca => $ca, subject => '/CN=Sub ' . $number, %more); }

sub leaf
{
	my ($ca, %more) = @_;

	return $certs->make_cert(name(), ca => $ca, subject => '/CN=db1.example.com', san => ['DNS:db1.example.com'],
		eku => 'serverAuth', %more);
}

my $good_root = root();
my $good_sub = sub_ca($good_root);

# a leaf below a good intermediate
sub below { my (%more) = @_; return { file => [ leaf($good_sub, %more), $good_sub ], root => $good_root }; }

# a good leaf below such an intermediate, below a good root
sub through
{
	my (%more) = @_;
	my $sub = sub_ca($good_root, %more);

	return { file => [ leaf($sub), $sub ], root => $good_root };
}

# a good leaf below a root
sub under
{
	my ($root, %more) = @_;

	return { file => [ leaf($root, %more) ], root => $root };
}

# What is right in itself, but not in the eyes of openssl verify, and the other
# way round: mode of the comparison, with "root" or "other" if it depends on
# which CA is in ssl_ca_file => reason.
my $unrelated = 'unrelated_certificate says it, a warning: the right one may be in the hands of the clients';
my $not_sent = 'the root is not sent, and what is wrong with it is a finding of its own file';
my $not_here = 'the root is neither sent nor in ssl_ca_file';
my $no_anchor = 'nobody here knows whether clients have the missing issuer';

my @chains = (
	[ 'root and leaf', sub { under($good_root) } ],
	[ 'root, intermediate, leaf', sub { below() } ],
	[ 'two intermediates', sub {
		my $sub = sub_ca($good_sub);

		return { file => [ leaf($sub), $sub, $good_sub ], root => $good_root };
	} ],
	[ 'the root is sent, too', sub { { file => [ leaf($good_sub), $good_sub, $good_root ], root => $good_root } } ],
	[ 'intermediates in the wrong order', sub {
		my $sub = sub_ca($good_sub);

		return { file => [ leaf($sub), $good_sub, $sub ], root => $good_root };
	} ],
	[ 'the intermediate is missing', sub { { file => [ leaf($good_sub) ], root => $good_root } },
		plain => $no_anchor, strict => $no_anchor ],
	[ 'the intermediate twice', sub { { file => [ leaf($good_sub), $good_sub, $good_sub ], root => $good_root } } ],
	[ 'a stranger in the file', sub { { file => [ leaf($good_sub), $good_sub, root() ], root => $good_root, top => 1 } } ],
	[ 'another intermediate of the root in the file', sub {
		{ file => [ leaf($good_sub), $good_sub, sub_ca($good_root) ], root => $good_root, top => 1 }
	} ],
	[ 'RSA all through', sub {
		my $root = root(key => 'rsa:2048');
		my $sub = sub_ca($root, key => 'rsa:2048');

		return { file => [ leaf($sub, key => 'rsa:2048'), $sub ], root => $root };
	} ],
	[ 'Ed25519 root', sub { under(root(key => 'ed25519')) } ],
	[ 'P-384 root', sub { under(root(key => 'ec:secp384r1')) } ],
	[ 'RSA-PSS signatures', sub {
		my $root = root(key => 'rsa:2048');

		return under($root, sigopt => [ 'rsa_padding_mode:pss', 'rsa_pss_saltlen:32' ]);
	} ],
	[ 'self-signed, no CA', sub {
		my $self = $certs->make_cert(name(), subject => '/CN=db1.example.com', san => ['DNS:db1.example.com']);

		return { file => [$self], root => $self };
	} ],
	[ 'self-signed, a CA', sub {
		my $self = $certs->make_ca(name(), subject => '/CN=db1.example.com', san => ['DNS:db1.example.com'],
			key_usage => 'critical,digitalSignature,keyCertSign');

		return { file => [$self], root => $self };
	} ],

	# path lengths
	[ 'path length 0 kept', sub { through(lines(\@ca_lines, 'basicConstraints', 'basicConstraints=critical,CA:TRUE,pathlen:0')) } ],
	[ 'path length 0 exceeded', sub {
		my $low = sub_ca($good_root, lines(\@ca_lines, 'basicConstraints', 'basicConstraints=critical,CA:TRUE,pathlen:0'));
		my $sub = sub_ca($low);

		return { file => [ leaf($sub), $sub, $low ], root => $good_root };
	} ],
	[ 'path length 1 kept', sub {
		my $low = sub_ca($good_root, lines(\@ca_lines, 'basicConstraints', 'basicConstraints=critical,CA:TRUE,pathlen:1'));
		my $sub = sub_ca($low);

		return { file => [ leaf($sub), $sub, $low ], root => $good_root };
	} ],
	[ 'path length of the root exceeded', sub {
		my $root = root(lines(\@ca_lines, 'basicConstraints', 'basicConstraints=critical,CA:TRUE,pathlen:0'));
		my $sub = sub_ca($root);

		return { file => [ leaf($sub), $sub ], root => $root };
	}, plain => $not_sent, strict => $not_sent ],
	[ 'path length of the root exceeded, the root sent', sub {
		my $root = root(lines(\@ca_lines, 'basicConstraints', 'basicConstraints=critical,CA:TRUE,pathlen:0'));
		my $sub = sub_ca($root);

		return { file => [ leaf($sub), $sub, $root ], root => $root };
	} ],
	[ 'path length without keyCertSign', sub { below(lines(\@leaf_lines, 'basicConstraints', 'basicConstraints=critical,CA:FALSE,pathlen:0')) } ],

	# what an intermediate must be
	[ 'an intermediate that is no CA', sub { through(lines(\@ca_lines, 'basicConstraints', 'basicConstraints=critical,CA:FALSE')) } ],
	[ 'an intermediate without basicConstraints', sub { through(lines(\@ca_lines, 'basicConstraints')) },
		partial => 'only as the last of a chain, as which clients do not have it' ],
	[ 'basicConstraints not critical', sub { through(lines(\@ca_lines, 'basicConstraints', 'basicConstraints=CA:TRUE')) } ],
	[ 'an intermediate without keyCertSign', sub { through(lines(\@ca_lines, 'keyUsage', 'keyUsage=critical,cRLSign')) } ],
	[ 'an intermediate without keyUsage', sub { through(lines(\@ca_lines, 'keyUsage')) } ],
	[ 'keyUsage not critical', sub { through(lines(\@ca_lines, 'keyUsage', 'keyUsage=keyCertSign,cRLSign')) } ],
	[ 'an intermediate for clients', sub { through(lines(\@ca_lines, 'none', 'extendedKeyUsage=clientAuth')) } ],
	[ 'an intermediate for servers', sub { through(lines(\@ca_lines, 'none', 'extendedKeyUsage=serverAuth')) } ],
	[ 'an intermediate for mail', sub { through(lines(\@ca_lines, 'none', 'extendedKeyUsage=emailProtection')) } ],
	[ 'an intermediate for anything', sub { through(lines(\@ca_lines, 'none', 'extendedKeyUsage=anyExtendedKeyUsage')) } ],
	[ 'an intermediate without SKI', sub {
		my $sub = sub_ca($good_root, lines(\@ca_lines, 'subjectKeyIdentifier'));

		return { file => [ leaf($sub, lines(\@leaf_lines, 'authorityKeyIdentifier')), $sub ], root => $good_root };
	} ],
	[ 'an intermediate without AKI', sub { through(lines(\@ca_lines, 'authorityKeyIdentifier')) } ],
	[ 'an unknown critical extension in the intermediate', sub { through(lines(\@ca_lines, 'none', '1.2.3.4.5=critical,ASN1:NULL')) } ],
	[ 'an unknown extension in the intermediate', sub { through(lines(\@ca_lines, 'none', '1.2.3.4.5=ASN1:NULL')) } ],
	[ 'an intermediate that has expired', sub { through(days_left => -1) } ],
	[ 'an intermediate not yet valid', sub {
		through(not_before => ESG::Certs::stamp(86400 * 3), not_after => ESG::Certs::stamp(86400 * 900))
	} ],
	[ 'weak signature on the intermediate', sub {
		my $root = root(key => 'rsa:2048');
		my $sub = sub_ca($root, digest => 'sha1');

		return { file => [ leaf($sub), $sub ], root => $root };
	} ],
	[ 'P-224 intermediate', sub { through(key => 'ec:secp224r1') } ],

	# the root
	[ 'a root without SKI', sub {
		my $root = root(lines(\@ca_lines, 'subjectKeyIdentifier|authorityKeyIdentifier'));

		return under($root, lines(\@leaf_lines, 'authorityKeyIdentifier'));
	} ],
	[ 'a root without keyUsage', sub { under(root(lines(\@ca_lines, 'keyUsage'))) }, 'strict other' => $not_here ],
	[ 'a root with basicConstraints not critical', sub { under(root(lines(\@ca_lines, 'basicConstraints', 'basicConstraints=CA:TRUE'))) },
		'strict other' => $not_here ],
	[ 'a root without AKI', sub { under(root(lines(\@ca_lines, 'authorityKeyIdentifier'))) } ],
	[ 'a root that has expired, not sent', sub {
		my $root = root(days_left => -2);
		my $sub = sub_ca($root);

		return { file => [ leaf($sub), $sub ], root => $root };
	}, plain => $not_sent, strict => $not_sent ],
	[ 'a CA renewed under its old name, the new one issued', sub {
		my $old = root(subject => '/CN=Renewed CA');
		my $new = root(subject => '/CN=Renewed CA');

		return { file => [ leaf($new) ], root => $new, other => $old };
	} ],
	[ 'a CA renewed under its old name, the old one issued', sub {
		my $old = root(subject => '/CN=Renewed CA');
		my $new = root(subject => '/CN=Renewed CA');

		return { file => [ leaf($old) ], root => $old, other => $new };
	} ],
	[ 'an intermediate renewed under its old name, the old one sent', sub {
		my $old = sub_ca($good_root, subject => '/CN=Renewed Sub');
		my $new = sub_ca($good_root, subject => '/CN=Renewed Sub');

		return { file => [ leaf($new), $old ], root => $good_root };
	}, plain => $unrelated, partial => $unrelated ],
	[ 'cross-signed: the twin of a known root is sent', sub {
		my $old = root();
		my $new = root();
		my $twin = $certs->make_ca(name(), ca => $old, key => $new,
			subject => subject_of($new));
		my $sub = sub_ca($new);

		return { file => [ leaf($sub), $sub, $twin ], root => $new };
	} ],
	[ 'cross-signed: both variants are sent', sub {
		my $old = root();
		my $new = root();
		my $sub = sub_ca($new);
		my $other = $certs->make_ca(name(), ca => $old, key => $sub, subject => subject_of($sub));

		return { file => [ leaf($sub), $sub, $other ], root => $new };
	} ],

	# signatures
	[ 'a forged leaf', sub {
		my $leaf = leaf($good_sub);

		forge($leaf);
		return { file => [ $leaf, $good_sub ], root => $good_root };
	} ],
	[ 'a forged intermediate', sub {
		my $sub = sub_ca($good_root);
		my $leaf = leaf($sub);

		forge($sub);
		return { file => [ $leaf, $sub ], root => $good_root };
	}, 'plain other' => $no_anchor, 'partial root' => 'what is trusted is not verified, and we know its issuer' ],
	[ 'an AKI of another key', sub {
		my $other = root();

		return below(lines(\@leaf_lines, 'authorityKeyIdentifier',
				'authorityKeyIdentifier=DER:' . der_key_id(key_id($other))));
	} ],
	[ 'an AKI with issuer and serial', sub { under($good_root, lines(\@leaf_lines, 'authorityKeyIdentifier', 'authorityKeyIdentifier=keyid,issuer:always')) } ],

	# the leaf
	[ 'a leaf without AKI', sub { below(lines(\@leaf_lines, 'authorityKeyIdentifier')) } ],
	[ 'a leaf without SKI', sub { below(lines(\@leaf_lines, 'subjectKeyIdentifier')) } ],
	[ 'a leaf without basicConstraints', sub { below(lines(\@leaf_lines, 'basicConstraints')) } ],
	[ 'a leaf without keyUsage', sub { below(lines(\@leaf_lines, 'keyUsage')) } ],
	[ 'a leaf with keyCertSign', sub { below(lines(\@leaf_lines, 'keyUsage', 'keyUsage=critical,digitalSignature,keyCertSign')) } ],
	[ 'a leaf with keyEncipherment only', sub {
		below(key => 'rsa:2048', lines(\@leaf_lines, 'keyUsage', 'keyUsage=critical,keyEncipherment'))
	} ],
	[ 'a leaf with keyAgreement only', sub { below(lines(\@leaf_lines, 'keyUsage', 'keyUsage=critical,keyAgreement')) } ],
	[ 'a leaf with cRLSign only', sub { below(lines(\@leaf_lines, 'keyUsage', 'keyUsage=critical,cRLSign')) } ],
	[ 'a leaf for clients', sub { below(eku => 'clientAuth') } ],
	[ 'a leaf for anything', sub { below(eku => 'anyExtendedKeyUsage') } ],
	[ 'a leaf without extendedKeyUsage', sub { below(lines(\@leaf_lines, 'extendedKeyUsage')) } ],
	[ 'a leaf with an unknown critical extension', sub { below(lines(\@leaf_lines, 'none', '1.2.3.4.5=critical,ASN1:NULL')) } ],
	[ 'a leaf without a subject, names not critical', sub { below(subject => '/') } ],
	[ 'a leaf without a subject, names critical', sub {
		below(subject => '/', san => [], lines(\@leaf_lines, 'none', 'subjectAltName=critical,DNS:db1.example.com'))
	} ],
	[ 'a leaf with an empty list of names', sub { below(san => [], lines(\@leaf_lines, 'none', 'subjectAltName=DER:30:00')) } ],
	[ 'a leaf that has expired', sub { below(days_left => -1) } ],
	[ 'a leaf not yet valid', sub {
		below(not_before => ESG::Certs::stamp(86400 * 3), not_after => ESG::Certs::stamp(86400 * 100))
	} ],
	[ 'a leaf that is a CA', sub { below(is_ca => 1, key_usage => 'critical,digitalSignature,keyCertSign') } ],

	# name constraints
	[ 'name constraints kept', sub { through(lines(\@ca_lines, 'none', 'nameConstraints=critical,permitted;DNS:example.com')) } ],
	[ 'name constraints violated', sub { through(lines(\@ca_lines, 'none', 'nameConstraints=critical,permitted;DNS:example.org')) } ],
	[ 'an excluded name', sub { through(lines(\@ca_lines, 'none', 'nameConstraints=critical,excluded;DNS:example.com')) } ],
	[ 'constraints on addresses kept', sub {
		my $sub = sub_ca($good_root, lines(\@ca_lines, 'none', 'nameConstraints=critical,permitted;IP:10.0.0.0/255.0.0.0'));

		return { file => [ leaf($sub, san => ['IP:10.1.2.3']), $sub ], root => $good_root };
	} ],
	[ 'constraints on addresses violated', sub {
		my $sub = sub_ca($good_root, lines(\@ca_lines, 'none', 'nameConstraints=critical,permitted;IP:10.0.0.0/255.0.0.0'));

		return { file => [ leaf($sub, san => ['IP:192.168.0.1']), $sub ], root => $good_root };
	} ],
	[ 'constraints of the root violated, the root sent', sub {
		my $root = root(lines(\@ca_lines, 'none', 'nameConstraints=critical,permitted;DNS:example.org'));

		return { file => [ leaf($root), $root ], root => $root };
	} ],
	[ 'a policy that is required and missing', sub { through(lines(\@ca_lines, 'none', 'policyConstraints=critical,requireExplicitPolicy:0')) } ],
);

sub subject_of
{
	my ($cert) = @_;
	my ($subject) = ESG::Certs::openssl('x509', '-in', $cert->{single}, '-noout', '-subject', '-nameopt', 'compat') =~ m{^subject=\s*(.*)}m;

	return $subject;
}

sub key_id
{
	my ($cert) = @_;
	my ($hex) = ESG::Certs::openssl('x509', '-in', $cert->{single}, '-noout', '-ext', 'subjectKeyIdentifier') =~ /\n\s+([0-9A-F:]+)/;

	return $hex;
}

sub der_key_id { my ($hex) = @_; return "30:16:80:14:$hex"; }

# another last octet of the signature
sub forge
{
	my ($cert) = @_;
	my ($base64) = ESG::Certs::slurp($cert->{single}) =~ /-----BEGIN CERTIFICATE-----\s*(.*?)-----END/s;
	my $der = MIME::Base64::decode_base64($base64);

	substr($der, -1) = chr(ord(substr($der, -1)) ^ 1);
	ESG::Certs::spew($cert->{single}, "-----BEGIN CERTIFICATE-----\n", MIME::Base64::encode_base64($der), "-----END CERTIFICATE-----\n");
	return;
}

# undef if openssl accepts it, else its reason
sub refusal
{
	my (@arguments) = @_;
	my $said = '';
	my $good = IPC::Run::run([ 'openssl', 'verify', '-purpose', 'sslserver', @arguments ], '<', \undef, '>&', \$said);

	return undef if $good;
	return $said =~ /lookup: (.*)/ ? $1 : $said;
}

my $node = ESG::Node->new('chains');
$node->setup(ca => $good_root, server => leaf($good_root), conf => <<'CONF');
ext_ssl_guard.file_poll_interval = 0
ext_ssl_guard.expire_check_interval = 0
CONF
$node->start;
my ($file, $cas) = ($node->path('server.crt'), $node->path('root.crt'));
my $stranger = root();

sub sql { return $node->safe_psql('postgres', $_[0]); }

# A client is refused for these, whoever looks.
my %refuses = map { $_ => 1 } qw(chain_refused bad_signature wrong_purpose unknown_critical_extension malformed_extension
  unusable_key signature_algorithm_mismatch leaf_not_first invalid_time validity_reversed);
my %out_of_time = map { $_ => 1 } qw(expired not_yet_valid);

# code => severity of what is said of the server's file
sub findings
{
	return map { split / / } split /\n/, sql("SELECT DISTINCT f || ' ' || c.severity
		FROM ssl_guard_certificates c, unnest(findings) f WHERE kind IN ('server', 'chain')");
}

sub compare
{
	my ($what, $mode, $refusal, $we_refuse, $reason, $codes) = @_;
	my $same = (defined $refusal ? 1 : 0) == ($we_refuse ? 1 : 0);
	my $said = (defined $refusal ? "openssl: $refusal" : 'openssl accepts it') . ", we: $codes";

	return ok(!$same, "$what, $mode: differs, $reason") || diag($said) if defined $reason;
	return ok($same, "$what, $mode: the same verdict") || diag($said);
}

foreach my $row (@chains)
{
	my ($what, $make, %reason) = @$row;
	my $chain = $make->();
	my @file = map { $_->{single} } @{ $chain->{file} };
	my $rest = $certs->concat(name() . '.pem', @file[ 1 .. $#file ]);
	my @untrusted = @file > 1 ? ('-untrusted', $rest) : ();
	my $plain = refusal('-trusted', $chain->{root}{single}, @untrusted, $file[0]);
	my $strict = refusal('-x509_strict', '-trusted', $chain->{root}{single}, @untrusted, $file[0]);
	my $partial = refusal('-no_check_time', '-partial_chain', '-trusted', $file[ $chain->{top} // -1 ], @untrusted, $file[0]);

	ESG::Certs::spew($file, map { ESG::Certs::slurp($_) } @file);
	foreach my $ca ($chain->{root}, $chain->{other} // $stranger)
	{
		my $where = $ca == $chain->{root} ? "$what, the root in ssl_ca_file" : "$what, another CA there";

		ESG::Certs::spew($cas, ESG::Certs::slurp($ca->{single}));
		my %found = findings();
		my $codes = join ' ', sort keys %found;
		my $refused = grep { $refuses{$_} } keys %found;
		my $late = grep { $out_of_time{$_} } keys %found;

		my $side = $ca == $chain->{root} ? 'root' : 'other';
		my $why = sub { return $reason{"$_[0] $side"} // $reason{ $_[0] }; };

		compare($where, 'plain', $plain, $refused + $late, $why->('plain'), $codes);
		compare($where, 'partial', $partial, $refused, $why->('partial'), $codes);
		next if defined $plain;
		my $root_is_strict = $ca == $chain->{root} &&
		  sql("SELECT count(*) FROM ssl_guard_certificates WHERE kind = 'ca' AND 'strict_client_refuses' = ANY (findings)");
		compare($where, 'strict', $strict, ($found{strict_client_refuses} || $root_is_strict) ? 1 : 0, $why->('strict'), $codes);
	}
}
cmp_ok(scalar @chains, '>=', 60, 'at least sixty chains');
$node->stop;

done_testing();
