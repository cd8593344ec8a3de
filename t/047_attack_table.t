# Who gets in: certificates x lines of pg_hba.conf x settings, by real logins.
#
# What is expected is written in the tables below, a letter for each login, and
# computed nowhere.  "-" is a login that is not tried.
#
#   .  in, over TLS          t  the handshake is refused, or the connection
#   ,  in, without TLS          closed: OpenSSL, or the server before it
#                               looks at pg_hba.conf
#   refused by the server:   r  no line of pg_hba.conf
#                            c  a client certificate is wanted, and none shown
#                            a  authentication failed
#   refused by us, code:     K  weak_key             I  identity_mismatch
#                            S  weak_signature       L  role_label_mismatch
#                            B  broken_key           F  permissions_too_open
#                            Z  nul_in_name
#
# Certificates are issued by "Prod CA" to "CN=job,O=Example", and the role is
# job, where nothing else is said.

use strict;
use warnings;

use Math::BigInt;
use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Der;
use ESG::Node;

my %letter_of = (
	weak_key => 'K', weak_signature => 'S', broken_key => 'B', nul_in_name => 'Z', identity_mismatch => 'I',
	role_label_mismatch => 'L', permissions_too_open => 'F');

# --- the tables -------------------------------------------------------------------

# Lines of pg_hba.conf, with all four checks at enforce, and identity_sources 'cn'
# without a map.  A line's letter is its database's, too.
#
#   t  hostssl trust                          d  hostssl cert clientname=DN map=dn
#   v  hostssl trust clientcert=verify-ca     s  hostssl scram-sha-256 clientcert=verify-ca
#   f  hostssl trust clientcert=verify-full   w  hostssl scram-sha-256
#   c  hostssl cert                           h  host trust, with TLS
#   m  hostssl cert map=core                  p  host trust, without TLS
#   n  hostnossl trust, with TLS              u  local trust
#
# Core's map "core" lets CN=other be job, "dn" lets CN=job,O=Example.
my $lines = <<'TABLE';
# certificate          t v f c m d s w h p n u   why the handshake fails
none                   . c c c c c c . . , r ,
good                   . . . . . . . . . , r ,
# other names
other                  . I a a I a I . . , r ,
other_dns_job          . I a a I a I . - - - -
upper_case             . I a a a a I . - - - -
blank_behind           . I a a a a I . - - - -
blank_before           . I a a a a I . - - - -
empty_name             . I a a a a I . - - - -
no_name                . I a a a a I . - - - -
star                   . I a a a a I . - - - -
all                    . I a a a a I . - - - -
expression             . I a a a a I . - - - -
quoted                 . I a a a a I . - - - -
line_feed              . I a a a a I . - - - -
zero_width             . I a a a a I . - - - -
cyrillic_o             . I a a a a I . - - - -
names_a_dn             . I a a a a I . - - - -
# one name too many, too few, elsewhere
job_then_other         . . . . . a . . - - - -
other_then_job         . I a a I a I . - - - -
name_first             . . . . . a . . - - - -
one_rdn                . . . . . a . . - - - -
only_organization      . I a a a a I . - - - -
nul_in_organization    . . . . . a . . - - - -
# the same name in other types of string; of two bytes a character, core finds NULs
printable              . . . . . a . . - - - -
t61                    . . . . . a . . - - - -
ia5                    . . . . . a . . - - - -
bmp                    t t t t t t t t t , t ,
universal              t t t t t t t t t , t ,
nul_in_cn              t t t t t t t t t , t ,
# to the server a role has 63 bytes: x63 is who comes as x64
x63_as_x63             . . . . a a . . - - - -
x64_as_x64             . I a a a a I . - - - -
utf8_as_utf8           . . . . a a . . - - - -
utf8                   . I a a a a I . - - - -
# CAs: each that the server trusts may say that it is job
below_middle           . . . . . . . . . , r ,
by_test                . . . . . . . . . , r ,
by_imitation           . . . . . . . . . , r ,
by_false_root          . . . . . . . . . , r ,
trusted_itself         . . . . . . . . - - - -
# purposes
no_purpose             . . . . . . . . - - - -
both_purposes          . . . . . . . . - - - -
version_1              . . . . . . . . - - - -
ca_as_leaf             . . . . . . . . - - - -
ends_soon              . . . . . . . . - - - -
# what we refuse: on all lines, after core has agreed
rsa1024                K K K K K K K K K , r ,
rsa1024_other          K K a a K a K K - - - -
below_rsa1024          K K K K K K K K - - - -
sha1                   S S S S S S S S S , r ,
md5                    S S S S S S S S - - - -
below_sha1             S S S S S S S S - - - -
close_primes           B B B B B B B B - - - -
nul_in_san             Z Z Z Z Z Z Z Z - - - -
# what OpenSSL refuses, on lines that do not ask for a certificate, too
expired                t t t t t t t t t , t ,   expired
not_yet_valid          t t t t - - - t t - - -   not_yet_valid
ends_before_it_begins  t t t t - - - t - - - -   not_yet_valid
revoked                t t t t - - - t t , t ,   revoked
below_revoked          t t t t - - - t - - - -   revoked
self_signed            t t t t - - - t t - - -   unknown_ca
unknown_ca             t t t t - - - t t - - -   unknown_ca
of_the_same_name       t t t t - - - t - - - -   unknown_ca
without_chain          t t t t - - - t - - - -   unknown_ca
below_expired          t t t t - - - t - - - -   expired
by_a_leaf              t t t t - - - t - - - -   invalid_ca
too_deep               t t t t - - - t - - - -   other
not_permitted          t t t t - - - t - - - -   other
server_only            t t t t - - - t t - - -   wrong_purpose
signs_code             t t t t - - - t - - - -   wrong_purpose
any_purpose            t t t t - - - t - - - -   wrong_purpose
ca_alone               t t t t - - - t - - - -   wrong_purpose
critical_extension     t t t t - - - t - - - -   unknown_critical_extension
changed                t t t t - - - t - - - -   bad_signature
two_algorithms         t t t t - - - t - - - -   bad_signature
TABLE

# Sources of identity_check, on the line "v", with client_certificate_check at
# enforce.
#
#   c d n e u p i s f   cn, dn, dns, email, uri, upn, ip, serial, fingerprint
#   P M T               cn@ and the fingerprint of Prod CA, of the CA below it, of Test CA
#
# All but c, P, M, T with a map that takes each value of "good" for job.
my $sources = <<'TABLE';
# certificate          c d n e u p i s f P M T
none                   c c c c c c c c c c c c
good                   . . . . . . . . . . I I
other                  I I I I I I I I I I I I
near                   I I I I I I I I I I I I
# one of the right names; CN=other
has_dns                I I . I I I I I I I I I
has_email              I I I . I I I I I I I I
has_uri                I I I I . I I I I I I I
has_upn                I I I I I . I I I I I I
has_ip                 I I I I I I . I I I I I
has_second_dns         I I . I I I I I I I I I
no_name                I I . . . . . I I I I I
# nearly
upper_case             I I I I I I I I I I I I
blank_behind           I I I I I I I I I I I I
wildcard_dns           I I I I I I I I I I I I
upper_dns              I I I I I I I I I I I I
upper_uri              I I I I I I I I I I I I
ip_in_ipv6             I I I I I I I I I I I I
names_a_dn             I I I I I I I I I I I I
uri_as_email           I I I I I I I I I I I I
expression             I I I I I I I I I I I I
# a map does not know of which source a value is
uri_as_dns             I I . I I I I I I I I I
# other types of string, more than one common name: the first; a NUL elsewhere
dn_printable           . . I I I I I I I . I I
nul_in_organization    . I I I I I I I I . I I
job_then_other         . I I I I I I I I . I I
other_then_job         I I I I I I I I I I I I
one_rdn                . I I I I I I I I . I I
t61                    . I I I I I I I I . I I
bmp                    t t t t t t t t t t t t
# the same names from other CAs; the serial number with it from one of the same name
below_middle           . . . . . . . I I . . I
by_test                . . . . . . . I I I I .
by_imitation           . . . . . . . I I I I .
by_false_root          . . . . . . . . I I I .
trusted_itself         . . I I I I I I I I I I
# refused for something else, whatever it names
rsa1024                K K K K K K K K K K K K
nul_in_san             Z Z Z Z Z Z Z Z Z Z Z Z
revoked                t t t t t t t t t t t t
TABLE

# Labels, each of a role of its own, on the line "host all trust", with
# role_label_check alone.
#
#   p  without TLS             m  below_middle      x  trusted_itself
#   n  TLS, no certificate     t  by_test           w  near
#   2  good, TLSv1.2           i  by_imitation      u  has_uri
#   3  good, TLSv1.3           r  by_false_root     l  local
my $labels = <<'TABLE';
# p n 2 3 m t i r x w u l   label
  L . . . . . . . . . . ,   tls
  L L . . . . . . . . . ,   x509
  L . . . . . . . . . . ,   min_tls=TLSv1.2
  L . L . . . . . . . . ,   min_tls=TLSv1.3
  L L L . . . . . . . . ,   min_tls=TLSv1.3 x509
  L L . . . . . . . L L ,   cn=job
  L L L L L L L L L L L ,   cn=JOB
  L L . . . . . . . L L ,   cn=nobody cn=job
  L L . . . . . . . L L ,   dn="CN=job,O=Example"
  L L L L L L L L L L L ,   dn="CN=job, O=Example"
  L L . . . . . . L L . ,   uri=spiffe://prod/job
  L L L L L L L L L L L ,   uri=spiffe://PROD/job
  L L . . . . . . L L L ,   dns=JOB.Example.COM
  L L . . . . . . L L L ,   email=job@EXAMPLE.com
  L L L L L L L L L L L ,   email=JOB@example.com
  L L . . . . . . L L L ,   upn=job@corp
  L L . . . . . . L L L ,   ip=192.0.2.7
  L L . . . . . . L L L ,   serial=0A1B
  L L . . . . . . L L L ,   serial=00:0a:1b
  L L . . L L L . L L L ,   serial=0A1B issuer="CN=Prod CA,O=Example"
  L L . . . L L L L L L ,   serial=0A1B ca=PROD
  L L L L . L . L L L L ,   issuer="CN=Prod Issuing CA,O=Example"
  L L . . . L L L L . . ,   ca=PROD
  L L L L . L L L L L L ,   ca=MIDDLE
  L L L L L . . . L L L ,   ca=TEST
  L L L L . . . . L L L ,   ca=MIDDLE ca=TEST
  L L L L L L . L L L L ,   ca=IMITATION
  L L L L L L L L L L L ,   ca=GOOD
  L L L L L L L L L L L ,   ca=ITSELF
  L L . . L L L L L L L ,   fingerprint=GOOD
  L L . . L L L L L . L ,   fingerprint=GOOD fingerprint=NEAR
  L L L L L L L L L L L ,   fingerprint=GOOD ca=TEST
  L L L L L L L L L L . ,   cn=other uri=spiffe://prod/job
TABLE

# The modes, each with an offender: "client" comes with rsa1024, "identity" with
# other, "label" has one that names another CA, and for "files" the CRL is
# writable by anybody.  The other checks are off.
#
#   2  TLSv1.2    p  sslmode=prefer, line host       e  exempt role          l  local
#   3  TLSv1.3    h  without TLS, line host          d  replication=database
#   s  superuser  n  without TLS, line hostnossl     b  replication=1
#
# Who is refused over TLS with prefer comes without.
my $modes = <<'TABLE';
# check    mode     2 3 s p h n e d b l
client     off      . . . . , , . . . ,
client     warn     . . . . , , . . . ,
client     enforce  K K K , , , . K K ,
identity   off      . . . . , , . . . ,
identity   warn     . . . . , , . . . ,
identity   enforce  I I I . , , . I I ,
label      off      . . . . , , . . . ,
label      warn     . . . . , , . . . ,
label      enforce  L L L L L L . L L ,
files      off      . . . . , , . . . ,
files      warn     . . . . , , . . . ,
files      enforce  F F F F F , . F F ,
TABLE

# What the client's OpenSSL and the server's may let through at all: the server's
# @SECLEVEL, on the line "t", with client_certificate_check at enforce.
my $levels = <<'TABLE';
# certificate          0 1 2
good                   . . .
other                  . . .
rsa1024                K K t
sha1                   S t t
md5                    S t t
below_rsa1024          K K t
TABLE

# A session of "good" that is taken up again with another certificate, on the line
# "v", with all checks at enforce: it begins anew, so that the certificate counts.
my $sessions = <<'TABLE';
# version              good none rsa1024 other revoked
tls1_2                 . c K I t
tls1_3                 . c K I t
TABLE

# The alarms that stand once the table of lines is done: code, and certificate or
# file.  (Whether a name is malformed, and who came without TLS when, have tests of
# their own.)
my $alarms = <<'TABLE';
broken_key close_primes
ca_as_leaf ca_as_leaf
crl_unknown_issuer root.crl
expires_very_soon ends_soon
low_security_level openssl_security_level
multiple_common_names job_then_other
multiple_common_names other_then_job
nul_in_name nul_in_san
weak_issuer_key below_rsa1024
weak_key below_rsa1024
weak_key rsa1024
weak_key rsa1024_other
weak_signature below_sha1
weak_signature md5
weak_signature sha1
TABLE

# --- certificates -----------------------------------------------------------------

# so that the client offers weak ones
my $certs = ESG::Certs->new;
$ENV{OPENSSL_CONF} = ESG::Certs::spew($certs->dir . '/openssl.cnf', <<'CONF');
openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = system
[system]
CipherString = DEFAULT:@SECLEVEL=0
CONF

my %der = %ESG::Der::cert;
my @all_names = ('URI:spiffe://prod/job', 'email:job@example.com', 'DNS:job.example.com', 'UPN:job@corp', 'IP:192.0.2.7');
my %name = (subject => '/O=Example/CN=job');
my %ca = (prod => $certs->make_ca('prod', subject => '/O=Example/CN=Prod CA'), test => $certs->make_ca('test', subject => '/O=Example/CN=Test CA'));
my %below = (
	middle => [ 'prod', subject => '/O=Example/CN=Prod Issuing CA' ],
	imitation => [ 'test', subject => '/O=Example/CN=Prod Issuing CA' ],
	false_root => [ 'test', subject => '/O=Example/CN=Prod CA' ],
	weak => [ 'prod', key => 'rsa:1024' ],
	sha1 => [ 'prod', digest => 'sha1' ],
	rsa => [ 'prod', key => 'rsa:2048' ],
	bad => ['prod'],
	ended => [ 'prod', days_left => -1 ],
	shallow => [ 'prod', extensions => ['basicConstraints=critical,CA:TRUE,pathlen:0'], bare => 1 ],
	constrained => [ 'prod', extensions => ['nameConstraints=critical,permitted;DNS:example.org'] ]);

foreach my $which (sort keys %below)
{
	my ($signer, @options) = @{ $below{$which} };

	$ca{$which} = $certs->make_ca("ca_$which", ca => $ca{$signer}, @options);
}
$ca{deep} = $certs->make_ca('ca_deep', ca => $ca{shallow});
$certs->revoke($ca{prod}, $ca{bad});

# a CA that nobody knows, and one that takes the name of one that is known
my $stranger = $certs->make_ca('stranger');
my $namesake = $certs->make_ca('namesake', subject => '/O=Example/CN=Prod CA');

my %client = (none => undef);
my $since = ESG::Certs::stamp(-295 * 86400);

# All begin at one moment, so that none is taken for another's renewal, however long it takes to make them.
sub make
{
	my ($which, %options) = @_;
	my %dates = (not_before => $since, not_after => ESG::Certs::stamp(86400 * ($options{days_left} // 100)));

	$client{$which} = $certs->make_client($which, ca => $ca{prod}, %name, %dates, %options);
	return $client{$which};
}

# The certificate, signed anew with other content.
sub forge
{
	my ($which, $from, $edit, $signer) = @_;
	my $file = $certs->dir . "/$which.forged.crt";
	my $pem = $edit ? ESG::Der::resign($from->{single}, ($signer // $ca{prod})->{key}, $edit) : ESG::Certs::slurp($from->{single});

	ESG::Certs::spew($file, $pem);
	$client{$which} = { %$from, cert => $file, single => $file, fingerprint => ESG::Certs::fingerprint($file) };
	return;
}

# One subject after the other, none of which openssl would have to like.
my $plain;

sub rdn { return ESG::Der::tlv(0x31, join('', @_)); }
sub attribute { my ($oid, $tag, $value) = @_; return ESG::Der::tlv(0x30, "\x06\x03\x55\x04" . chr($oid) . ESG::Der::tlv($tag, $value)); }
sub common_name { return attribute(3, @_); }
sub organization { return attribute(10, 0x0c, 'Example'); }

sub named
{
	my ($which, @rdns) = @_;

	forge($which, $plain, sub { $_[0][ $der{subject} ] = ESG::Der::tlv(0x30, join('', @rdns)) });
	return;
}

sub make_named
{
	$plain = make('plain');
	my %common = (
		upper_case => 'JOB', blank_behind => 'job ', blank_before => ' job', empty_name => '', star => '*', all => 'all',
		expression => '/^.*$', quoted => '"job"', line_feed => "job\n", zero_width => "job\xe2\x80\x8b", cyrillic_o => "j\xd0\xbeb",
		names_a_dn => 'job,O=Example', nul_in_cn => "job\0x", x63_as_x63 => 'x' x 63, x64_as_x64 => 'x' x 64,
		utf8 => "j\xc3\xb6b", utf8_as_utf8 => "j\xc3\xb6b");
	my %typed = (printable => [ 0x13, 'job' ], t61 => [ 0x14, 'job' ], ia5 => [ 0x16, 'job' ], bmp => [ 0x1e, "\0j\0o\0b" ],
		universal => [ 0x1c, "\0\0\0j\0\0\0o\0\0\0b" ]);

	named($_, rdn(common_name(0x0c, $common{$_}))) foreach sort keys %common;
	named($_, rdn(common_name(@{ $typed{$_} }))) foreach sort keys %typed;
	named('name_first', rdn(common_name(0x0c, 'job')), rdn(organization()));
	named('one_rdn', rdn(common_name(0x0c, 'job'), organization()));
	named('only_organization', rdn(organization()));
	named('nul_in_organization', rdn(attribute(10, 0x0c, "Exam\0ple")), rdn(common_name(0x0c, 'job')));
	return;
}

# An RSA key whose primes are neighbours.
sub close_primes
{
	my $file = $certs->dir . '/close_primes';
	my $p = Math::BigInt->from_hex(ESG::Certs::openssl('prime', '-generate', '-bits', '1024', '-hex') =~ /([0-9A-F]+)/);
	my @others = map { ($p + 2 * $_)->to_hex } 1 .. 3000;
	my ($found) = ESG::Certs::openssl('prime', '-hex', '-checks', '4', @others) =~ /^([0-9A-F]+) (?:\([0-9A-Fa-f]+\) )?is prime/m;
	my $q = Math::BigInt->from_hex($found);
	my $e = Math::BigInt->new(65537);
	my $d = $e->copy->bmodinv(($p - 1) * ($q - 1));
	my @numbers = (0, $p * $q, $e, $d, $q, $p, $d % ($q - 1), $d % ($p - 1), $p->copy->bmodinv($q));

	ESG::Certs::spew("$file.cnf", "asn1=SEQUENCE:key\n[key]\n", map { "n$_=INTEGER:$numbers[$_]\n" } 0 .. $#numbers);
	ESG::Certs::openssl('asn1parse', '-genconf', "$file.cnf", '-noout', '-out', "$file.der");
	ESG::Certs::openssl('rsa', '-inform', 'DER', '-in', "$file.der", '-out', "$file.key");
	return { key => "$file.key" };
}

sub make_names
{
	my @other = (subject => '/O=Example/CN=other');

	make('good', serial => '0A1B', san => \@all_names);
	make('other', @other);
	make('other_dns_job', @other, san => ['DNS:job']);
	make('near', subject => '/O=Example/CN=job2', san => [ 'URI:spiffe://prod/job2', 'email:job@example.com.evil.org',
			'DNS:job.example.org', 'UPN:job@corp2', 'IP:192.0.2.70' ], serial => '0A1C');
	named('dn_printable', rdn(attribute(10, 0x13, 'Example')), rdn(common_name(0x13, 'job')));
	make('has_dns', @other, san => [ $all_names[2] ]);
	make('has_second_dns', @other, san => [ 'DNS:other', $all_names[2], 'DNS:third' ]);
	make('has_email', @other, san => [ $all_names[1] ]);
	make('has_uri', @other, san => [ $all_names[0] ]);
	make('has_upn', @other, san => [ $all_names[3] ]);
	make('has_ip', @other, san => [ $all_names[4] ]);
	make('wildcard_dns', @other, san => ['DNS:*.example.com']);
	make('upper_dns', @other, san => ['DNS:JOB.EXAMPLE.COM']);
	make('upper_uri', @other, san => ['URI:SPIFFE://prod/job']);
	make('ip_in_ipv6', @other, san => ['IP:::ffff:192.0.2.7']);
	make('uri_as_dns', @other, san => ['DNS:spiffe://prod/job']);
	make('uri_as_email', @other, san => ['email:x@spiffe://prod/job']);
	make('job_then_other', subject => '/O=Example/CN=job/CN=other');
	make('other_then_job', subject => '/O=Example/CN=other/CN=job');
	forge('no_name', make('no_name', san => \@all_names), sub { $_[0][ $der{subject} ] = ESG::Der::tlv(0x30, '') });
	forge('nul_in_san', make('nul_in_san', san => ['DNS:jobxevil']), sub { $_[0][ $der{extensions} ] =~ s/jobxevil/job\0evil/ });
	return;
}

sub make_by
{
	my ($which, @path) = @_;

	return make($which, ca => $ca{ $path[0] }, chain => [ map { $ca{$_} } grep { !/^(prod|test)$/ } @path ],
		serial => '0A1B', san => \@all_names);
}

sub make_signed
{
	make_by('below_middle', 'middle');
	make_by('by_test', 'test');
	make_by('by_imitation', 'imitation');
	make_by('by_false_root', 'false_root');
	make_by('below_rsa1024', 'weak');
	make_by('below_sha1', 'sha1');
	make_by('below_revoked', 'bad');
	make_by('below_expired', 'ended');
	make_by('too_deep', 'deep', 'shallow');
	make_by('not_permitted', 'constrained');
	make('unknown_ca', ca => $stranger);
	make('of_the_same_name', ca => $namesake);
	make('without_chain', ca => $ca{middle});
	# it signs its own CRL
	$client{trusted_itself} = $certs->make_cert('trusted_itself', %name, eku => 'clientAuth', key_usage => 'digitalSignature,cRLSign');
	$client{self_signed} = $certs->make_cert('self_signed', %name, eku => 'clientAuth');
	make('by_a_leaf', ca => make('leaf'), chain => [ $client{leaf} ]);
	return;
}

sub make_purposes
{
	make('no_purpose', eku => '');
	make('both_purposes', eku => 'serverAuth,clientAuth');
	make('any_purpose', eku => 'anyExtendedKeyUsage');
	make('server_only', eku => 'serverAuth');
	make('signs_code', eku => 'codeSigning');
	forge('version_1', make('version_1'), sub { $_[0][ $der{$_} ] = '' foreach qw(version extensions) });
	make('ca_as_leaf', is_ca => 1, key_usage => 'critical,digitalSignature,keyCertSign');
	make('ca_alone', is_ca => 1, eku => '', key_usage => 'critical,keyCertSign');
	make('critical_extension', extensions => ['1.2.3.4.5=critical,ASN1:UTF8String:x']);
	return;
}

sub make_weak
{
	make('rsa1024', key => 'rsa:1024');
	make('rsa1024_other', key => 'rsa:1024', subject => '/O=Example/CN=other');
	make('sha1', digest => 'sha1');
	make('md5', digest => 'md5', ca => $ca{rsa}, chain => [ $ca{rsa} ]);
	make('close_primes', key => close_primes());
	return;
}

sub make_untimely
{
	make('ends_soon', days_left => 2);
	make('expired', days_left => -1);
	make('not_yet_valid', not_before => ESG::Certs::stamp(86400), not_after => ESG::Certs::stamp(864000));
	forge('ends_before_it_begins', $client{not_yet_valid}, sub {
			my ($from, $to) = @{ ESG::Der::fields($_[0][ $der{validity} ]) };
			$_[0][ $der{validity} ] = ESG::Der::tlv(0x30, $to . $from) });
	$certs->revoke($ca{prod}, make('revoked'));
	return;
}

# A signature over something else, and one that says of which algorithm it is twice.
sub make_spoilt
{
	foreach my $case ([ 'changed', sub { $_[0][0] =~ s/job/jab/ } ], [ 'two_algorithms', sub { $_[0][1] =~ s/\x04\x03\x02/\x04\x03\x03/ } ])
	{
		my ($which, $spoil) = @$case;

		forge($which, make($which));
		ESG::Certs::spew($client{$which}{cert}, ESG::Der::edit($client{$which}{cert}, $spoil));
		$client{$which}{fingerprint} = ESG::Certs::fingerprint($client{$which}{cert});
	}
	return;
}

$_->() foreach \&make_named, \&make_names, \&make_signed, \&make_purposes, \&make_weak, \&make_untimely, \&make_spoilt;

# --- the server -------------------------------------------------------------------

my $node = ESG::Node->new('main');
# CAs of one name: it takes the key to tell whose CRL it is
my @by_key = (extensions => ['authorityKeyIdentifier=keyid:always']);
my $crls = $certs->concat('all.crl', map { $certs->make_crl($ca{$_}, "crl_$_", @by_key) } sort keys %ca);

$node->setup(
	ca => $certs->concat('all.crt', $ca{prod}{cert}, $ca{test}{cert}, $client{trusted_itself}{single}),
	server => $certs->make_server('server', ca => $ca{prod}),
	crl => $certs->concat('with_own.crl', $crls, $certs->make_crl($client{trusted_itself}, 'crl_itself', @by_key)),
	conf => "ssl_ciphers = 'DEFAULT:\@SECLEVEL=0'\npassword_encryption = 'scram-sha-256'\next_ssl_guard.exempt_roles = 'exempt'\n"
	  . "wal_level = logical\nmax_wal_senders = 5\nmax_connections = 50",
	hba => [ (map { "hostssl $_->[0] all 127.0.0.1/32 $_->[1]" }
			[ t => 'trust' ], [ v => 'trust clientcert=verify-ca' ], [ f => 'trust clientcert=verify-full' ], [ c => 'cert' ],
			[ m => 'cert map=core' ], [ d => 'cert clientname=DN map=dn' ], [ s => 'scram-sha-256 clientcert=verify-ca' ],
			[ w => 'scram-sha-256' ], [ replication => 'trust clientcert=verify-ca' ]),
		'host h all 127.0.0.1/32 trust', 'hostnossl n all 127.0.0.1/32 trust' ]);
ESG::Certs::spew($node->path('pg_ident.conf'), map { "$_\n" }
	'core job job', 'core other job', 'dn "CN=job,O=Example" job',
	map { "m $_ job" } 'job', '"CN=job,O=Example"', (map { s/^\w+://r } @all_names), '"0A1B/CN=Prod CA,O=Example"', $client{good}{fingerprint});
$node->start;

my %role = (x63_as_x63 => 'x' x 63, x64_as_x64 => 'x' x 64, utf8_as_utf8 => "j\xc3\xb6b");
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach qw(t v f c m d s w h n);
$node->safe_psql('postgres', qq{
	CREATE ROLE job LOGIN REPLICATION PASSWORD 'secret';
	CREATE ROLE "@{[ 'x' x 63 ]}" LOGIN PASSWORD 'secret';
	CREATE ROLE "j\xc3\xb6b" LOGIN PASSWORD 'secret';
	CREATE ROLE root LOGIN SUPERUSER; CREATE ROLE exempt LOGIN;
	CREATE ROLE labelled LOGIN REPLICATION; CREATE ROLE labelled_root LOGIN SUPERUSER});

sub apply
{
	my (%settings) = @_;

	return $node->apply(map { ($_ =~ /\./ || $_ =~ /^ssl/ ? $_ : "ext_ssl_guard.$_") => $settings{$_} } keys %settings);
}

# --- logins -----------------------------------------------------------------------

my ($cells, $began) = (0, time);

# What a login is: who, with which certificate, how.
sub connection
{
	my (%login) = @_;

	return 'host=' . $node->host . ' port=' . $node->port . " dbname=$login{dbname} user=$login{user}" if $login{local};
	return $node->tcp(%login, more => join(' ', 'password=secret', $login{more} // ()));
}

# Runs psql for each, a few at a time: [exit status, output].
sub run_logins
{
	my ($logins) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir();
	my $runners = 3;
	my @scripts = map { [] } 1 .. $runners;

	foreach my $i (0 .. $#$logins)
	{
		my $login = $logins->[$i];
		my $sql = ($login->{more} // '') =~ /replication=1/ ? 'IDENTIFY_SYSTEM' : 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';

		push @{ $scripts[ $i % $runners ] },
		  sprintf(qq{psql -XAtqw -d "%s" -c "%s" >%s/%d 2>&1 </dev/null; echo \$? >%s/%d.status\n}, connection(%$login), $sql, $dir, $i, $dir, $i);
	}
	ESG::Certs::spew("$dir/run.$_", @{ $scripts[$_] }) foreach 0 .. $runners - 1;
	system(join(' & ', map { "sh $dir/run.$_" } 0 .. $runners - 1) . ' & wait');
	return map { [ ESG::Certs::slurp("$dir/$_.status") + 0, ESG::Certs::slurp("$dir/$_") ] } 0 .. $#$logins;
}

# The letter of what came of it; what has none is shown as it is.
sub letter
{
	my ($status, $said) = @_;
	my ($fatal) = $said =~ /.*FATAL:  ([^\n]*)/s;

	return $said =~ /^f$/ ? ',' : $said =~ /^t$|^\d+\|\d+\|/ ? '.' : $said if $status == 0;
	if (defined $fatal)
	{
		return $letter_of{$1} // $said if $fatal =~ /^(?:client certificate|connection) was refused \((\w+)\)$/;
		return 'c' if $fatal =~ /^connection requires a valid client certificate/;
		return 'r' if $fatal =~ /^no pg_hba\.conf entry/;
		return 'a' if $fatal =~ /authentication failed for user/;
		return $said;
	}
	return $said =~ /SSL error: .*alert|SSL SYSCALL error|closed the connection unexpectedly|connection has been closed unexpectedly|Connection reset/s ? 't' : $said;
}

# One test for each row; columns and letters side by side.
sub compare
{
	my ($table, @rows) = @_;
	my @logins = map { my $row = $_; map { { %{ $row->{logins}[$_] } } } grep { $row->{want}[$_] ne '-' } 0 .. $#{ $row->{want} } } @rows;
	my @answers = run_logins(\@logins);

	foreach my $row (@rows)
	{
		my @got = map { $_ eq '-' ? '-' : letter(@{ shift @answers }) } @{ $row->{want} };

		is("@got", "@{ $row->{want} }", "$table: $row->{name}");
	}
	$cells += @logins;
	return;
}

# The rows of a table, each of which begins with so many names and ends with
# what is no letter.
sub read_table
{
	my ($text, $names) = @_;
	my ($head, @lines) = split /\n/, $text;
	my (undef, @words) = split ' ', $head;
	my @columns = grep { length == 1 } @words[ $names .. $#words ];
	my @rows;

	foreach my $line (grep { !/^#/ } @lines)
	{
		my @row = split ' ', $line;
		my @name = splice @row, 0, $names;
		my @want = splice @row, 0, scalar @columns;

		die "not a row: $line\n" if @want != @columns || grep { length != 1 } @want;
		push @rows, { name => "@name", want => \@want, columns => \@columns, rest => "@row" };
	}
	return @rows;
}

my %off = (client_certificate_check => 'off', identity_check => 'off', role_label_check => 'off', file_permission_check => 'off');
my %enforce = map { $_ => 'enforce' } keys %off;

sub by_name
{
	my ($which, %login) = @_;

	die "no certificate \"$which\"\n" unless exists $client{$which};
	return { user => $role{$which} // 'job', client => $client{$which}, %login };
}

# --- certificates x lines ---------------------------------------------------------

my %line = (map({ ($_ => { dbname => $_ }) } qw(t v f c m d s w h n)), p => { dbname => 'h', sslmode => 'disable' }, u => { dbname => 'v', local => 1 });
my @refused_by_us;

apply(%enforce);
my @rows = read_table($lines, 1);
foreach my $row (@rows)
{
	$row->{logins} = [ map { by_name($row->{name}, %{ $line{$_} }) } @{ $row->{columns} } ];
}
compare('lines', @rows);

# each handshake failed for its own reason
foreach my $row (grep { $_->{rest} ne '' } @rows)
{
	next if ESG::Node::exec_backend();	# where they are not seen
	is($node->wait_sql(
			"SELECT string_agg(reason, ' ') FROM ssl_guard_handshake_failures WHERE fingerprint = '$client{$row->{name}}{fingerprint}'", qr/./, 10),
		$row->{rest}, "reason: $row->{name}");
}

# The books agree with the table: who was refused by us, and who got in.
sub count_cells
{
	my ($letters, @rows) = @_;

	return scalar grep { $_ =~ $letters } map { my $row = $_; grep { $_ } map { $row->{logins}[$_]{client} && !$row->{logins}[$_]{local} && ($row->{logins}[$_]{sslmode} // '') ne 'disable' ? $row->{want}[$_] : '' } 0 .. $#{ $row->{want} } } @rows;
}

is($node->safe_psql('postgres', 'SELECT sum(denials), sum(logins) FROM ssl_guard_client_certificates'),
	count_cells(qr/[A-Z]/, @rows) . '|' . count_cells(qr/\./, @rows), 'the registry has counted what the table says');

# and nobody has raised what nobody did
sub standing
{
	my %name_of = map { $client{$_} ? ("client:$client{$_}{fingerprint}" => $_) : () } keys %client;
	my %found;

	foreach my $row (split /\n/, $node->safe_psql('postgres', q{SELECT code, object FROM ssl_guard_alarms WHERE code NOT IN ('malformed_name', 'plaintext_fallback')}))
	{
		my ($code, $object) = split /\|/, $row;

		$found{ "$code " . ($name_of{$object} // $object =~ s{^.*/|:\d+$}{}gr) } = 1;
	}
	return join('', map { "$_\n" } sort keys %found);
}

# the worker looks at the registry after each reload, in its own time
my $until = time + $PostgreSQL::Test::Utils::timeout_default;
my $standing;
sleep 0.1 while ($standing = standing()) ne $alarms && time < $until;
is($standing, $alarms, 'alarms');

# --- sessions ---------------------------------------------------------------------

# A client that sends its startup packet, says goodbye, and keeps its session.
sub take_up
{
	my ($version, $which, $session) = @_;
	my $file = $certs->dir . '/goodbye';
	my $startup = pack('N', 196608) . join("\0", qw(user job database v)) . "\0\0";
	my @cert = $client{$which} ? ('-cert', $client{$which}{cert}, '-key', $client{$which}{key}) : ();

	ESG::Certs::spew($file, pack('N', 4 + length $startup), $startup, 'X', pack('N', 4));
	IPC::Run::run([ 'openssl', 's_client', '-starttls', 'postgres', '-connect', '127.0.0.1:' . $node->port, "-$version", '-ign_eof', @cert,
			-s $session ? ('-sess_in', $session) : ('-sess_out', $session) ], '<', $file, '>', \my $said, '2>', \my $complaint, IPC::Run::timeout(60));
	return "resumed" if $said =~ /^Reused,/m;
	return $letter_of{$1} if $said =~ /certificate was refused \((\w+)\)/;
	return 'c' if $said =~ /connection requires a valid client certificate/;
	return '.' if $said =~ /server_version/;
	return $complaint =~ /alert/ ? 't' : "$said$complaint";
}

foreach my $row (split /\n/, $sessions =~ s/^#([^\n]*)\n//r)
{
	my ($version, @want) = split ' ', $row;
	my (undef, undef, @which) = split ' ', $sessions =~ s/\n.*//sr;
	my $session = $certs->dir . "/session.$version";

	is(take_up($version, $which[$_], $session), $want[$_], "session: $version: $which[$_]") foreach 0 .. $#want;
	$cells += @want;
}

# --- sources ----------------------------------------------------------------------

my %print = map { $_ => $ca{$_}{fingerprint} } keys %ca;
my %source = (
	c => 'cn', d => 'dn', n => 'dns', e => 'email', u => 'uri', p => 'upn', i => 'ip', s => 'serial', f => 'fingerprint',
	P => "cn\@$print{prod}", M => "cn\@$print{middle}", T => "cn\@$print{test}");

@rows = read_table($sources, 1);
my @columns = @{ $rows[0]{columns} };
foreach my $i (0 .. $#columns)
{
	apply(identity_sources => $source{ $columns[$i] }, identity_map => $columns[$i] =~ /[cPMT]/ ? '' : 'm');
	compare("source $source{$columns[$i]}" =~ s/@(....).*/\@$1/r,
		map { { name => $_->{name}, want => [ $_->{want}[$i] ], logins => [ by_name($_->{name}, dbname => 'v') ] } } @rows);
}

# --- labels -----------------------------------------------------------------------

my %how = (
	p => { sslmode => 'disable' }, n => { client => undef }, 2 => { which => 'good', more => 'ssl_max_protocol_version=TLSv1.2' },
	3 => { which => 'good', more => 'ssl_min_protocol_version=TLSv1.3' }, m => { which => 'below_middle' }, t => { which => 'by_test' },
	i => { which => 'by_imitation' }, r => { which => 'by_false_root' }, x => { which => 'trusted_itself' }, w => { which => 'near' },
	u => { which => 'has_uri' }, l => { local => 1 });
my %word = (PROD => $print{prod}, MIDDLE => $print{middle}, TEST => $print{test}, IMITATION => $print{imitation},
	GOOD => $client{good}{fingerprint}, NEAR => $client{near}{fingerprint}, ITSELF => $client{trusted_itself}{fingerprint});

apply(%off, role_label_check => 'enforce', identity_map => '', identity_sources => 'cn');
@rows = read_table($labels, 0);
foreach my $i (0 .. $#rows)
{
	my $label = $rows[$i]{rest} =~ s/=([A-Z]+)(?= |$)/'=' . ($word{$1} \/\/ $1)/ger;

	$node->psql('postgres', "CREATE ROLE l$i LOGIN; SECURITY LABEL FOR ext_ssl_guard ON ROLE l$i IS '$label'");
	is($node->safe_psql('postgres', "SELECT count(*) FROM pg_shseclabel WHERE objoid = 'l$i'::regrole"), '1', "label: $rows[$i]{rest}: set");
	$rows[$i]{name} = $rows[$i]{rest};
	$rows[$i]{logins} = [ map { { user => "l$i", dbname => 'h', client => $_->{which} && $client{ $_->{which} }, %$_ } } map { $how{$_} } @{ $rows[$i]{columns} } ];
}
compare('label', @rows);

# --- modes ------------------------------------------------------------------------

my %offender = (client => 'rsa1024', identity => 'other', label => 'good', files => 'good');
my %setting = (client => 'client_certificate_check', identity => 'identity_check', label => 'role_label_check', files => 'file_permission_check');
my %way = (
	2 => { more => 'ssl_max_protocol_version=TLSv1.2' }, 3 => { more => 'ssl_min_protocol_version=TLSv1.3' }, s => { user => 'root' },
	p => { dbname => 'h', sslmode => 'prefer' }, h => { dbname => 'h', sslmode => 'disable' }, n => { dbname => 'n', sslmode => 'disable' },
	e => { user => 'exempt' }, d => { more => 'replication=database' }, b => { more => 'replication=1' }, l => { local => 1 });

$node->safe_psql('postgres', "SECURITY LABEL FOR ext_ssl_guard ON ROLE $_ IS 'ca=$print{test}'") foreach qw(labelled labelled_root);
foreach my $row (read_table($modes, 2))
{
	my ($check, $mode) = split ' ', $row->{name};
	my %role_of = $check eq 'label' ? (job => 'labelled', root => 'labelled_root') : ();

	$node->safe_psql('postgres', 'SECURITY LABEL FOR ext_ssl_guard ON ROLE exempt IS ' . ($check eq 'label' ? "'ca=$print{test}'" : 'NULL'));
	apply(%off, $setting{$check} => $mode);
	chmod 0666, $node->path('root.crl') or die "chmod: $!" if $check eq 'files';
	$row->{logins} = [ map { by_name($offender{$check}, dbname => 'v', %$_) } map { $way{$_} } @{ $row->{columns} } ];
	$_->{user} = $role_of{ $_->{user} } // $_->{user} foreach @{ $row->{logins} };
	compare('mode', $row);
}
chmod 0644, $node->path('root.crl') or die "chmod: $!";

# --- levels -----------------------------------------------------------------------

@rows = read_table($levels, 1);
foreach my $level (0 .. 2)
{
	apply(%off, client_certificate_check => 'enforce', ssl_ciphers => "DEFAULT:\@SECLEVEL=$level");
	compare("level $level", map { { name => $_->{name}, want => [ $_->{want}[$level] ], logins => [ by_name($_->{name}, dbname => 't') ] } } @rows);
}

cmp_ok($cells, '>=', 400, 'logins');
note(sprintf('%d logins in %.1f s', $cells, time - $began));
unlike($node->log_since(0), qr/PANIC|TRAP|terminated by signal|could not take note|could not be judged/, 'nothing went wrong on the way');

$node->stop;
done_testing();
