# dev/chroot with an mmdebstrap and an unshare that are made up: when a system is
# made, kept and made anew, and what is said when no package index can be had.
# What really happens in such a system dev/packages and dev/newcomer show.

use strict;
use warnings;

use Cwd qw(realpath);
use Test::More;

use ESG::Certs;
use PostgreSQL::Test::Utils ();

my $chroot = realpath(($ENV{SRC} // '.') . '/dev/chroot');
my $world = realpath(PostgreSQL::Test::Utils::tempdir());
my ($status, $said);

sub spew { return ESG::Certs::spew(@_); }

sub slurp { return -f $_[0] ? ESG::Certs::slurp($_[0]) : ''; }

sub write_program
{
	my ($name, $text) = @_;

	spew("$world/bin/$name", "#!/bin/sh\n$text\n" =~ s/WORLD/$world/gr);
	chmod 0755, "$world/bin/$name" or die "chmod: $!";
	return;
}

# mmdebstrap makes a directory, or says what is in WORLD/fault and fails; its last
# argument but those of hooks is the directory.  unshare runs it, or else writes down the rest.
mkdir "$world/$_" or die "mkdir: $!" foreach qw(bin cache tmp);
write_program('id', 'echo 0');
write_program('mmdebstrap', 'echo "$*" >>WORLD/made
for last; do :; done
mkdir "$last"
[ ! -s WORLD/fault ] || { cat WORLD/fault >&2; exit 25; }
echo "success"');
write_program('unshare', 'while [ $# -gt 0 ]; do case $1 in
	mmdebstrap) exec "$@" ;;
	*/dev/chroot) shift; echo "$*" >>WORLD/ran; exit 3 ;;
	*) options="$options $1"; shift ;;
esac; done');

sub run_chroot
{
	my (@words) = @_;
	my $command = join ' ', map { "'$_'" } @words;

	$status = system("env PATH='$world/bin':\"\$PATH\" CHROOTS='$world/cache' TMPDIR='$world/tmp' '$chroot' $command >'$world/said' 2>&1 </dev/null") >> 8;
	$said = slurp("$world/said");
	return;
}

sub made { return scalar(() = slurp("$world/made") =~ /\n/g); }

sub bases { return grep { -d } glob("$world/cache/*"); }

# ---- once for each set of packages
run_chroot('--with', 'make gcc', 'true', 'x y');
is($status, 3, "the command's exit status");
is(slurp("$world/ran"), "--with make gcc true x y\n", 'it was run, with its arguments');
is(made(), 1, 'a system is made');
like(slurp("$world/made"), qr/--include=ca-certificates iproute2 make gcc .* bookworm /, 'with the packages');
run_chroot('--with', 'gcc  make', 'true');
is(made(), 1, 'once, whatever the order of the packages');
run_chroot('--with', 'gcc make', '--fetch', 'openssl', 'true');
is(made(), 2, 'another one with others');
like(slurp("$world/made"), qr/--download-only openssl/, 'which are only fetched');
run_chroot('--suite', 'trixie', '--with', 'gcc make', 'true');
is(made(), 3, 'and one of another release');
is(scalar(bases()), 3, 'all are kept');
is(join(' ', glob("$world/tmp/*")), '', 'nothing else is left');

# ---- anew after a week
my $old = time - 8.5 * 86400;
utime $old, $old, glob("$world/cache/*.made") or die "utime: $!";
run_chroot('--with', 'gcc make', 'true');
is("$status " . made(), '3 4', 'after a week it is made anew');
utime $old, $old, glob("$world/cache/*.made") or die "utime: $!";
spew("$world/fault", "E: Failed to fetch http://deb.debian.org/debian/dists/bookworm/InRelease\n");
run_chroot('--with', 'gcc make', 'true');
is("$status " . made(), '3 5', 'if that fails the one before is taken');

# ---- none can be had
my @faults = (
	[ 75, 'no index', 'E: Failed to fetch http://deb.debian.org/debian/dists/bookworm/InRelease  Temporary failure resolving' ],
	[ 75, 'no network', 'W: Could not connect to deb.debian.org:80' ],
	[ 1, 'anything else', 'E: Unable to locate package nonsense' ],
	[ 1, 'a package that cannot be configured', 'dpkg: error processing package openssl (--configure):' ]);
unlink glob("$world/ran");
foreach my $fault (@faults)
{
	my ($wanted, $what, $words) = @$fault;

	spew("$world/fault", "$words\n");
	run_chroot('--with', 'nonsense', 'true');
	is($status, $wanted, "$what: exit status $wanted");
	like($said, qr/\Q$words\E/, 'and why');
}
is(slurp("$world/ran"), '', 'nothing was run');
is(scalar(bases()), 3, 'no half of a system is left');

# ---- by whom
write_program('id', 'echo 1000');
run_chroot('true');
is($status, 1, 'not by anybody but root');
like($said, qr/only root/, 'which is said');
done_testing();
