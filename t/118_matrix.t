# dev/matrix: what it leaves out and what it counts.  The chroots are no
# chroots here: programs of this test stand in for mmdebstrap, and for what would
# be run there.

use strict;
use warnings;

use Cwd qw(abs_path getcwd);
use File::Path qw(make_path);
use Test::More;

use ESG::Certs;
use ESG::Docs;

my $top = $ENV{SRC} // getcwd();
my $base = abs_path(ESG::Certs->new->dir);
my $help = `'$top/dev/matrix' --help`;
is($?, 0, 'there is help');
like($help, qr/\b$_\b/, "it speaks of $_")
  foreach qw(bookworm trixie sid experimental RELEASES MATRIX_DIR MATRIX_TESTS MATRIX_MINUTES MATRIX_MIRROR MATRIX_SOURCE);

my $said = `'$top/dev/matrix' buster 2>&1`;
is($? >> 8, 2, 'another release is an error');
like($said, qr/no release "buster"/, 'which says so');
if ($> != 0)
{
	$said = `'$top/dev/matrix' trixie 2>&1`;
	is($? >> 8, 2, 'so is whoever is not root');
	like($said, qr/root is needed/, 'which says so');
}

SKIP:
{
	skip 'no user namespaces here', 1 if system("unshare --user --map-root-user true >'$base/out' 2>&1") != 0;
	skip 'there is no apt-helper', 1 unless -x '/usr/lib/apt/apt-helper';
	make_path("$base/bin", map { "$base/mirror/dists/$_" } qw(bookworm trixie sid experimental));
	ESG::Certs::spew("$base/mirror/dists/$_/InRelease", "an index\n") foreach qw(bookworm trixie sid experimental);
	test_all();
}

# Puts a program of this name in the path.
sub program
{
	my ($name, $text) = @_;

	chmod 0755, ESG::Certs::spew("$base/bin/$name", "#!/bin/sh\n$text\n") or die "chmod: $!";
	return;
}

# What it prints and its exit status; in the chroot the suite prints that.
sub matrix
{
	my ($variables, $suite, @arguments) = @_;
	my %all = (MATRIX_DIR => "$base/cache", MATRIX_MIRROR => "file:$base/mirror", %$variables);
	my $variables_text = join(' ', map { "$_='$all{$_}'" } sort keys %all);

	ESG::Certs::spew("$base/suite", $suite);
	program('unshare', <<"SH");
case "\$* " in
	*' mmdebstrap '*)
		while [ "\$1" != timeout ]; do shift; done
		exec "\$@" ;;
	*--from-source*) echo /pg_config >"\$MATRIX_ROOT/pg_config" ;;
	*) . '$base/suite' ;;
esac
SH
	my $out = `unshare --user --map-root-user env $variables_text PATH='$base/bin:$ENV{PATH}' '$top/dev/matrix' @arguments 2>&1`;
	return ($out, $? >> 8);
}

sub test_all
{
	my $fine = "echo 'server: 17.2'; echo 'openssl: 3.5.1'; echo '[1] t/001_a.t .... skipped: for a reason'; echo '11 passed, 0 failed'";
	my $bad = "echo 'failed: t/001_a.t: 7'; echo '9 passed, 2 failed'; echo 'make: *** Error 1'; exit 2";
	my $makes = 'for dir in "$@"; do case $dir in /*/cache/*) break ;; esac; done; mkdir -p "$dir/etc/apt/preferences.d" "$dir/usr/sbin" "$dir/var/cache/apt/archives"';
	my ($out, $status);

	program('mmdebstrap', $makes);
	($out, $status) = matrix({}, $fine, 'trixie', 'sid');
	is($status, 0, 'two releases are fine');
	like($out, qr/^22 passed, 0 failed\n\z/m, 'the sum comes last');
	like($out, qr/^$_ +17\.2 +3\.5\.1 +11 +0 +1 /m, "$_ has its row") foreach qw(trixie sid);
	like($out, qr{^skipped on trixie: t/001_a\.t: for a reason$}m, 'and what was skipped its reason');

	($out, $status) = matrix({}, $bad, 'sid');
	is($status, 1, 'a failing test is a failure, on sid, too');
	like($out, qr/^9 passed, 2 failed\n\z/m, 'and is counted');
	like($out, qr/^failed: t\/001_a\.t: 7$/m, 'with its name');
	($out, $status) = matrix({}, 'echo "ok 1"; exit 3', 'experimental');
	is($status, 1, 'a suite that does not reach its end is a failure');
	like($out, qr/^0 passed, 1 failed\n\z/m, 'which is counted');

	# time
	($out, $status) = matrix({ MATRIX_MINUTES => 0 }, $fine, 'trixie', 'sid');
	is($status, 0, 'without time nothing is begun');
	like($out, qr/^== $_ IS LEFT OUT, NOTHING WAS TESTED THERE: too little of 0 minutes/m, "and $_ is named") foreach qw(trixie sid);
	like($out, qr/^0 passed, 0 failed\n\z/m, 'nothing is counted');
	($out, $status) = matrix({ MATRIX_MINUTES => 1 }, 'echo "ok 1"; exit 137', 'trixie');
	is($status, 0, 'cut short while all was well: left out');
	like($out, qr/^== trixie IS LEFT OUT.*time was up/m, 'with a line');
	($out, $status) = matrix({ MATRIX_MINUTES => 1 }, 'echo "not ok 1 - x"; exit 137', 'trixie');
	is($status, 1, 'cut short after something had failed: a failure');

	# chroots
	($out, $status) = matrix({ MATRIX_MIRROR => "file:$base/nowhere" }, $fine, 'trixie');
	like($out, qr/^11 passed, 0 failed\n\z/m, 'a chroot that is there is used without a mirror');
	($out, $status) = matrix({ MATRIX_MIRROR => "file:$base/nowhere" }, $fine, '--fresh', 'trixie');
	is($status, 0, 'a package index that cannot be had: no failure');
	like($out, qr/^== trixie IS LEFT OUT.*no package index/m, 'but a line');
	program('mmdebstrap', 'echo "E: Failed to fetch http://x/y.deb"; exit 1');
	($out, $status) = matrix({}, $fine, 'trixie');
	is($status, 0, 'a package that cannot be had is the same');
	program('mmdebstrap', "$makes; sleep 1");
	($out, $status) = matrix({ MATRIX_MINUTES => 1 }, $fine, '--fresh', 'trixie');
	is($status, 0, 'in time');
	program('mmdebstrap', 'exec sleep 3600');
	# SECONDS is inherited: 50 of the minute are over
	($out, $status) = matrix({ MATRIX_MINUTES => 1, SECONDS => 50 }, $fine, '--fresh', 'trixie');
	is($status, 0, 'a bootstrap that is not done when the time is up is no failure');
	like($out, qr/^== trixie IS LEFT OUT.*time was up while/m, 'but a line');
	program('mmdebstrap', 'echo "E: broken"; exit 1');
	($out, $status) = matrix({}, $fine, 'trixie');
	is($status, 1, 'a bootstrap that breaks is a failure');
	like($out, qr/^E: broken$/m, 'with its words');
	($out, $status) = matrix({}, $fine, '--fresh', 'sid');
	is($status, 0, 'on sid it is not');
	like($out, qr/^== sid IS LEFT OUT.*do not fit together/m, 'but a line');
	return;
}

# .ci/run: bookworm and trixie always, here or in a chroot
my ($always) = ESG::Docs::read_text('.ci/run') =~ /^(always\(\)\n\{.*?^\})$/ms;
chomp(my $here = `. /etc/os-release; echo "\$VERSION_CODENAME"`);
my %tested = map { $_ => 1 } $here, split ' ', `bash -c '$always
always'`;
ok($tested{$_}, "$_ is tested") foreach qw(bookworm trixie);
ok(!$tested{sid} || $here eq 'sid', 'sid is not always');
is(join(' ', grep { $_ eq $here } split ' ', `bash -c '$always
always'`), '', 'what was tested here has no chroot');

done_testing();
