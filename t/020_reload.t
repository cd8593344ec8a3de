# What the server serves, what is on disk, and how TLS loads end: reload_failed,
# reload_pending, ssl switched off and on, crash restarts, many reloads.

use strict;
use warnings;

use Time::HiRes qw(sleep);

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $first = $certs->make_server('first', ca => $ca);
my $second = $certs->make_server('second', ca => $ca);
my $node = ESG::Node->new('main');

$node->setup(ca => $ca, server => $first, conf => "restart_after_crash = on\next_ssl_guard.file_poll_interval = 1s\next_ssl_guard.self_probe = off\next_ssl_guard.posture_check = off");
$node->start;

sub status
{
	return $node->safe_psql('postgres', "SELECT $_[0] FROM ssl_guard_status");
}

# code and severity of the standing alarms
sub alarms
{
	return "SELECT coalesce(string_agg(severity || ' ' || code || ' ' || object, ', ' ORDER BY code), '') FROM ssl_guard_alarms";
}

sub install
{
	my ($cert) = @_;

	$node->replace($cert->{key}, 'server.key');
	$node->replace($cert->{cert}, 'server.crt');
	return;
}

sub spoil
{
	my $path = $node->path('server.crt');

	open(my $out, '>', $path) or die "$path: $!";
	print $out "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
	close $out;
	return;
}

# reloads and waits until the outcome is known and the worker has looked at it
sub reload
{
	my $before = $node->safe_psql('postgres', 'SELECT clock_timestamp()');

	$node->reload;
	$node->wait_sql("SELECT last_check_at > '$before' FROM ssl_guard_status");
	return;
}

# before any login
$node->wait_sql('SELECT disk_fingerprint IS NOT NULL FROM ssl_guard_status');
is(status("tls_hook_active, last_reload_ok, served_seen_by, in_sync"), 't|t|load|t',
	'after start: the server has loaded what is on disk');
is(status('served_fingerprint'), $first->{fingerprint}, 'the fingerprint is that of the certificate');
is(status('served_not_after = (SELECT not_after FROM ssl_guard_certificates WHERE kind = \'server\')'),
	't', 'so is the end');

# a login confirms
$node->tcp_psql('SELECT 1');
is(status('served_seen_by, served_fingerprint'), "login|$first->{fingerprint}", 'a login has seen it');

# renewed, but not reloaded
my $offset = $node->log_end;
install($second);
is($node->wait_sql(alarms(), 'warning reload_pending server'), 'warning reload_pending server', 'reload_pending is raised without a reload');
is(status('in_sync, served_fingerprint, disk_fingerprint'), "f|$first->{fingerprint}|$second->{fingerprint}",
	'both fingerprints are shown');
$node->wait_log(qr/WARNING:.*certificate on disk is not the one in service/, $offset);
like($node->log_since($offset), qr/DETAIL:.*code=reload_pending severity=warning/, 'DETAIL has code and severity');
sleep 2.5;
is($node->count_log(qr/code=reload_pending severity=warning/, $offset), 1, 'one line, not one a check');
SKIP:
{
	skip 'EXEC_BACKEND: each backend loads the files by itself', 1 if ESG::Node::exec_backend();
	$node->tcp_psql('SELECT 1');
	is(status('in_sync'), 'f', 'a login changes nothing about it');
}
reload();
is($node->safe_psql('postgres', alarms()), '', 'a reload clears it');
is(status('in_sync, served_seen_by, served_fingerprint'), "t|load|$second->{fingerprint}", 'in sync before the next login');
is($node->count_log(qr/alarm cleared: .*certificate on disk/, $offset), 1, 'the log says that it is cleared');
is($node->count_log(qr/code=reload_failed/, $offset), 0, 'a good reload is not called a failure');

# a sound reload of a new certificate makes no passing alarm; a look between the
# two would rightly do so
$offset = $node->log_end;
my $worker = status('worker_pid');
my $before = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
kill 'STOP', $worker;
install($first);
$node->reload;
$node->wait_sql("SELECT pg_conf_load_time() > '$before'");
kill 'CONT', $worker;
$node->wait_sql("SELECT last_check_at > pg_conf_load_time() FROM ssl_guard_status");
is(status('in_sync'), 't', 'replaced and reloaded at once: in sync');
is($node->count_log(qr/(alarm cleared|WARNING)/, $offset), 0, 'and the log is quiet');

# a broken file and a reload
$offset = $node->log_end;
spoil();
reload();
like($node->wait_sql(alarms(), qr/reload_failed/), qr/critical reload_failed server/, 'reload_failed is raised');
is(status('last_reload_ok, served_fingerprint'), "f|$first->{fingerprint}", 'the old certificate stays in service');
SKIP:
{
	skip 'EXEC_BACKEND: each backend loads the files by itself', 1 if ESG::Node::exec_backend();
	my ($exit, $out, $err) = $node->tcp_psql('SELECT 1', sslmode => 'verify-ca');

	is("$exit $out", '0 1', 'and clients get in with it');
}
install($second);
sleep 1.5;
like($node->safe_psql('postgres', alarms()), qr/reload_failed/, 'mended files alone do not clear it');
reload();
is($node->wait_sql(alarms(), ''), '', 'a good reload does');
is(status('last_reload_ok, in_sync'), 't|t', 'and all is well');

# ssl off and on, each with and without a fault
$node->safe_psql('postgres', 'ALTER SYSTEM SET ssl = off');
reload();
is(status('ssl, served_fingerprint IS NULL, in_sync IS NULL'), 'f|t|t', 'ssl = off: nothing is served');
is($node->safe_psql('postgres', alarms()), '', 'which is no alarm');
$node->safe_psql('postgres', 'ALTER SYSTEM SET ssl = on');
$node->reload;
is($node->wait_sql('SELECT last_reload_ok FROM ssl_guard_status'), 't', 'switched on again: no news is good news');
$node->tcp_psql('SELECT 1');
is(status('served_seen_by, served_fingerprint'), "login|$second->{fingerprint}", 'the first login shows what is served');
$node->safe_psql('postgres', 'ALTER SYSTEM SET ssl = off');
reload();
is(status('last_reload_ok IS NOT FALSE'), 't', 'off after on is no failed reload');
spoil();
$node->safe_psql('postgres', 'ALTER SYSTEM SET ssl = on');
reload();
like($node->wait_sql(alarms(), qr/reload_failed/), qr/critical reload_failed/, 'switched on with a broken file: reload_failed');
install($first);
reload();
$node->wait_sql(alarms(), '');
is($node->safe_psql('postgres', alarms()), '', 'mended');

# a crash takes shared memory away, not the knowledge
reload();
my $pid = $node->safe_psql('postgres', 'SELECT worker_pid FROM ssl_guard_status');
like($pid, qr/^\d+$/, 'the worker runs');
kill 'KILL', $pid;
foreach (1 .. 300)
{
	# there may be no server to ask
	my $answer = eval { status("worker_pid <> $pid AND last_check_at IS NOT NULL") } // '';

	last if $answer eq 't';
	sleep 0.2;
}
is(status('tls_hook_active, last_reload_ok, served_seen_by, in_sync, served_fingerprint'),
	"t|t|load|t|$first->{fingerprint}", 'after a crash restart all is known');

# The postmaster keeps nothing of a reload, be it good or bad.
my $postmaster = ESG::Node::slurp($node->path('postmaster.pid')) =~ /^(\d+)/ ? $1 : die 'no postmaster';

sub memory
{
	return ESG::Node::slurp("/proc/$postmaster/status") =~ /^RssAnon:\s+(\d+)/m ? $1 : 0;
}

sub descriptors
{
	my @open = glob("/proc/$postmaster/fd/*");
	return scalar @open;
}

sub reload_often
{
	my ($times) = @_;

	for (1 .. $times)
	{
		kill 'HUP', $postmaster;
		sleep 0.005;
	}
	reload();
	return;
}

SKIP:
{
	skip 'no /proc', 2 unless -r "/proc/$postmaster/status";
	reload_often(100);
	spoil();
	reload_often(100);
	my ($memory, $descriptors) = (memory(), descriptors());
	reload_often(250);
	install($first);
	reload_often(250);
	cmp_ok(memory() - $memory, '<=', 200, '500 reloads: the postmaster does not grow (kB)');
	is(descriptors(), $descriptors, 'and has no more files open');
}
is($node->wait_sql(alarms(), ''), '', 'nothing is left of them');

$node->stop;
done_testing();
