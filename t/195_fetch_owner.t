# fetch-crl run by root, and by users who own only some of it: owner, group and
# mode stay, the server's user can read what is written, and nobody else's
# directory is written into.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Users;
use ESG::Web;

my $dir = ESG::Users::enter();
my $certs = ESG::Certs->new("$dir/certs");
my $web = ESG::Web->new;
my $ca = $certs->make_ca('ca');
my $old = ESG::Certs::slurp($certs->make_crl($ca, 'old', last_update => -3000));
my $new = ESG::Certs::slurp($certs->make_crl($ca, 'new', last_update => -60));
my $url = $web->put('ca.crl', $new);
my $count = 0;

chmod 0755, $certs->{dir};
chmod 0644, $ca->{cert};

# A directory of that user and mode with that file in it, or none.
sub make
{
	my ($owner, $mode, @file) = @_;
	my $home = "$dir/d" . ++$count;

	mkdir $home or die "mkdir: $!";
	if (@file)
	{
		my ($user, $group, $file_mode) = @file;

		ESG::Certs::spew("$home/root.crl", $old);
		chown $ESG::Users::users{$user}, $ESG::Users::groups{$group}, "$home/root.crl";
		chmod $file_mode, "$home/root.crl";
	}
	chown $ESG::Users::users{$owner}, $ESG::Users::groups{$owner}, $home;
	chmod $mode, $home;
	return $home;
}

# (exit status, what it says)
sub fetch
{
	my ($user, $home, @more) = @_;

	return ESG::Users::run($user, 'ssl_guard_ctl', 'fetch-crl', '--ca', $ca->{cert}, '--url', $url, '--out', "$home/root.crl", @more);
}

# "root ssl-cert 0640 new"
sub state_of
{
	my ($home) = @_;
	my @st = stat "$home/root.crl" or return 'none';
	my %user = reverse %ESG::Users::users;
	my %group = reverse %ESG::Users::groups;
	my $text = ESG::Certs::slurp("$home/root.crl");

	return sprintf('%s %s %04o %s', $user{ $st[4] }, $group{ $st[5] }, $st[2] & 07777, $text eq $new ? 'new' : $text eq $old ? 'old' : 'odd');
}

sub is_fetched
{
	my ($user, $home, $expected, $name, @more) = @_;
	my ($status, $said) = fetch($user, $home, @more);

	is($status, 0, $name) or diag $said;
	is(state_of($home), $expected, "$name: $expected");
	is(join(' ', map { s{.*/}{}r } glob("$home/.*.new $home/*.new")), '', "$name: nothing is left behind");
	return;
}

sub is_refused
{
	my ($user, $home, $pattern, $name, @more) = @_;
	my $before = state_of($home);
	my ($status, $said) = fetch($user, $home, @more);

	isnt($status, 0, $name);
	like($said, $pattern, "$name: why");
	is(state_of($home), $before, "$name: $before, as before");
	is(join(' ', map { s{.*/}{}r } glob("$home/.*.new $home/*.new")), '', "$name: nothing is left behind");
	return;
}

# --- by root ---------------------------------------------------------------------

is_fetched('root', make('postgres', 0700, 'postgres', 'postgres', 0600), 'postgres postgres 0600 new', "the server's file");
is_fetched('root', make('root', 0755, 'root', 'ssl-cert', 0640), 'root ssl-cert 0640 new', 'root\'s file for a group');
is_fetched('root', make('postgres', 0700), 'postgres postgres 0644 new', "a new file in the server's directory");
is_fetched('root', make('root', 0755), 'root root 0644 new', "a new file in root's");
is_refused('root', make('mallory', 0755, 'root', 'root', 0644), qr/belongs to user ID 4713, neither root nor the server's user/, "somebody else's directory");
is_fetched('root', make('mallory', 0755, 'mallory', 'mallory', 0644), 'mallory mallory 0644 new', 'which --user allows', '--user', 'mallory');
is_refused('root', make('root', 0777, 'root', 'root', 0644), qr/is writable by others/, 'a directory for all');
is_refused('root', make('root', 0755, 'root', 'root', 0600), qr/user "postgres" could not read file/, 'a file that the server could not read');
is_refused('root', make('root', 0755), qr/user "postgres" could not read file/, 'a new one that it could not', '--mode', '0600');
is_refused('root', make('root', 0755, 'root', 'root', 0644), qr/there is no user "nobody-here"/, 'a user that is not there', '--user', 'nobody-here');

# the command is the server's user's
my $home = make('postgres', 0700, 'postgres', 'postgres', 0600);
my ($status, $said) = fetch('root', $home, '--reload-command', "id -u >'$home/id'");
is($status, 0, '--reload-command') or diag $said;
is(ESG::Certs::slurp("$home/id"), "26\n", "is run by the server's user");

# --- by the server's user -----------------------------------------------------------

is_fetched('postgres', make('postgres', 0700, 'postgres', 'postgres', 0600), 'postgres postgres 0600 new', "the user's own file");
is_fetched('postgres', make('postgres', 0700, 'postgres', 'ssl-cert', 0640), 'postgres ssl-cert 0640 new', 'for a group that it is in');
is_refused('postgres', make('postgres', 0700, 'root', 'ssl-cert', 0640), qr/could not write file ".*": Operation not permitted/, "root's file in the user's directory");
is_refused('postgres', make('root', 0755, 'postgres', 'postgres', 0644), qr/could not create file ".*": Permission denied/, "a file in root's directory");
is_refused('postgres', make('postgres', 0700, 'postgres', 'postgres', 0600), qr/only root can look with the eyes/, 'another user', '--user', 'mallory');

done_testing();
