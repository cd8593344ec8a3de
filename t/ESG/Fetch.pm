# ESG::Fetch: runs "ssl_guard_ctl fetch-crl", and sees what it does in a directory.
#
#   my $f = ESG::Fetch->new;                   # a directory of its own; or ->new($directory)
#   my $status = $f->run('--ca', $file, '--out', $f->path('root.crl'), ...);
#   $f->{out}, $f->{err}                       # what it said
#   $f->remember;                              # also before each run
#   ok($f->unchanged);                         # names, bytes, modes, inodes

package ESG::Fetch;

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use IPC::Run ();

use PostgreSQL::Test::Utils ();

our $timeout = 120;

sub new
{
	my ($class, $dir) = @_;

	return bless { dir => $dir // PostgreSQL::Test::Utils::tempdir() }, $class;
}

sub path { return "$_[0]->{dir}/$_[1]"; }

# all names in the directory but . and ..
sub names
{
	my ($self) = @_;

	opendir(my $dir, $self->{dir}) or die "$self->{dir}: $!";
	return sort grep { !/^\.{1,2}$/ } readdir $dir;
}

# of a name what must not change
sub state_of
{
	my ($self, $name) = @_;
	my $path = $self->path($name);
	my @st = lstat $path;
	my $content = -l $path ? readlink $path : -f $path ? do { open(my $in, '<:raw', $path); local $/ = undef; sha256_hex(<$in> // '') } : '';

	return join(' ', $name, @st[ 1, 2, 4, 5, 7, 9 ], $content);
}

sub remember
{
	my ($self) = @_;

	$self->{before} = [ map { $self->state_of($_) } $self->names ];
	return;
}

sub unchanged
{
	my ($self) = @_;

	return "@{ $self->{before} }" eq join(' ', map { $self->state_of($_) } $self->names);
}

sub run
{
	my ($self, @arguments) = @_;

	$self->remember;
	@$self{qw(out err)} = ('', '');
	IPC::Run::run([ 'ssl_guard_ctl', 'fetch-crl', @arguments ], '<', '/dev/null', '>', \$self->{out}, '2>', \$self->{err},
		IPC::Run::timeout($timeout));
	return $? & 127 ? 'signal ' . ($? & 127) : $? >> 8;
}

1;
