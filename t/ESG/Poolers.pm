# ESG::Poolers: what stands between clients and servers, as Debian packages it.
#
#   my $program = ESG::Poolers::program('pgbouncer');    # undef: not there
#   my $pooler = ESG::Poolers->start($port, $log, 'pgbouncer', @arguments);
#   $pooler->stop;
#   my $proxy = ESG::Poolers->start_haproxy($dir, $port => $node->port, $dead => undef);   # undef: nobody is behind it
#
# A program is looked for in PATH, then where "dev/setup --with-poolers" has
# unpacked its package.  What was started ends with the test, by its own pid.

package ESG::Poolers;

use strict;
use warnings;

use IO::Socket::INET;
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Node;

my @running;
my $unpacked = $ENV{ESG_POOLERS} // '';

sub program
{
	my ($name) = @_;

	foreach my $place ((split /:/, $ENV{PATH}), '/usr/sbin', ($unpacked ne '' ? "$unpacked/usr/sbin" : ()))
	{
		return "$place/$name" if -x "$place/$name" && !-d _;
	}
	return;
}

# Waits until somebody listens on that port of 127.0.0.1.
sub start
{
	my ($class, $port, $log, $name, @arguments) = @_;
	my $self = bless {}, $class;
	my $until = time + $ESG::Node::timeout;

	$self->{pid} = fork // die "fork: $!";
	if ($self->{pid} == 0)
	{
		$ENV{LD_LIBRARY_PATH} = join ':', glob("$unpacked/usr/lib/*-linux-*") if $unpacked ne '';
		# Pgpool-II ends its whole group
		setpgrp;
		open(STDIN, '<', '/dev/null');
		open(STDOUT, '>', $log);
		open(STDERR, '>&', \*STDOUT);
		exec { program($name) } $name, @arguments or POSIX::_exit(127);
	}
	push @running, $self;
	while (time < $until)
	{
		return $self if IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
		die "$name has ended:\n" . ESG::Certs::slurp($log) if waitpid($self->{pid}, WNOHANG) != 0;
		sleep 0.1;
	}
	die "$name does not listen:\n" . ESG::Certs::slurp($log);
}

# Each port leads to a server's, or to nobody.
sub start_haproxy
{
	my ($class, $dir, @ports) = @_;
	my $first = $ports[0];
	my $text = "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n";

	while (my ($port, $behind) = splice @ports, 0, 2)
	{
		$text .= "frontend at_$port\n  bind 127.0.0.1:$port\n";
		$text .= "  default_backend behind_$port\nbackend behind_$port\n  server main 127.0.0.1:$behind\n" if defined $behind;
	}
	ESG::Certs::spew("$dir/haproxy.cfg", $text);
	return $class->start($first, "$dir/haproxy.log", 'haproxy', '-db', '-f', "$dir/haproxy.cfg");
}

sub stop
{
	my ($self) = @_;
	my $pid = delete $self->{pid} or return;

	local $?;
	kill 'INT', $pid;
	foreach (1 .. 50)
	{
		return if waitpid($pid, WNOHANG) != 0;
		sleep 0.1;
	}
	kill 'KILL', $pid;
	waitpid $pid, 0;
	return;
}

END { $_->stop foreach @running; }

1;
