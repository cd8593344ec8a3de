# The benchmark of logins finds a slow-down: one of the library's login hook puts it over its
# budget, and the same of the control's does not.

use strict;
use warnings;

use Test::More;

use ESG::Node;

plan skip_all => 'needs a C compiler and the headers of the server'
  if !ESG::Node::build_library("$ENV{TESTDIR}/probe", "#include \"postgres.h\"\n#include \"fmgr.h\"\nPG_MODULE_MAGIC;\n");
plan skip_all => 'EXEC_BACKEND: processes are started otherwise' if ESG::Node::exec_backend();

# (exit status, row of the table) with that server slower
sub run_bench
{
	my ($slow) = @_;

	local $ENV{BENCH_SLOWDOWN} = "$slow:3000000";
	my $own = "$ENV{TESTDIR}/slow_$slow";

	# its servers have the same names each time
	local @ENV{qw(TESTDIR TESTDATADIR TESTLOGDIR)} = ($own, "$own/tmp_check", "$own/tmp_check/log");
	mkdir $own or die "$own: $!";
	my $out = `perl '$ENV{SRC}/dev/bench/login' --rounds 1 --logins 20 --only time --servers control,defaults 2>&1`;
	my $status = $? >> 8;
	my ($row) = $out =~ /^(processor time, defaults .*)/m;

	note $out;
	return ($status, $row // '');
}

my ($status, $row) = run_bench('defaults');
is($status, 1, 'a slow login hook: the benchmark fails');
like($row, qr/ EXCEEDED$/, 'and says which budget is exceeded');

($status, $row) = run_bench('control');
is($status, 0, 'the control is as slow: it does not');
like($row, qr/ 1\.01$/, 'as the budget holds');

done_testing();
