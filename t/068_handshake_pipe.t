# Failed handshakes: no login waits for the worker, nothing is lost unsaid,
# nothing leaks; what is said of issuers, and how often.

use strict;
use warnings;

use Test::More;

use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Node;

plan skip_all => 'failed handshakes are not seen where processes inherit nothing (EXEC_BACKEND)' if ESG::Node::exec_backend();

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca', subject => '/CN=Root CA', key => 'rsa:2048');
my $old_ca = $certs->make_ca('old_ca', ca => $ca, subject => '/CN=Old CA', days_left => -1, lifetime => 100);
my $gone_ca = $certs->make_ca('gone_ca', ca => $ca, subject => '/CN=Gone CA');
my $stranger_ca = $certs->make_ca('stranger', subject => '/CN=Stranger CA');
my $good = $certs->make_client('good', ca => $ca);
my $expired = $certs->make_client('expired', ca => $ca, days_left => -1);
my $under_old = $certs->make_client('under_old', ca => $old_ca, chain => [$old_ca]);
my $incomplete = $certs->make_client('incomplete', ca => $gone_ca);
my $stranger = $certs->make_client('unknown', ca => $stranger_ca);
my $node = ESG::Node->new('main');
my $marker = 0;

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.file_poll_interval = '1s'\next_ssl_guard.alarm_repeat_interval = '3s'\nrestart_after_crash = on",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->start;

sub login
{
	my ($client, %options) = @_;
	my ($status) = $node->tcp_psql('SELECT 1', client => $client, %options);

	return $status == 0;
}

sub query { return $node->safe_psql('postgres', $_[0]); }

sub failures
{
	my ($client) = @_;

	return "SELECT coalesce(sum(failures), 0) FROM ssl_guard_handshake_failures WHERE fingerprint = '$client->{fingerprint}'";
}

sub postmaster
{
	my ($pid) = ESG::Certs::slurp($node->path('postmaster.pid')) =~ /^(\d+)/;

	return $pid;
}

sub open_files { my @fds = glob('/proc/' . postmaster() . '/fd/*'); return scalar @fds; }

sub worker { return $node->wait_sql('SELECT worker_pid FROM ssl_guard_status', qr/\d/); }

# Either version of TLS; an issuer's fault; who is unknown.
foreach my $version (qw(TLSv1.2 TLSv1.3))
{
	my $before = query(failures($expired));

	ok(!login($expired, more => "ssl_max_protocol_version=$version ssl_min_protocol_version=$version"), "$version: refused");
	is($node->wait_sql(failures($expired), $before + 1), $before + 1, "$version: counted");
}
my $offset = $node->log_end;
ok(!login($under_old), 'an intermediate has expired');
$node->wait_log(qr/CN=under_old.*\n.*reason=expired .*depth=1 .*\n.*HINT:  This is said of an issuer/, $offset);
$offset = $node->log_end;
ok(!login($incomplete), 'an intermediate was not sent');
$node->wait_log(qr/CN=incomplete.*\n.*reason=unknown_ca .*\n.*HINT:.*did not send its intermediate/, $offset);

# One line for an interval.
$offset = $node->log_end;
login($stranger) foreach 1 .. 3;
is($node->wait_sql(failures($stranger), '3'), '3', 'three failures');
is($node->count_log(qr/TLS refused.*CN=unknown/, $offset), 1, 'one line');
sleep 3.2;
login($stranger);
$node->wait_log(qr/reason=unknown_ca .*failures=4/, $offset);
is($node->count_log(qr/TLS refused.*CN=unknown/, $offset), 2, 'another one after alarm_repeat_interval');

# The worker stands still.
SKIP:
{
	skip 'needs /proc', 8 unless -d '/proc/self/fd';
	my $fds = open_files();
	my $pid = worker();
	my $before = query(failures($expired));
	my $start = time;

	kill 'STOP', $pid;
	login($expired) foreach 1 .. 250;
	# one that waits would do so for ever; a loaded machine needs some minutes
	cmp_ok(time - $start, '<', 600, 'failed logins do not wait for the worker');
	ok(login($good), 'nor do good ones');
	$offset = $node->log_end;
	kill 'CONT', $pid;
	$node->wait_log(qr/(\d+) were not counted/, $offset);
	my ($dropped) = $node->log_since($offset) =~ /too many failed TLS handshakes: (\d+) were not counted/;
	my $sum = $before + 250 - $dropped;
	is($node->wait_sql(failures($expired), $sum), $sum, "what was not dropped ($dropped) is counted");
	cmp_ok($dropped, '<', 250, 'some were kept');
	is($node->count_log(qr/were not counted/, $offset), 1, 'one line says so');

	# restarted, and restarted with all the rest
	kill 'TERM', $pid;
	my $next = $node->wait_sql("SELECT worker_pid FROM ssl_guard_status WHERE worker_pid <> $pid", qr/\d/);
	like($next, qr/\d/, 'the worker is started again');
	ok(!login($expired), 'refused');
	is($node->wait_sql(failures($expired), $sum + 1), $sum + 1, 'counted');
	kill 'STOP', $next;
	login($stranger) foreach 1 .. 3;
	my ($victim) = $node->background_psql('postgres');
	my $backend = $victim->query_safe('SELECT pg_backend_pid()');
	kill 'KILL', $backend;
	foreach (1 .. 300)
	{
		# psql may be gone before it is handed the query: EPIPE, an exception
		last if (eval { $node->psql('postgres', 'SELECT 1') } // 1) == 0;
		sleep 0.1;
	}
	eval { $victim->quit };
	is($node->wait_sql(failures($stranger), '3'), '3', 'sent before a crash, counted after it');
	ok(!login($expired), 'refused');
	is($node->wait_sql(failures($expired), '1'), '1', 'counted from one again');
	worker();
	cmp_ok(open_files(), '<=', $fds, 'the postmaster has no more files open than before');
}
$node->stop;

done_testing();
