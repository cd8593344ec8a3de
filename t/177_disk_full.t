# The disk is full at one step after the other of what is saved when the server stops, for the
# worker and for the postmaster: what was saved before stays, nothing is damaged, and
# the log says why.  "make faults" does the same under clients that log in.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::FullDisk;
use ESG::Node;

my $certs = ESG::Certs->new;
my $disk = ESG::FullDisk->build($certs->dir);
plan skip_all => 'needs a C compiler' unless $disk;

my $ca = $certs->make_ca('ca');
my $client = $certs->make_client('app', ca => $ca);
my $node = ESG::Node->new('main');

$node->setup(ca => $ca, server => $certs->make_server('server', ca => $ca),
	conf => "autovacuum = off\nfsync = on\next_ssl_guard.self_probe = off",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);

sub start { local $ENV{LD_PRELOAD} = $disk->library; return $node->start; }

sub counters
{
	return split /\|/, $node->safe_psql('postgres', q{
		SELECT (SELECT coalesce(sum(logins), 0) FROM ssl_guard_client_certificates), (SELECT coalesce(sum(logins), 0) FROM ssl_guard_transport),
			(SELECT coalesce(sum(logins), 0) FROM ssl_guard_certificates WHERE setting = 'ssl_ca_file')});
}

start();
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');
my @kinds = qw(clients transport ca_usage);
my (%steps, @saved, @seen);
my $step = 0;
@saved = (0, 0, 0);
do
{
	my $offset = $node->log_end;

	$step++;
	is(($node->tcp_psql('SELECT 1', user => 'app', client => $client))[0], 0, "step $step: a login");
	my @before = counters();
	$disk->fill($step);
	$node->stop;
	@seen = $disk->seen;
	$disk->empty;
	start();
	my @now = counters();
	my $log = $node->log_since($offset);

	$steps{$_}++ foreach @seen;
	# each file by itself: it is as it was, or as it should be
	ok($now[$_] == $before[$_] || $now[$_] == $saved[$_], "step $step: $kinds[$_]: $now[$_], of $before[$_], was $saved[$_]") foreach 0 .. 2;
	unlike($log, qr/damaged|PANIC/, "step $step: nothing is damaged");
	like($log, qr/LOG:  could not .*ext_ssl_guard\..*: No space left on device/, "step $step: which is said") if @seen;
	is("@now", "@before", "step $step: nothing is lost where nothing fails") if !@seen;
	@saved = @now;
} while (@seen && $step < 40);

cmp_ok($step, '<', 40, 'that was the last step');
foreach my $kind (@kinds)
{
	ok($steps{"$kind $_"}, "$kind: $_") foreach qw(create write sync rename);
}
$node->stop;
done_testing();
