# dev/clients: with three clients that are always there all is as expected; what is expected otherwise, a client that is
# not there, and too few of them fail it.

use strict;
use warnings;

use Cwd qw(realpath);
use IPC::Run ();
use Test::More;

use ESG::Node;
use PostgreSQL::Test::Utils ();

plan skip_all => 'failed handshakes are not seen where processes inherit nothing (EXEC_BACKEND)' if ESG::Node::exec_backend();

my $source = realpath($ENV{SRC} // '.');

# (exit status, what it printed)
sub run_clients
{
	my (@options) = @_;
	my $out = '';

	# a server of its own, and a log; until PostgreSQL 15 by the first of these
	my $dir = PostgreSQL::Test::Utils::tempdir();
	local @ENV{qw(TESTDIR TESTDATADIR TESTLOGDIR)} = ($dir, "$dir/tmp_check", "$dir/tmp_check/log");
	# nothing that was unpacked
	delete local $ENV{ESG_CLIENTS};
	IPC::Run::run([ $^X, "$source/dev/clients", @options ], '<', '/dev/null', '>', \$out, '2>&1', IPC::Run::timeout(10 * $ESG::Node::timeout));
	return ($? >> 8, $out);
}

# the cells of that client's row
sub row
{
	my ($said, $name) = @_;
	my ($line) = $said =~ /^\| \Q$name\E \| (.*) \|$/m;

	return [ split / \| /, $line // '', -1 ];
}

my ($status, $said) = run_clients('--clients', 'psql,pgbench,s_client', '--at-least', 3);
is($status, 0, 'three clients, all cases') or diag($said);
foreach my $name (qw(psql pgbench s_client))
{
	my ($version, @cells) = @{ row($said, $name) };

	like($version, qr/^\d+\.\d+/, "$name: its version");
	is("@cells[0..13]", 'in in in' . ' handshake' x 6 . ' no certificate' . ' refused' x 4, "$name: each case");
	is($cells[14], $name eq 'pgbench' ? 17 : 14, "$name: connections");
}
like($said, qr/^logins: 12 counted, 12 in the log$/m, 'logins of views and log');
like($said, qr/^failed handshakes: 18 counted, 18 in the log$/m, 'failures');
like($said, qr/^denials: 12 counted, 12 in the log$/m, 'denials');

($status, $said) = run_clients('--clients', 'psql', '--at-least', 1, '--cases', 'good,expired', '--expect', 'expired=in');
is($status, 1, 'expired is not in') or diag($said);
like($said, qr/^clients: psql, expired: handshake expired, where "in" is expected$/m, 'it says what is wrong');
is_deeply([ @{ row($said, 'psql') }[ 1, 2 ] ], [ 'in', '**handshake expired**' ], 'and where');

($status, $said) = run_clients('--clients', 'psql', '--at-least', 1, '--cases', 'weak', '--expect', 'psql weak=refused expired');
is($status, 1, 'refused for another reason') or diag($said);

($status, $said) = run_clients('--clients', 'psql,postgres.js', '--cases', 'good', '--at-least', 2);
is($status, 1, 'too few clients') or diag($said);
like($said, qr/^clients: only 1 clients ran, and 2 have to$/m, 'is said');
is_deeply([ @{ row($said, 'postgres.js') }[ 0, 2, 3 ] ], [ '**not there**', '0', 'there is no npm postgres' =~ s/npm //r ],
	'a client that is not there has its row') or diag($said);
like($said, qr/^\| 1 clients, \*\*1 not there\*\* \|/m, 'and the sum has it');

done_testing();
