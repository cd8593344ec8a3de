# Whose the passphrase pair is when root runs "ssl_guard_ctl encrypt" for the
# server's user, and directories in which others may write.
#
# Run as root, this makes files of several users.  Otherwise a library loaded
# into the program (LD_PRELOAD) tells it that it is root, and whose the files
# are, and writes down to whom it gives the new ones.

use strict;
use warnings;

use IPC::Run ();
use Test::More;

use ESG::Certs;
use PostgreSQL::Test::Utils ();

my $base = PostgreSQL::Test::Utils::tempdir();
my $is_root = $> == 0;
my $count = 0;

ESG::Certs::spew("$base/root.c", <<'SOURCE');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

uid_t
geteuid(void)
{
	return 0;
}

int
fchown(int fd, uid_t uid, gid_t gid)
{
	FILE	   *file = fopen(getenv("CHOWN_LOG"), "a");

	(void) fd;
	fprintf(file, "%u %u\n", (unsigned) uid, (unsigned) gid);
	return fclose(file);
}

/* OWNERS is "name=uid name=uid ", "." the directory */
static void
change_owner(const char *name, uid_t *uid, gid_t *gid)
{
	char		word[100];
	const char *found;

	snprintf(word, sizeof(word), " %s=", name);
	found = strstr(getenv("OWNERS"), word);
	if (found)
		*uid = *gid = (uid_t) atoi(found + strlen(word));
}

/* the last part of the path of an open file */
static const char *
name_of(int fd, char path[4096])
{
	char		link[64];
	ssize_t		len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, 4095);
	path[len < 0 ? 0 : len] = '\0';
	return strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
}

#define STAT_CALLS(fstatat, fstat, stat) \
int \
stat(const char *path, struct stat *st) \
{ \
	int (*next) (const char *, struct stat *) = (int (*) (const char *, struct stat *)) dlsym(RTLD_NEXT, #stat); \
	int result = next(path, st); \
	if (result == 0) \
		change_owner(strrchr(path, '/') + 1, &st->st_uid, &st->st_gid); \
	return result; \
} \
int \
fstatat(int fd, const char *name, struct stat *st, int flags) \
{ \
	int (*next) (int, const char *, struct stat *, int) = \
		(int (*) (int, const char *, struct stat *, int)) dlsym(RTLD_NEXT, #fstatat); \
	int result = next(fd, name, st, flags); \
	if (result == 0) \
		change_owner(name, &st->st_uid, &st->st_gid); \
	return result; \
} \
int \
fstat(int fd, struct stat *st) \
{ \
	int (*next) (int, struct stat *) = (int (*) (int, struct stat *)) dlsym(RTLD_NEXT, #fstat); \
	int result = next(fd, st); \
	char path[4096]; \
	if (result == 0) \
		change_owner(S_ISDIR(st->st_mode) ? "." : name_of(fd, path), &st->st_uid, &st->st_gid); \
	return result; \
}

STAT_CALLS(fstatat, fstat, stat)
#ifdef __GLIBC__
STAT_CALLS(fstatat64, fstat64, stat64)
#endif
SOURCE

my $built = system("cc -shared -fPIC -o '$base/root.so' '$base/root.c' -ldl 2>'$base/cc.out'") == 0;
plan skip_all => 'no C compiler' unless $is_root || $built;

sub new_dir
{
	my ($mode) = @_;
	my $dir = "$base/d" . ++$count;

	mkdir $dir, 0700 or die "mkdir: $!";
	chmod $mode // 0700, $dir;
	return $dir;
}

# (exit status, what it says) of ssl_guard_ctl as the user of this test
sub run_ctl
{
	my (@arguments) = @_;
	my $said = '';

	ESG::Certs::spew("$base/input", "sesam\n");
	IPC::Run::run([ 'ssl_guard_ctl', @arguments ], '<', "$base/input", '>&', \$said);
	return ($? >> 8, $said);
}

# The same as root; the files have the owners given, '.' is the directory.
# (exit status, what it says, owners of the new files).
sub run_as_root
{
	my ($dir, $owners, @arguments) = @_;
	my $suffixes = [qw(cipher rand)];

	if ($is_root)
	{
		foreach my $name (sort keys %$owners)
		{
			chown $owners->{$name}, $owners->{$name}, "$dir/$name" or die "chown: $!";
		}
		my ($status, $said) = run_ctl(@arguments, '-D', $dir);
		return ($status, $said, join ',', map { join ' ', (stat "$dir/server.key.$_")[ 4, 5 ] } @$suffixes);
	}
	unlink "$base/chown";
	ESG::Certs::spew("$base/chown", '');
	local $ENV{LD_PRELOAD} = "$base/root.so";
	local $ENV{CHOWN_LOG} = "$base/chown";
	local $ENV{OWNERS} = join '', map { " $_=$owners->{$_}" } sort keys %$owners;
	my ($status, $said) = run_ctl(@arguments, '-D', $dir);
	return ($status, $said, join ',', split /\n/, ESG::Certs::slurp("$base/chown"));
}

sub mode_of { return sprintf('%04o', (stat $_[0])[2] & 07777); }

# ---- the owner

my $certs = ESG::Certs->new;
$certs->make_key("$base/server.key", 'ec:prime256v1', passphrase => 'sesam');

foreach my $case (
	[ 'no key', { '.' => 4713 }, '4713 4713' ],
	[ 'a key', { '.' => 4713, 'server.key' => 4711 }, '4711 4711' ],
	[ "a key of root's", { '.' => 4713, 'server.key' => 0 }, '4713 4713' ],
	[ 'an old pair', { '.' => 4713, 'server.key' => 4711, 'server.key.cipher' => 4712, 'server.key.rand' => 4712 },
		'4712 4712' ],
	[ "root's everything", { '.' => 0, 'server.key' => 0 }, '0 0' ])
{
	my ($name, $owners, $want) = @$case;
	my $dir = new_dir();

	ESG::Certs::spew("$dir/server.key", ESG::Certs::slurp("$base/server.key")) if defined $owners->{'server.key'};
	run_ctl('encrypt', '-D', $dir) if $owners->{'server.key.cipher'};
	my ($status, $said, $got) = run_as_root($dir, $owners, 'encrypt', '--force');
	is($status, 0, "root, $name: done") or diag($said);
	is($got, "$want,$want", "root, $name: owner of both files");
	is(join(' ', map { mode_of("$dir/server.key.$_") } qw(cipher rand)), '0400 0400', "root, $name: modes");
}

{
	my $dir = new_dir();

	run_ctl('encrypt', '-D', $dir);
	chmod 0440, "$dir/server.key.$_" foreach qw(cipher rand);
	my ($status, $said, $got) = run_as_root($dir,
		{ '.' => 4713, map { ("server.key.$_" => 0) } qw(cipher rand) }, 'encrypt', '--force');
	is("$status $got", '0 0 0,0 0', "root, a pair of root's for a group: owner") or diag($said);
	is(join(' ', map { mode_of("$dir/server.key.$_") } qw(cipher rand)), '0440 0440', 'its group may still read it');
	# the same modes of somebody else's are a mistake
	chmod 0440, "$dir/server.key.$_" foreach qw(cipher rand);
	($status, $said, $got) = run_as_root($dir,
		{ '.' => 4713, map { ("server.key.$_" => 4712) } qw(cipher rand) }, 'encrypt', '--force');
	is("$status $got", '0 4712 4712,4712 4712', 'root, an open pair of somebody') or diag($said);
	is(join(' ', map { mode_of("$dir/server.key.$_") } qw(cipher rand)), '0400 0400', 'is closed');
}

# ---- root looks at a pair

foreach my $case (
	[ "the server's user's", 4711, 4711, 0400, qr/usable/ ],
	[ "root's, for a group", 0, 0, 0440, qr/usable/ ],
	[ "root's, open to all", 0, 0, 0444, qr/\.cipher" cannot be used: accessible to others, mode 0444/ ],
	[ "the server's user's, open to a group", 4711, 4711, 0440, qr/\.cipher" cannot be used: accessible to others, mode 0440/ ],
	[ 'two users\'', 4711, 4712, 0400, qr/\.rand" cannot be used: it belongs to another user/ ],
	[ "root's and a user's", 0, 4712, 0400, qr/\.rand" cannot be used: it belongs to another user/ ])
{
	my ($name, $cipher, $random, $mode, $want) = @$case;
	my $dir = new_dir();

	run_ctl('encrypt', '-D', $dir);
	chmod $mode, "$dir/server.key.$_" foreach qw(cipher rand);
	my ($status, $said) = run_as_root($dir, { 'server.key.cipher' => $cipher, 'server.key.rand' => $random }, 'check');
	like($said, $want, "root looks at a pair: $name");
	is($status, $said =~ /usable/ ? 0 : 1, "root looks at a pair: $name: exit status");
}

# ---- a directory in which others may write

foreach my $mode (0770, 0703, 01777)
{
	my $name = sprintf('mode %04o', $mode);
	my $dir = new_dir($mode);
	my ($status, $said) = run_as_root($dir, {}, 'encrypt');

	# whoever owns a "server.key.cipher" in there would be given the new one
	is($status, 1, "$name: root does not write there");
	like($said, qr/error: directory ".*" is writable by others: $name/, "$name: said why");
	is(join(' ', glob("$dir/*")), '', "$name: nothing is written");
	SKIP:
	{
		skip 'is root', 4 if $is_root;
		($status, $said) = run_ctl('encrypt', '-D', $dir);
		is($status, 0, "$name: another user does");
		like($said, qr/warning: directory ".*" is writable by others: $name/, "$name: and is warned");
		($status, $said) = run_ctl('check', '-D', $dir);
		is($status, 0, "$name: check calls the pair usable");
		like($said, qr/warning: directory ".*" is writable by others: $name/, "$name: and warns, too");
	}
}
{
	my $dir = new_dir(0755);

	unlike((run_ctl('encrypt', '-D', $dir))[1], qr/writable/, 'mode 0755 is fine');
	unlike((run_ctl('check', '-D', $dir))[1], qr/writable/, 'for check, too');
}

done_testing();
