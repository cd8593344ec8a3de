# ESG::Killer: a library for LD_PRELOAD that ends a program at any step of what it
# changes in the file system.
#
#   my $library = ESG::Killer::build($directory) or plan skip_all => 'no C compiler';
#
# Its environment: KILL_AT=n kills with SIGKILL before the nth call that changes
# something; STEP_LOG=file has these calls written down; RUN_BEFORE=name and
# RUN=command run a command once, before that file is opened; SYNC_ERROR=errno
# and SYNC_ERROR_AT=n let fsync of a directory fail.

package ESG::Killer;

use strict;
use warnings;

use ESG::Certs;

my $source = <<'SOURCE';
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static void
step(const char *what, const char *path)
{
	static int calls;
	const char *at = getenv("KILL_AT");
	const char *log = getenv("STEP_LOG");
	FILE	   *file = log ? fopen(log, "a") : NULL;

	if (file)
	{
		fprintf(file, "%s %s\n", what, path);
		fclose(file);
	}
	if (at && ++calls == atoi(at))
		kill(getpid(), SIGKILL);
}

static const char *
kind_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) ? "directory" : "file";
}

/* Once, before the file RUN_BEFORE is opened, runs RUN. */
static void
interrupt(const char *path)
{
	const char *file = getenv("RUN_BEFORE");
	const char *command = getenv("RUN");

	if (!file || !command || strcmp(path, file) != 0)
		return;
	unsetenv("RUN_BEFORE");
	unsetenv("LD_PRELOAD");
	if (system(command) != 0)
		abort();
}

static int
open_at(const char *function, int fd, const char *path, int flags, mode_t mode)
{
	int			(*next) (int, const char *, int, ...) =
		(int (*) (int, const char *, int, ...)) dlsym(RTLD_NEXT, function);

	if (flags & O_CREAT)
		step("create", path);
	interrupt(path);
	return next(fd, path, flags, mode);
}

#define OPEN_AT(function) \
	int function(int fd, const char *path, int flags, ...) \
	{ \
		va_list ap; \
		mode_t mode; \
		va_start(ap, flags); \
		mode = va_arg(ap, mode_t); \
		va_end(ap); \
		return open_at(#function, fd, path, flags, mode); \
	}

OPEN_AT(openat)
#ifdef __GLIBC__
OPEN_AT(openat64)
#endif

int
fchmod(int fd, mode_t mode)
{
	step("chmod", kind_of(fd));
	return ((int (*) (int, mode_t)) dlsym(RTLD_NEXT, "fchmod")) (fd, mode);
}

ssize_t
write(int fd, const void *data, size_t len)
{
	step("write", kind_of(fd));
	return ((ssize_t (*) (int, const void *, size_t)) dlsym(RTLD_NEXT, "write")) (fd, data, len);
}

int
fsync(int fd)
{
	const char *error = getenv("SYNC_ERROR");

	step("fsync", kind_of(fd));
	if (error && strcmp(kind_of(fd), "directory") == 0)
	{
		static int calls;
		const char *at = getenv("SYNC_ERROR_AT");

		if (!at || ++calls == atoi(at))
		{
			errno = atoi(error);
			return -1;
		}
	}
	return ((int (*) (int)) dlsym(RTLD_NEXT, "fsync")) (fd);
}

int
unlinkat(int fd, const char *path, int flags)
{
	step("unlink", path);
	return ((int (*) (int, const char *, int)) dlsym(RTLD_NEXT, "unlinkat")) (fd, path, flags);
}

int
renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	step("rename", from);
	return ((int (*) (int, const char *, int, const char *)) dlsym(RTLD_NEXT, "renameat")) (from_fd, from, to_fd, to);
}
SOURCE

# the library's path; undef: it could not be compiled
sub build
{
	my ($dir) = @_;

	ESG::Certs::spew("$dir/killer.c", $source);
	return if system("cc -shared -fPIC -o '$dir/killer.so' '$dir/killer.c' -ldl 2>'$dir/killer.out'") != 0;
	return "$dir/killer.so";
}

1;
