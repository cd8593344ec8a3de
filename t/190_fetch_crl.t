# ssl_guard_ctl fetch-crl: CRLs of a CA file, fetched into a file.  What is right is
# written as it is, with mode and owner as before; whatever is wrong leaves the
# file as it was, and nothing beside it.  What "openssl" says of a CRL is the
# judge.

use strict;
use warnings;

use IPC::Run ();
use MIME::Base64 qw(decode_base64);
use Test::More;

use ESG::Certs;
use ESG::Fetch;
use ESG::Web;

my $certs = ESG::Certs->new;
my $web = ESG::Web->new;
my $ca = $certs->make_ca('ca');
my $url = $web->url('ca.crl');
my $client = $certs->make_client('alice', ca => $ca, extensions => ["crlDistributionPoints=URI:$url"]);
my $revoked = $certs->make_client('mallory', ca => $ca);
my $f = ESG::Fetch->new;
my $out = $f->path('root.crl');
my @ours = ('--ca', $ca->{cert}, '--out', $out);

sub der { return decode_base64(ESG::Certs::slurp($_[0]) =~ s/-----.*?-----//gr); }

# "ok", or the error, as OpenSSL has it
sub verify
{
	my ($cert, @more) = @_;
	my $said = '';

	IPC::Run::run([ 'openssl', 'verify', '-CAfile', $ca->{cert}, '-CRLfile', $out, '-crl_check', @more, $cert->{cert} ],
		'<', \undef, '>&', \$said);
	return $said =~ /^\S+: OK$/m ? 'ok' : $said =~ /error 23/ ? 'revoked' : $said;
}

# --- the first time -------------------------------------------------------------

$certs->revoke($ca, $revoked);
my $first = $certs->make_crl($ca, 'first', last_update => -3000);
$web->put('ca.crl', der($first));
is($f->run(@ours, '--cert', $client->{cert}), 0, 'a CRL in DER, of what a certificate names');
like($f->{out}, qr/1 CRL was written/, 'which it says') or diag $f->{err};
is($f->{err}, '', 'and nothing else');
is(ESG::Certs::slurp($out), ESG::Certs::slurp($first), 'it is there in PEM, as the CA has made it');
is((stat $out)[2] & 07777, 0644, 'for all to read');
is(verify($client), 'ok', 'OpenSSL lets a client in');
is(verify($revoked), 'revoked', 'and not the one that is revoked');
is_deeply([ $f->names ], ['root.crl'], 'nothing else is there');

is($f->run(@ours, '--url', $url), 0, 'once more');
like($f->{out}, qr/there is nothing newer/, 'is not written');
ok($f->unchanged, 'not even as it is');

# --- newer ----------------------------------------------------------------------

my $second = $certs->make_crl($ca, 'second', last_update => -2000);
chmod 0640, $out;
$web->put('ca.crl', ESG::Certs::slurp($second));
is($f->run(@ours, '--url', $url, '--dry-run'), 0, 'a newer one in PEM, --dry-run');
like($f->{out}, qr/1 CRL would be written/, 'says so');
ok($f->unchanged, 'and does not');
is($f->run(@ours, '--url', $url), 0, 'without');
is(ESG::Certs::slurp($out), ESG::Certs::slurp($second), 'it is replaced');
is((stat $out)[2] & 07777, 0640, 'the mode stays');

# --- older ----------------------------------------------------------------------

sub refused
{
	my ($name, $pattern, @arguments) = @_;

	$f->remember;
	my $status = $f->run(@ours, '--url', $url, @arguments);
	is($status, 1, "$name: a warning, as what is there will do") or diag $f->{out} . $f->{err};
	like($f->{out}, $pattern, "$name: why");
	ok($f->unchanged, "$name: the file is as it was, and nothing is beside it");
	return;
}

$web->put('ca.crl', der($first));
refused('older', qr/is older \(.*\) than the one that is there/);
ESG::Certs::spew("$certs->{dir}/ca.ca/crlnumber", "01\n");
$web->put('ca.crl', der($certs->make_crl($ca, 'back', last_update => -100)));
refused('a lower number', qr/has a lower number than the one that is there/);
ESG::Certs::spew("$certs->{dir}/ca.ca/crlnumber", "10\n");

# --- not to be used ---------------------------------------------------------------

my $other = $certs->make_ca('other');
my $twin = $certs->make_ca('twin', subject => '/CN=ca');
$web->put('ca.crl', der($certs->make_crl($other, 'other')));
refused('another CA', qr/is of no CA that is known here/);
$web->put('ca.crl', der($certs->make_crl($twin, 'twin', extensions => ['authorityKeyIdentifier=keyid'])));
refused('another key', qr/is of another key than the CA of that name has here/);
$web->put('ca.crl', der($certs->make_crl($twin, 'twin0')));
refused('another key, which is not named', qr/is not signed|is of another key/);
my $bytes = der($certs->make_crl($ca, 'spoilt', extensions => ['authorityKeyIdentifier=keyid']));
substr($bytes, -1) ^= "\x01";
$web->put('ca.crl', $bytes);
refused('a spoilt signature', qr/is not signed by the key of its CA|does not decode|has DER/);
$web->put('ca.crl', der($certs->make_crl($ca, 'stale', last_update => -1000, next_update => -10)));
refused('expired', qr/has expired/);
$web->put('ca.crl', der($certs->make_crl($ca, 'early', last_update => 3600)));
refused('not valid yet', qr/is not valid yet/);
$web->put('ca.crl', der($certs->make_crl($ca, 'delta', last_update => -60, extensions => ['2.5.29.27=critical,DER:020101'])));
refused('a delta CRL', qr/cannot be used by PostgreSQL: it is a delta CRL/);
foreach (
	[ 'indirectCRL:TRUE', qr/cannot be used by PostgreSQL: it is an indirect CRL/ ],
	[ 'onlysomereasons:keyCompromise', qr/cannot be used by PostgreSQL: it covers only some reasons/ ],
	[ 'onlyAA:TRUE', qr/cannot be used by PostgreSQL: it covers only attribute certificates/ ])
{
	my ($scope, $pattern) = @$_;

	$web->put('ca.crl', der($certs->make_crl($ca, 'scope', last_update => -60, extensions => ["issuingDistributionPoint=critical,$scope"])));
	refused($scope, $pattern);
}
$web->put('ca.crl', der($certs->make_crl($ca, 'cas', last_update => -60, extensions => ['issuingDistributionPoint=critical,onlyCA:TRUE'])));
is($f->run(@ours, '--url', $url), 0, 'a CRL that covers only CAs comes beside the one for all');
is_deeply([ verify($client), verify($revoked), verify($client, '-crl_check_all') ], [ 'ok', 'revoked', 'ok' ], 'which goes on to count');
unlink $out;
is($f->run(@ours, '--url', $url), 2, 'but not alone');
like($f->{out}, qr/crl_unusable \(it covers only CA certificates/, 'as clients would be refused');
is_deeply([ $f->names ], [], 'and no file is made');
ESG::Certs::spew($out, ESG::Certs::slurp($second));
$web->put('ca.crl', der($certs->make_crl($ca, 'unknown', last_update => -60, extensions => ['1.2.3.4=critical,DER:0500'])));
refused('an unknown critical extension', qr/crl_unusable \(it has a critical extension/);

# --- what is no CRL ------------------------------------------------------------------

foreach (
	[ 'HTML', "<html><body>log in</body></html>\n", qr/has HTML, and no CRL/ ],
	[ 'a certificate', ESG::Certs::slurp($ca->{cert}), qr/has a certificate, and no CRL/ ],
	[ 'nothing', '', qr/has nothing, and no CRL/ ],
	[ 'half of DER', substr(der($second), 0, 100), qr/has DER that is no CRL/ ],
	[ 'half of PEM', substr(ESG::Certs::slurp($second), 0, 300), qr/has a block without a proper END line/ ],
	[ 'more than DER', der($second) . 'x', qr/has something behind the CRL/ ],
	[ 'a CRL and a key', ESG::Certs::slurp($second) . ESG::Certs::slurp($ca->{key}), qr/has something beside CRLs/ ])
{
	my ($name, $body, $pattern) = @$_;

	$web->put('ca.crl', $body);
	refused($name, $pattern);
}

# --- the file that is there -----------------------------------------------------------

my $third = $certs->make_crl($ca, 'third', last_update => -900);
$web->put('ca.crl', der($third));

sub hopeless
{
	my ($name, $pattern, @arguments) = @_;

	$f->remember;
	is($f->run(@ours, '--url', $url, @arguments), 3, "$name: could not look") or diag $f->{out} . $f->{err};
	like($f->{err}, $pattern, "$name: why");
	ok($f->unchanged, "$name: the file is as it was, and nothing is beside it");
	return;
}

ESG::Certs::spew($out, ESG::Certs::slurp($second), ESG::Certs::slurp($ca->{cert}));
hopeless('certificates in the file', qr/has something beside CRLs/);
ESG::Certs::spew($out, substr(ESG::Certs::slurp($second), 0, 300));
hopeless('half a file', qr/has a block without a proper END line/);
rename $out, $f->path('real.crl');
symlink 'real.crl', $out;
hopeless('a symbolic link', qr/is a symbolic link, which is not followed or replaced/);
unlink $out;
ESG::Certs::spew($f->path('real.crl'), ESG::Certs::slurp($second));
symlink $f->path('nowhere'), $out;
hopeless('a link to nowhere', qr/is a symbolic link/);
unlink $out;
system('mkfifo', $out);
hopeless('a FIFO', qr/is not a regular file/);
unlink $out, $f->path('real.crl');
ESG::Certs::spew($out, ESG::Certs::slurp($second));
chmod 0777, $f->{dir};
hopeless('a directory for all', qr/is writable by others/);
chmod 0755, $f->{dir};

# what a run that was ended has left, or somebody has planted
symlink $f->path('elsewhere'), $f->path('.root.crl.new');
is($f->run(@ours, '--url', $url), 0, 'a planted link at the name of the new file');
ok(!-e $f->path('elsewhere') && !-l $f->path('.root.crl.new'), 'is not followed, but removed');
is(ESG::Certs::slurp($out), ESG::Certs::slurp($third), 'and the CRL is written');

# --- CRLs of others --------------------------------------------------------------------

my $others = ESG::Certs::slurp($certs->make_crl($other, 'others'));
ESG::Certs::spew($out, $others, ESG::Certs::slurp($second), ESG::Certs::slurp($first));
is($f->run(@ours, '--url', $url), 0, 'a file with two old CRLs of the CA, and one of another');
is(ESG::Certs::slurp($out), $others . ESG::Certs::slurp($third), 'one goes in place of both, the other stays');

# a CRL whose CA is known by its key, but does not verify
my $broken = $certs->make_crl($ca, 'broken', last_update => -50, extensions => ['authorityKeyIdentifier=keyid']);
my $text = der($broken);
substr($text, -8, 1) ^= "\x01";
require MIME::Base64;
ESG::Certs::spew($out, "-----BEGIN X509 CRL-----\n", MIME::Base64::encode_base64($text), "-----END X509 CRL-----\n");
is($f->run(@ours, '--url', $url), 0, 'one with a spoilt signature is replaced, although it is newer');
is(ESG::Certs::slurp($out), ESG::Certs::slurp($third), 'by the one that is signed');

# --- umask and --mode -------------------------------------------------------------------

unlink $out;
{
	my $before = umask 027;
	is($f->run(@ours, '--url', $url), 0, 'a new file with umask 027');
	umask $before;
}
is((stat $out)[2] & 07777, 0640, 'has mode 0640');
unlink $out;
is($f->run(@ours, '--url', $url, '--mode', '0600'), 0, 'a new file with --mode 0600');
is((stat $out)[2] & 07777, 0600, 'has that');

# --- how bad is it? ----------------------------------------------------------------------

unlink $out;
is($f->run(@ours, '--url', $web->url('gone')), 2, 'nothing is to be had, and nothing is there: critical');
like($f->{out}, qr/answered "404 Not Found"/, 'as the server says');
is_deeply([ $f->names ], [], 'no file was made');
ESG::Certs::spew($out, ESG::Certs::slurp($certs->make_crl($ca, 'late', next_update => 60)));
is($f->run(@ours, '--url', $web->url('gone')), 2, 'nor is it enough that what is there ends within a minute');

# --- usage ---------------------------------------------------------------------------------

foreach (
	[ [], qr/option -D or --ca is needed/ ],
	[ [ '--ca', $ca->{cert} ], qr/option -D or --out is needed/ ],
	[ [ @ours, '--url', $url, '--cert', $client->{cert} ], qr/--cert is of no use beside it/ ],
	[ [ @ours, '--timeout', '0' ], qr/a number from 1 to 3600 is needed/ ],
	[ [ @ours, '--max-size', '1x' ], qr/a number from 1 to 1024 is needed/ ],
	[ [ @ours, '--mode', '999' ], qr/octal digits are needed/ ],
	[ [ @ours, 'more' ], qr/"more" is one word too many/ ],
	[ [ @ours, '--postgres', '/bin/true' ], qr/--postgres is of no use without -D/ ],
	[ [ '--ca', "$ca->{cert}.gone", '--out', $out, '--url', $url ], qr/could not read file/ ],
	[ [ '--ca', $ca->{key}, '--out', $out, '--url', $url ], qr/has a private key, and no certificate/ ],
	[ \@ours, qr/no certificate names a CRL distribution point/ ],
	[ [ '--ca', $other->{cert}, '--out', $out, '--cert', $client->{cert} ], qr/is of none of the CAs/ ])
{
	my ($arguments, $pattern) = @$_;

	is($f->run(@$arguments), 3, "wrong: @$arguments");
	like($f->{err}, $pattern, 'and why');
}
is($f->run('--help'), 0, '--help');
like($f->{out}, qr/^  ssl_guard_ctl fetch-crl \[OPTION\]/m, 'says how');

done_testing();
