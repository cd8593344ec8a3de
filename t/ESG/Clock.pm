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

use PostgreSQL::Test::Utils;
use Test::More;

use ESG::Certs;

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

sub start
{
	my ($self, $node) = @_;

	{
		local $ENV{LD_PRELOAD} = $self->{library};
		local $ENV{FAKETIME_TIMESTAMP_FILE} = $self->{file};
		local $ENV{FAKETIME_NO_CACHE} = 1;
		local $ENV{FAKETIME_DONT_FAKE_MONOTONIC} = 1;
		local $ENV{DONT_FAKE_MONOTONIC} = 1;
		$node->start;
	}
	$self->set(30);
	plan skip_all => "libfaketime does not work with this server: $self->{what} NOT TESTED"
	  unless $node->safe_psql('postgres', 'SELECT extract(epoch FROM clock_timestamp())') - time > 20;
	$self->set(0);
	return;
}

1;
