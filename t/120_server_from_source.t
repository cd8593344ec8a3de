# dev/server-from-source with sources that are made up, and an apt-get that
# says what it was asked: built once, in place, with the options; where there are no
# sources it gives up with exit status 77, and what was cut short is built anew.

use strict;
use warnings;

use Cwd qw(realpath);
use File::Path qw(make_path);
use Test::More;

use PostgreSQL::Test::Utils ();

plan skip_all => 'no server to build: started outside of dev/sandbox' unless defined $ENV{BUILD_PG_CONFIG};
my $source = realpath($ENV{SRC} // '.');
my $base = realpath(PostgreSQL::Test::Utils::tempdir());
my ($major) = `'$ENV{BUILD_PG_CONFIG}' --version` =~ /(\d+)/;
my $asked = "$base/asked";

sub write_file
{
	my ($path, $text, $mode) = @_;

	make_path($path =~ s{/[^/]*$}{}r);
	open(my $out, '>', $path) or die "$path: $!";
	print $out $text;
	close $out or die "$path: $!";
	chmod $mode // 0644, $path or die "$path: $!";
	return;
}

sub slurp
{
	my ($path) = @_;

	open(my $in, '<', $path) or return '';
	local $/ = undef;
	return scalar(<$in>) // '';
}

# Sources whose "make" fails while there is a file "broken", and whose server is its options.
my $tree = "$base/sources/postgresql-$major.0";
write_file("$tree/configure", <<'END', 0755);
#!/bin/sh
for option in "$@"; do
	case $option in --prefix=*) prefix=${option#--prefix=} ;; esac
done
mkdir -p src
for variable in bindir libdir pkglibdir datadir sysconfdir includedir pkgincludedir includedir_server \
	includedir_internal docdir mandir localedir pgxsdir bitcodedir; do
	echo "$variable = $prefix/$variable"
done >src/Makefile.global
echo "prefix = $prefix" >>src/Makefile.global
cat patched >>src/Makefile.global
printf '%s\n' "$PWD" "$@" >told
END
write_file("$tree/Makefile", <<"END");
include src/Makefile.global
all:
	test ! -f '$base/broken'
install:
	mkdir -p '\$(prefix)/bin'
	cp told '\$(prefix)/bin/pg_config'
END
write_file("$tree/contrib/auth_delay/Makefile", "all install:\n");
write_file("$tree/src/backend/parser/gram.c", '');

# patched: what the distribution would have set after all
sub make_archive
{
	my ($patched) = @_;

	write_file("$tree/patched", $patched);
	system("tar -czf '$base/archive.tar.gz' -C '$base/sources' postgresql-$major.0") == 0 or die 'tar';
	return;
}
make_archive('');

write_file("$base/bin/apt-get", <<"END", 0755);
#!/bin/sh
echo "\$*" >>'$asked'
case " \$* " in
	*" source "*) cp '$base/archive.tar.gz' 'postgresql-${major}_$major.0.orig.tar.gz' 2>/dev/null || exit 100 ;;
esac
END

# (exit status, standard output, standard error)
sub run_script
{
	my ($dir, @options) = @_;
	local @ENV{qw(PATH PG_CONFIG SERVER_DIR)} = ("$base/bin:$ENV{PATH}", $ENV{BUILD_PG_CONFIG}, $dir);
	my $out = `'$source/dev/server-from-source' @options 2>'$base/err'`;

	return ($? >> 8, $out =~ s/\n$//r, slurp("$base/err"));
}

# ---- no sources
my $dir = "$base/servers";
rename "$base/archive.tar.gz", "$base/hidden" or die $!;
my ($status, $out, $err) = run_script($dir, '--cassert');
is($status, 77, 'no sources: exit status');
is($out, '', 'no server is named');
like($err, qr/NO SERVER BUILT FROM SOURCE: apt-get cannot get the sources of postgresql-$major/, 'and the reason is told');
is(join(' ', grep { !/^-o Dir::Etc::sourcelist=\/dev\/null -o Dir::Etc::sourceparts=\Q$dir\E\/\S+ -o Dir::State::Lists=\Q$dir\E\/\S+ -o Dir::Cache=\Q$dir\E\/\S+ / }
	split /\n/, slurp($asked)), '', 'each call of apt-get has places of its own for what the machine has');

# ---- a build that fails, and the next that does not
rename "$base/hidden", "$base/archive.tar.gz" or die $!;
write_file("$base/broken", '');
($status, $out, $err) = run_script($dir, '--cassert');
is($status, 1, 'a build that fails is no lack of sources');
is($out, '', 'no server is named');
like($err, qr/could not build it, see \Q$dir\E/, 'and the log is');
unlink "$base/broken";
($status, $out, $err) = run_script($dir, '--cassert');
is($status, 0, 'built at the next time') or diag($err);
like($out, qr{^\Q$dir\E/postgresql-$major\S*-cassert/bin/pg_config$}, 'the server is named');
my ($place, @options) = split /\n/, slurp($out);
like($place, qr{^\Q$dir\E/.*/tree$}, 'configured in its own source tree');
is(join(' ', grep { /^(--enable-cassert|CPPFLAGS)/ } @options), '--enable-cassert CPPFLAGS=', 'with assertions');
ok(!-e $place, 'the tree is not kept');

# ---- once
unlink $asked;
my ($again) = (run_script($dir, '--cassert'))[1];
is($again, $out, 'the same server at the next time');
ok(!-e $asked, 'which is not built again');

# ---- the other kind
($status, $out, $err) = run_script($dir, '--exec-backend');
is($status, 0, 'the other kind') or diag($err);
isnt($out, $again, 'is another server');
is(join(' ', grep { /^(--enable-cassert|CPPFLAGS)/ } split /\n/, slurp($out)), 'CPPFLAGS=-DEXEC_BACKEND', 'built with EXEC_BACKEND');

# ---- sources that would be installed over another server
make_archive("pkglibdir = $base/elsewhere\ninstall: spoil\nspoil:\n\ttouch '$base/spoilt'\n");
($status, $out, $err) = run_script("$base/more", '--cassert');
is($status, 1, 'folders outside of the own one');
like($err, qr{would be installed outside of "\Q$base\E/more/\S+", in "\Q$base\E/elsewhere"}, 'for this reason');
is($out, '', 'no server is named');
ok(!-e "$base/spoilt", 'and nothing is installed');

# ---- what it refuses
is((run_script("$source/servers"))[0], 1, 'not in the source tree');
like(slurp("$base/err"), qr/SERVER_DIR is in the source tree/, 'for this reason');
isnt((run_script($dir, '--fast'))[0], 0, 'no other options');

# a link that somebody has planted leads where he may write, too
mkdir "$base/public" or die $!;
chmod 01777, "$base/public" or die $!;
symlink "$base/public", "$base/link" or die $!;
($status, $out) = run_script("$base/link", '--cassert');
is($status, 1, 'a folder that others may write to is not taken');
is($out, '', 'no server of theirs is named');
like(slurp("$base/err"), qr/others may write to "\Q$base\E\/public"/, 'for this reason');
is(join(' ', glob "$base/public/*"), '', 'and nothing is written there');

done_testing();
