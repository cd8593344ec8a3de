# ESG::FullDisk: a library for LD_PRELOAD with which the file system is full at any
# step of what the server writes of ours below pg_stat.
#
#   my $disk = ESG::FullDisk->build($directory);   # undef: no C compiler
#   { local $ENV{LD_PRELOAD} = $disk->library; $node->start; }
#   $disk->fill(3);        # each process fails at the third step of each file
#   $disk->fill('3+');     # and at all after that
#   $disk->empty;
#   my @seen = $disk->seen;      # ('clients write', ...): what has failed since fill()
#
# Steps are: to create a file, each write of what is in it, to change its size, to
# bring it to disk, to rename it.  stdio's own writes are none that a library could
# stand in for, so fopen() is given another way to write.

package ESG::FullDisk;

use strict;
use warnings;

use ESG::Certs;
use ESG::Node;

my $source = <<'SHIM';
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define KINDS 5
static const char *const kinds[KINDS] = {"clients", "ca_usage", "transport", "resets", "renewals"};

static int
raw_open(const char *path, int flags)
{
	static int	(*next) (const char *, int, ...);

	if (next == NULL)
		*(void **) &next = dlsym(RTLD_NEXT, "open");
	return next(path, flags | O_CLOEXEC, 0600);
}

static int
kind_of(const char *path)
{
	const char *name = path ? strstr(path, "pg_stat/ext_ssl_guard.") : NULL;

	for (int i = 0; name != NULL && i < KINDS; i++)
		if (strncmp(name + 22, kinds[i], strlen(kinds[i])) == 0)
			return i;
	return -1;
}

static void
note_step(int kind, const char *call)
{
	char		line[128];
	int			fd = raw_open(SEEN, O_WRONLY | O_CREAT | O_APPEND);

	snprintf(line, sizeof(line), "%s %s\n", kinds[kind], call);
	(void) !write(fd, line, strlen(line));
	close(fd);
}

/* Is this step of this file one that fails?  Whatever else happens, errno stays. */
static int
is_full(const char *path, const char *call)
{
	static char known[64];
	static pid_t pid;
	static int	count[KINDS];
	char		wanted[64] = "";
	int			kind = kind_of(path);
	int			save_errno = errno;
	int			fd = kind >= 0 ? raw_open(FULL, O_RDONLY) : -1;
	int			number = 0;
	const char *text;

	if (fd >= 0)
	{
		(void) !read(fd, wanted, sizeof(wanted) - 1);
		close(fd);
	}
	errno = save_errno;
	if (wanted[0] == '\0')
		return 0;
	if (strcmp(wanted, known) != 0 || pid != getpid())
		memset(count, 0, sizeof(count));
	strcpy(known, wanted);
	pid = getpid();
	/* "which-time number" */
	text = strchr(wanted, ' ') + 1;
	number = atoi(text);
	count[kind]++;
	if (count[kind] != number && (strchr(text, '+') == NULL || count[kind] < number))
		return 0;
	note_step(kind, call);
	errno = ENOSPC;
	return 1;
}

static const char *
path_of(int fd, char *path, size_t size)
{
	char		link[64];
	int			save_errno = errno;
	ssize_t		len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, size - 1);
	errno = save_errno;
	path[len > 0 ? len : 0] = '\0';
	return path;
}

static ssize_t
cookie_write(void *cookie, const char *bytes, size_t size)
{
	char		path[1024];
	ssize_t		n;

	if (is_full(path_of(*(int *) cookie, path, sizeof(path)), "write"))
		return 0;
	n = write(*(int *) cookie, bytes, size);
	return n < 0 ? 0 : n;
}

static int
cookie_seek(void *cookie, off64_t *place, int whence)
{
	*place = lseek64(*(int *) cookie, *place, whence);
	return *place < 0 ? -1 : 0;
}

static int
cookie_close(void *cookie)
{
	int			result = close(*(int *) cookie);

	free(cookie);
	return result;
}

FILE *
fopen(const char *path, const char *mode)
{
	static FILE *(*next) (const char *, const char *);
	cookie_io_functions_t functions = {NULL, cookie_write, cookie_seek, cookie_close};
	int		   *cookie;

	if (next == NULL)
		*(void **) &next = dlsym(RTLD_NEXT, "fopen");
	if (mode[0] != 'w' || kind_of(path) < 0)
		return next(path, mode);
	if (is_full(path, "create"))
		return NULL;
	cookie = malloc(sizeof(int));
	*cookie = raw_open(path, O_WRONLY | O_CREAT | O_TRUNC);
	if (*cookie < 0)
	{
		free(cookie);
		return NULL;
	}
	return fopencookie(cookie, mode, functions);
}

FILE *
fopen64(const char *path, const char *mode)
{
	return fopen(path, mode);
}

static ssize_t
put(const char *name, int fd, const void *bytes, size_t size, off_t at)
{
	ssize_t		(*next) (int, const void *, size_t, off_t);
	char		path[1024];

	*(void **) &next = dlsym(RTLD_NEXT, name);
	if (!is_full(path_of(fd, path, sizeof(path)), "write"))
		return next(fd, bytes, size, at);
	/* as much of it as there was room for */
	(void) !next(fd, bytes, size / 2, at);
	errno = ENOSPC;
	return -1;
}

ssize_t
pwrite(int fd, const void *bytes, size_t size, off_t at)
{
	return put("pwrite", fd, bytes, size, at);
}

ssize_t
pwrite64(int fd, const void *bytes, size_t size, off_t at)
{
	return put("pwrite64", fd, bytes, size, at);
}

static int
change_size(const char *name, int fd, off_t size)
{
	int			(*next) (int, off_t);
	char		path[1024];

	*(void **) &next = dlsym(RTLD_NEXT, name);
	return is_full(path_of(fd, path, sizeof(path)), "resize") ? -1 : next(fd, size);
}

int
ftruncate(int fd, off_t size)
{
	return change_size("ftruncate", fd, size);
}

int
ftruncate64(int fd, off_t size)
{
	return change_size("ftruncate64", fd, size);
}

static int
bring_to_disk(const char *name, int fd)
{
	int			(*next) (int);
	char		path[1024];

	*(void **) &next = dlsym(RTLD_NEXT, name);
	return is_full(path_of(fd, path, sizeof(path)), "sync") ? -1 : next(fd);
}

int
fsync(int fd)
{
	return bring_to_disk("fsync", fd);
}

int
fdatasync(int fd)
{
	return bring_to_disk("fdatasync", fd);
}

int
rename(const char *from, const char *to)
{
	int			(*next) (const char *, const char *);

	*(void **) &next = dlsym(RTLD_NEXT, "rename");
	return is_full(from, "rename") ? -1 : next(from, to);
}
SHIM

sub build
{
	my ($class, $dir) = @_;
	my $self = bless { full => "$dir/full", seen => "$dir/full.seen", times => 0 }, $class;
	my $text = $source =~ s/\bFULL\b/"$self->{full}"/gr =~ s/\bSEEN\b/"$self->{seen}"/gr;

	$self->{library} = ESG::Node::build_library("$dir/full_disk", $text);
	return $self->{library} ? $self : undef;
}

sub library { return $_[0]->{library}; }

sub fill
{
	my ($self, $number) = @_;

	unlink $self->{seen};
	ESG::Certs::spew("$self->{full}.new", ++$self->{times} . " $number");
	rename "$self->{full}.new", $self->{full} or die "rename: $!";
	return;
}

sub empty { unlink $_[0]->{full}; return; }

sub seen
{
	my ($self) = @_;

	return -e $self->{seen} ? split /\n/, ESG::Certs::slurp($self->{seen}) : ();
}

1;
