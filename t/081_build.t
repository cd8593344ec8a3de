# The build as others do it: in place, in a directory with a space in its name;
# out of tree, with bitcode, and for a server that was itself built in its own
# source tree; "make install" with DESTDIR, "make uninstall", "make clean".  What
# is installed, and what is left behind, is counted.

use strict;
use warnings;

use Cwd qw(realpath);
use File::Find qw(find);
use File::Path qw(make_path);
use Test::More;

use PostgreSQL::Test::Utils ();

my $source = realpath($ENV{SRC} // '.');
my $pg_config = $ENV{BUILD_PG_CONFIG};
plan skip_all => 'no server to build for: started outside of dev/sandbox' unless defined $pg_config;
my $base = realpath(PostgreSQL::Test::Utils::tempdir());
my $jobs = $ENV{JOBS} // 2;

sub ask
{
	my ($what) = @_;

	chomp(my $answer = `'$pg_config' --$what`);
	return $answer;
}

# sorted paths of all files, folders, too, if asked for
sub list_files
{
	my ($dir, $folders) = @_;
	my @found;

	find({ no_chdir => 1, wanted => sub { push @found, $_ =~ s{^\Q$dir\E/?}{}r if $folders || !-d $_ } }, $dir) if -d $dir;
	return join "\n", sort grep { $_ ne '' } @found;
}

# make with these words; not what an outer make has said
sub run_make
{
	my ($dir, @words) = @_;
	local @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};
	my $said = `cd '$dir' && make -s PG_CONFIG='$pg_config' COPT=-O0 @words 2>&1`;

	is($?, 0, "make @words" =~ s/\Q$base\E/.../gr) or diag($said);
	return;
}

sub names { return map { s{^\Q$source\E/}{}r } glob("'$source'/$_[0]"); }

my ($lib, $share, $bin, $man, $doc) = map { ask($_) } qw(pkglibdir sharedir bindir mandir docdir);
my @documents = ('LICENSE', 'docs/Dockerfile', map { names($_) } qw(*.md docs/*.md docs/*.svg docs/*.json docs/systemd/*));
find({ no_chdir => 1, wanted => sub { push @documents, s{^\Q$source\E/}{}r if !-d } }, "$source/monitoring") if -d "$source/monitoring";
my @installed = sort "$lib/ext_ssl_guard.so", "$bin/ssl_guard_ctl", "$share/extension/ext_ssl_guard.control",
  "$man/man1/ssl_guard_ctl.1", ($man =~ s{/share/.*}{/share}r) . '/bash-completion/completions/ssl_guard_ctl',
  (map { "$share/extension/$_" } names('ext_ssl_guard--*.sql')), map { "$doc/ext_ssl_guard/$_" } @documents;
my @modules = map { s/\.c$//r } 'ext_ssl_guard.c', grep { !m{^src/ctl/} } names('src/*/*.c');

sub expect_installed
{
	my ($dest, $what, @more) = @_;

	is(list_files($dest), join("\n", map { s{^/}{}r } sort @installed, @more), "$what: the files installed");
	return;
}

# ---- in place
my $place = "$base/in place";
make_path($place);
system("cd '$source' && tar -cf - . | (cd '$place' && tar -xf -)") == 0 or die 'tar';
my $before = list_files($place, 1);
run_make($place, 'with_llvm=no', "-j$jobs", 'all');
run_make($place, 'with_llvm=no', "DESTDIR='$base/dest 1'", 'install');
expect_installed("$base/dest 1", 'in place');
run_make($place, 'with_llvm=no', "DESTDIR='$base/dest 1'", 'uninstall');
is(list_files("$base/dest 1"), '', 'in place: uninstalled');
ok(!-e "$base/dest 1/$doc/ext_ssl_guard", 'with the folder of the documents');
run_make($place, 'with_llvm=no', 'clean');
is(list_files($place, 1), $before, 'in place: nothing is left behind');

# ---- the order in which files are linked: one that has moved is not left out in silence
my $said = do
{
	local @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};
	`cd '$place' && make -n PG_CONFIG='$pg_config' login_sources=src/login/gone.c all 2>&1`;
};
isnt($?, 0, 'a file of the login path that is not there: no build');
like($said, qr{src/login/gone\.c}, 'and it is named');

# ---- out of tree, with bitcode where the server's clang is installed
my $global = ask('pgxs') =~ s{makefiles/pgxs\.mk$}{Makefile.global}r;
my ($clang, $llvm) = map { my $name = $_; `sed -n 's/^$name *= *//p' '$global'` =~ s/\s+\z//r } qw(CLANG LLVM_BINPATH);
my $bitcode = $clang ne '' && -x $clang && -x "$llvm/llvm-lto" ? 'yes' : 'no';
my $build = "$base/build";
my @words = ("-f '$source/Makefile'", "with_llvm=$bitcode");
note("with_llvm=$bitcode");
make_path($build);
run_make($build, @words, "-j$jobs", $bitcode eq 'yes' ? 'BITCODE_CFLAGS=-O0' : (), 'all');
run_make($build, @words, "DESTDIR='$base/dest2'", 'install');
expect_installed("$base/dest2", 'out of tree',
	$bitcode eq 'yes' ? ("$lib/bitcode/ext_ssl_guard.index.bc", map { "$lib/bitcode/ext_ssl_guard/$_.bc" } @modules) : ());
run_make($build, @words, "DESTDIR='$base/dest2'", 'uninstall');
is(list_files("$base/dest2"), '', 'out of tree: uninstalled');
run_make($build, @words, 'clean');
is(list_files($build, 1), '', 'out of tree: nothing is left behind');

# ---- out of tree, for a server built in place: configure has taken out what sets VPATH
my $pgxs = ask('pgxs') =~ s{/src/makefiles/pgxs\.mk$}{}r;
system('cp', '-rL', $pgxs, "$base/pgxs") == 0 or die 'cp';
system('sed', '-i', '/^ *VPATH *=/d', "$base/pgxs/src/Makefile.global") == 0 or die 'sed';
open(my $script, '>', "$base/pg_config") or die $!;
print $script qq{#!/bin/sh\n[ "\$1" != --pgxs ] || { echo '$base/pgxs/src/makefiles/pgxs.mk'; exit; }\nexec '$pg_config' "\$@"\n};
close $script;
chmod 0755, "$base/pg_config" or die $!;
$pg_config = "$base/pg_config";
@words = ("-f '$source/Makefile'", 'with_llvm=no');
run_make($build, @words, "-j$jobs", 'all');
run_make($build, @words, "DESTDIR='$base/dest3'", 'install');
expect_installed("$base/dest3", 'server built in place');
run_make($build, @words, 'clean');
is(list_files($build, 1), '', 'server built in place: nothing is left behind');
is(join(' ', grep { /\.(o|bc|so|list)$|ssl_guard_ctl$/ && !/typedefs|^completions\// } split /\n/, list_files($source)), '', 'and nothing was written into the sources');

done_testing();
