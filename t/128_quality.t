# dev/quality writes what a target's table says into its own section and leaves the others alone; and
# dev/analyze finds the faults that were made for it, and an exception that is not needed any more.

use strict;
use warnings;

use Cwd qw(realpath);
use Test::More;

use PostgreSQL::Test::Utils ();

use ESG::Certs;

my $source = realpath($ENV{SRC} // '.');
my $base = realpath(PostgreSQL::Test::Utils::tempdir());
my $file = "$base/quality.md";

sub spew
{
	my ($path, $text, $mode) = @_;

	ESG::Certs::spew($path, $text);
	chmod $mode, $path or die "$path: $!" if defined $mode;
	return;
}

sub slurp { return ESG::Certs::slurp($_[0]); }

# What a "make" prints that knows three targets.
spew("$base/make", <<'END', 0755);
#!/bin/sh
case $1 in
	one) printf 'words\n| what | figure |\n| one | %s |\n' "$FIGURE" ;;
	two) printf '| what | figure |\n| two | 2 |\n'; exit 3 ;;
	*) echo no table ;;
esac
END

# exit status, what it printed
sub run_quality
{
	local $ENV{QUALITY_MAKE} = "$base/make";
	my $said = `'$source/dev/quality' --file '$file' @_ 2>&1`;

	return ($? >> 8, $said);
}

# [heading, how it went, lines of the table] of each section
sub sections
{
	return map { [ /^## (.*)/, /^\d{4}-\d\d-\d\d, (\S+), \d+ minutes\. .*PostgreSQL \d+.*OpenSSL \d.* processors/m, /^(\|.*)/mg ] }
	  grep { /^## / } split /^(?=## )/m, slurp($file);
}

$ENV{FIGURE} = 1;
is((run_quality('two'))[0], 1, 'a target fails: so does this');
is((run_quality('one'))[0], 0, 'and one that does not');
is_deeply([ sections() ],
	[
		[ 'one', 'passed', '| what | figure |', '|---|---|', '| one | 1 |' ],
		[ 'two', '**failed**', '| what | figure |', '|---|---|', '| two | 2 |' ] ],
	'each has its section') or diag(slurp($file));
$ENV{FIGURE} = 7;
run_quality('one');
is_deeply([ map { $_->[-1] } sections() ], [ '| one | 7 |', '| two | 2 |' ], 'a later run replaces its own');
my $before = slurp($file);
my ($status, $said) = run_quality('three');
is("$status " . ($said =~ /"make three" printed no table/ ? 'said' : $said), '2 said', 'one without a table');
is(slurp($file), $before, 'changes nothing');

SKIP:
{
	my @tools = grep { system("$_ --version >/dev/null 2>&1") == 0 } qw(clang-tidy cppcheck gcc);

	skip "of clang-tidy, cppcheck and gcc there are only: @tools (dev/setup --with-analyzers): dev/analyze NOT TESTED", 4 if @tools < 3;
	$said = `'$source/dev/analyze' --self-test 2>&1`;
	is($?, 0, 'each tool finds the fault that was made for it') or diag($said);

	# sources of its own
	mkdir "$base/$_" or die $! foreach qw(top top/dev top/src top/src/a);
	spew("$base/top/dev/analyze", slurp("$source/dev/analyze"), 0755);
	spew("$base/top/ext_ssl_guard.c", "int f(void);\n");
	spew("$base/top/src/a/b.c", "#include <stdlib.h>\nint f(const char *s);\nint f(const char *s)\n{\n\treturn atoi(s);\n}\n");
	my $run = sub { spew("$base/top/dev/analyze.allow", $_[0]); $said = `'$base/top/dev/analyze' 2>&1`; return $? >> 8; };

	is($run->('') . ($said =~ /^src\/a\/b.c:5:9: .*\[cert-err34-c\]$/m ? ' said' : $said), '1 said', 'what is not allowed');
	is($run->("cert-err34-c src/a/b.c 1 a test\n"), 0, 'what is') or diag($said);
	is($run->("cert-err34-c src/a/b.c 1 a test\ncert-msc30-c src/a/b.c 1 gone\n") . ($said =~ /cert-msc30-c src\/a\/b.c is not reported any more/ ? ' said' : $said),
		'1 said', 'what is allowed, and not there');
}

done_testing();
