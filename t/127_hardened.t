# The library and the program are built as programs are that meet strangers, and the same
# sources make the same bytes, whoever builds them, when, and in what folder; and SECURITY.md names a test for
# each of its promises.

use strict;
use warnings;

use Cwd qw(realpath);
use Digest::SHA;
use File::Path qw(make_path);
use Test::More;

use PostgreSQL::Test::Utils ();

use ESG::Docs;

my $source = realpath($ENV{SRC} // '.');
my $pg_config = $ENV{BUILD_PG_CONFIG};
plan skip_all => 'no server to build for: started outside of dev/sandbox' unless defined $pg_config;
my $base = realpath(PostgreSQL::Test::Utils::tempdir());
chomp(my ($lib, $bin) = map { scalar `'$ENV{PG_CONFIG}' --$_` } qw(pkglibdir bindir));

# ---- the promises

# [text, [test, ...]] of each row that stands in a table of promises
sub read_promises
{
	my ($text) = @_;

	return map { /^\| (.+) \| (`.*`) \|$/ ? [ $1, [ $2 =~ /`([^`]+)`/g ] ] : () } split /\n/, $text;
}

my $text = ESG::Docs::read_text('SECURITY.md');
my @promises = read_promises($text);
my @sections = $text =~ /^### (.+)\n(?:(?!^#).*\n)*?\| promise \| proved by \|\n/mg;
cmp_ok(scalar @promises, '>=', 25, 'there are promises');
is(scalar(grep { /^\d\. / } @sections), scalar(() = ESG::Docs::read_text('docs/trust.svg') =~ /class="title">\d /g),
	'at each boundary of the picture');
is(join("\n", map { $_->[0] } grep { !@{ $_->[1] } || grep { !m{^t/\w+\.t$} || !-f "$source/$_" } @{ $_->[1] } } @promises), '',
	'and each has tests that are there');
is(scalar(() = $text =~ /^\| (?!promise \||---)/mg), scalar @promises, 'no row of a table is anything else');

# ---- the flags
SKIP:
{
	my $hardening_check = (grep { -x } map { "$_/hardening-check" } split(/:/, $ENV{PATH}), map { "$_/usr/bin" } $ENV{ESG_HARDENING} // ())[0];
	my $flags = join ' ', `'$pg_config' --cflags --ldflags`;

	skip 'hardening-check is not there (dev/setup --with-hardening): flags NOT TESTED', 2 unless $hardening_check;
	skip 'the server was built without these flags itself', 2 unless $flags =~ /-fstack-protector/ && $flags =~ /-z,?now/;
	my $usage = `'$hardening_check' --help 2>&1`;
	# no flags of single processors are Debian 12's
	my @left_out = grep { $usage =~ /$_/ } '--nocfprotection', '--nobranchprotection';
	foreach my $file ("$lib/ext_ssl_guard.so", "$bin/ssl_guard_ctl")
	{
		# a library is position independent anyway, but no executable
		my $said = `'$hardening_check' @left_out @{[ $file =~ /\.so$/ ? '--nopie' : '' ]} '$file' 2>&1`;

		is($?, 0, 'hardening-check of ' . $file =~ s{.*/}{}r) or diag($said);
	}
}

# ---- what each process would run through for nothing
SKIP:
{
	my $dynamic = $^O eq 'linux' ? `readelf -Wd '$lib/ext_ssl_guard.so' 2>/dev/null` : '';

	skip 'no readelf, or not on Linux', 1 if $dynamic !~ /\(SYMTAB\)/;
	skip 'what counts or watches in it has an end of its own', 1 if `readelf -Ws '$lib/ext_ssl_guard.so'` =~ /__(?:gcov|asan|ubsan)_/;
	unlike($dynamic, qr/\((?:JMPREL|FINI|FINI_ARRAY)\)/, 'the library has no table of jumps and nothing to run at the end of a process');
}

# ---- the bytes

# of each folder of src/ one file, and what is compiled behind the version
my @some = sort 'ext_ssl_guard.o', map { (glob("'$source'/$_*.c"))[0] =~ s{^\Q$source\E/(.*)\.c$}{$1.o}r } map { s{^\Q$source\E/}{}r } glob("'$source'/src/*/");

# What is run to build it in this folder, in this world, and { file => digest } of some that were compiled.
sub build
{
	my ($place, $umask, %world) = @_;

	local @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};
	local @ENV{ keys %world } = values %world;
	make_path($place);
	system("umask $umask; cd '$source' && tar -cmf - --exclude=.git --exclude=.build --exclude='*.o' . | (cd '$place' && tar -xmf -)") == 0 or die 'tar';
	my $make = "umask $umask; cd '$place' && make with_llvm=no PG_CONFIG='$pg_config' COPT=\"-O0 -ffile-prefix-map=\$PWD=.\"";
	my $commands = `$make -n all 2>&1` =~ s/\Q$place\E/PLACE/gr;
	my $said = `$make -s -j2 @some 2>&1`;
	is($?, 0, 'built in ' . $place =~ s{.*/}{}r) or diag($said);
	return [ $commands, map { Digest::SHA->new(256)->addfile("$place/$_")->hexdigest } @some ];
}

my $one = build("$base/one", '022', TZ => 'UTC', LC_ALL => 'C');
my $other = build("$base/elsewhere/another", '077', TZ => 'Asia/Kolkata', LC_ALL => 'C.UTF-8', USER => 'somebody', HOME => "$base/one");
cmp_ok(scalar @some, '>=', 10, 'files of all folders are compiled');
is_deeply($other, $one, 'by the same commands to the same bytes in another folder, by somebody else, at another time');

done_testing();
