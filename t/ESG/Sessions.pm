# ESG::Sessions: a session over TCP that stays open.
#
#   my $session = ESG::Sessions->open($node, user => 'app', client => $cert);
#   $session->{pid};                     # of its backend
#   $session->query('SELECT 1');         # its answer, one line
#   $session->alive;                     # does it still answer?
#   $session->wait_end;                  # until it was ended; what psql said, or undef
#   $session->close;
#
# The options are those of ESG::Node's tcp().

package ESG::Sessions;

use strict;
use warnings;

use IPC::Run ();
use Time::HiRes qw(sleep time);

use ESG::Node;

sub open    ## no critic
{
	my ($class, $node, %options) = @_;
	my $self = bless { in => '', out => '', err => '' }, $class;

	$self->{psql} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->tcp(%options) ],
		'<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err}, IPC::Run::timeout(10 * $ESG::Node::timeout));
	$self->{pid} = $self->query('SELECT pg_backend_pid()') // die "no session: $self->{err}\n";
	return $self;
}

# undef if it was ended
sub query
{
	my ($self, $sql) = @_;
	my $until = time + $ESG::Node::timeout;

	$self->{out} = '';
	$self->{in} .= "$sql;\n";
	while ($self->{out} !~ /\n/ && time < $until)
	{
		return undef unless eval { $self->{psql}->pump_nb; 1 } && $self->{psql}->pumpable;    ## no critic
		sleep 0.01;
	}
	return $self->{out} =~ /^(.*)\n/ ? $1 : undef;
}

sub alive { return defined $_[0]->query('SELECT 1'); }

# A psql that waits for input notices nothing: it is asked from time to time.
sub wait_end
{
	my ($self, $seconds) = @_;
	my $until = time + ($seconds // $ESG::Node::timeout);

	while (time < $until)
	{
		return $self->{err} unless $self->alive;
		return $self->{err} if $self->{err} =~ /FATAL/;
		sleep 0.2;
	}
	return undef;    ## no critic
}

sub close    ## no critic
{
	my ($self) = @_;

	return unless $self->{psql};
	$self->{in} .= "\\q\n";
	eval { $self->{psql}->finish; };
	delete $self->{psql};
	return;
}

sub DESTROY
{
	my ($self) = @_;
	local ($@, $?);

	# psql ends with its input anyway
	$self->close unless ${^GLOBAL_PHASE} eq 'DESTRUCT';
	return;
}

1;
