# dev/flakiness runs the suite as often as it is told to beside busy processes, names what fails only sometimes, and
# leaves no process behind; the weekly workflow has each target that prints a table.

use strict;
use warnings;

use Cwd qw(realpath);
use File::Temp qw(tempdir);
use Test::More;

use ESG::Docs;
use ESG::Node;

my $source = realpath($ENV{SRC} // '.');
my $dir = tempdir(CLEANUP => 1);

# What stands in for the suite: notes which processes are busy, and fails in this run.
sub write_suite
{
	my ($name, $bad) = @_;

	open(my $out, '>', "$dir/$name") or die "$name: $!";
	print $out <<"SUITE";
#!$^X
open(my \$count, '>>', '$dir/$name.runs') or die; print \$count '.'; close \$count;
my \$run = -s '$dir/$name.runs';
my \@busy;
foreach my \$path (glob '/proc/[0-9]*/cmdline')
{
	open(my \$in, '<', \$path) or next;
	push \@busy, \$path =~ m{(\\d+)} if (<\$in> // '') =~ m{dev/flakiness\\0};
}
open(my \$seen, '>', '$dir/$name.seen') or die; print \$seen "\@busy"; close \$seen;
if (\$run == $bad) { print "failed: t/007_some.t: 3\\n9 passed, 1 failed\\n"; exit 1 }
print "10 passed, 0 failed\\n";
SUITE
	close $out or die "$name: $!";
	chmod 0755, "$dir/$name";
	return;
}

sub run
{
	my ($name, @arguments) = @_;

	local $ENV{FLAKINESS_SUITE} = "$dir/$name";
	my $said = `'$source/dev/flakiness' @arguments 2>&1`;
	return ($? >> 8, $said);
}

write_suite('good', 0);
my ($status, $said) = run('good', 3, 4);
is($status, 0, 'nothing fails: exit status 0');
like($said, qr/^\| the suite, beside 4 busy processes \| 3 \| 0 \| 30 \| 0 \|$/m, 'the table says how often');
is(scalar(() = $said =~ /^== run \d of 3: 10 passed, 0 failed, \d+ s$/mg), 3, 'each run is told');
my %seen = map { ($_ => 1) } ESG::Node::slurp("$dir/good.seen") =~ /(\d+)/g;
cmp_ok(scalar keys %seen, '>=', -d '/proc/self' ? 5 : 0, 'with busy processes beside it');
is(scalar(grep { kill 0, $_ } keys %seen), 0, 'which are gone at the end');

write_suite('bad', 2);
($status, $said) = run('bad', 3, 1);
is($status, 1, 'one fails once: 1');
like($said, qr/^== run 2: t\/007_some\.t: 3$/m, 'in which run');
like($said, qr/^\| the suite, beside 1 busy processes \| 3 \| 1 \| 29 \| 1 \|\n\| t\/007_some\.t \| 3 \| 1 \| \| \|$/m, 'and which file');
($status, $said) = run('bad', 'x');
isnt($status, 0, 'a number that is none');
like($said, qr/^usage: flakiness/m, 'is refused');

# ---- the weekly workflow
my $workflow = ESG::Docs::read_text('.github/workflows/weekly.yml');
my ($targets) = $workflow =~ /^\s+target: \[(.*)\]$/m;
my ($known) = ESG::Docs::read_text('Makefile') =~ /^project_targets := (.*)$/m;
my %known = map { ($_ => 1) } split ' ', $known;
is(join(' ', grep { !$known{$_} } split /, /, $targets // ''), '', 'the workflow runs targets of the Makefile');
my @tables = map { m{([^/]+)$} } grep { -f && ESG::Node::slurp($_) =~ /print "\\n\| / } glob "'$source'/dev/*";
cmp_ok(scalar @tables, '>=', 3, 'there are such');
is(join(' ', grep { my $name = tr/_/-/r; $targets !~ /\b\Q$name\E\b/ } @tables), '', 'and all that print a table');
is(join(' ', grep { !/\@[0-9a-f]{40}\z/ } $workflow =~ /uses: (\S+)/g), '', 'actions are pinned');
like($workflow, qr/^      - run: make bench-docs$/m, 'and the benchmarks');

done_testing();
