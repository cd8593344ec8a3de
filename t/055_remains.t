# What is left of the passphrase in memory once the key is loaded: nothing, in
# the postmaster, in what it forks and in ssl_guard_ctl; nor of the private key
# in ssl_guard_ctl.  See t/ESG/Memory.pm for what is searched and for what.
#
# The server is a child of this test: where only an ancestor may look into a
# process (Yama), that is needed.

use strict;
use warnings;

use IO::Socket::INET;
use IPC::Run ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Memory;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $node = ESG::Node->new('main');
my $server = $certs->make_server('server', ca => $ca, key => 'rsa:2048');
my $other = $certs->make_server('other', ca => $ca);
my $postmaster;

# a session that lasts: what it asks makes the postmaster fork nothing
my (%session, $session);

plan skip_all => 'no /proc/PID/mem' unless -e "/proc/$$/mem";
plan skip_all => 'even its own memory cannot be read through /proc here' unless ESG::Memory::readable($$);

# Letters at random, so that no piece of it is anywhere by chance.
sub random_text { return join '', map { ('a' .. 'z', 'A' .. 'Z', 0 .. 9)[ rand 62 ] } 1 .. $_[0]; }

# known: what the search has to find in every process of the server
my $known = random_text(40);

$node->setup(ca => $ca, server => $server, extension => 0,
	conf => "autovacuum = off\nshared_buffers = 1MB\nmax_connections = 20\next_ssl_guard.expire_check_interval = 0\nssl_passphrase_command_supports_reload = on\nesg_test.known = '$known'\n");
my $data = $node->data_dir;

sub protect_key
{
	my ($passphrase, $format) = @_;
	my $file = ESG::Certs::spew($certs->dir . '/secret', "$passphrase\n");

	ESG::Certs::openssl($format eq 'traditional' ? ('pkey', '-traditional', '-aes256') : ('pkcs8', '-topk8', '-v2', 'aes256'), '-in', $server->{key}, '-out', $certs->dir . '/protected.key',
		'-passout', "file:$file");
	$node->replace($certs->dir . '/protected.key', 'server.key');
	return;
}

sub start
{
	my ($name) = @_;
	my $until = time + 60;

	$postmaster = fork // die "fork: $!";
	if ($postmaster == 0)
	{
		open STDIN, '<', '/dev/null';
		open STDOUT, '>>', $node->logfile;
		open STDERR, '>&', \*STDOUT;
		exec('postgres', '-D', $data) or POSIX::_exit(1);
	}
	# psql may be gone before it is handed the query: EPIPE, an exception
	sleep 0.1 while time < $until && (eval { ($node->psql('postgres', 'SELECT 1'))[0] } // 1) != 0;
	is(($node->psql('postgres', 'CREATE EXTENSION IF NOT EXISTS ext_ssl_guard'))[0], 0, "$name: the server is up");
	open_session();
	return;
}

sub stop
{
	return unless $postmaster;
	if ($session)
	{
		$session{in} .= "\\q\n";
		$session->finish;
		undef $session;
	}
	kill 'INT', $postmaster;
	waitpid $postmaster, 0;
	undef $postmaster;
	return;
}

END
{
	my $status = $?;

	stop();
	$? = $status;
}

sub open_session
{
	%session = (in => '', out => '', err => '');
	$session = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ],
		'<', \$session{in}, '>', \$session{out}, '2>', \$session{err}, IPC::Run::timeout(600));
	return;
}

sub ask
{
	my ($sql) = @_;

	$session{out} = '';
	$session{in} .= "$sql;\n";
	$session->pump until $session{out} =~ /\n\z/ || $session{err};
	die $session{err} if $session{err};
	chomp $session{out};
	return $session{out};
}

# Reloads and waits for the end of that.
sub reload
{
	my ($ok, $name) = @_;
	my $before = ask('SELECT last_reload_at FROM ssl_guard_status');
	my $until = time + 60;
	my $now;

	kill 'HUP', $postmaster;
	sleep 0.05 while ($now = ask("SELECT last_reload_at > '$before', last_reload_ok FROM ssl_guard_status")) !~ /^t.[tf]/ && time < $until;
	is($now, "t|$ok", "$name: reload");
	return;
}

# the other end of a connection to the server, by its number in /proc
sub other_end
{
	my ($socket) = @_;
	my @ports = map { sprintf ':%04X', $_ } $node->port, $socket->sockport;

	foreach my $line (split /\n/, ESG::Certs::slurp('/proc/net/tcp'))
	{
		my (undef, $local, $remote, @more) = split ' ', $line;

		return $more[6] if $local =~ /$ports[0]$/ && $remote =~ /$ports[1]$/;
	}
	return -1;
}

sub holds
{
	my ($pid, $end) = @_;

	return scalar grep { (readlink($_) // '') eq "socket:[$end]" } glob("/proc/$pid/fd/*");
}

# The child that answers a connection which has said nothing; others come and
# go, as those that the worker's self-probe asks.
sub silent_backend
{
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $node->port) or die "connect: $!";
	my $until = time + 60;

	while (time < $until)
	{
		my $end = other_end($socket);
		my ($backend) = grep { holds($_, $end) } children();

		return ($socket, $backend) if $backend;
		sleep 0.1;
	}
	die 'no backend has come';
}

sub children
{
	return map { (eval { ESG::Certs::slurp($_) } // '') =~ /^(\d+) \(.*\) \S $postmaster /s ? $1 : () } glob('/proc/[0-9]*/stat');
}

sub nothing_left
{
	my ($name, $secret) = @_;
	my ($socket, $silent) = silent_backend();
	my %process = (
		postmaster => $postmaster,
		worker => ask('SELECT worker_pid FROM ssl_guard_status'),
		'silent backend' => $silent,
		'normal backend' => ask('SELECT pg_backend_pid()'));
	foreach my $process (sort keys %process)
	{
		my $pid = $process{$process};

		isnt(join('; ', ESG::Memory::find($pid, $known)), '', "$name: $process: the search finds what is there");
		is(join('; ', ESG::Memory::find($pid, ESG::Memory::masked($secret))), '', "$name: $process: nothing of the passphrase");
	}
	close $socket;
	return;
}

foreach my $case ([ 'pair', 'traditional', 200 ], [ 'pair', 'PKCS#8', 1023 ], [ 'command', 'traditional', 1023 ], [ 'command', 'PKCS#8', 48 ])
{
	my ($way, $format, $length) = @$case;
	my $name = "$way, $format, $length bytes";
	my $passphrase = random_text($length);
	my $file = ESG::Certs::spew($certs->dir . '/core', "$passphrase\n");

	protect_key($passphrase, $format);
	$node->replace($server->{cert}, 'server.crt');
	unlink "$data/server.key.cipher", "$data/server.key.rand";
	IPC::Run::run([ 'ssl_guard_ctl', 'encrypt', '-D', $data ], '<', $file, '>&', \my $said) if $way eq 'pair';
	$node->set_conf(ssl => 'on', ssl_passphrase_command => $way eq 'pair' ? '' : "cat $file");
	start($name);
	nothing_left("$name, start", $passphrase);
	reload('t', "$name, reload $_") foreach 1 .. 3;
	ask('SELECT count(*) FROM ssl_guard_check()');
	nothing_left("$name, reloads", $passphrase);

	# the load ends with the key: nothing comes after it that could overwrite
	$node->replace($other->{cert}, 'server.crt');
	reload('f', "$name, a certificate of another key");
	nothing_left("$name, failed reload", $passphrase);
	stop();

	# the first load is a reload
	$node->replace($server->{cert}, 'server.crt');
	$node->set_conf(ssl => 'off');
	start("$name, no TLS");
	$node->set_conf(ssl => 'on');
	kill 'HUP', $postmaster;
	is($node->wait_sql("SELECT ssl FROM ssl_guard_status"), 't', "$name: TLS is switched on");
	nothing_left("$name, switched on", $passphrase);
	stop();
}
done_testing();
