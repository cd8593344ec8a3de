# ESG::Certs: keys, certificates and CRLs made at test time with the openssl
# program.
#
#   use ESG::Certs;
#
#   my $certs  = ESG::Certs->new;              # or ->new($directory)
#   my $ca     = $certs->make_ca('ca');        # self-signed; ca => $other: intermediate
#   my $server = $certs->make_server('server', ca => $ca, days_left => 5);
#   my $client = $certs->make_client('alice', ca => $ca, subject => '/CN=alice');
#   my $leaf   = $certs->make_cert('leaf', ca => $ca, ...);   # nothing preset
#   my $self   = $certs->make_cert('self');                   # no ca: self-signed
#
#   $ca->{cert}, $server->{cert}, $server->{key}      paths
#   $server->{serial}, $server->{fingerprint}         upper-case hex, lower-case hex
#
#   $certs->revoke($ca, $client);
#   my $crl = $certs->make_crl($ca, 'crl');    # path; last_update, next_update =>
#                                              # seconds from now [-3600, 30 days];
#                                              # digest ['sha256']; extensions =>
#                                              # ['name=value', ...] [cRLNumber alone]
#   $certs->sign_request($ca, 'a.csr', 'a.crt');   # for a server
#   my $file = $certs->concat('bundle.crt', $ca->{cert}, $other->{cert});
#
# Options of make_ca, make_server, make_client and make_cert:
#
#   subject      '/CN=a/O=b' as in openssl's -subj ["/CN=NAME"]
#   ca           who signs [itself]
#   days_left    days until notAfter, fractions allowed [364; make_ca: 3600]
#   lifetime     days from notBefore to notAfter [365; make_ca: 3650]; notBefore
#                is never later than an hour ago because of it
#   not_before, not_after   'YYYYMMDDHHMMSSZ', instead of the two above
#   key          'ec:prime256v1' (the default), 'rsa:2048', 'rsa-pss:2048',
#                'dsa:2048', 'ed25519', 'ed448'; or another certificate, whose key is used
#   passphrase   encrypts the key file; traditional => 1 for the old PEM format
#   digest       of the signature ['sha256']; sigopt => ['rsa_padding_mode:pss']
#   san          ['DNS:x', 'IP:127.0.0.1', 'URI:spiffe://x', 'email:a@b', 'UPN:a@b']
#   eku          'clientAuth', ... [none; make_server and make_client set it]
#   key_usage    ['critical,digitalSignature'; CA: 'critical,keyCertSign,cRLSign']; '' for none
#   serial       hex [random]
#   extensions   ['name=value', ...], more lines of openssl's x509v3_config
#   bare         1: no extensions but those, and the names of "san"
#   chain        [$intermediate, ...], appended to the certificate's file

package ESG::Certs;

use strict;
use warnings;

use Carp;
use Digest::SHA qw(sha256_hex);
use MIME::Base64 qw(decode_base64);
use POSIX qw(strftime);

use PostgreSQL::Test::Utils ();

sub new
{
	my ($class, $dir) = @_;

	$dir //= PostgreSQL::Test::Utils::tempdir();
	mkdir $dir unless -d $dir;
	return bless { dir => $dir, dsa => {} }, $class;
}

sub dir { return $_[0]->{dir}; }

# 'YYYYMMDDHHMMSSZ' of so many seconds from now
sub stamp
{
	my ($seconds) = @_;

	return strftime('%Y%m%d%H%M%SZ', gmtime(time + $seconds));
}

sub slurp
{
	my ($path) = @_;

	open(my $in, '<:raw', $path) or croak "could not open \"$path\": $!";
	local $/ = undef;
	return scalar <$in>;
}

sub spew
{
	my ($path, @text) = @_;

	open(my $out, '>:raw', $path) or croak "could not write \"$path\": $!";
	print $out @text;
	close $out or croak "could not write \"$path\": $!";
	return $path;
}

# Runs openssl; its words are shown only if it fails.
sub openssl
{
	my (@arguments) = @_;
	my $said = '';

	IPC::Run::run([ 'openssl', @arguments ], '<', \undef, '>&', \$said)
	  or croak "openssl @arguments failed:\n$said";
	return $said;
}

# SHA-256 of the first certificate in a PEM file
sub fingerprint
{
	my ($path) = @_;
	my ($base64) = slurp($path) =~ /-----BEGIN CERTIFICATE-----\s*(.*?)-----END/s
	  or croak "no certificate in \"$path\"";

	return sha256_hex(decode_base64($base64));
}

sub make_key
{
	my ($self, $path, $kind, %options) = @_;
	my @how;

	if ($kind =~ /^(rsa|rsa-pss):(\d+)$/)
	{
		@how = ('-algorithm', uc $1, '-pkeyopt', "rsa_keygen_bits:$2");
	}
	elsif ($kind =~ /^ec:(.+)$/)
	{
		@how = ('-algorithm', 'EC', '-pkeyopt', "ec_paramgen_curve:$1");
	}
	elsif ($kind =~ /^dsa:(\d+)$/)
	{
		# parameters take seconds: once per size
		$self->{dsa}{$1} //= "$self->{dir}/dsa$1.parameters";
		openssl('genpkey', '-genparam', '-algorithm', 'DSA', '-pkeyopt', "dsa_paramgen_bits:$1",
			'-out', $self->{dsa}{$1})
		  unless -f $self->{dsa}{$1};
		@how = ('-paramfile', $self->{dsa}{$1});
	}
	else
	{
		@how = ('-algorithm', uc $kind);
	}
	openssl('genpkey', @how, '-out', $path);
	chmod 0600, $path;
	$self->encrypt_key($path, $path, %options) if defined $options{passphrase};
	return $path;
}

# passphrase => ..., traditional => 1
sub encrypt_key
{
	my ($self, $from, $to, %options) = @_;

	local $ENV{ESG_TEST_PASSPHRASE} = $options{passphrase};
	openssl('pkey', '-in', $from, '-aes256', '-passout', 'env:ESG_TEST_PASSPHRASE',
		($options{traditional} ? '-traditional' : ()), '-out', "$to.new");
	chmod 0600, "$to.new";
	rename "$to.new", $to or croak "could not rename \"$to.new\": $!";
	return $to;
}

# the lines of an extension section
sub extension_lines
{
	my (%options) = @_;
	my (@lines, @names, %count);

	unless ($options{bare})
	{
		push @lines, 'basicConstraints=critical,CA:' . ($options{is_ca} ? 'TRUE' : 'FALSE');
		push @lines, "keyUsage=$options{key_usage}" if $options{key_usage};
		push @lines, "extendedKeyUsage=$options{eku}" if $options{eku};
		push @lines, 'subjectKeyIdentifier=hash';
		push @lines, 'authorityKeyIdentifier=keyid' if $options{ca};
	}
	push @lines, @{ $options{extensions} // [] };
	foreach my $name (@{ $options{san} // [] })
	{
		my ($kind, $value) = split /:/, $name, 2;

		($kind, $value) = ('otherName', "1.3.6.1.4.1.311.20.2.3;UTF8:$value") if $kind eq 'UPN';
		push @names, sprintf('%s.%d=%s', $kind, ++$count{$kind}, $value);
	}
	push @lines, 'subjectAltName=@names', '[names]', @names if @names;
	return join("\n", @lines) . "\n";
}

# the state of "openssl ca" for one signer
sub prepare_signer
{
	my ($self, $name) = @_;
	my $home = "$self->{dir}/$name.ca";

	return $home if -d $home;
	mkdir $home or croak "could not make \"$home\": $!";
	spew("$home/index.txt", '');
	spew("$home/index.txt.attr", "unique_subject = no\n");
	spew("$home/crlnumber", "01\n");
	spew("$home/ca.cnf", <<"CONFIG");
[ca]
default_ca = this
[this]
database = $home/index.txt
new_certs_dir = $home
serial = $home/serial
crlnumber = $home/crlnumber
default_md = sha256
policy = any
email_in_dn = yes
unique_subject = no
string_mask = utf8only
[any]
commonName = optional
[req]
distinguished_name = nothing
string_mask = utf8only
[nothing]
CONFIG
	return $home;
}

# [notBefore, notAfter]
sub validity
{
	my (%options) = @_;
	my $left = $options{days_left} * 86400;
	my $start = $left - $options{lifetime} * 86400;

	$start = -3600 if $start > -3600;
	return ($options{not_before} // stamp($start), $options{not_after} // stamp($left));
}

sub make_cert
{
	my ($self, $name, %options) = @_;
	my $base = "$self->{dir}/$name";
	my $signer = $options{ca} // { key => "$base.key", name => $name };
	my $home = $self->prepare_signer($signer->{name});
	my @subject = ('-subj', $options{subject} // "/CN=$name");

	$options{days_left} //= 364;
	$options{lifetime} //= 365;
	$options{key_usage} //= 'critical,digitalSignature';
	my ($not_before, $not_after) = validity(%options);

	if (ref $options{key})
	{
		spew("$base.key", slurp($options{key}{key}));
		chmod 0600, "$base.key";
	}
	else
	{
		$self->make_key("$base.key", $options{key} // 'ec:prime256v1');
	}
	openssl('req', '-new', '-utf8', '-config', "$home/ca.cnf", '-key', "$base.key", @subject,
		'-out', "$base.csr");
	spew("$base.ext", "[extensions]\n", extension_lines(%options));
	spew("$home/serial", ($options{serial} // sprintf('%02X' . '%02X' x 7, map { int(rand(127)) + 1 } 1 .. 8)), "\n");
	openssl('ca', '-config', "$home/ca.cnf", '-batch', '-notext', '-preserveDN', '-utf8',
		($options{ca} ? ('-cert', $signer->{cert}) : ('-selfsign')),
		'-keyfile', $signer->{key}, '-in', "$base.csr", '-out', "$base.crt",
		'-startdate', $not_before, '-enddate', $not_after,
		'-md', $options{digest} // 'default',
		(map { ('-sigopt', $_) } @{ $options{sigopt} // [] }),
		'-extfile', "$base.ext", '-extensions', 'extensions');
	$self->encrypt_key("$base.key", "$base.key", %options) if defined $options{passphrase};

	my $serial = openssl('x509', '-in', "$base.crt", '-noout', '-serial');
	my $made = {
		name => $name,
		single => spew("$base.single.crt", slurp("$base.crt")),
		cert => "$base.crt",
		key => "$base.key",
		serial => $serial =~ s/^serial=(.*)\n$/$1/r,
		fingerprint => fingerprint("$base.crt"),
	};
	spew("$base.crt", map { slurp($_) } $made->{single}, map { $_->{cert} } @{ $options{chain} })
	  if $options{chain};
	return $made;
}

sub make_ca
{
	my ($self, $name, %options) = @_;

	return $self->make_cert(
		$name,
		days_left => 3600,
		lifetime => 3650,
		is_ca => 1,
		key_usage => 'critical,keyCertSign,cRLSign',
		%options);
}

sub make_server
{
	my ($self, $name, %options) = @_;

	return $self->make_cert(
		$name,
		subject => '/CN=localhost',
		san => [ 'DNS:localhost', 'IP:127.0.0.1' ],
		eku => 'serverAuth',
		%options);
}

sub make_client
{
	my ($self, $name, %options) = @_;

	return $self->make_cert($name, eku => 'clientAuth', %options);
}

# Answers a certificate request made elsewhere, with the names that it asks for.
sub sign_request
{
	my ($self, $ca, $request, $to) = @_;
	my $home = "$self->{dir}/$ca->{name}.ca";
	my $config = spew("$home/copy.cnf", slurp("$home/ca.cnf") =~ s/^\[this\]\n/[this]\ncopy_extensions = copy\n/mr);

	spew("$home/copy.ext", "[extensions]\n", extension_lines(key_usage => 'critical,digitalSignature', eku => 'serverAuth', ca => $ca));
	spew("$home/serial", sprintf('%02X' x 8, map { int(rand(127)) + 1 } 1 .. 8), "\n");
	openssl('ca', '-config', $config, '-batch', '-notext', '-preserveDN', '-utf8', '-cert', $ca->{cert}, '-keyfile', $ca->{key},
		'-in', $request, '-out', $to, '-startdate', stamp(-3600), '-enddate', stamp(364 * 86400),
		'-extfile', "$home/copy.ext", '-extensions', 'extensions');
	return $to;
}

sub revoke
{
	my ($self, $ca, $cert) = @_;

	openssl('ca', '-config', "$self->{dir}/$ca->{name}.ca/ca.cnf", '-cert', $ca->{cert},
		'-keyfile', $ca->{key}, '-revoke', $cert->{single});
	return;
}

sub make_crl
{
	my ($self, $ca, $name, %options) = @_;
	my $path = "$self->{dir}/$name.crl";
	my $config = spew("$path.cnf", slurp("$self->{dir}/$ca->{name}.ca/ca.cnf"),
		"[crl_extensions]\n", map { "$_\n" } @{ $options{extensions} // [] });

	openssl('ca', '-config', $config, '-cert', $ca->{cert},
		'-keyfile', $ca->{key}, '-gencrl', '-md', $options{digest} // 'default',
		($options{extensions} ? ('-crlexts', 'crl_extensions') : ()),
		'-crl_lastupdate', stamp($options{last_update} // -3600),
		'-crl_nextupdate', stamp($options{next_update} // 30 * 86400),
		'-out', $path);
	return $path;
}

sub concat
{
	my ($self, $name, @files) = @_;

	return spew("$self->{dir}/$name", map { slurp($_) } @files);
}

1;
