# sql/ against expected/, by pg_regress, on a server of our own; one test here
# for each test there.

use strict;
use warnings;

use File::Basename qw(basename dirname);
use Test::More;

use ESG::Certs;
use ESG::Node;

my $src = $ENV{SRC} // dirname(dirname(__FILE__));
my @names = map { basename($_, '.sql') } sort glob("$src/sql/*.sql");
plan skip_all => 'there is nothing in sql/' unless @names;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $node = ESG::Node->new('regress');
$node->setup(ca => $ca, server => $certs->make_server('server', ca => $ca), extension => 0);
$node->start;

my $out_dir = PostgreSQL::Test::Utils::tempdir();
my $said = '';
IPC::Run::run(
	[
		$ENV{PG_REGRESS}, "--inputdir=$src", "--outputdir=$out_dir",
		'--bindir=' . dirname($ENV{PG_CONFIG}), '--dbname=contrib_regression',
		'--host=' . $node->host, '--port=' . $node->port, '--user=postgres',
		@names
	],
	'<', \undef, '>&', \$said);
my $status = $?;

foreach my $name (@names)
{
	# "test x ... ok 5 ms" until 15, TAP from 16 on
	ok($said =~ /^(?:test\s+\Q$name\E\s+\.\.\. ok|ok \d+\s+[-+] \Q$name\E)\b/m, "sql/$name.sql");
}
is($status, 0, 'pg_regress is content');
if ($status != 0)
{
	diag($said);
	open(my $diffs, '<', "$out_dir/regression.diffs");
	diag($diffs ? join('', <$diffs>) : 'there are no diffs');
}

$node->stop;
done_testing();
