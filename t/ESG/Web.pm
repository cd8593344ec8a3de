# ESG::Web: a small web server on loopback.
#
#   use ESG::Web;
#
#   my $web = ESG::Web->new('/slow' => sub { my ($client, $request) = @_; ... });
#   $web->put('ca.crl', $bytes);               # what GET /ca.crl is answered with
#   my $url = $web->url('ca.crl');             # http://127.0.0.1:PORT/ca.crl
#   my @lines = $web->requests;                # "GET /ca.crl HTTP/1.0", since the last call
#   $web->hold('ca.crl'), $web->release('ca.crl');   # it is not answered until then
#
# A path that has neither content nor a handler is answered with 404.  Each
# request has a process of its own, so that a slow one holds up no other; they
# end with the test.

package ESG::Web;

use strict;
use warnings;

use Carp;
use IO::Socket::INET ();
use POSIX ();
use Time::HiRes qw(sleep time);

use PostgreSQL::Test::Utils ();

my %servers;

sub new
{
	my ($class, %handlers) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir();
	my $socket = IO::Socket::INET->new(Listen => 20, LocalAddr => '127.0.0.1', ReuseAddr => 1)
	  or croak "could not listen: $@";
	my $self = bless { dir => $dir, port => $socket->sockport, seen => 0 }, $class;
	my $pid = fork() // croak "could not fork: $!";

	mkdir "$dir/files";
	if ($pid == 0)
	{
		eval { $self->serve($socket, \%handlers) };
		POSIX::_exit(1);
	}
	close $socket;
	$servers{$pid} = 1;
	return $self;
}

# Without the test's END blocks, which stop servers.
sub serve
{
	my ($self, $socket, $handlers) = @_;

	setpgrp(0, 0);
	$SIG{CHLD} = 'IGNORE';
	$SIG{PIPE} = 'IGNORE';
	delete @SIG{qw(INT TERM __DIE__ ALRM)};
	while (1)
	{
		my $client = $socket->accept or next;
		my $pid = fork() // POSIX::_exit(1);

		if ($pid == 0)
		{
			eval { $self->answer($client, $handlers) };
			close $client;
			POSIX::_exit(0);
		}
		close $client;
	}
}

sub answer
{
	my ($self, $client, $handlers) = @_;
	my $request = <$client> // return;
	my ($path) = $request =~ m{^\w+ (?:http://[^/]+)?/?([^ ?\r\n]*)};

	while (my $line = <$client>)
	{
		last if $line =~ /^\r?\n/;
	}
	open(my $log, '>>', "$self->{dir}/log") or return;
	syswrite($log, $request =~ s/\r?\n//r . "\n");
	close $log;
	$client->autoflush(1);
	sleep 0.05 while -e "$self->{dir}/hold.$path";
	return $handlers->{"/$path"}->($client, $request) if $handlers->{"/$path"};
	return send_answer($client, '404 Not Found', "<html>nothing here</html>\n") unless -f "$self->{dir}/files/$path";
	open(my $in, '<:raw', "$self->{dir}/files/$path") or return;
	local $/ = undef;
	return send_answer($client, '200 OK', scalar <$in>);
}

sub send_answer
{
	my ($client, $status, $body, @headers) = @_;

	binmode $client;
	print $client join("\r\n", "HTTP/1.1 $status", 'Content-Length: ' . length($body), 'Connection: close', @headers), "\r\n\r\n", $body;
	return;
}

sub put
{
	my ($self, $name, $bytes) = @_;
	my $path = "$self->{dir}/files/$name";

	open(my $out, '>:raw', "$path.new") or croak "could not write \"$path.new\": $!";
	print $out $bytes;
	close $out or croak "could not write \"$path.new\": $!";
	rename "$path.new", $path or croak "could not rename: $!";
	return $self->url($name);
}

sub url { return "http://127.0.0.1:$_[0]->{port}/$_[1]"; }

sub hold
{
	my ($self, $name) = @_;

	open(my $out, '>', "$self->{dir}/hold.$name") or croak "could not write: $!";
	close $out;
	return;
}

sub release { unlink "$_[0]->{dir}/hold.$_[1]"; return; }

sub requests
{
	my ($self) = @_;

	open(my $in, '<', "$self->{dir}/log") or return;
	my @lines = <$in>;
	chomp @lines;
	my @new = @lines[ $self->{seen} .. $#lines ];
	$self->{seen} = @lines;
	return @new;
}

# until there have been so many more
sub wait_requests
{
	my ($self, $count) = @_;
	my $until = time + 60;

	while (time < $until)
	{
		open(my $in, '<', "$self->{dir}/log");
		my @lines = $in ? <$in> : ();
		return 1 if @lines >= $self->{seen} + $count;
		sleep 0.05;
	}
	return 0;
}

END
{
	my $status = $?;

	kill 'KILL', -$_, $_ foreach keys %servers;
	waitpid $_, 0 foreach keys %servers;
	$? = $status;
}

1;
