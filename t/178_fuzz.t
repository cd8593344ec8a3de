# The fuzzers find faults that are planted, within seconds, and say so in their table; what has made one fail once is tried each time.

use strict;
use warnings;

use Cwd qw(realpath);
use IPC::Run ();
use Test::More;

use ESG::Certs;
use PostgreSQL::Test::Utils ();

my $base = realpath(PostgreSQL::Test::Utils::tempdir());
my $source = realpath($ENV{SRC} // '.');
my ($clang) = grep { defined && system("$_ --version >/dev/null 2>&1") == 0 } $ENV{CLANG}, 'clang', map { s{.*/}{}r } glob('/usr/bin/clang-[0-9]*');

ESG::Certs::spew("$base/probe.c", "int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n);\n"
	  . "int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n)\n{\n\t(void) d;\n\t(void) n;\n\treturn 0;\n}\n");
plan skip_all => 'NO CLANG WITH libFuzzer (dev/setup --with-fuzz): THE FUZZERS ARE NOT TESTED'
  if !defined $clang || system("$clang -fsanitize=fuzzer,address,undefined '$base/probe.c' -o '$base/probe' >/dev/null 2>&1") != 0;

# Sources of its own; what was built of them is built anew where they change.
my $top = "$base/top";
mkdir $_ or die "$_: $!" foreach $top, "$base/work", "$base/out";
system("cd '$source' && tar -cf - src dev/fuzz t/unit | (cd '$top' && tar -xf -)") == 0 or die 'tar failed';

# exit status, and { fuzzer => [runs, seconds, edges, files, findings] }
sub run_fuzzers
{
	my ($seconds, @fuzzers) = @_;
	local @ENV{qw(FUZZ_DIR FUZZ_OUT CLANG SANDBOX)} = ("$base/work", "$base/out", $clang, '');
	my $said = '';

	unlink glob("$base/out/*");
	IPC::Run::run([ "$top/dev/fuzz/run", $seconds, @fuzzers ], '>&', \$said);
	my $status = $? >> 8;
	my %row = map { /^\| (\w+) \| (.*) \|$/ ? ($1 => [ split / \| /, $2 ]) : () } split /\n/, $said;

	return ($status, $said, \%row);
}

# Another text in a file of the sources, until it is undone.
sub plant
{
	my ($file, $from, $to) = @_;
	my $good = ESG::Certs::slurp("$top/$file");
	my $bad = $good =~ s/\Q$from\E/$to/r;

	isnt($bad, $good, "$file has what is to be changed");
	# make goes by whole seconds on some file systems
	sleep 1;
	ESG::Certs::spew("$top/$file", $bad);
	return sub { sleep 1; ESG::Certs::spew("$top/$file", $good); };
}

my ($status, $said, $row) = run_fuzzers(2, 'fuzz_deny', 'fuzz_auth', 'fuzz_pipe');
my $pipe = $row->{fuzz_pipe};
is($status, 0, 'no fault, no finding') or diag($said);
like($said, qr/^\| fuzzer \| runs \| seconds \| edges \| corpus files \| findings \|$/m, 'a table');
is(join(' ', sort keys %$row), 'fuzz_auth fuzz_deny fuzz_pipe fuzzer', 'of those that were asked for');
foreach my $name (qw(fuzz_auth fuzz_deny fuzz_pipe))
{
	my ($runs, undef, $edges, $files, $findings) = @{ $row->{$name} // [] };
	my @corpus = glob("$source/dev/fuzz/corpus/$name/*");

	cmp_ok($runs, '>=', scalar @corpus, "$name: runs");
	cmp_ok($edges, '>', 10, "$name: edges");
	is("$files $findings", scalar(@corpus) . ' 0', "$name: the corpus is there, and no finding");
}

# A buffer that is too short.
my $undo = plant('src/policy/deny_list.c', 'if (used == ESG_DENY_SERIAL_SIZE - 1)', 'if (used == ESG_DENY_SERIAL_SIZE + 40)');
($status, $said, $row) = run_fuzzers(20, 'fuzz_deny');
is("$status $row->{fuzz_deny}[4]", '1 1', 'a planted overflow is found') or diag($said);
cmp_ok($row->{fuzz_deny}[1], '<', 20, 'within seconds');
like($said, qr/^fuzz_deny FAILED.*ERROR: .*^  input: \Q$base\E.*^    \S+$/ms, 'and said, with the input');
is(scalar(my @inputs = glob("$base/out/fuzz_deny-*")), 1, 'which is kept');
$undo->();

# A line of pg_hba.conf is called dead while somebody can come by it.
mkdir $_ or die "$_: $!" foreach "$base/seeds", "$base/seeds/fuzz_auth";
ESG::Certs::spew("$base/seeds/fuzz_auth/wider", "host all all 10.0.0.0/16 reject\nhost all all 10.0.0.0/8 md5\n");
local $ENV{FUZZ_SEEDS} = "$base/seeds";
$undo = plant('src/policy/hba.c', 'if ((outer->mask[i] & ~inner->mask[i]) != 0 ||', 'if (');
($status, $said, $row) = run_fuzzers(40, 'fuzz_auth');
is("$status $row->{fuzz_auth}[4]", '1 1', 'a planted error in reasoning is found') or diag($said);
$undo->();

# As it was once: a record of which a text does not end.
$undo = plant('src/login/handshake.c', 'if (is_record_sound(&record))', 'if (true)');
($status, $said, $row) = run_fuzzers(1, 'fuzz_pipe');
is("$status $row->{fuzz_pipe}[4]", '1 1', 'what was a fault once is in the corpus') or diag($said);
$undo->();

# What does not compile is no success.
$undo = plant('dev/fuzz/fuzz_deny.c', 'int', 'nothing');
($status, $said, $row) = run_fuzzers(1, 'fuzz_deny');
is("$status $row->{fuzz_deny}[4]", '1 1', 'a fuzzer that cannot be built') or diag($said);
$undo->();

# What is in the repository is small, and of nobody's machine.
my @corpus = glob("$source/dev/fuzz/corpus/*/*");
my $bytes = 0;
$bytes += -s foreach @corpus;
cmp_ok($bytes, '<', 600_000, 'the corpora are small');
is_deeply([ grep { ESG::Certs::slurp($_) =~ m{/(?:work|home|root|Users|tmp/wt)/|PRIVATE KEY} } @corpus ], [], 'without paths and keys');
foreach my $fuzzer (map { m{(fuzz_\w+)\.c$} } glob("$source/dev/fuzz/fuzz_*.c"))
{
	ok(scalar(my @files = glob("$source/dev/fuzz/corpus/$fuzzer/*")), "$fuzzer has a corpus");
	like(ESG::Certs::slurp("$source/dev/fuzz/README"), qr/^\Q$fuzzer\E\b/m, "$fuzzer is in the README");
}

done_testing();
