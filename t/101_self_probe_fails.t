# self_probe: a server that does not answer is an alarm, which ends when it does;
# and a probe that hangs holds up nothing.

use strict;
use warnings;

use Time::HiRes qw(sleep time);

use Test::More;

use ESG::Certs;
use ESG::Node;
use ESG::Sni;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $node = ESG::Node->new('main');

sub sql { return $node->safe_psql('postgres', $_[0]); }

# The kernel tells nothing, or only after a long time, of who listens where.
my $dir = $certs->{dir} // PostgreSQL::Test::Utils::tempdir();
my $shim = ESG::Node::build_library("$dir/no_kernel", <<"SHIM");
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
FILE *
fopen(const char *path, const char *mode)
{
	FILE	   *(*next) (const char *, const char *);

	if (strcmp(path, "/proc/net/tcp") == 0 && access("$dir/slow", F_OK) == 0)
		sleep(300);
	if (strcmp(path, "/proc/net/tcp") == 0 && access("$dir/silent", F_OK) == 0)
	{
		errno = EACCES;
		return NULL;
	}
	*(void **) &next = dlsym(RTLD_NEXT, "fopen");
	return next(path, mode);
}
SHIM

$node->setup(ca => $ca, server => $server,
	conf => "ext_ssl_guard.expire_check_interval = 1s\next_ssl_guard.finding_overrides = 'probe_failed=critical'");
{
	local $ENV{LD_PRELOAD} = $shim if defined $shim;
	$node->start;
}
$node->wait_sql('SELECT probe_result FROM ssl_guard_status', 'ok');

# thirty probes leave nothing in the worker
my $worker = sql('SELECT worker_pid FROM ssl_guard_status');
sub count_fds { return scalar(() = glob "/proc/$worker/fd/*"); }
sub memory { return ESG::Node::slurp("/proc/$worker/status") =~ /VmRSS:\s+(\d+)/ ? $1 : 0; }
SKIP:
{
	skip 'no /proc', 3 unless -r "/proc/$worker/status" && count_fds();
	my ($last, $probes, @fds, @memory) = ('', 0);

	for (my $until = time + 120; $probes < 30 && time < $until; sleep 0.5)
	{
		my $at = sql('SELECT probed_at FROM ssl_guard_status');

		next if $at eq $last;
		$last = $at;
		$probes++;
		push @fds, count_fds();
		push @memory, memory();
	}
	is($probes, 30, 'thirty probes');
	# a child's pipe is there or not
	cmp_ok((sort { $a <=> $b } @fds[ 25 .. 29 ])[0], '<=', (sort { $a <=> $b } @fds[ 0 .. 4 ])[-1], 'no descriptor is left');
	cmp_ok($memory[29] - $memory[9], '<', 500, 'nor memory');
}

# a postmaster that does nothing
my $postmaster = (split /\n/, ESG::Node::slurp($node->path('postmaster.pid')))[0];
my $offset = $node->log_end;
kill 'STOP', $postmaster or die "kill: $!";
my $began = time;
my $found = eval { $node->wait_log(qr/code=probe_failed severity=critical/, $offset); 1 };
my $took = time - $began;
kill 'CONT', $postmaster or die "kill: $!";
ok($found, 'a postmaster that does not answer');
cmp_ok($took, '<', 40, 'is found soon');
cmp_ok($took, '>', 9, 'but not at the first try');
like($node->log_since($offset), qr/WARNING:  the TLS handshake of the self-probe failed: 127\.0\.0\.1 port \d+ did not answer within 5 s/, 'the reason');
$node->wait_log(qr/DETAIL:  code=probe_failed severity=\w+ cleared=yes/, $offset);
is($node->wait_sql("SELECT probe_result, (" . ESG::Sni::alarms() . ') FROM ssl_guard_status', 'ok|'), 'ok|', 'it answers again');
is($node->count_log(qr/code=probe_failed/, $offset), 2, 'raised once, cleared once');

SKIP:
{
	skip 'no compiler', 5 unless defined $shim;

	ESG::Certs::spew("$dir/silent", '');
	my $since = ESG::Sni::now($node);
	is($node->wait_sql("SELECT probed_at > '$since' AND probe_result = 'ok' FROM ssl_guard_status"), 't', 'the settings say where it listens');
	unlink "$dir/silent";

	# a child that hangs
	$offset = $node->log_end;
	ESG::Certs::spew("$dir/slow", '');
	ok(eval { $node->wait_log(qr/self-probe failed: it does not come to an end/, $offset); 1 }, 'one that hangs is given up');
	ok(eval { $node->wait_sql('SELECT count(*) FROM ssl_guard_check()', qr/./); 1 }, 'and holds up no check');
	$began = time;
	$node->apply('ext_ssl_guard.finding_overrides' => '');
	cmp_ok(time - $began, '<', 30, 'nor a reload');
	$began = time;
	$node->stop;
	cmp_ok(time - $began, '<', 30, 'nor the shutdown');
}
$node->stop;
done_testing();
