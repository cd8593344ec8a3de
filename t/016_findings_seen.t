# The end of the suite fails for a finding that no test has raised, or whose
# absence no test has seen.  Here is the proof that it would.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Findings;
use PostgreSQL::Test::Utils;

my $dir = PostgreSQL::Test::Utils::tempdir();
mkdir "$dir/records";

sub complaints
{
	my ($records, $log, $codes, $excused) = @_;
	my $seen = ESG::Findings->new;

	ESG::Certs::spew("$dir/records/1", $records);
	ESG::Certs::spew("$dir/log", $log);
	$seen->read_records("$dir/records");
	$seen->read_logs("$dir/log");
	return join('; ', $seen->complaints($codes, $excused // {}));
}

my $raised = "2026 [1] DETAIL:  code=old severity=warning setting=x\n";
my $cleared = "2026 [1] DETAIL:  code=old severity=warning cleared=yes object=x\n";

is(complaints("raised weak\nabsent weak\n", '', ['weak']), '', 'raised and absent in unit tests');
is(complaints('', $raised . $cleared, ['old']), '', 'raised and cleared in a log');
is(complaints("absent old\n", $raised, ['old']), '', 'one here, one there');
is(complaints("raised weak\nabsent weak\n", '', [ 'weak', 'new' ]), 'new was never seen raised nor absent', 'a new row without tests');
is(complaints("raised weak\n", '', ['weak']), 'weak was never seen absent', 'no twin');
is(complaints("absent weak\n", '', ['weak']), 'weak was never seen raised', 'only the twin');
is(complaints('', $cleared, ['old']), 'old was never seen raised', 'cleared is not raised');
is(complaints('', "LOG:  \"DETAIL:  code=old severity=warning\"\n", ['old']), 'old was never seen raised nor absent', 'a quoted text is none');
is(complaints("raised weak\nabsent weak\nraised odd\n", '', ['weak']), 'odd is no finding, but was seen', 'a code that is gone');
is(complaints("absent late\n", '', ['late'], { late => 'because' }), '', 'excused');
is(complaints("raised late\nabsent late\n", '', ['late'], { late => 'because' }), 'late is excused from being raised, but was', 'an excuse not needed');
is(complaints('', '', [], { gone => 'because' }), 'gone is no finding, but is excused', 'an excuse for nothing');

is(join(' ', sort keys %{ ESG::Findings::excused(19) }), 'hook_inactive', 'excused where everything can be raised');

# the real table, as the end of the suite reads it
my @codes = map { (split /\t/)[0] } split /\n/, `'$ENV{SANDBOX}/unit/list_findings'`;
cmp_ok(scalar @codes, '>', 70, 'the table of findings');
is(scalar(() = complaints('', '', \@codes) =~ /never seen raised nor absent/g), scalar @codes, 'a suite that tests nothing fails for each');

done_testing();
