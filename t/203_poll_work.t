# What a poll of a large ssl_crl_dir does: it asks for each file once, and for a link
# to one of them not at all; nothing is listed, read or followed until something has changed.

use strict;
use warnings;

use Test::More;

use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Node;

my $many = 300;
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca, server => $certs->make_server('server', ca => $ca),
	conf => "ssl_crl_dir = 'crls'\next_ssl_guard.file_poll_interval = 1s\next_ssl_guard.expire_check_interval = 0\next_ssl_guard.self_probe = off");
my $crls = $node->path('crls');
mkdir $crls or die "mkdir: $!";
my $crl = ESG::Certs::slurp($certs->make_crl($ca, 'crl'));
ESG::Certs::spew("$crls/$_.pem", $crl) foreach 1 .. $many - 1;
# a link costs no call
my $files = $many - 1;
# as openssl rehash does it
symlink '1.pem', "$crls/0a0b0c0d.r0" or die "symlink: $!";
# the one that OpenSSL uses
my ($hash) = `openssl crl -hash -noout -in '$crls/1.pem'` =~ /^([0-9a-f]{8})/ or die "no hash\n";
my $used = "$crls/$hash.r0";
rename "$crls/7.pem", $used or die "rename: $!";

# a letter for each call: polling, asking for a file, whether it may be read, listing,
# following, reading
my $counter = $ENV{COUNTER} = $node->path('../counter');
my $shim = ESG::Node::build_library($node->path('../count'), <<'SHIM');
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
static void
count(const char *path, const char *letter)
{
	int			(*next) (const char *, int, ...);
	int			fd;

	if (path == NULL || strstr(path, "/crls/") == NULL)
		return;
	*(void **) &next = dlsym(RTLD_NEXT, "open");
	fd = next(getenv("COUNTER"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	(void) !write(fd, letter, 1);
	close(fd);
}
DIR *
opendir(const char *path)
{
	DIR		   *(*next) (const char *);

	*(void **) &next = dlsym(RTLD_NEXT, "opendir");
	if (strstr(path, "crls") != NULL)
		count("/crls/", "d");
	return next(path);
}
char *
realpath(const char *path, char *out)
{
	char	   *(*next) (const char *, char *);

	*(void **) &next = dlvsym(RTLD_NEXT, "realpath", "GLIBC_2.3");
	if (next == NULL)
		*(void **) &next = dlsym(RTLD_NEXT, "realpath");
	count(path, "f");
	if (path != NULL && strlen(path) > 5 && strcmp(path + strlen(path) - 5, "/crls") == 0)
		count("/crls/", "p");
	return next(path, out);
}
char *
__realpath_chk(const char *path, char *out, size_t size)
{
	return realpath(path, out);
}
static void
count_at(int dir, const char *name, const char *letter)
{
	char		link[64];
	char		path[1024] = "";

	if (name[0] == '/')
	{
		count(name, letter);
		return;
	}
	snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
	if (dir >= 0 && readlink(link, path, sizeof(path) - 2) > 0)
		count(strcat(path, "/"), letter);
}
int
fstatat(int dir, const char *name, struct stat *st, int flags)
{
	int			(*next) (int, const char *, struct stat *, int);

	*(void **) &next = dlsym(RTLD_NEXT, "fstatat");
	count_at(dir, name, "s");
	return next(dir, name, st, flags);
}
int
faccessat(int dir, const char *name, int mode, int flags)
{
	int			(*next) (int, const char *, int, int);

	*(void **) &next = dlsym(RTLD_NEXT, "faccessat");
	count_at(dir, name, "a");
	return next(dir, name, mode, flags);
}
ssize_t
readlinkat(int dir, const char *name, char *out, size_t size)
{
	ssize_t		(*next) (int, const char *, char *, size_t);

	*(void **) &next = dlsym(RTLD_NEXT, "readlinkat");
	count_at(dir, name, "f");
	return next(dir, name, out, size);
}
static int
open_any(const char *name, const char *path, int flags, mode_t mode)
{
	int			(*next) (const char *, int, ...);

	*(void **) &next = dlsym(RTLD_NEXT, name);
	count(path, "r");
	return next(path, flags, mode);
}
int
open(const char *path, int flags,...)
{
	va_list		args;
	mode_t		mode;

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	return open_any("open", path, flags, mode);
}
int
open64(const char *path, int flags,...)
{
	va_list		args;
	mode_t		mode;

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	return open_any("open64", path, flags, mode);
}
int
__open_2(const char *path, int flags)
{
	return open_any("open", path, flags, 0);
}
int
__open64_2(const char *path, int flags)
{
	return open_any("open64", path, flags, 0);
}
SHIM
plan skip_all => 'no compiler' if !defined $shim;

sub calls
{
	my ($letter) = @_;
	my $text = -e $counter ? ESG::Certs::slurp($counter) : '';

	return scalar(() = $text =~ /$letter/g);
}

# Waits for so many polls from now on, of so many files; returns what else was done
# than asking for each once.
sub polls
{
	my ($count) = @_;
	my $until = time + $ESG::Node::timeout;

	# the one that is under way is not counted
	foreach my $wanted (1, $count)
	{
		unlink $counter;
		sleep 0.05 while (calls('p') < $wanted || calls('s') < $wanted * $files) && time < $until;
		sleep 0.3;
	}
	my %other = (read => calls('r'), followed => calls('f'), listed => calls('d'), 'asked for rights' => calls('a'), asked => calls('s') - calls('p') * $files);
	return join(', ', map { $other{$_} ? "$_ $other{$_}" : () } sort keys %other);
}

sub settle
{
	my $until = time + $ESG::Node::timeout;
	my $seen;

	do { $seen = polls(1) } while ($seen ne '' && time < $until);
	return $seen;
}

sub alarms { return "SELECT count(*) FROM ssl_guard_alarms WHERE object LIKE '%/crls/$hash.r0%'"; }

sub overwrite
{
	my ($text) = @_;
	my ($atime, $mtime) = (stat $used)[ 8, 9 ];

	open(my $out, '+<', $used) or die "open: $!";
	print $out $text;
	close $out;
	utime $atime, $mtime, $used or die "utime: $!";
	return;
}

{
	local $ENV{LD_PRELOAD} = $shim;
	$node->start;
}
$node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status');
cmp_ok(calls('r'), '>=', $many, 'at the start all are read');
settle();
is(polls(3), '', 'a poll asks once for each file, and does nothing else');

# A file of the same size, its time put back, twice in a row.
my $good = ESG::Certs::slurp($used);
my $bad = $good =~ tr/A-Za-z/a-zA-Z/r;
is($node->wait_sql(alarms(), 0), 0, 'a good CRL');
foreach my $round (1 .. 3)
{
	unlink $counter;
	overwrite($bad);
	my $until = time + $ESG::Node::timeout;
	# as soon as the change is being read there is another one
	sleep 0.002 while calls('r') == 0 && time < $until;
	overwrite($good);
	overwrite($bad);
	isnt($node->wait_sql(alarms(), qr/^[1-9]/), 0, "round $round: overwritten with the same size and time: noticed");
	overwrite($good);
	is($node->wait_sql(alarms(), 0), 0, "round $round: and mended");
}
settle();
is(polls(2), '', 'then nothing is read any more');
unlink $counter;
ESG::Certs::spew("$crls/new.pem", $crl);
my $until = time + $ESG::Node::timeout;
sleep 0.1 while calls('r') == 0 && time < $until;
cmp_ok(calls('r'), '>', 0, 'one that comes is read');
$files++;
settle();
is(polls(2), '', 'and asked for from then on');

# a link is not asked for, but another one in its place is seen
unlink $counter;
unlink "$crls/0a0b0c0d.r0";
symlink '2.pem', "$crls/0a0b0c0d.r0" or die "symlink: $!";
$until = time + $ESG::Node::timeout;
sleep 0.1 while calls('r') == 0 && time < $until;
cmp_ok(calls('r'), '>', 0, 'a link that leads elsewhere is followed, and read');
chmod 0, $used or die "chmod: $!";
isnt($node->wait_sql(alarms(), qr/^[1-9]/), 0, 'one that may no longer be read is noticed');
chmod 0600, $used or die "chmod: $!";
is($node->wait_sql(alarms(), 0), 0, 'and that it may again');
$node->stop;
done_testing();
