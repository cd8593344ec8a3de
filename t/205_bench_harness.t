# The harness of the benchmarks: a row over its budget is seen in the table and in the
# exit status, and figures that were left become a page with pictures.

use strict;
use warnings;

use Test::More;

use File::Temp qw(tempdir);
use JSON::PP ();

use ESG::Node;

my $dir = tempdir(CLEANUP => 1);
my $bench = "$ENV{SRC}/dev/bench";

# A benchmark of its own process, whose rows are those given; returns exit status and output.
sub run_bench
{
	my ($name, $rows) = @_;
	my $out = `BENCH_OUT='$dir' perl -MESG::Bench -e '
		my \$bench = ESG::Bench->new("$name", "Title of $name", "About it.");
		\$bench->axes("things", "seconds");
		$rows
		exit \$bench->finish' 2>&1`;

	return ($? >> 8, $out);
}

my ($status, $out) = run_bench('good', '$bench->row("one", 1234567, "instructions", ratio => 1.5, budget => 1.5); $bench->row("two", 3, "MB", budget => 4);
	$bench->row("three", 99, "kB"); $bench->point("curve", $_, $_ / 2) foreach 10, 100, 1000;');
is($status, 0, 'within budget: exit status 0');
like($out, qr/^one +1,234,567 instructions +1\.5000 +1\.5$/m, 'a row');
like($out, qr/^within budget$/m, 'said');
($status, $out) = run_bench('ratio', '$bench->row("one", 10, "instructions", ratio => 1.51, budget => 1.5);');
is($status, 1, 'a ratio over budget: 1');
like($out, qr/1\.5100 +1\.5 +EXCEEDED$/m, 'marked');
like($out, qr/^over budget: 1 of 1$/m, 'and counted');
($status, $out) = run_bench('figure', '$bench->row("one", 10, "ms", budget => 9); $bench->row("two", 10, "ms", ratio => 3, budget => 9);');
is($status, 1, 'a figure over budget: 1');
like($out, qr/^over budget: 1 of 2$/m, 'where there is a ratio, it is what counts');
($status, $out) = run_bench('empty', '');
isnt($status, 0, 'nothing measured is no success');
unlike($out, qr/within budget/, 'and not called one');

# the page
is(system("$bench/report", $dir, "$dir/docs"), 0, 'a page is made');
my $page = ESG::Node::slurp("$dir/docs/performance.md");
like($page, qr/^## Title of good\n\nAbout it\.\n\n\| what \| figure \| ratio \| budget \|/m, 'with a section for each');
like($page, qr/^\| one \| 1,234,567 instructions \| 1\.5000 \| 1\.5 \|$/m, 'its rows');
like($page, qr/^!\[Title of good\]\(performance-good\.svg\)$/m, 'and its picture');
my $picture = ESG::Node::slurp("$dir/docs/performance-good.svg");
is(scalar(() = $picture =~ /<circle /g), 3, 'with a point for each size');
like($picture, qr/>seconds</, 'and what the axes are');
ok(!-e "$dir/docs/performance-ratio.svg", 'none without a curve');

# figures of another day say so
my $old = JSON::PP->new->decode(ESG::Node::slurp("$dir/ratio.json"));
$old->{machine} = '2020-01-01, another machine';
open(my $file, '>', "$dir/ratio.json") or die "ratio.json: $!";
print $file JSON::PP->new->encode($old);
close $file;
is(system("$bench/report", $dir, "$dir/docs"), 0, 'made again');
like(ESG::Node::slurp("$dir/docs/performance.md"), qr/^## Title of ratio\n\n\(2020-01-01, another machine\)$/m, 'a section tells of another machine');

# the runner: over budget or dead, it says which
foreach my $case ([ fine => 'exit 0', 0 ], [ over => 'exit 1', 1 ], [ dead => 'kill 9, $$', 1 ])
{
	my ($name, $end, $wanted) = @$case;
	my $copy = "$dir/run-$name";

	mkdir $copy or die "mkdir: $!";
	system('cp', "$bench/run", $copy) == 0 or die 'cp';
	open(my $script, '>', "$copy/$name") or die "$name: $!";
	print $script "#!/usr/bin/env perl\n$end;\n";
	close $script;
	chmod 0755, "$copy/$name";
	mkdir "$copy/out";
	system('cp', "$dir/good.json", "$copy/out") == 0 or die 'cp';
	my $text = `BENCH_OUT='$copy/out' '$copy/run' 2>&1`;
	is($? >> 8, $wanted, "the runner, $name: $wanted");
	like($text, $wanted ? qr/^over budget, or not finished: $name$/m : qr/^every row is within its budget$/m, "$name: said");
}

done_testing();
