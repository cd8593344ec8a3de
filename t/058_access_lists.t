# "ssl_guard_ctl check" and access control lists, which show nowhere in a mode
# that lets the group read: 0440 and 0640, which root's files may have.
#
# A library loaded into the program (LD_PRELOAD) says that the files are root's.
# The list is written as the kernel takes it, so no program is needed for that.

use strict;
use warnings;

use IPC::Run ();
use Test::More;

use ESG::Certs;
use PostgreSQL::Test::Utils ();

my $base = PostgreSQL::Test::Utils::tempdir();
my $certs = ESG::Certs->new;

ESG::Certs::spew("$base/root.c", <<'SOURCE');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/stat.h>

int
fstat(int fd, struct stat *st)
{
	int			(*next) (int, struct stat *) = (int (*) (int, struct stat *)) dlsym(RTLD_NEXT, "fstat");
	int			result = next(fd, st);

	st->st_uid = 0;
	return result;
}
SOURCE
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
plan skip_all => 'no C compiler'
  if system("cc -shared -fPIC -o '$base/root.so' '$base/root.c' -ldl && cc -o '$base/set' '$base/set.c'") != 0;

# what names an entry: ACL_USER_OBJ and so on of linux/posix_acl.h
my %tag = (owner => 0x01, user => 0x02, group => 0x04, of => 0x08, mask => 0x10, other => 0x20);
my %permission = (r => 4, w => 2, x => 1);

# "owner:r user:4711:r": without a number, the entry has none
sub set_list
{
	my ($file, @entries) = @_;
	my $list = pack 'V', 2;

	foreach my $entry (@entries)
	{
		my ($what, @rest) = split /:/, $entry, -1;
		my $bits = 0;

		$bits |= $permission{$_} foreach split //, $rest[-1];
		$list .= pack 'v v V', $tag{$what}, $bits, @rest > 1 ? $rest[0] : 0xffffffff;
	}
	ESG::Certs::spew("$base/list", $list);
	return system("'$base/set' '$file' <'$base/list'") == 0;
}

sub check
{
	my ($dir) = @_;
	my $said = '';

	local $ENV{LD_PRELOAD} = "$base/root.so";
	IPC::Run::run([ 'ssl_guard_ctl', 'check', '-D', $dir ], '<', \undef, '>&', \$said);
	return "$?: $said";
}

sub new_pair
{
	my ($name) = @_;
	my $dir = "$base/$name";

	mkdir $dir, 0700;
	$certs->make_key("$dir/server.key", 'ec:prime256v1', passphrase => 'sesam');
	ESG::Certs::spew("$base/input", "sesam\n");
	system("ssl_guard_ctl encrypt -D '$dir' <'$base/input' >/dev/null");
	chmod 0440, map { "$dir/server.key$_" } '', '.cipher', '.rand';
	return $dir;
}

my $dir = new_pair('probe');
plan skip_all => 'no access control lists in this file system'
  unless set_list("$dir/server.key", 'owner:r', 'user:4711:r', 'group:r', 'mask:r', 'other:');

like(check(new_pair('none')), qr/\A0: the pair is usable\n\z/, 'no list: nothing is said');
foreach my $suffix ('', '.cipher', '.rand')
{
	foreach my $case (
		[ 'a user may read', 1, 'user:4711:r', 'group:r', 'mask:r' ],
		[ 'a group may read', 1, 'group:r', 'of:4711:rw', 'mask:r' ],
		[ 'the last of many may', 1, (map { "user:$_:x" } 1 .. 50), 'user:51:r', 'group:r', 'mask:r' ],
		[ 'the mask takes it away', 0, 'user:4711:r', 'group:r', 'mask:' ],
		[ 'only to write', 0, 'user:4711:w', 'group:r', 'mask:rw' ],
		[ 'nobody is named', 0, 'group:r', 'mask:r' ])
	{
		my ($name, $want, @entries) = @$case;
		my $pair = new_pair("d$suffix" . $name =~ s/\W/_/gr);
		my $file = "server.key$suffix";

		ok(set_list("$pair/$file", 'owner:r', @entries, 'other:'), "$name: $file: the list is set");
		# the group's bits are the mask: where that is more than reading, it is the mode that is refused
		chmod 0440, "$pair/$file" if $name =~ /write/;
		my $said = check($pair);
		like($said, $want ? qr/\A0: ssl_guard_ctl: warning: by its access control list, others may read file ".*\Q$file\E"/ : qr/\A0: the pair is usable\n\z/,
			"$name: $file: " . ($want ? 'warned' : 'nothing is said'));
	}
}

# a user's own files are closed to the group: there a list cannot hide
my $own = new_pair('own');
chmod 0400, map { "$own/server.key$_" } '', '.cipher', '.rand';
set_list("$own/server.key.rand", 'owner:r', 'user:4711:r', 'group:', 'mask:r', 'other:');
{
	my $said = '';

	IPC::Run::run([ 'ssl_guard_ctl', 'check', '-D', $own ], '<', \undef, '>&', \$said);
	like($said, qr/server\.key\.rand" cannot be used: accessible to others, mode 0440/, 'the mode shows the mask') unless $> == 0;
}

done_testing();
