# ESG::Peer: a server that says what it likes.
#
#   my $address = ESG::Peer::start(sub { my ($connection) = @_; ... });    # "127.0.0.1:PORT"
#
# Each connection has a process of its own, for two minutes at most; all end with the program.

package ESG::Peer;

use strict;
use warnings;

use IO::Socket::INET;
use POSIX ();
use Socket qw(SOMAXCONN);

my @children;

sub listen_on { return IO::Socket::INET->new(Listen => SOMAXCONN, LocalAddr => '127.0.0.1', ReuseAddr => 1) // die "listen: $!"; }

sub start
{
	my ($serve) = @_;
	my $listener = listen_on();
	my $pid = fork // die "fork: $!";

	if ($pid == 0)
	{
		$SIG{PIPE} = 'IGNORE';
		$SIG{CHLD} = 'IGNORE';
		while (1)
		{
			my $client = $listener->accept or next;
			my $child = fork;

			next if $child;
			alarm 120;
			binmode $client;
			$serve->($client);
			POSIX::_exit(0);
		}
	}
	push @children, $pid;
	return '127.0.0.1:' . $listener->sockport;
}

END
{
	local $?;
	foreach my $pid (@children) { kill 'KILL', $pid; waitpid $pid, 0; }
}

1;
