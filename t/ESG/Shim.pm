# ESG::Shim: libraries that make the server meet what a test cannot arrange.
#
#   my $shim = ESG::Shim::owner($directory);          # undef: no compiler
#   my $shim = ESG::Shim::no_digest($directory, $fault);
#   my $shim = ESG::Shim::stuck($directory, $fault);
#   my $shim = ESG::Shim::count_calls($directory);
#   { local $ENV{LD_PRELOAD} = $shim; $node->start; }
#
# owner: a file called "...uid-N..." belongs to N, until a file of the same name
# and ".chowned" lies beside it: what root's chown would do.
# no_digest: X509_digest() and ASN1_item_digest() fail, as without memory, while the file $fault
# is there.
# stuck: fopen() of pg_hba.conf never returns where the TLS files are read, while the
# file $fault is there: what a FIFO does that is put there at the worst moment.
# count_calls: calls_of_stat and calls_of_strerror are int variables.

package ESG::Shim;

use strict;
use warnings;

use IPC::Run ();

use ESG::Certs;

my $owner = <<'SHIM';
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
static void
give(const char *path, struct stat *st)
{
	const char *name = strrchr(path, '/');
	const char *uid = strstr(name ? name : path, "uid-");
	char		chowned[4096 + 16];

	snprintf(chowned, sizeof(chowned), "%s.chowned", path);
	if (uid != NULL && access(chowned, F_OK) != 0)
		st->st_uid = (uid_t) atoi(uid + 4);
}
int
stat(const char *path, struct stat *st)
{
	int			(*next) (const char *, struct stat *);
	int			result;

	*(void **) &next = dlsym(RTLD_NEXT, "stat");
	result = next(path, st);
	if (result == 0)
		give(path, st);
	return result;
}
int
fstat(int fd, struct stat *st)
{
	int			(*next) (int, struct stat *);
	int			result;
	char		link[64];
	char		path[4096];
	ssize_t		len;

	*(void **) &next = dlsym(RTLD_NEXT, "fstat");
	result = next(fd, st);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = result == 0 ? readlink(link, path, sizeof(path) - 1) : 0;
	if (len > 0)
	{
		path[len] = 0;
		give(path, st);
	}
	return result;
}
SHIM

my $no_digest = <<'SHIM';
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <unistd.h>
int X509_digest(const void *cert, const void *type, unsigned char *digest, unsigned *len);
int X509_digest(const void *cert, const void *type, unsigned char *digest, unsigned *len)
{
	static int (*next) (const void *, const void *, unsigned char *, unsigned *);

	if (access(FAULT, F_OK) == 0)
		return 0;
	if (next == NULL)
		*(void **) &next = dlsym(RTLD_NEXT, "X509_digest");
	return next(cert, type, digest, len);
}
int ASN1_item_digest(const void *item, const void *type, void *value, unsigned char *digest, unsigned *len);
int ASN1_item_digest(const void *item, const void *type, void *value, unsigned char *digest, unsigned *len)
{
	static int (*next) (const void *, const void *, void *, unsigned char *, unsigned *);

	if (access(FAULT, F_OK) == 0)
		return 0;
	if (next == NULL)
		*(void **) &next = dlsym(RTLD_NEXT, "ASN1_item_digest");
	return next(item, type, value, digest, len);
}
SHIM

my $stuck = <<'SHIM';
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
static int
is_reader(void)
{
	char		title[256] = "";
	int			fd = open("/proc/self/cmdline", O_RDONLY);

	if (fd >= 0 && read(fd, title, sizeof(title) - 1) < 0)
		title[0] = 0;
	close(fd);
	return strstr(title, "reading TLS files") != NULL;
}
FILE *
fopen(const char *path, const char *mode)
{
	static FILE *(*next) (const char *, const char *);

	if (next == NULL)
		*(void **) &next = dlsym(RTLD_NEXT, "fopen");
	if (strstr(path, "pg_hba.conf") != NULL && access(FAULT, F_OK) == 0 && is_reader())
		for (;;)
			pause();
	return next(path, mode);
}
SHIM

my $count_calls = <<'SHIM';
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <sys/stat.h>
int			calls_of_stat = 0;
int			calls_of_strerror = 0;
int
stat(const char *path, struct stat *st)
{
	int			(*next) (const char *, struct stat *);

	*(void **) &next = dlsym(RTLD_NEXT, "stat");
	calls_of_stat++;
	return next(path, st);
}
char *
strerror(int number)
{
	char	   *(*next) (int);

	*(void **) &next = dlsym(RTLD_NEXT, "strerror");
	calls_of_strerror++;
	return next(number);
}
SHIM

# undef where there is no compiler; a shim that does not compile is a fault
sub build
{
	my ($base, $source) = @_;
	my $said = '';

	return undef if system('cc --version >/dev/null 2>&1') != 0;
	ESG::Certs::spew("$base.c", $source);
	IPC::Run::run([ 'cc', '-shared', '-fPIC', '-o', "$base.so", "$base.c" ], '>&', \$said) or die "$base.c: $said";
	return "$base.so";
}

sub owner { return build("$_[0]/owner", $owner); }

sub count_calls { return build("$_[0]/count_calls", $count_calls); }

sub stuck
{
	my ($directory, $fault) = @_;

	return build("$directory/stuck", $stuck =~ s/FAULT/"$fault"/gr);
}

sub no_digest
{
	my ($directory, $fault) = @_;

	return build("$directory/no_digest", $no_digest =~ s/FAULT/"$fault"/gr);
}

1;
