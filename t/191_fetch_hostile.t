# fetch-crl and servers that mean no good, or are broken: it ends within the time
# limit, says what was wrong, and leaves the file as it was.

use strict;
use warnings;

use IO::Socket::INET ();
use IPC::Run ();
use MIME::Base64 qw(decode_base64);
use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Fetch;
use ESG::Web;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $old = $certs->make_crl($ca, 'old', last_update => -3000);
my $new = decode_base64(ESG::Certs::slurp($certs->make_crl($ca, 'new', last_update => -60)) =~ s/-----.*?-----//gr);
my $half = substr($new, 0, 60);

sub pour
{
	my ($client, $start, $piece) = @_;

	print $client $start;
	while (print $client $piece) { }
	return;
}

sub answer_with { my ($text) = @_; return sub { my ($client) = @_; binmode $client; print $client $text; }; }

sub redirect { my ($to) = @_; return answer_with("HTTP/1.1 302 Found\r\nLocation: $to\r\n\r\n"); }

my $ok = "HTTP/1.1 200 OK\r\n";
my $length = 'Content-Length: ' . length($new) . "\r\n";
my $page = 'x' x 4000 . "\n";
my $web = ESG::Web->new(
	'/silent' => sub { sleep 3600 },
	'/drop' => sub { my ($client) = @_; print $client "$ok$length\r\n"; foreach my $byte (split //, $new) { print $client $byte; sleep 1 } },
	'/dropheader' => sub { my ($client) = @_; foreach my $byte (split //, $ok) { print $client $byte; sleep 1 } },
	'/stops' => sub { my ($client) = @_; print $client "$ok$length\r\n$half"; sleep 3600 },
	'/endless' => sub { pour($_[0], "$ok\r\n", $page) },
	'/endlessheader' => sub { pour($_[0], $ok, "X-Header: y\r\n") },
	'/endlessline' => sub { pour($_[0], "$ok" . 'X: ', 'y' x 4000) },
	'/endlessfirst' => sub { pour($_[0], 'HTTP/1.1 ', '2' x 4000) },
	'/huge' => answer_with("${ok}Content-Length: 99999999999\r\n\r\n$half"),
	'/negative' => answer_with("${ok}Content-Length: -1\r\n\r\n$new"),
	'/nonsense' => answer_with("${ok}Content-Length: many\r\n\r\n$new"),
	'/cut' => answer_with("$ok$length\r\n$half"),
	'/hangup' => sub { },
	'/garbage' => answer_with("\x00\xff\xfe\x16\x03\x01\n\n\n\r\n\r\n$new"),
	'/chunked' => answer_with("${ok}Transfer-Encoding: chunked\r\n\r\n" . sprintf("%x\r\n%s\r\n0\r\n\r\n", length $new, $new)),
	'/chunkgarbage' => answer_with("${ok}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n$half"),
	'/500' => answer_with("HTTP/1.1 500 \e[31mred\e[0m\r\n\r\n$new"),
	'/file' => redirect('file:///etc/passwd'),
	'/relative' => redirect('/new.crl'),
	'/loop' => redirect('/loop'),
	'/ldap' => redirect('ldap://127.0.0.1/cn=x'),
	'/split' => redirect("/new.crl\r\nX: y"),
	'/noplace' => answer_with("HTTP/1.1 302 Found\r\n\r\n"));

my $f = ESG::Fetch->new;
my $out = $f->path('root.crl');

sub fetch { return $f->run('--ca', $ca->{cert}, '--out', $out, map { $_ =~ /^-|^\d+$/ ? $_ : ('--url', $_) } @_); }

$web->put('new.crl', $new);
ESG::Certs::spew($out, ESG::Certs::slurp($old));

foreach (
	[ 'silent', qr/was not there within 2 s/ ],
	[ 'drop', qr/was not there within 2 s/ ],
	[ 'dropheader', qr/was not there within 2 s/ ],
	[ 'stops', qr/was not there within 2 s/ ],
	[ 'endless', qr/sends more than 1048576 bytes/ ],
	[ 'endlessheader', qr/sends a header without end|response too many hdrlines|was not there within 2 s/ ],
	[ 'endlessline', qr/could not be read|sends a header without end/ ],
	[ 'endlessfirst', qr/could not be read|sends a header without end|does not answer like/ ],
	[ 'huge', qr/sends more than 1048576 bytes/ ],
	[ 'negative', qr/could not be read|sends more than/ ],
	[ 'nonsense', qr/could not be read/ ],
	[ 'cut', qr/closed the connection before the end/ ],
	[ 'hangup', qr/closed the connection without an answer/ ],
	[ 'garbage', qr/does not answer like a web server/ ],
	[ 'chunked', qr/is sent in chunks/ ],
	[ 'chunkgarbage', qr/is sent in chunks/ ],
	[ '500', qr/answered "500 / ],
	[ 'file', qr/leads to another URL, which is neither http nor https/ ],
	[ 'loop', qr/leads to one URL after another, without end/ ],
	[ 'ldap', qr/leads to another URL, which is an LDAP URL/ ],
	[ 'noplace', qr/answered "302 Found"/ ],
	[ 'gone', qr/answered "404 Not Found"/ ])
{
	my ($path, $pattern) = @$_;
	my $begin = time;

	is(fetch($web->url($path), '--timeout', 2, '--max-size', 1), 1, "$path: not fetched");
	like($f->{out}, $pattern, "$path: why");
	unlike($f->{out} . $f->{err}, qr/[^\x20-\x7e\n]/, "$path: in plain characters");
	ok($f->unchanged, "$path: the file is as it was, and nothing is beside it");
	cmp_ok(time - $begin, '<', 20, "$path: in time");
}
ok((grep { $_ =~ /^GET \/loop / } $web->requests) <= 6, 'a loop of redirects is followed six times at most');

# a request that is none, by way of a Location that goes on
fetch($web->url('split'), '--timeout', 5);
is_deeply([ grep { $_ !~ m{^GET /(split|new\.crl) HTTP/1\.0$} } $web->requests ], [], 'no header is smuggled in');

# --- URLs ----------------------------------------------------------------------------

ESG::Certs::spew($out, ESG::Certs::slurp($old));
foreach (
	[ 'file:///etc/passwd', qr/is neither http nor https/ ],
	[ 'ftp://127.0.0.1/x', qr/is neither http nor https/ ],
	[ 'ldap://127.0.0.1/cn=ca?certificateRevocationList', qr/is an LDAP URL, and only http and https are supported/ ],
	[ "http://127.0.0.1/x\r\nX: y", qr/has characters that no URL has/ ],
	[ 'http://me:secret@127.0.0.1/x', qr/has a user name in it/ ],
	[ 'http://127.0.0.1:1/x', qr/could not be reached/ ],
	[ 'http://127.0.0.1:99999/x', qr/is no URL of a web server|could not be reached/ ],
	[ 'http://', qr/is no URL of a web server|could not be reached/ ])
{
	my ($url, $pattern) = @$_;

	is(fetch($url, '--timeout', 5), 1, 'not fetched: ' . $url =~ s/\s+/ /gr);
	like($f->{out}, $pattern, 'why');
	ok($f->unchanged, 'the file is as it was');
}
is(fetch($web->url('new.crl'), $web->url('gone')), 1, 'one of two URLs fails');
ok($f->unchanged, 'nothing is written');
like($f->{out}, qr/was not written, for the sake of the rest/, 'which it says');
is(fetch($web->url('new.crl'), $web->url('gone'), '--keep-going'), 1, 'with --keep-going');
ok(!$f->unchanged, 'the other one is');
unlink $out;
is(fetch($web->url('new.crl'), $web->url('gone')), 2, 'the same where nothing is there: critical');
ok(!-e $out, 'as nothing is written');
is(fetch($web->url('new.crl'), $web->url('gone'), '--keep-going'), 1, 'with --keep-going a warning');
ok(-f $out, 'as what there is now will do');

# --- what does work --------------------------------------------------------------------

ESG::Certs::spew($out, ESG::Certs::slurp($old));
is(fetch($web->url('relative')), 0, 'a redirect to the same server is followed');
ok(!$f->unchanged, 'and the CRL written');
ESG::Certs::spew($out, ESG::Certs::slurp($old));
$web->requests;
{
	local $ENV{http_proxy} = $web->url('');
	is(fetch('http://crl.example.invalid/new.crl'), 0, 'through a proxy');
}
like(join("\n", $web->requests), qr{^GET http://crl\.example\.invalid(:80)?/new\.crl}, 'which was asked for the whole URL');
ESG::Certs::spew($out, ESG::Certs::slurp($old));
{
	local $ENV{http_proxy} = 'http://127.0.0.1:1/';
	local $ENV{no_proxy} = '127.0.0.1';
	is(fetch($web->url('new.crl')), 0, 'not with no_proxy');
}

# --- a point of several URLs -------------------------------------------------------------

sub names { my ($name, @urls) = @_; return $certs->make_client($name, ca => $ca, extensions => [ 'crlDistributionPoints=' . join(',', map { "URI:$_" } @urls) ]); }

ESG::Certs::spew($out, ESG::Certs::slurp($old));
my @base = ('--ca', $ca->{cert}, '--out', $out, '--timeout', 5);
is($f->run(@base, '--cert', names('two', 'ldap://127.0.0.1/x', $web->url('gone'), $web->url('new.crl'))->{cert}), 0, 'the first that works will do');
like($f->{out}, qr/is an LDAP URL/, 'the others are named');
ESG::Certs::spew($out, ESG::Certs::slurp($old));
is($f->run(@base, '--cert', names('ldap', 'ldap://127.0.0.1/x')->{cert}), 1, 'LDAP alone is not supported');
like($f->{out}, qr/is an LDAP URL, and only http and https are supported/, 'and said to be so');
my $odd = $certs->make_client('odd', ca => $ca, extensions => [ 'crlDistributionPoints=part', "[part]\nfullname=URI:" . $web->url('new.crl') . "\nreasons=keyCompromise" ]);
is($f->run(@base, '--cert', $odd->{cert}), 1, 'a point for some reasons only');
like($f->{out}, qr/names no distribution point that could be asked/, 'is not asked');

# --- https ---------------------------------------------------------------------------------

my $web_ca = $certs->make_ca('webca');
my $site = $certs->make_server('site', ca => $web_ca, subject => '/CN=site', san => ['IP:127.0.0.1']);
my $dir = $certs->{dir} . '/www';
mkdir $dir;
ESG::Certs::spew("$dir/new.crl", $new);
my $port = do { my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1'); $s->sockport };
my ($said, $server) = ('');
{
	# -WWW serves files of the working directory
	my $command = "cd '$dir' && exec openssl s_server -accept 127.0.0.1:$port -cert '$site->{cert}' -key '$site->{key}' -WWW";
	$server = IPC::Run::start([ 'sh', '-c', $command ], '<', '/dev/null', '>&', \$said);
}
my $until = time + 30;
sleep 0.1 until IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") || time > $until;
ESG::Certs::spew($out, ESG::Certs::slurp($old));
is(fetch("https://127.0.0.1:$port/new.crl", '--timeout', 10), 1, 'https of a CA that the system does not know');
like($f->{out}, qr/certificate verify failed/, 'is refused');
{
	local $ENV{SSL_CERT_FILE} = $web_ca->{cert};
	is(fetch("https://127.0.0.1:$port/new.crl", '--timeout', 10), 0, 'https of a known one') or diag $f->{out};
	ok(!$f->unchanged, 'is fetched');
	ESG::Certs::spew($out, ESG::Certs::slurp($old));
	is(fetch("https://localhost:$port/new.crl", '--timeout', 10), 1, 'https of another name');
	like($f->{out}, qr/certificate verify failed/, 'is refused');
}
$server->kill_kill;

done_testing();
