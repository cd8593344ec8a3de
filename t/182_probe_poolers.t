# ssl_guard_ctl probe of what stands in front of PostgreSQL: PgBouncer and Pgpool-II,
# which do TLS themselves, and HAProxy, which passes it on; and, where the server
# knows how, TLS without SSLRequest.

use strict;
use warnings;

use IO::Socket::INET;
use Time::HiRes qw(sleep time);

use Test::More;

use ESG::Certs;
use ESG::Ctl;
use ESG::Node;
use ESG::Poolers;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils ();

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca', subject => '/CN=Test CA');
my $own = $certs->make_server('own', ca => $ca, subject => '/CN=pooler');
my $client = $certs->make_client('alice', ca => $ca, subject => '/CN=alice');
my $node = ESG::Node->new('main');
my $dir = PostgreSQL::Test::Utils::tempdir();

$node->setup(ca => $ca, server => $certs->make_server('server', ca => $ca), conf => 'ext_ssl_guard.self_probe = off');
$node->start;

# (status, facts of the server, what is remarked, fingerprint of what it shows)
sub probe
{
	my ($port, @options) = @_;
	my ($status, $report, $err) = ESG::Ctl::report('probe', "127.0.0.1:$port", @options);
	my ($object) = ESG::Ctl::objects($report, 'server');
	my ($shown) = ESG::Ctl::objects($report, 'certificate');

	is($err, '', "@options: nothing on standard error");
	return ($status, $object->{facts}, ESG::Ctl::remarks($object), $shown ? $shown->{fingerprint} : '');
}

sub written { return ESG::Certs::spew(@_); }

# Starts each with its own certificate.
my %poolers = (
	pgbouncer => sub {
		my ($port, $tls, $more) = @_;

		written("$dir/users.txt", "\"postgres\" \"\"\n");
		written("$dir/pgbouncer.ini", <<"INI");
[databases]
* = host=127.0.0.1 port=@{[ $node->port ]}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = any
auth_file = $dir/users.txt
client_tls_sslmode = @{[ $tls ? ($more ? 'verify-full' : 'require') : 'disable' ]}
client_tls_cert_file = $own->{cert}
client_tls_key_file = $own->{key}
client_tls_ca_file = $ca->{cert}
INI
		return ("$dir/pgbouncer.ini");
	},
	pgpool => sub {
		my ($port, $tls) = @_;
		my $pcp = PostgreSQL::Test::Cluster::get_free_port();

		written("$dir/$_", '') foreach qw(pcp.conf pool_hba.conf);
		mkdir "$dir/$port";
		written("$dir/pgpool.conf", <<"CONF");
listen_addresses = '127.0.0.1'
port = $port
pcp_listen_addresses = '127.0.0.1'
pcp_port = $pcp
socket_dir = '$dir/$port'
unix_socket_directories = '$dir/$port'
pcp_socket_dir = '$dir/$port'
wd_ipc_socket_dir = '$dir/$port'
work_dir = '$dir/$port'
logdir = '$dir/$port'
pid_file_name = '$dir/$port/pgpool.pid'
num_init_children = 2
backend_hostname0 = '127.0.0.1'
backend_port0 = @{[ $node->port ]}
backend_weight0 = 1
backend_clustering_mode = 'raw'
ssl = @{[ $tls ? 'on' : 'off' ]}
ssl_cert = '$own->{cert}'
ssl_key = '$own->{key}'
CONF
		return ('-n', '-f', "$dir/pgpool.conf", '-F', "$dir/pcp.conf", '-a', "$dir/pool_hba.conf");
	});

foreach my $name (sort keys %poolers)
{
	SKIP:
	{
		skip "$name is not there (dev/setup --with-poolers): NOT TESTED", 8 unless ESG::Poolers::program($name);
		my $port = PostgreSQL::Test::Cluster::get_free_port();
		my $pooler = ESG::Poolers->start($port, "$dir/$name.log", $name, $poolers{$name}->($port, 1));
		my ($status, $facts, $remarks, $shown) = probe($port, '--ca', $ca->{cert});

		is("$status $remarks", '0 ', "$name: all is well") or diag(ESG::Certs::slurp("$dir/$name.log"));
		is($shown, $own->{fingerprint}, "$name: its own certificate");
		like($facts->{protocol}, qr/^TLSv1\.[23]$/, "$name: protocol");
		ok($facts->{verified} && $facts->{name_matches}, "$name: verified");
		$pooler->stop;

		$port = PostgreSQL::Test::Cluster::get_free_port();
		$pooler = ESG::Poolers->start($port, "$dir/$name.log", $name, $poolers{$name}->($port, 0));
		($status, $facts, $remarks) = probe($port);
		is("$status $remarks", '1 it says that it has no TLS', "$name without TLS");
		$pooler->stop;
	}
}

SKIP:
{
	skip 'pgbouncer is not there (dev/setup --with-poolers): NOT TESTED', 8 unless ESG::Poolers::program('pgbouncer');
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $pooler = ESG::Poolers->start($port, "$dir/pgbouncer.log", 'pgbouncer', $poolers{pgbouncer}->($port, 1, 1));
	my ($status, $facts, $remarks, $shown) = probe($port);

	is($status, 0, 'PgBouncer that insists on a client certificate');
	like($remarks, qr/^it refuses clients without a certificate: /, 'says so');
	is($shown, $own->{fingerprint}, 'but shows its own');
	($status, $facts, $remarks) = probe($port, '--cert', $client->{cert}, '--key', $client->{key});
	is("$status $remarks", '0 ', 'with one');
	ok($facts->{takes_client_certificate}, 'it is taken');
	$pooler->stop;
}

SKIP:
{
	skip 'haproxy is not there (dev/setup --with-poolers): NOT TESTED', 7 unless ESG::Poolers::program('haproxy');
	my ($port, $dead) = map { PostgreSQL::Test::Cluster::get_free_port() } 1 .. 2;
	my $offset = $node->log_end;
	my $proxy = ESG::Poolers->start_haproxy($dir, $port => $node->port, $dead => undef);
	my ($status, $facts, $remarks, $shown) = probe($port, '--ca', $ca->{cert}, '--cert', $client->{cert}, '--key', $client->{key});

	is("$status $remarks", '0 ', 'through HAProxy');
	is($shown, ESG::Certs::fingerprint($node->path('server.crt')), 'the server\'s certificate');
	ok($facts->{takes_client_certificate}, 'and it takes the client\'s');
	($status, $facts, $remarks) = probe($dead);
	is($status, 3, 'HAProxy without a server');
	like($remarks, qr/^it closed the connection$/, 'hangs up');
	is($node->log_since($offset) =~ s/^.*\[local\].*\n//mgr, '', 'nothing in the server\'s log');
	$proxy->stop;
}

# ---- TLS at once

# "openssl s_server" does ALPN and SNI; PostgreSQL does from 17 on
{
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $named = $certs->make_server('named', ca => $ca, san => ['DNS:localhost']);
	# it ends with its standard input
	pipe(my $read, my $write) or die "pipe: $!";
	my $pid = fork // die "fork: $!";

	if ($pid == 0)
	{
		close $write;
		open(STDIN, '<&', $read);
		open(STDOUT, '>', "$dir/s_server.log");
		open(STDERR, '>&', \*STDOUT);
		exec('openssl', 's_server', '-accept', "127.0.0.1:$port", '-cert', $own->{cert}, '-key', $own->{key},
			'-servername', 'localhost', '-cert2', $named->{cert}, '-key2', $named->{key}, '-alpn', 'postgresql', '-naccept', '5') or POSIX::_exit(127);
	}
	my $until = time + $ESG::Node::timeout;
	sleep 0.1 until IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) || time > $until;
	my ($status, $facts, $remarks, $shown) = probe($port, '--direct');
	is("$status $remarks", '0 ', 'TLS at once');
	is($shown, $own->{fingerprint}, 'an address is no name for SNI');
	my (undef, $report) = ESG::Ctl::report('probe', "127.0.0.1:$port", '--direct', '--name', 'localhost');
	is(join(' ', map { $_->{fingerprint} } ESG::Ctl::objects($report, 'certificate')), $named->{fingerprint}, 'a name is');
	($status, $facts, $remarks) = probe($port, '--timeout', '2');
	is($status, 3, 'who begins with TLS does not answer to SSLRequest');
	kill 'KILL', $pid;
	waitpid $pid, 0;
	like(ESG::Certs::slurp("$dir/s_server.log"), qr/ALPN protocols selected: postgresql/, 'ALPN');
}
{
	my ($status, $facts, $remarks) = probe($node->port, '--direct');

	if ($node->pg_version >= 17)
	{
		is("$status $remarks", '0 ', 'PostgreSQL with TLS at once');
		ok(!exists $facts->{answer_ms}, 'there is no answer to wait for');
	}
	else
	{
		is($status, 3, 'PostgreSQL that does not take TLS at once');
		like($remarks, qr/^it /, 'is said so');
	}
}
done_testing();
