# ssl_guard_ctl check -D with the hosts of pg_hosts.conf (PostgreSQL 19, ssl_sni): the
# codes and words of the server, and its reload and start foretold, whatever is
# written there.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Check;
use ESG::Node;
use ESG::Sni;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my %cert = (
	a => $certs->make_server('a', ca => $ca, subject => '/CN=a.test', san => ['DNS:a.test']),
	b => $certs->make_server('b', ca => $ca, subject => '/CN=b.test', san => [ 'DNS:b.test', 'DNS:x.test' ]),
	late => $certs->make_server('late', ca => $ca, subject => '/CN=late.test', san => ['DNS:late.test'], days_left => -2),
	locked => $certs->make_server('locked', ca => $ca, subject => '/CN=locked.test', san => ['DNS:locked.test'], passphrase => 'open sesame'));
my $node = ESG::Node->new('main');
my $data = $node->data_dir;

$node->setup(ca => $ca, server => $cert{a}, conf => "ext_ssl_guard.self_probe = off\next_ssl_guard.posture_check = off\next_ssl_guard.file_poll_interval = 0");
$node->start;
if (!ESG::Sni::known($node))
{
	$node->stop;
	plan skip_all => 'this server has no ssl_sni';
}
$node->append_conf('postgresql.conf', 'ssl_sni = on');
my @good = ('a.test a.crt a.key root.crt', 'b.test,x.test b.crt b.key');

# Files besides the list of hosts; a mode is "0644 b.key".
sub lay
{
	my ($lines, %files) = @_;

	system('rm', '-rf', map { $node->path($_) } 'more', 'names', 'a b.crt', 'c.conf', 'pg_hosts.conf');
	ESG::Sni::put_host($node, $_, $cert{$_}) foreach keys %cert;
	chmod 0600, map { $node->path("$_.key") } keys %cert or die "chmod: $!";
	$node->replace($ca->{cert}, 'root.crt');
	mkdir $node->path('more');
	foreach my $file (grep { $_ ne 'mode' } sort keys %files)
	{
		ESG::Certs::spew($node->path($file), $files{$file});
		chmod 0600, $node->path($file);
	}
	chmod oct($1), $node->path($2) if ($files{mode} // '') =~ /^(\d+) (.*)/;
	ESG::Sni::write_hosts($node, @$lines);
	return;
}

# What is said of the list, and of the names that a certificate does not have.
sub words
{
	my ($said) = @_;

	return join "\n", sort map { $_->{message} } grep { $_->{code} =~ /^host/ } map { @{ $_->{findings} } } @{ $said->{objects} };
}

sub words_of_server
{
	return $node->safe_psql('postgres', q{SELECT message COLLATE "C" FROM ssl_guard_check() WHERE code IN ('hosts_file_unusable', 'host_name_not_covered') ORDER BY 1});
}

my $sesame = '"echo open sesame"';

# name, lines, files, what is said; "start": that is tried, too
my @cases = (
	[ 'two hosts', [@good], {}, qr/would succeed$/, 'start' ],
	[ 'no hosts', ['# none'], {}, qr/would succeed$/, 'start' ],
	[ 'a name that the certificate does not have', [ @good, 'c.test b.crt b.key' ], {}, qr/would succeed$/ ],
	[ 'a pattern', [ @good, '*.wild.test b.crt b.key' ], {}, qr/would succeed$/ ],
	[ 'any name, and none', [ @good, '* a.crt a.key', '/no_sni/ b.crt b.key' ], {}, qr/would succeed$/ ],
	[ 'one that has expired', [ @good, 'late.test late.crt late.key' ], {}, qr/would succeed$/ ],
	[ 'words in quotes, on two lines', [ q{"a.test" "a b.crt" \\}, q{  a.key,"root.crt"}, $good[1] ], {}, qr/multiple values specified for SSL key/ ],
	[ 'a file with a space', [ q{a.test "a b.crt" \\}, q{ a.key root.crt # comment}, $good[1] ], { 'a b.crt' => ESG::Certs::slurp($cert{a}{cert}) }, qr/would succeed$/ ],
	[ 'names of a file', [ '@names b.crt b.key', $good[0] ], { names => "b.test, x.test\n" }, qr/would succeed$/ ],
	[ 'a directory', ['include_dir more'], { 'more/2.conf' => "$good[1]\n", 'more/1.conf' => "include_if_exists gone\n$good[0]\n", 'more/x' => "bad\n" }, qr/would succeed$/ ],
	[ 'an included file that all may write', ['include c.conf'], { 'c.conf' => "$good[0]\n", mode => '0666 c.conf' }, qr/would succeed$/ ],
	[ 'too few words', [ @good, 'c.test b.crt' ], {}, qr/pg_hosts\.conf" is refused by the server: line 3: missing entry at end of line$/, 'start' ],
	[ 'too many words', [ 'a.test a.crt a.key root.crt x on on', @good ], {}, qr/line 1: extra fields at end of line$/ ],
	[ 'a word that is no boolean', ['a.test a.crt a.key root.crt x perhaps'], {}, qr/incorrect syntax for boolean/ ],
	[ 'any name with others', ['a.test,* a.crt a.key'], {}, qr/cannot be mixed/ ],
	[ 'a name twice', [ @good, 'A.TEST a.crt a.key' ], {}, qr/line 3: multiple entries for host "A\.TEST" specified$/, 'start' ],
	[ 'two defaults', [ '* a.crt a.key', '* b.crt b.key' ], {}, qr/line 2: multiple default hosts specified$/ ],
	[ 'no name twice', [ '/no_sni/ a.crt a.key', '/no_sni/ b.crt b.key' ], {}, qr/line 2: multiple no_sni hosts specified$/ ],
	[ 'a file that is not there', [ @good, 'include gone' ], {}, qr/line 3: could not open file ".*gone": No such file/ ],
	[ 'a bad line behind one that need not be there', [ 'include_if_exists gone', 'c.test' ], {}, qr/line 2: missing entry/ ],
	[ 'a bad line of an included file', [ @good, 'include c.conf' ], { 'c.conf' => "#\nc.test\n" }, qr/line 2 of ".*c\.conf": missing entry/ ],
	[ 'a directory that is not there', ['include_dir gone'], {}, qr/could not open configuration directory/ ],
	[ 'itself', [ @good, 'include pg_hosts.conf' ], {}, qr/maximum nesting depth exceeded/ ],
	[ 'a directory read as a file', [ @good, 'include more' ], {}, qr/would succeed$/ ],
	[ "another's key", ['a.test a.crt b.key'], {}, qr/b\.key" of host "a\.test": key values mismatch|x509 certificate/, 'start' ],
	[ 'no key', [ $good[0], 'b.test b.crt gone.key' ], {}, qr/gone\.key" of host "b\.test": No such file/ ],
	[ 'a key that others may read', [@good], { mode => '0640 b.key' }, qr/b\.key" of host "b\.test,x\.test": .*others may read/ ],
	[ 'CAs that are none', [@good], { 'root.crt' => "none\n" }, qr/root\.crt" of host "a\.test": / ],
	[ 'a key with a passphrase, for a command', [ @good, "locked.test locked.crt locked.key root.crt $sesame on" ], {}, qr/would succeed, if the commands of the hosts open their keys$/, 'start' ],
	[ 'the same at start only', [ @good, "locked.test locked.crt locked.key root.crt $sesame" ], {}, qr/start would succeed, if the commands .*; the next reload would fail: file ".*locked\.key" of host "locked\.test"/, 'start' ]);

sub try_case
{
	my ($name, $lines, $files, $pattern, $start) = @_;

	lay($lines, %$files);
	my ($status, $said) = ESG::Check::report('-D', $data);
	my $foretold = ESG::Check::foretold($said->{summary});

	like($said->{summary}, $pattern, "$name: what is said");
	my $reloaded = ESG::Check::reload_succeeds($node);

	is($reloaded, $foretold->[1], "$name: the reload") or diag($said->{summary});
	is(ESG::Check::codes($said, $data), ESG::Check::codes_of_views($node), "$name: the same codes as in the views") if $reloaded;
	is(words($said), words_of_server(), "$name: the same words") if $reloaded || $said->{summary} =~ /refused by the server/;
	return unless $start;
	$node->stop;
	is(ESG::Check::start_succeeds($node), $foretold->[0], "$name: the start") or diag($said->{summary});
	lay(\@good);
	$node->start;
	return;
}

lay(\@good);
$node->restart;
try_case(@$_) foreach @cases;

# nobody waits for a named pipe
lay(\@good);
unlink $node->path('pg_hosts.conf');
system('mkfifo', $node->path('pg_hosts.conf')) == 0 or die 'mkfifo';
my ($status, $said) = ESG::Check::report('-D', $data);
is($status, 2, 'a named pipe');
like($said->{summary}, qr/would fail: .*pg_hosts\.conf" is refused by the server: it is a named pipe$/, 'is told');
is(words($said), words_of_server(), 'in the words of the server');
unlink $node->path('pg_hosts.conf');
lay(['include more/pipe']);
system('mkfifo', $node->path('more/pipe')) == 0 or die 'mkfifo';
($status, $said) = ESG::Check::report('-D', $data);
like($said->{summary}, qr/line 1: file ".*more\/pipe" is a named pipe$/, 'one that is included');
lay(\@good);

# without hosts the pair is the key's no longer: the server does not ask it with ssl_sni
$node->stop;
lay(['# none']);
$node->replace($cert{locked}{key}, 'server.key');
$node->replace($cert{locked}{cert}, 'server.crt');
my $said_of_pair = '';
IPC::Run::run([ 'ssl_guard_ctl', 'encrypt', '--force', '-D', $data ], '<', \"open sesame\n", '>&', \$said_of_pair) or die $said_of_pair;
($status, $said) = ESG::Check::report('-D', $data);
like($said->{summary}, qr/the next start would succeed, if somebody gives the passphrase of the key; the next reload would fail/, 'a pair with ssl_sni');

done_testing();
