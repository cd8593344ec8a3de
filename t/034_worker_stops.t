# The worker obeys while large files are read: a shutdown, a reload, the kernel
# that ends the process which reads.

use strict;
use warnings;

use Time::HiRes qw(sleep time);

use Test::More;

use ESG::Certs;
use ESG::Node;

plan skip_all => 'no /proc' unless -r "/proc/$$/stat";

# half a minute's work: bundles of 60 MB, of certificates that are not alike
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $client = $certs->make_client('postgres', ca => $ca);
my $node = ESG::Node->new('stops');
my @bundles = map { "bundle$_.crt" } 1 .. 4;

$node->setup(ca => $ca, server => $server,
	conf => "restart_after_crash = off\next_ssl_guard.finding_overrides = 'duplicate_certificate=off'\n");
my $text = ESG::Certs::slurp($server->{cert});
my $copies = int((60 << 20) / length $text);
ESG::Certs::spew($node->path($bundles[0]), $text x $copies);
symlink $bundles[0], $node->path($_) or die "symlink: $!" foreach @bundles[1 .. 3];
$node->start;
my ($exit, $out) = $node->tcp_psql('SELECT 1', client => $client);
is("$exit $out", '0 1', 'a login');

sub sql { return $node->safe_psql('postgres', $_[0]); }
# never '': a signal to that would reach this test's own process group
sub worker
{
	my $pid = $node->wait_sql('SELECT worker_pid FROM ssl_guard_status', qr/^\d+$/);

	die "there is no worker\n" unless $pid =~ /^\d+$/;
	return $pid;
}

sub children
{
	my ($parent) = @_;
	my @found;

	foreach my $path (glob '/proc/[0-9]*/stat')
	{
		open(my $in, '<', $path) or next;
		my ($pid, $state, $ppid) = (<$in> // '') =~ /^(\d+) \(.*\) (\w) (\d+)/ or next;
		push @found, $pid if $ppid == $parent && $state ne 'Z';
	}
	return @found;
}

# the process that reads, once it is at it
sub wait_child
{
	my ($worker) = @_;

	for (1 .. 600)
	{
		my @found = children($worker);

		if (@found)
		{
			sleep 1;
			return $found[0] if kill 0, $found[0];
		}
		sleep 0.1;
	}
	die 'nobody reads the files';
}

# what has ended and was not yet waited for reads no more
sub is_there { return (eval { ESG::Certs::slurp("/proc/$_[0]/stat") } // 'Z') !~ /^(?:\d+ \(.*\) )?Z/s; }

sub wait_gone
{
	my ($pid, $since) = @_;

	sleep 0.005 while is_there($pid) && time - $since < 60;
	return time - $since;
}

# --- SIGTERM ---------------------------------------------------------------------

my $saved = $node->path('pg_stat/ext_ssl_guard.clients');
$node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status');
$node->set_conf('ext_ssl_guard.extra_files' => join(', ', @bundles));
$node->reload;
my $best = 60;
for my $try (1 .. 3)
{
	my $worker = worker();
	my $child = wait_child($worker);

	# another login, so that there is something to save
	$node->tcp_psql('SELECT 1', client => $client);
	unlink $saved;
	my $start = time;
	kill 'TERM', $worker;
	my $took = wait_gone($worker, $start);
	$best = $took if $took < $best;
	cmp_ok(wait_gone($child, $start), '<', 2, "SIGTERM during an audit: who reads is gone ($try)");
	ok(-s $saved, 'the registry is saved');
	note sprintf('worker gone after %.3f s', $took);
	$node->wait_sql("SELECT worker_pid IS NOT NULL AND worker_pid <> $worker FROM ssl_guard_status");
	last if $best < 0.2;
}
cmp_ok($best, '<', 0.2, 'the worker ends within 0.2 s');

# --- SIGHUP ----------------------------------------------------------------------

my $child = wait_child(worker());
my $offset = $node->log_end;
$node->set_conf('ext_ssl_guard.extra_files' => '');
my $reloaded = time;
$node->reload;
is($node->wait_sql('SELECT last_check_at > last_reload_at FROM ssl_guard_status'), 't', 'a reload during an audit:');
cmp_ok(time - $reloaded, '<', 8, 'the audit starts over with the new settings');
cmp_ok(wait_gone($child, time), '<', 2, 'and the old one is given up');
is($node->count_log(qr/could not check|ERROR/, $offset), 0, 'without fuss');

# --- whoever reads is ended ---------------------------------------------------------

$node->set_conf('ext_ssl_guard.extra_files' => $bundles[0]);
$offset = $node->log_end;
$node->reload;
my $worker = worker();
kill 'KILL', wait_child($worker);
$node->wait_log(qr/ERROR:  could not check the TLS files: child process was terminated by signal 9/, $offset);
is(worker(), $worker, 'the process that reads is killed: the worker lives');
is(sql('SELECT 1'), '1', 'so does the server');
is($node->count_log(qr/terminating any other active server processes/), 0, 'and nobody was disturbed');

# --- the handshake of others, and a fast shutdown -------------------------------------

$node->set_conf('ext_ssl_guard.extra_files' => join(', ', @bundles));
$node->reload;
$child = wait_child(worker());
is(($node->tcp_psql('SELECT 1'))[0], 0, 'logins go on during an audit');
my $start = time;
$node->stop('fast');
cmp_ok(time - $start, '<', 3, 'a fast shutdown waits for no audit');
cmp_ok(wait_gone($child, $start), '<', 3, 'and nothing is left behind');

done_testing();
