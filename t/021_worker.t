# The worker: when it looks, what it survives, and a server without it.

use strict;
use warnings;

use POSIX qw(mkfifo);
use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $node = ESG::Node->new('main');

$node->setup(ca => $ca, server => $server, conf => 'ext_ssl_guard.file_poll_interval = 1s',
	init => { allows_streaming => 1 },
	hba => [ 'hostssl all all 127.0.0.1/32 trust', 'local replication all trust' ]);
$node->start;

sub status
{
	return $node->safe_psql('postgres', "SELECT $_[0] FROM ssl_guard_status");
}

sub codes
{
	return "SELECT coalesce(string_agg(DISTINCT code, ' ' ORDER BY code), '') FROM ssl_guard_alarms";
}

sub restart_with
{
	my ($line) = @_;

	$node->append_conf('postgresql.conf', $line);
	$node->restart;
	return;
}

# the plan
$node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status');
is(status("next_check_at - last_check_at BETWEEN '23:59:50' AND '24:00:10'"), 't', 'the next check is a day away');
$node->append_conf('postgresql.conf', 'ext_ssl_guard.expire_check_interval = 0');
$node->reload;
is($node->wait_sql("SELECT next_check_at > now() + '200 days' FROM ssl_guard_status"), 't',
	"with an interval of 0 the next is at the server certificate's threshold");
$node->append_conf('postgresql.conf', 'ext_ssl_guard.expire_check_interval = 0.9');
$node->reload;
$node->wait_log(qr/invalid value for parameter "ext_ssl_guard.expire_check_interval": 0\.9/);
is(status("next_check_at > now() + '200 days'"), 't', 'less than a second is refused, not taken for 0');
my $before = status('last_check_at');
$node->append_conf('postgresql.conf', 'ext_ssl_guard.expire_check_interval = 1s');
$node->reload;
foreach my $round (1 .. 3)
{
	is($node->wait_sql("SELECT last_check_at > '$before' FROM ssl_guard_status"), 't', "every second: check $round");
	$before = status('last_check_at');
}
$node->append_conf('postgresql.conf', 'ext_ssl_guard.expire_check_interval = 1d');
$node->reload;

# it survives whatever is put in place of a file
my $worker = status('worker_pid');
my $path = $node->path('root.crt');
foreach my $case (
	[ 'file_missing', 'is missing', sub { } ],
	[ 'file_not_regular', 'directory', sub { mkdir $path or die $! } ],
	[ 'file_not_regular', 'FIFO', sub { mkfifo($path, 0600) or die $! } ],
	[ 'file_unparsable', 'nothing that can be used', sub { open(my $out, '>', $path) or die $!; } ],
	[ 'file_too_large', '104857600', sub { open(my $out, '>', $path) or die $!; truncate($out, 100 << 20) or die $!; } ])
{
	my ($code, $word, $make) = @$case;

SKIP:
	{
		skip 'EXEC_BACKEND: each backend would wait for who writes into it', 1 if $word eq 'FIFO' && ESG::Node::exec_backend();
		-d $path ? rmdir $path : unlink $path;
		$make->();
		is($node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code = '$code' AND message LIKE '%$word%'", 1),
			1, "$code ($word) is seen without a reload");
	}
}
unlink $path;
$node->replace($ca->{cert}, 'root.crt');
is($node->wait_sql(codes(), ''), '', 'all cleared when the file is back');
is(status('worker_pid'), $worker, 'the worker has lived through it');

# stopped, it comes back
my $offset = $node->log_end;
kill 'TERM', $worker;
$node->wait_sql("SELECT worker_pid <> $worker FROM ssl_guard_status");
isnt(status('worker_pid'), $worker, 'after a SIGTERM another one is started');
is($node->count_log(qr/(FATAL|PANIC|terminating any other active server processes)/, $offset), 0, 'without fuss');

# a standby has its own
my $standby = ESG::Node->new('standby');
$node->backup('base');
$standby->init_from_backup($node, 'base', has_streaming => 1);
chmod 0600, $standby->path('server.key') or die $!;
$standby->start;
is($standby->safe_psql('postgres', 'SELECT pg_is_in_recovery()'), 't', 'a standby');
is($standby->wait_sql('SELECT worker_pid IS NOT NULL AND in_sync FROM ssl_guard_status'), 't', 'its worker runs');
unlink $standby->path('root.crt');
like($standby->wait_sql(codes(), qr/file_missing/), qr/file_missing/, 'and sees its files');
is($node->safe_psql('postgres', codes()), '', 'which are not those of the primary');
$standby->stop;

# none to be had
restart_with("max_worker_processes = 0\nmax_logical_replication_workers = 0");
is(status('worker_pid IS NULL AND last_check_at IS NULL AND next_check_at IS NULL'), 't',
	'no worker slot: the server starts and says so');
my ($exit, $out, $err) = $node->tcp_psql('SELECT 1');
is("$exit $out", '0 1', 'logins need no worker');
unlink $path;
like($node->safe_psql('postgres', 'SELECT code FROM ssl_guard_check()'), qr/file_missing/, 'ssl_guard_check() does the work');

$node->stop('immediate');
done_testing();
