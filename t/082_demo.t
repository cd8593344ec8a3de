# "make demo": its five steps, its width, its colours, its summary.

use strict;
use warnings;

use Cwd qw(realpath);
use Encode qw(decode);
use IPC::Run ();
use Test::More;

use ESG::Certs;
use PostgreSQL::Test::Utils ();

my $demo = realpath(($ENV{SRC} // '.') . '/dev/demo/demo.sh');
my $escape = qr/\e\[/;

# what a demo of these steps prints, and its exit status; a pty if asked for
sub run_demo
{
	my ($terminal, @steps) = @_;
	# a socket's path is in there
	my $dir = realpath(PostgreSQL::Test::Utils::tempdir_short());
	my $said = '';
	local $ENV{SANDBOX} = $dir;
	local $ENV{DEMO_PATIENCE} = 120;
	local $ENV{TERM} = 'xterm';
	my @command = ('bash', $demo, @steps);

	IPC::Run::run(\@command, '<', '/dev/null', $terminal ? '>pty>' : '>&', \$said);
	return (decode('UTF-8', $said =~ s/\r\n/\n/gr), $? >> 8, $dir);
}

delete $ENV{NO_COLOR};
my ($said, $status, $dir) = run_demo(0);
is($status, 0, 'it runs to its end') or diag($said);
my @lines = split /\n/, $said;
is(join("\n", grep { length > 100 } @lines), '', 'no line is longer than 100 columns');
unlike($said, $escape, 'no escape codes without a terminal');
unlike($said, qr/[0-9a-f]{17}/, 'fingerprints are cut');
like($said, qr/fingerprint=[0-9a-f]{16}\.\.$/m, 'to 16 digits');
like($said, qr/^postgres=# SELECT/m, 'queries are shown');
my $time = qr/ *\d+\.\d\d s/;
my @codes = ('expires_very_soon', 'weak_key, weak_signature', 'crl_expired', 'permissions_too_open', 'reload_pending');
foreach my $i (0 .. 4)
{
	my $number = $i + 1;

	like($said, qr/^=== $number\. /m, "step $number");
	like($said, qr/^DETAIL:  code=$_ severity=\w+ (?!cleared)/m, "$_ is logged") foreach split /, /, $codes[$i];
	like($lines[ $i - 5 ], qr/^$number\. \S.* $codes[$i] +said in$time, cleared$time$/, "line $number of the summary");
}
ok(!-e "$dir/pg/postmaster.pid", 'the server is stopped');

SKIP:
{
	skip 'no pseudo-terminals here', 4 unless eval { require IO::Pty; IO::Pty->new; };

	($said, $status) = run_demo(1, 1);
	is($status, 0, 'one step on a terminal') or diag($said);
	like($said, qr/severity=\e\[1;31mcritical\e\[0m/, 'has colours');
	local $ENV{NO_COLOR} = '1';
	($said, $status) = run_demo(1, 1);
	is($status, 0, 'with NO_COLOR') or diag($said);
	unlike($said, $escape, 'it has none');
}

done_testing();
