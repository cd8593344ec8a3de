# A login that began before a reload and ends after it has asked the old CRL: it is
# judged by the new one as soon as its session is open.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Node;
use ESG::Sessions;

plan skip_all => 'EXEC_BACKEND: each backend loads the files by itself' if ESG::Node::exec_backend();

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my %client = map { ($_ => $certs->make_client($_, ca => $ca)) } qw(good bad);
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	crl => $certs->make_crl($ca, 'empty'),
	conf => "ext_ssl_guard.session_check = 'enforce'\nlog_connections = on\nlog_min_messages = debug1",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');

# A connection whose backend is there, and the port at which somebody may use it.
sub begin_connection
{
	my $offset = $node->log_end;
	my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $node->port) or die "connect: $!";
	my $listener = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "listen: $!";
	my $port = $listener->sockport;

	$node->wait_log(qr/connection received: host=127\.0\.0\.1/, $offset);
	my $pid = fork() // die "fork: $!";
	return ($port, $pid) if $pid;

	# it does not outlive the test, whatever becomes of that
	alarm 120;
	my $client = $listener->accept;
	my %other = ($client => $server, $server => $client);
	my $select = IO::Select->new($client, $server);
	while (1)
	{
		foreach my $from ($select->can_read)
		{
			require POSIX;
			sysread($from, my $data, 65536) or POSIX::_exit(0);
			syswrite($other{$from}, $data);
		}
	}
}

my %port;
my %pump;
END { local $?; kill 'KILL', values %pump; }
($port{$_}, $pump{$_}) = begin_connection() foreach sort keys %client;

my $offset = $node->log_end;
$certs->revoke($ca, $client{bad});
$node->replace($certs->make_crl($ca, 'revoked'), 'root.crl');
$node->reload;
$node->wait_log(qr/DEBUG:  .*ext_ssl_guard session judge.*exited|DEBUG:  .*session judge/, $offset);
my ($status) = $node->tcp_psql('SELECT 1', user => 'app', client => $client{bad});
isnt($status, 0, 'who connects now is refused by core');

$offset = $node->log_end;
my $good = ESG::Sessions->open($node, user => 'app', client => $client{good}, more => "port=$port{good}");
my (undef, undef, $err) = $node->tcp_psql('SELECT pg_sleep(60)', user => 'app', client => $client{bad}, more => "port=$port{bad}");
like($err, qr/FATAL:  terminating connection due to administrator command/, 'who connected before, and logs in now, is ended');
like($node->log_since($offset), qr/LOG:  ending session of role "app": its client certificate was revoked\n.* fingerprint=$client{bad}{fingerprint} /, 'with the reason in the log');
ok($good->alive, 'the other one is not');

$good->close;
$node->stop;
done_testing();
