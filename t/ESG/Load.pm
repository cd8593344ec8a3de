# ESG::Load: clients that log in again and again, and what became of each login.
#
#   my $load = ESG::Load->new($directory, pause => 0.05,
#       clients => [ [ 'app', $connection_string ], ... ]);
#   $load->go;
#   $load->hold;                   # when it returns, nobody is logging in
#   my @logins = $load->take;      # since the last time: { client, at, took, said }
#   $load->end;
#
# "said" is '' for a login that was let in and got an answer.

package ESG::Load;

use strict;
use warnings;

use POSIX ();
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Node;

# One login: '' or why not.
sub log_in
{
	my ($connection, $said) = @_;
	my $pid = open(my $out, '-|') // die "fork: $!\n";

	if ($pid == 0)
	{
		open(STDERR, '>', $said) && open(STDIN, '<', '/dev/null') or POSIX::_exit(127);
		exec('psql', '-XAtqw', '-d', $connection, '-c', 'SELECT 1') or POSIX::_exit(127);
	}
	my $answer = join '', <$out>;
	close $out;
	return '' if $answer eq "1\n" && $? == 0;
	return (ESG::Certs::slurp($said) =~ s/\s+/ /gr =~ s/ \z//r) || "exit status $?";
}

# Until the directory, or whoever started it, is gone.
sub run_client
{
	my ($self, $number, $connection) = @_;
	my $parent = getppid();
	my $idle = "$self->{dir}/idle.$number";

	open(my $log, '>>', "$self->{dir}/log.$number") or die "open: $!\n";
	$log->autoflush;
	while (getppid() == $parent && !-e "$self->{dir}/end")
	{
		if (!-e "$self->{dir}/go")
		{
			open(my $mark, '>', $idle) unless -e $idle;
			sleep 0.02;
			next;
		}
		# in this order: whoever holds us takes "go" away, then looks for the mark
		unlink $idle;
		next unless -e "$self->{dir}/go";
		my $at = time;
		my $said = log_in($connection, "$self->{dir}/said.$number");
		print $log join("\t", $at, time - $at, $said), "\n";
		sleep $self->{pause};
	}
	return;
}

sub new
{
	my ($class, $dir, %options) = @_;
	my $self = bless { dir => $dir, pause => 0.05, %options, pids => [] }, $class;

	foreach my $number (0 .. $#{ $self->{clients} })
	{
		my $pid = fork() // die "fork: $!\n";

		if ($pid == 0)
		{
			eval { $self->run_client($number, $self->{clients}[$number][1]); 1 } or warn $@;
			POSIX::_exit(0);
		}
		push @{ $self->{pids} }, $pid;
	}
	$self->hold;
	return $self;
}

sub idle_marks { return map { "$_[0]->{dir}/idle.$_" } 0 .. $#{ $_[0]->{clients} }; }

sub go
{
	my ($self) = @_;

	ESG::Certs::spew("$self->{dir}/go", '');
	return;
}

sub hold
{
	my ($self) = @_;
	my $until = time + 2 * $ESG::Node::timeout;

	unlink "$self->{dir}/go";
	foreach my $mark ($self->idle_marks)
	{
		until (-e $mark)
		{
			die "a client is stuck in a login\n" if time > $until;
			sleep 0.01;
		}
	}
	return;
}

sub take
{
	my ($self) = @_;
	my @logins;

	foreach my $number (0 .. $#{ $self->{clients} })
	{
		open(my $log, '<', "$self->{dir}/log.$number") or next;
		seek($log, $self->{read}{$number} // 0, 0);
		while (my $line = <$log>)
		{
			# half a line is for the next time
			last if $line !~ /\n\z/;
			$self->{read}{$number} = tell $log;
			chomp $line;
			my %login = (client => $self->{clients}[$number][0]);
			@login{qw(at took said)} = split /\t/, $line, 3;
			push @logins, \%login;
		}
	}
	return @logins;
}

sub end
{
	my ($self) = @_;

	ESG::Certs::spew("$self->{dir}/end", '') if -d $self->{dir};
	waitpid($_, 0) foreach splice @{ $self->{pids} };
	return;
}

sub DESTROY
{
	my ($self) = @_;
	local ($?, $@);

	$self->end if @{ $self->{pids} } && ${^GLOBAL_PHASE} ne 'DESTRUCT';
	return;
}

1;
