# ESG::Counted: instructions of what sessions of a server do, by callgrind.
#
#   my $counted = ESG::Counted->new($node, $dir, 'ssl_guard_list_crls_1_1');   # functions that count
#   my @each = $counted->compare([@bare], [@look], [@look, @look]);   # of each list, after the first
#   $total = $counted->end;     # of the postmaster; the server runs without callgrind again
#
# Where functions are named only what they do, and what they call, is counted.  A figure is the difference of
# two sessions that have done the same before, so that what is loaded once counts nowhere.

package ESG::Counted;

use strict;
use warnings;

use Time::HiRes qw(sleep time);

use ESG::Node;

# a machine may be busy
my $patience = 3600;

sub wait_until
{
	my ($what, $is_done) = @_;
	my $until = time + $patience;

	until ($is_done->())
	{
		die "waited in vain for $what\n" if time > $until;
		sleep 0.01;
	}
	return;
}

# Stops the server and starts it anew under callgrind.
sub new
{
	my ($class, $node, $dir, @functions) = @_;

	$node->stop;
	my $pid = fork() // die "fork: $!\n";
	if ($pid == 0)
	{
		open(STDOUT, '>>', $node->logfile);
		open(STDERR, '>&', \*STDOUT);
		exec('valgrind', '-q', '--tool=callgrind', '--trace-children=yes', '--zero-before=InitPostmasterChild',
			map({ "--toggle-collect=$_" } @functions), "--callgrind-out-file=$dir/cg.%p", 'postgres', '-D', $node->data_dir);
		die "valgrind: $!";
	}
	wait_until('callgrind', sub { system('pg_isready', '-q', '-h', $node->host, '-p', $node->port) == 0 });
	return bless { node => $node, dir => $dir, pid => $pid }, $class;
}

# Instructions of the postmaster; no server runs any more.
sub stop
{
	my ($self) = @_;

	kill 'INT', $self->{pid};
	waitpid $self->{pid}, 0;
	return total_of("$self->{dir}/cg.$self->{pid}");
}

sub end
{
	my ($self) = @_;
	my $total = $self->stop;

	$self->{node}->start;
	return $total;
}

# The output of a session's queries, in which the first line is its process's number.
sub session
{
	my ($node, @queries) = @_;
	my @command = ('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', 'host=' . $node->host . ' port=' . $node->port . ' dbname=postgres user=postgres');

	open(my $in, '-|', @command, map { ('-c', $_) } 'SELECT pg_backend_pid()', @queries) or die "psql: $!\n";
	my $text = join '', <$in>;
	close $in or die "psql failed\n";
	return $text;
}

# undef: not there yet
sub total_of
{
	my ($path) = @_;

	return -s $path && ESG::Node::slurp($path) =~ /^totals: (\d+)/m ? $1 : undef;
}

# Instructions of a session's queries.
sub count
{
	my ($self, @queries) = @_;
	my ($backend) = session($self->{node}, @queries) =~ /^(\d+)/;
	my $total;

	wait_until('a profile', sub { defined($total = total_of("$self->{dir}/cg.$backend")) });
	return $total;
}

# What reading takes with nothing but OpenSSL, and a first look and the next one after it.
sub compare
{
	my ($self, $before, $bare, $look) = @_;
	my $bare_once = $self->count(@$before, @$bare);
	my $first = $self->count(@$before, @$bare, @$look);
	my $again = $self->count(@$before, @$bare, @$look, @$look);
	my $bare_twice = $self->count(@$before, @$bare, @$bare);

	return ($bare_twice - $bare_once, $first - $bare_once, $again - $first);
}

1;
