# ESG::Users: root and other users, for tests that need them whoever runs them.
#
#   use ESG::Users;                    # here the test begins again, or is skipped
#
#   my $dir = ESG::Users::enter();
#   ESG::Users::run('postgres', $command, @arguments);     # (exit status, what it says)
#
# The test runs in a user namespace, where it is root and all other numbers are
# other users to the kernel.  There are accounts (%users below), of which
# "postgres" is in the group "ssl-cert".  $dir is a new directory that all of
# them can pass.
#
# Somebody has to grant the numbers: dev/sandbox when it is run by root, or else
# the system, in /etc/subuid and /etc/subgid.

package ESG::Users;

use strict;
use warnings;

use Cwd qw(abs_path);
use IPC::Run ();
use Test::More;

use PostgreSQL::Test::Utils ();
use ESG::Certs;

our %users = (root => 0, postgres => 26, other => 27, mallory => 4713);
our %groups = (root => 0, postgres => 26, other => 27, mallory => 4713, 'ssl-cert' => 103);
my @members = qw(postgres);

# dev/sandbox, run by root, has such a namespace; else the system may grant the numbers
my @enter = $ENV{ESG_USERS_NAMESPACE}
  ? ('nsenter', "--user=$ENV{ESG_USERS_NAMESPACE}", '--setuid=0', '--setgid=0', '--', 'unshare', '--mount')
  : ('unshare', '--user', '--mount', '--map-root-user', '--map-auto');

# Why it cannot be done here; nothing if it can.
sub obstacle
{
	my $said = '';

	return 'the tests are run by root' if $> == 0;
	return if eval {
		IPC::Run::run(
			[ @enter, 'setpriv', '--reuid=26', '--regid=26', '--groups=103', '--', 'true' ],
			'<', \undef, '>&', \$said);
	};
	$said = $@ unless $said =~ /\S/;
	$said =~ s/\s+/ /g;
	return "no user namespace with other users here, for which root, or numbers in /etc/subuid with newuidmap and util-linux 2.38, are needed: $said";
}

sub write_accounts
{
	my ($dir) = @_;
	my %group_of = map { $_ => $groups{$_} } keys %users;

	ESG::Certs::spew("$dir/passwd", map { "$_:x:$users{$_}:$group_of{$_}::/nonexistent:/bin/sh\n" } sort keys %users);
	ESG::Certs::spew("$dir/group", map { "$_:x:$groups{$_}:" . ($_ eq 'ssl-cert' ? join(',', @members) : '') . "\n" } sort keys %groups);
	chmod 0644, "$dir/passwd", "$dir/group";
	foreach my $name (qw(passwd group))
	{
		system('mount', '--bind', "$dir/$name", "/etc/$name") == 0 or die "mount failed\n";
	}
	return;
}

# Who is in the group "ssl-cert" from now on.
sub set_members
{
	my ($dir);

	(@members) = @_;
	# in place: the file is mounted
	my $text = ESG::Certs::slurp('/etc/group') =~ s/^(ssl-cert:x:\d+:).*$/$1 . join ',', @members/mer;
	open(my $out, '>', '/etc/group') or die "/etc/group: $!";
	print $out $text;
	close $out;
	return;
}

# All directories from here up to the sandbox let everybody pass.
sub open_way
{
	my ($path) = @_;
	my $top = abs_path($ENV{SANDBOX});

	while (index($path, $top) == 0)
	{
		chmod 0711 | (stat $path)[2] & 07777, $path or die "chmod $path: $!";
		$path =~ s{/[^/]*\z}{};
	}
	return;
}

# While the test is compiled: later its output is not where it was.
sub import
{
	return if $ENV{ESG_USERS};
	my $obstacle = obstacle();

	plan skip_all => $obstacle if defined $obstacle;
	$ENV{ESG_USERS} = 1;
	exec(@enter, $^X, '-I', "$ENV{SRC}/t", $0) or die "$enter[0]: $!";
}

sub enter
{
	my $dir = abs_path(PostgreSQL::Test::Utils::tempdir());

	write_accounts($dir);
	open_way($dir);
	is("$> @{[ scalar getpwnam('postgres') ]}", "0 $users{postgres}", 'root, with other users');
	return $dir;
}

# Runs it as that user, with that user's groups.
sub run
{
	my ($user, @command) = @_;
	my $said = '';

	unshift @command, 'setpriv', "--reuid=$users{$user}", "--regid=$groups{$user}", '--init-groups', '--' if $user ne 'root';
	IPC::Run::run(\@command, '<', '/dev/null', '>&', \$said);
	return ($? >> 8 || $? & 127, $said);
}

1;
