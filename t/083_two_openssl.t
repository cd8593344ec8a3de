# A library for another OpenSSL than the server's: the build refuses it, and
# so does the library itself, before it brings down the server.  The other OpenSSL
# is made here: shared libraries of another name, whose functions end the process,
# with and without versions of their symbols.

use strict;
use warnings;

use Cwd qw(realpath);
use File::Path qw(make_path);
use Test::More;

use PostgreSQL::Test::Utils ();

use ESG::Certs;
use ESG::Node;

my $source = realpath($ENV{SRC} // '.');
my $pg_config = $ENV{BUILD_PG_CONFIG};
plan skip_all => 'no server to build for: started outside of dev/sandbox' unless defined $pg_config;
my $base = realpath(PostgreSQL::Test::Utils::tempdir());
my $build = "$base/build";
my $jobs = $ENV{JOBS} // 2;
chomp(my $bin = `'$pg_config' --bindir`);

sub run_make
{
	my (@words) = @_;
	local @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};
	my $said = `cd '$build' && make -s -f '$source/Makefile' PG_CONFIG='$pg_config' COPT=-O0 with_llvm=no @words 2>&1`;

	return ($? == 0 ? 'built' : 'refused', $said);
}

sub needed
{
	my ($file) = @_;

	return map { /\(NEEDED\).*\[(lib(?:ssl|crypto)\.so[^\]]*)\]/ ? $1 : () } `LC_ALL=C readelf -d '$file' 2>/dev/null`;
}

my %server = map { s/\.so.*//r => $_ } needed("$bin/postgres");
plan skip_all => 'the server is not linked with a shared libssl, or there is no readelf' unless $server{libssl} && $server{libcrypto};

# ---- the same OpenSSL
make_path($build);
my ($result, $said) = run_make("-j$jobs", 'all');
is($result, 'built', 'built with the OpenSSL of the server') or diag($said);
is($said, '', 'without a word');
my $good = "$base/good.so";
rename "$build/ext_ssl_guard.so", $good or die "rename: $!";

# ---- what cannot be told is no fault
sub check
{
	my ($postgres, %environment) = @_;
	local %ENV = (%ENV, %environment);
	my $text = `'$source/dev/same_openssl' '$postgres' '$good' 2>&1`;

	return ($? >> 8) . " $text";
}
is(check("$bin/postgres"), '0 ', 'the check by itself');
is(check("$bin/postgres", READELF => 'false'), '0 ', 'the same with objdump');
like(check("$base/none"), qr/^0 .*could not be checked: there is no "/, 'no server');
like(check("$bin/postgres", READELF => 'false', OBJDUMP => 'false'), qr/^0 .*could not be checked: neither readelf nor objdump/, 'nobody to read it');
like(check("$source/Makefile"), qr/^0 .*could not be checked: neither/, 'a file that is no program');
like(check('/bin/true'), qr/^0 .*could not be checked: one of them is not linked/, 'linked with no OpenSSL');

# ---- another OpenSSL, of what the library needs
my @functions = map { /^\s*U (\w+)\@(OPENSSL_\S+)/ ? $1 : () } `nm -D --undefined-only '$good'`;
cmp_ok(scalar @functions, '>', 100, 'functions of OpenSSL');

# returns the folder; number: what it says its version is
sub make_openssl
{
	my ($name, $versions, $number) = @_;
	my $dir = "$base/$name";

	make_path($dir);
	ESG::Certs::spew("$dir/versions", "OPENSSL_4.0.0 { global: *; };\n");
	foreach my $library (qw(libcrypto libssl))
	{
		my @own = grep { (/^SSL_/ ? 'libssl' : 'libcrypto') eq $library && $_ ne 'OpenSSL_version_num' } @functions;

		ESG::Certs::spew("$dir/$library.c", "#include <stdlib.h>\n",
			$library eq 'libcrypto' ? "unsigned long OpenSSL_version_num(void) { return ${number}UL; }\n" : '',
			map { "void $_(void) { abort(); }\n" } @own);
		system("cc -shared -fPIC -fno-builtin -w -Wl,-soname,$library.so.99 "
			  . ($versions ? "-Wl,--version-script='$dir/versions' " : '')
			  . "-o '$dir/$library.so.99' '$dir/$library.c'") == 0
		  or die 'cc';
	}
	return $dir;
}

sub link_with
{
	my ($dir, @words) = @_;

	unlink "$build/ext_ssl_guard.so";
	return run_make("SHLIB_LINK='-L$dir -Wl,-rpath,$dir -l:libssl.so.99 -l:libcrypto.so.99'", @words, 'all');
}

my ($own_number) = `echo OPENSSL_VERSION_NUMBER | cc -E -P -include openssl/opensslv.h - 2>/dev/null`;
my $versioned = make_openssl('versioned', 1, '0x40000000');
# as if it were linked into one of the two
my $copy = make_openssl('copy', 1, eval($own_number =~ s/(?<=[0-9a-f])L//gr) // 0x30000000);
my $bare = make_openssl('bare', 0, '0x40000000');
($result, $said) = link_with($versioned);
is($result, 'refused', 'built with another OpenSSL: refused');
like($said, qr/linked with libssl\.so\.99, but the server with \Q$server{libssl}\E\n\(\Q$bin\E\/postgres\)/, 'with both names');
like($said, qr/make OPENSSL_CHECK=no/, 'and how to do it nevertheless');
($result, $said) = run_make("DESTDIR='$base/dest'", "SHLIB_LINK='-L$versioned -l:libssl.so.99 -l:libcrypto.so.99'", 'install');
is($result, 'refused', 'nor is it installed');
ok(!-e "$base/dest", 'nothing of it');

my %library = (good => $good);
foreach my $dir ($versioned, $copy, $bare)
{
	my $name = $dir =~ s{.*/}{}r;

	($result, $said) = link_with($dir, 'OPENSSL_CHECK=no');
	is($result, 'built', "OPENSSL_CHECK=no, $name") or diag($said);
	rename "$build/ext_ssl_guard.so", $library{$name} = "$base/$name.so" or die "rename: $!";
}

# Headers of another OpenSSL, and the server's library: as where symbols have no versions.
make_path("$base/include/openssl");
ESG::Certs::spew("$base/include/openssl/opensslv.h",
	"#include_next <openssl/opensslv.h>\n#undef OPENSSL_VERSION_NUMBER\n#define OPENSSL_VERSION_NUMBER 0x40000000L\n");
unlink "$build/src/server/one_openssl.o", "$build/ext_ssl_guard.so";
($result, $said) = run_make("PG_CFLAGS='-I$base/include'", 'all');
is($result, 'built', 'with headers of another OpenSSL') or diag($said);
rename "$build/ext_ssl_guard.so", $library{headers} = "$base/headers.so" or die "rename: $!";

# ---- the server
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $tls = $certs->make_server('server', ca => $ca);
my $node = ESG::Node->new('main');
my $refusal = qr/library "ext_ssl_guard" was built for another OpenSSL than the server's/;
my $accident = qr/terminated by signal|PANIC|Aborted|Segmentation/;
my ($major) = `openssl version` =~ /OpenSSL (\d+)\./;

$node->setup(ca => $ca, server => $tls, preload => '');
foreach my $name (qw(versioned headers copy good))
{
	my $offset = $node->log_end;

	$node->set_conf(shared_preload_libraries => $library{$name});
	is($node->start(fail_ok => 1), $name eq 'good' ? 1 : 0, "$name: " . ($name eq 'good' ? 'the server starts' : 'it does not'));
	my $log = $node->log_since($offset);

	unlike($log, $accident, 'without an accident');
	if ($name eq 'good')
	{
		unlike($log, $refusal, 'nothing is refused');
		is(($node->tcp_psql('SELECT 1'))[1], 1, 'a login over TLS works');
		$node->stop;
		next;
	}
	like($log, qr/FATAL:  $refusal/, 'it says why');
	like($log, qr/DETAIL:  The server uses OpenSSL $major\.\d+\.\d+ \("[^"]*\Q$server{libcrypto}\E[^"]*"\), the library was compiled for \d+\.\d+\.\d+ and uses \d+\.\d+\.\d+ \("/,
		'with the versions, and where they are');
	like($log, $name eq 'headers' ? qr/compiled for 4\.0\.0 and uses $major\./ : $name eq 'copy' ? qr/and uses $major\.[^ ]+ \("[^"]*libcrypto\.so\.99"/ : qr/and uses 4\.0\.0 \("[^"]*libcrypto\.so\.99"/,
		'which is the other one');
}

# Where symbols have no versions the server's are found first: there is but one OpenSSL at work.
$node->set_conf(shared_preload_libraries => $library{bare});
is($node->start(fail_ok => 1), 1, 'another OpenSSL, of which nothing is used');
is(($node->tcp_psql('SELECT 1'))[1], 1, 'a login over TLS works');
$node->stop;

# In a session it is an error, and the session goes on.
$node->set_conf(shared_preload_libraries => '');
$node->start;
foreach my $name (qw(versioned headers copy good))
{
	my ($status, $out, $err) = $node->psql('postgres', "LOAD '$library{$name}'; SELECT 1", on_error_stop => 0);

	is($out, 1, "$name: after LOAD the session goes on");
	like($err, $name eq 'good' ? qr/^\z/ : qr/ERROR:  $refusal/, $name eq 'good' ? 'which went well' : 'which was refused');
}
is($node->count_log($accident), 0, 'without an accident');
$node->stop;

done_testing();
