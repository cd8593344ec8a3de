# dev/coverage bites: what is not run, and branches of the pure folders that are not taken, are faults; those that are
# listed are none, and two programs are counted together.

use strict;
use warnings;

use Cwd qw(realpath);
use Test::More;

use PostgreSQL::Test::Utils ();

use ESG::Certs;
use ESG::Node;

my $source = realpath($ENV{SRC} // '.');
my $base = realpath(PostgreSQL::Test::Utils::tempdir());

foreach my $program (qw(gcc gcov))
{
	plan skip_all => "no $program: dev/coverage NOT TESTED" if system("$program --version >/dev/null 2>&1") != 0;
}
mkdir "$base/$_" or die $! foreach qw(top top/dev top/src top/src/policy top/src/login one two);
ESG::Certs::spew("$base/top/dev/coverage", ESG::Node::slurp("$source/dev/coverage"));
chmod 0755, "$base/top/dev/coverage" or die "dev/coverage: $!";
ESG::Certs::spew("$base/top/src/policy/a.c", "extern int getpid(void);\nint f(int n);\n\nint\nf(int n)\n{\n\treturn n > 3 ? getpid() : n;\n}\n");

# What ends its main(), and what else there is.
sub write_main
{
	my ($end, $more) = @_;

	ESG::Certs::spew("$base/top/src/login/b.c", "extern int f(int n);\n\n$more\nint\nmain(int argc, char **argv)\n{\n\t(void) argv;\n\t$end;\n}\n");
	return;
}

# A program of the two, that is run with so many arguments; it ends by _exit().
sub run_program
{
	my ($dir, @arguments) = @_;

	system("cd '$base/$dir' && for file in policy/a login/b; do mkdir -p \${file%/*} && gcc --coverage -O0 -include '$source/dev/coverage.h' "
		  . "-c ../top/src/\$file.c -o \$file.o || exit 9; done && gcc --coverage */*.o -o program && ./program @arguments; true") == 0
	  or die 'the program cannot be built';
	return;
}

# exit status, output
sub run_coverage
{
	my $dirs = join ' ', map { "'$base/$_'" } @_;
	my $said = `'$base/top/dev/coverage' --collect $dirs 2>&1`;

	return ($? >> 8, $said);
}

write_main('return f(argc) + 2', '');
run_program('one');
my ($status, $said) = run_coverage('one');
is($status, 1, 'a branch of a pure folder that is not taken');
like($said, qr/^src\/policy\/a\.c:7: return n > 3 \? getpid\(\) : n;$/m, 'it is named');
like($said, qr/^\| src\/policy\/ \(pure\) \| 1 \| \d+ \| 100\.0 % \| 2 \| 1 \| 0 \|$/m, 'and in the table') or diag($said);
ESG::Certs::spew("$base/top/dev/coverage.allow", "src/policy/a.c 1 for the sake of this test\n");
($status, $said) = run_coverage('one');
is($status, 0, 'one that is listed') or diag($said);
unlike($said, qr/^(?:coverage:|src\/policy)/m, 'is not named');
ESG::Certs::spew("$base/top/dev/coverage.allow", "src/policy/a.c 1 for the sake of this test\nsrc/policy/gone.c 1 a test\n");
is((run_coverage('one'))[0], 1, 'a file that is listed and not there');
unlink "$base/top/dev/coverage.allow" or die $!;
run_program('two', 1 .. 5);
is((run_coverage('two'))[0], 1, 'another program takes the other branch');
($status, $said) = run_coverage('one', 'two');
is($status, 0, 'both together take all') or diag($said);
like($said, qr/^\| all \| 2 \| \d+ \| 100\.0 % \| 2 \| 0 \| 0 \|$/m, 'and the table has it');
isnt((run_coverage('top'))[0], 0, 'where nothing was measured, nothing is good');

system('rm', '-r', "$base/one", "$base/two") == 0 && mkdir("$base/one") && mkdir("$base/two") or die $!;
write_main('_exit(f(argc) + 2)', "int g(int n);\n\nint\ng(int n)\n{\n\treturn n;\n}\n");
run_program('one');
run_program('two', 1 .. 5);
($status, $said) = run_coverage('one', 'two');
is($status, 1, 'a function that nobody calls');
like($said, qr/^coverage: ([1-9]\d\.\d) % of the lines are run, less than 92 %$/m, 'is too many lines; what a process has run that ends by _exit() counts')
  or diag($said);
like($said, qr/^\| src\/policy\/ \(pure\) \| 1 \| \d+ \| 100\.0 % \| 2 \| 0 \| 0 \|$/m, 'all of it');

done_testing();
