# dev/fuzz/differ_identity: our mapping of identities and core's are the same, and it sees where they are not.

use strict;
use warnings;

use Cwd qw(realpath);
use IPC::Run ();
use Test::More;

my $script = realpath($ENV{SRC} // '.') . '/dev/fuzz/differ_identity';

# exit status, decisions, logins, findings
sub differ
{
	my (@options) = @_;
	my $said = '';

	IPC::Run::run([ $script, @options ], '<', '/dev/null', '>&', \$said);
	my $status = $? >> 8;
	my ($decisions, $logins, $findings) = $said =~ /^decisions (\d+), logins (\d+), findings (\d+)$/m;

	return ($status, $decisions // 0, $logins // 0, $findings // -1, $said);
}

my ($status, $decisions, $logins, $findings, $said) = differ('--seconds', 8, '--seed', 1);
plan skip_all => 'needs a C compiler and the server\'s headers' if $status == 77;
is("$status $findings", '0 0', 'nothing differs') or diag($said);
cmp_ok($decisions, '>', 1000, 'of many decisions');
cmp_ok($logins, '>', 10, 'and some logins');

($status, $decisions, $logins, $findings, $said) = differ('--seconds', 20, '--seed', 1, '--fault');
is($status, 1, 'a core for which case does not matter') or diag($said);
cmp_ok($findings, '>', 0, 'is found out');
like($said, qr/^dry run: source \w+, map "\w*", role ".*", identities ".*: core 1, we 0 \(seed 1\)$/m, 'by whom, and what');

done_testing();
