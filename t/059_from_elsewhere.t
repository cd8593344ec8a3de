# "ssl_guard_ctl check" by root in a directory that the server's user cannot pass,
# with a path that begins there: the access control lists are found all the same.

use strict;
use warnings;

use Cwd qw(getcwd);
use IPC::Run ();
use Test::More;

use ESG::Certs;
use ESG::Users;

my $base = ESG::Users::enter();
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $cert = $certs->make_server('server', ca => $ca, passphrase => 'sesam');
my $group = $ESG::Users::groups{'ssl-cert'};
my $user = $ESG::Users::users{mallory};

ESG::Certs::spew("$base/set.c", <<'SOURCE');
#include <stdio.h>
#include <sys/xattr.h>

/* set FILE: the list is on standard input */
int
main(int argc, char **argv)
{
	char		list[4096];
	size_t		len = fread(list, 1, sizeof(list), stdin);

	return argc == 2 && setxattr(argv[1], "system.posix_acl_access", list, len, 0) == 0 ? 0 : 1;
}
SOURCE
plan skip_all => 'no C compiler' if system("cc -o '$base/set' '$base/set.c' 2>'$base/cc.out'") != 0;

# root's, for the group, and for one more: owner, user, group, mask, other
sub set_list
{
	my ($file) = @_;

	ESG::Certs::spew("$base/list", pack 'V (v v V)5', 2, 1, 4, 0xffffffff, 2, 4, $user, 4, 4, 0xffffffff, 0x10, 4, 0xffffffff, 0x20, 0, 0xffffffff);
	return system("'$base/set' '$file' <'$base/list'") == 0;
}

sub check
{
	my ($dir) = @_;
	my $said = '';

	IPC::Run::run([ 'ssl_guard_ctl', 'check', '-D', $dir, '--user', 'postgres' ], '<', \undef, '>&', \$said);
	return "$?: $said";
}

mkdir "$base/pair", 0755;
mkdir "$base/closed", 0700;
ESG::Certs::spew("$base/pair/server.key", ESG::Certs::slurp($cert->{key}));
chown 0, $group, "$base/pair/server.key" or die "chown: $!";
chmod 0440, "$base/pair/server.key";
plan skip_all => 'no access control lists in this file system' unless set_list("$base/pair/server.key");
IPC::Run::run([ 'ssl_guard_ctl', 'encrypt', '-D', "$base/pair", '--user', 'postgres' ], '<', \"sesam\n", '>&', \my $said);
is($?, 0, 'a pair') or diag($said);

my $warned = qr{\A0: ssl_guard_ctl: warning: by its access control list, others may read file "[^"]*/server\.key"};
my $before = getcwd();
like(check("$base/pair"), $warned, 'an absolute path: warned');
chdir "$base/closed" or die "chdir: $!";
like(check('../pair'), $warned, 'a path from where the user may not be: warned');
chdir $before;

done_testing();
