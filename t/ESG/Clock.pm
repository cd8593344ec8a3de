# ESG::Clock: a server whose clock a test sets forward and back, with libfaketime,
# which leaves alone the clock that measures sleeps.
#
#   my $clock = ESG::Clock->new('clocks set forward and back are');
#   $clock->start($node);         # at the real time, and NOT TESTED if it cannot be set
#   $clock->set(86400);           # seconds from the real time, in one step
#   $clock->set(0, 20);           # and from now on so many times as fast
#
# Where it cannot be done, the test is skipped, which says what is not tested.

package ESG::Clock;

use strict;
use warnings;

use IPC::Open2 qw(open2);

use PostgreSQL::Test::Utils;
use Test::More;

use ESG::Certs;
use ESG::Node;

sub new
{
	my ($class, $what) = @_;
	my ($library) = grep { -r } $ENV{LIBFAKETIME} // (), glob('/usr/lib/*/faketime/libfaketime.so.1 /usr/lib*/faketime/libfaketime.so.1');
	my $self = bless {
		what => $what, library => $library, file => PostgreSQL::Test::Utils::tempdir() . '/clock' }, $class;

	plan skip_all => "libfaketime (package \"faketime\") is not there: $what NOT TESTED" unless $library;
	$self->set(0);
	return $self;
}

sub set
{
	my ($self, $seconds, $speed) = @_;

	ESG::Certs::spew("$self->{file}.new", sprintf("%+d%s\n", $seconds, defined $speed ? " x$speed" : ''));
	rename "$self->{file}.new", $self->{file} or die "rename: $!";
	return;
}

# libfaketime's first process makes something in shared memory, which it removes
# when it ends.  The postmaster has it open by then; with EXEC_BACKEND each backend
# opens it by its name.  So a shell makes it, which stays as long as this test.
sub name_shared
{
	my ($self) = @_;

	return undef unless ESG::Node::exec_backend();
	open2($self->{shell_says}, $self->{shell_reads}, 'sh', '-c', 'echo "$FAKETIME_SHARED"; read -r end');
	chomp(my $name = readline $self->{shell_says});
	return $name;
}

sub start
{
	my ($self, $node) = @_;

	{
		# beside what the caller has there
		local $ENV{LD_PRELOAD} = join ' ', $self->{library}, $ENV{LD_PRELOAD} // ();
		local $ENV{FAKETIME_TIMESTAMP_FILE} = $self->{file};
		local $ENV{FAKETIME_NO_CACHE} = 1;
		local $ENV{FAKETIME_DONT_FAKE_MONOTONIC} = 1;
		local $ENV{DONT_FAKE_MONOTONIC} = 1;
		# For the times of files it takes a semaphore that all processes share:
		# who is killed while looking at a file would stop all the others there.
		local $ENV{NO_FAKE_STAT} = 1;
		my $name = $self->name_shared;
		local $ENV{FAKETIME_SHARED} = $name if defined $name;
		$node->start;
	}
	$self->set(30);
	plan skip_all => "libfaketime does not work with this server: $self->{what} NOT TESTED"
	  unless $node->safe_psql('postgres', 'SELECT extract(epoch FROM clock_timestamp())') - time > 20;
	$self->set(0);
	return;
}

1;
