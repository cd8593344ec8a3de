/*
 * files/facts.c
 *		What the file system says of a file.
 */
#include "files/facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

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
	out->ctime_ns = (int64_t) st->st_ctim.tv_sec * INT64_C(1000000000) + st->st_ctim.tv_nsec;
	out->device = (uint64_t) st->st_dev;
	out->inode = (uint64_t) st->st_ino;
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
