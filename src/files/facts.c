/*
 * files/facts.c
 *		What the file system says of a file.
 */
#include "files/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define NS_PER_SEC INT64_C(1000000000)

/* The clock that stamps files ticks this slowly, where it knows fractions of a second, and where not. */
#define FINE_TICK_NS (INT64_C(20) * 1000000)
#define COARSE_TICK_NS (2 * NS_PER_SEC)

static int64_t
change_time(const struct stat *st)
{
	return (int64_t) st->st_ctim.tv_sec * NS_PER_SEC + st->st_ctim.tv_nsec;
}

void
esg_facts_take(const struct stat *st, EsgFileFacts *out)
{
	memset(out, 0, sizeof(*out));
	out->exists = true;
	out->mode = st->st_mode;
	out->uid = st->st_uid;
	out->gid = st->st_gid;
	out->size = (int64_t) st->st_size;
	out->mtime = (int64_t) st->st_mtim.tv_sec;
	out->ctime_ns = change_time(st);
	out->device = (uint64_t) st->st_dev;
	out->inode = (uint64_t) st->st_ino;
}

bool
esg_facts_same(const struct stat *st, const EsgFileFacts *facts)
{
	return facts->exists && change_time(st) == facts->ctime_ns && st->st_mode == facts->mode &&
		st->st_uid == facts->uid && st->st_gid == facts->gid && (int64_t) st->st_size == facts->size &&
		(int64_t) st->st_mtim.tv_sec == facts->mtime && (uint64_t) st->st_dev == facts->device &&
		(uint64_t) st->st_ino == facts->inode;
}

int64_t
esg_facts_at_rest(const EsgFileFacts *facts)
{
	return facts->ctime_ns + (facts->ctime_ns % NS_PER_SEC != 0 ? FINE_TICK_NS : COARSE_TICK_NS);
}

void
esg_facts_stat(const char *path, EsgFileFacts *out)
{
	struct stat st;

	memset(out, 0, sizeof(*out));
	if (stat(path, &st) != 0)
	{
		out->error = errno;
		return;
	}
	esg_facts_take(&st, out);
	/* a key is not opened to find out */
	if (S_ISREG(st.st_mode) && access(path, R_OK) != 0)
		out->error = errno;
}

void
esg_facts_stat_directory(const char *path, EsgFileFacts *out)
{
	struct statvfs system;

	esg_facts_stat(path, out);
	out->read_only = out->exists && statvfs(path, &system) == 0 && (system.f_flag & ST_RDONLY) != 0;
}

bool
esg_facts_resolve(const char *path, char resolved[PATH_MAX])
{
	return realpath(path, resolved) != NULL;
}

/* ------------------------------------------------------------------------
 * Many files of one directory
 * ------------------------------------------------------------------------ */

void
esg_facts_leave(EsgFactsDirectory *directory)
{
	if (directory->is_open)
		(void) close(directory->fd);
	directory->is_open = false;
}

/* Is it there, and the directory of the file? */
static bool
enter(EsgFactsDirectory *directory, const char *path, const char *name)
{
	size_t		length = (size_t) (name - path);

	if (directory->is_open && strlen(directory->path) == length &&
		memcmp(directory->path, path, length) == 0)
		return true;
	esg_facts_leave(directory);
	if (length == 0 || length >= sizeof(directory->path))
		return false;
	memcpy(directory->path, path, length);
	directory->path[length] = '\0';
	if (realpath(directory->path, directory->resolved) == NULL)
		return false;
	/* what it is called by now, or nothing */
	directory->fd = open(directory->resolved, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	directory->is_open = directory->fd >= 0;
	return directory->is_open;
}

/*
 * Follows name, which is a link to another name in the same directory, once.
 * False: it is not so simple.
 */
static bool
follow(const EsgFactsDirectory *directory, const char *name, char target[NAME_MAX + 1],
	   struct stat *st)
{
	ssize_t		length = readlinkat(directory->fd, name, target, NAME_MAX + 1);

	if (length <= 0 || length > NAME_MAX)
		return false;
	target[length] = '\0';
	return strchr(target, '/') == NULL && strcmp(target, ".") != 0 && strcmp(target, "..") != 0 &&
		fstatat(directory->fd, target, st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISLNK(st->st_mode);
}

/* false: it is not so simple, or could not be looked at */
static bool
look_within(const EsgFactsDirectory *directory, const char *name, char resolved[PATH_MAX],
			EsgFileFacts *out)
{
	char		target[NAME_MAX + 1];
	struct stat st;
	int			length;

	if (fstatat(directory->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	if (S_ISLNK(st.st_mode))
	{
		if (!follow(directory, name, target, &st))
			return false;
		name = target;
	}
	length = snprintf(resolved, PATH_MAX, "%s%s%s", directory->resolved,
					  strcmp(directory->resolved, "/") == 0 ? "" : "/", name);
	if (length < 0 || length >= PATH_MAX)
		return false;
	esg_facts_take(&st, out);
	/* a key is not opened to find out */
	if (S_ISREG(st.st_mode) && faccessat(directory->fd, name, R_OK, 0) != 0)
		out->error = errno;
	return true;
}

bool
esg_facts_look(EsgFactsDirectory *directory, const char *path, char resolved[PATH_MAX],
			   EsgFileFacts *out)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	/* "dir/" and "dir/.." are not names in a directory */
	if (name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
		enter(directory, path, name) && look_within(directory, name, resolved, out))
		return true;
	esg_facts_stat(path, out);
	return esg_facts_resolve(path, resolved);
}
