# debian/, packaging/, .github/ and docs/Dockerfile say the same as the rest of the
# sources: versions, files, licence.  That they build, install and leave nothing
# behind is tried by dev/packages and dev/newcomer, which .ci/run calls.

use strict;
use warnings;

use Test::More;

use ESG::Docs;

my $source = ESG::Docs::source();
plan skip_all => 'there is no debian/: the source archive has none' unless -d "$source/debian";

sub text { return ESG::Docs::read_text($_[0]); }

my ($version) = text('META.json') =~ /^\t"version": "(.*)",$/m;
my ($heading) = text('CHANGELOG.md') =~ /^## (.*)$/m;

# ---- debian/
my ($package, $debian, $suite) = text('debian/changelog') =~ /\A(\S+) \((\S+)\) (\S+);/;
is($package, 'ext-ssl-guard', 'the source package');
like($debian, qr/\A\Q$version\E-\d+\z/, 'debian/changelog has the version of META.json');
is($suite eq 'UNRELEASED' ? 'not released' : 'released', $heading =~ /not released/ ? 'not released' : 'released', 'and is released with it');
is(text('debian/control'), text('debian/control.in') =~ s/PGVERSION/15/gr, 'debian/control is made of debian/control.in, for Debian 12');
is(text('debian/pgversions'), "15+\n", 'for the versions that the extension is for');
like(text('debian/source/format'), qr/\A3\.0 \(quilt\)\n/, 'the format of the source package');

sub licence_words { return join ' ', split ' ', $_[0] =~ s/^ \.$//gmr; }
my ($paragraph) = text('debian/copyright') =~ /^License: PostgreSQL\n((?: .*\n)+)\z/m;
my $licence = join ' ', split ' ', text('LICENSE') =~ s/\A.*?(?=^Permission)//msr;
is(licence_words($paragraph // ''), $licence, 'debian/copyright has the licence');
foreach my $test (map { split ' ' } text('debian/tests/control') =~ /^Tests: (.*)$/mg)
{
	ok(-x "$source/debian/tests/$test", "debian/tests/$test is there");
}

# ---- the RPM package
my $spec = text('packaging/rpm/ext_ssl_guard.spec');
my @changes = $spec =~ /^\* .* - (\S+)-\d+$/mg;
is(($spec =~ /^Version:\s+(\S+)$/m)[0], $version, 'the version of the spec');
is($changes[0], $version, 'and of its changes');
SKIP: {
	skip 'there is no rpmspec', 1 if system('command -v rpmspec >/dev/null 2>&1') != 0;
	my $parsed = `rpmspec -P --define 'pgconfig $ENV{PG_CONFIG}' '$source/packaging/rpm/ext_ssl_guard.spec' 2>&1`;
	chomp(my $bindir = `'$ENV{PG_CONFIG}' --bindir`);
	like($parsed, qr/^\Q$bindir\E\/ssl_guard_ctl$/m, 'rpmspec reads it');
}

# ---- versions in documents: commands that are to be typed
my %named = map { $_ => 1 } (map { text($_) =~ /(?:ext_ssl_guard-|(?:common|guard)_)(\d+\.\d+\.\d+)/g } 'docs/install.md', 'packaging/rpm/ext_ssl_guard.spec');
is(join(' ', sort keys %named), $version, 'docs/install.md and the spec name the version');

# ---- the workflow
my $workflow = text('.github/workflows/ci.yml');
like($workflow, qr/^\s+- run: \.ci\/run$/m, 'the workflow runs .ci/run');
like($workflow, qr/^  push:$/m, 'at each push');
like($workflow, qr/^    - cron: '\d+ \d+ \* \* [0-7]'$/m, 'and each week');
my ($weekly) = $workflow =~ /CI_MINUTES: .*schedule' && '(\d+)'/;
my ($all_from) = text('.ci/run') =~ /CI_MINUTES:-\d+\}" -ge (\d+)/;
cmp_ok($weekly // 0, '>=', $all_from, 'with time for all of the suite on the other release');
is(join(' ', grep { !/\@[0-9a-f]{40}\z/ } $workflow =~ /uses: (\S+)/g), '', 'actions are pinned');
unlike($workflow, qr/\t/, 'no tab, which YAML forbids');
SKIP: {
	skip 'there is no YAML for python3', 1 if system("python3 -c 'import yaml' >/dev/null 2>&1") != 0;
	my $steps = `python3 -c 'import sys, yaml; print(len(yaml.safe_load(open(sys.argv[1]))["jobs"]["ci"]["steps"]))' '$source/.github/workflows/ci.yml' 2>&1`;
	like($steps, qr/\A[1-9]\d*\n\z/, 'the workflow is YAML');
}
my $ci = text('.ci/run');
like($ci, qr{dev/\Q$_\E\b}, ".ci/run calls dev/$_") foreach qw(packages newcomer);

# ---- docs/Dockerfile
my $dockerfile = text('docs/Dockerfile');
my ($major) = $dockerfile =~ /^ARG PG_MAJOR=(\d+)$/m;
cmp_ok($major, '>=', 15, 'the image has a version that the extension is for');
is(join(' ', grep { !/^(FROM|ARG|RUN|COPY|WORKDIR|CMD)$/ } $dockerfile =~ s/\\\n//gr =~ /^(?!#)(\S+)/mg), '', 'and known instructions');
my @needed = sort map { s/^postgresql-server-dev-.*/postgresql-server-dev/r } grep { !/^-/ } split ' ', ($dockerfile =~ s/\\\n//gr =~ /apt-get install (.*)$/m)[0] =~ tr/"//dr;
my ($readme) = text('README.md') =~ /apt-get install (.*)$/m;
is(join(' ', @needed), join(' ', sort map { s/-\d+$//r } split ' ', $readme), 'what it installs is what README.md says');
done_testing();
