# dev/mutate bites: in a small tree a mutant that no test notices survives and is named, one that a test notices does
# not; what is the same object code is no mutant, and what is excused is none either.

use strict;
use warnings;

use Cwd qw(realpath);
use Test::More;

use PostgreSQL::Test::Utils ();

use ESG::Certs;
use ESG::Node;

my $source = realpath($ENV{SRC} // '.');
my $base = realpath(PostgreSQL::Test::Utils::tempdir());

plan skip_all => 'no cc: dev/mutate NOT TESTED' if system('cc --version >/dev/null 2>&1') != 0;
mkdir "$base/$_" or die $! foreach qw(top top/dev top/src top/src/policy top/t top/t/unit box state);
ESG::Certs::spew("$base/top/dev/mutate", ESG::Node::slurp("$source/dev/mutate"));
chmod 0755, "$base/top/dev/mutate" or die "dev/mutate: $!";
ESG::Certs::spew("$base/top/t/unit/$_", ESG::Node::slurp("$source/t/unit/$_")) foreach qw(Makefile esg_test.h);
ESG::Certs::spew("$base/top/t/unit/certmaker.c", "extern int none;\nint none;\n");
ESG::Certs::spew("$base/top/ext_ssl_guard.control", "default_version = '1.0'\n");
ESG::Certs::spew("$base/top/src/policy/big.h", "#include <stdbool.h>\ntypedef enum Size\n{\n\tESG_SMALL,\n\tESG_BIG\n} Size;\nextern Size size_of(int n);\n");
ESG::Certs::spew("$base/top/src/policy/big.c", <<'END');
#include "policy/big.h"

/* Is 3 < 4? && no mutant here */
Size
size_of(int n)
{
	n = n - 0;
	if (n > 3)
		return ESG_BIG;
	return ESG_SMALL;
}
END

# what the unit test asks: size_of() of these is what
sub write_test
{
	my %size = @_;

	my $asked = join '', map { "\tis_int(size_of($_), $size{$_}, \"$_\");\n" } sort keys %size;

	ESG::Certs::spew("$base/top/t/unit/test_big.c", <<"END");
/* sources: policy/big */
#include "esg_test.h"
#include "policy/big.h"

int
main(void)
{
$asked
	return done();
}
END
	return;
}

# exit status, output
sub run_mutate
{
	local @ENV{qw(SANDBOX JOBS)} = ("$base/box", 2);
	my $said = `'$base/top/dev/mutate' --unit --count 100 --state '$base/state' policy 2>&1`;

	return ($? >> 8, $said);
}

write_test(1 => 'ESG_SMALL', 9 => 'ESG_BIG');
my ($status, $said) = run_mutate();
is($status, 1, 'a test that asks for neither side of the limit is not enough');
my $row = '| src/policy/big.c:8 | > to >=: `if (n > 3)` |  |  |  | survived |  |  |';
is_deeply([ $said =~ /^\| src\/policy\/big\.c:.*/mg ], [$row], 'the mutant that survives is named, and no other') or diag($said);
like($said, qr/^ +\d+\/100  src\/policy\/big\.c:9: ESG_BIG to ESG_SMALL: killed test_big: return ESG_BIG;$/m, 'one that does not');
my ($mutants, $killed) = $said =~ /^\| src\/policy\/ \|  \| (\d+) \| (\d+) \| 0 \| 1 \| [\d.]+ % \| [1-9]\d* \|$/m;
ok(($mutants // 0) > 4 && $killed == $mutants - 1, 'all others are killed; the same object code is no mutant') or diag($said);

my $excuse = "src/policy/big.c\t> to >=\tif (n > 3)\tfor the sake of this test\n";
ESG::Certs::spew("$base/top/dev/mutate.allow", $excuse);
($status, $said) = run_mutate();
is($status . ($said =~ /src\/policy\/big\.c:8/ ? ' named' : ''), '0', 'what is known to be the same is none') or diag($said);
unlike($said, qr/: killed /, 'and what was killed by the same test is not tried again');
ESG::Certs::spew("$base/top/dev/mutate.allow", $excuse . "src/policy/big.c\t> to >=\tif (n > 4)\tgone\n");
($status, $said) = run_mutate();
is($status . ($said =~ /not there any more: src\/policy\/big\.c: > to >=: if \(n > 4\)/ ? ' named' : $said), '1 named', 'what is excused and not there');

unlink "$base/top/dev/mutate.allow" or die $!;
write_test(1 => 'ESG_SMALL', 3 => 'ESG_SMALL', 4 => 'ESG_BIG', 9 => 'ESG_BIG');
($status, $said) = run_mutate();
is($status . ($said =~ /survived \|  \|/ ? ' survived' : ''), '0', 'the test that was missing kills it') or diag($said);
write_test(3 => 'ESG_BIG');
($status, $said) = run_mutate();
is($status ? 'failed' : 'passed', 'failed', 'a test that fails without a mutant kills none');
like($said, qr/test_big fails without any mutant/, 'that is said');

done_testing();
