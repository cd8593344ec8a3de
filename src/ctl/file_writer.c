/*
 * ctl/file_writer.c
 *		Files that are written beside what they replace.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/file_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "ctl/message.h"

#define NAP 50					/* milliseconds between two attempts */

bool
esg_file_writer_report(const EsgFileWriter *writer, const char *what, const char *name, int error)
{
	return esg_message_error("could not %s file \"%s/%s\": %s", what, writer->directory, name,
							 strerror(error));
}

bool
esg_file_writer_open(EsgFileWriter *writer, const char *directory)
{
	memset(writer, 0, sizeof(*writer));
	writer->directory = directory;
	writer->fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return writer->fd >= 0 ||
		esg_message_error("could not open directory \"%s\": %s", directory, strerror(errno));
}

void
esg_file_writer_close(EsgFileWriter *writer)
{
	close(writer->fd);
}

bool
esg_file_writer_lock(const EsgFileWriter *writer, int patience)
{
	static const struct timespec nap = {0, NAP * 1000000L};

	while (flock(writer->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
	{
		if (patience <= 0)
			return esg_message_error("another ssl_guard_ctl is at work in directory \"%s\"",
									 writer->directory);
		(void) nanosleep(&nap, NULL);
		patience -= NAP;
	}
	return true;
}

int
esg_file_writer_look_at(const EsgFileWriter *writer, const char *name, struct stat *st)
{
	if (fstatat(writer->fd, name, st, AT_SYMLINK_NOFOLLOW) != 0)
	{
		if (errno == ENOENT)
			return 0;
		esg_file_writer_report(writer, "stat", name, errno);
		return -1;
	}
	if (S_ISREG(st->st_mode))
		return 1;
	esg_message_error("\"%s/%s\" is %s, which is not followed or replaced",
					  writer->directory, name,
					  S_ISLNK(st->st_mode) ? "a symbolic link" : "not a regular file");
	return -1;
}

bool
esg_file_writer_remove(const EsgFileWriter *writer, const char *name)
{
	if (unlinkat(writer->fd, name, 0) != 0 && errno != ENOENT)
		return esg_file_writer_report(writer, "remove", name, errno);
	return true;
}

/* Not every file system can do that for a directory; core goes on then, too. */
bool
esg_file_writer_sync(const EsgFileWriter *writer)
{
	return fsync(writer->fd) == 0 || errno == EINVAL || errno == EBADF ||
		esg_message_error("could not fsync directory \"%s\": %s",
						  writer->directory, strerror(errno));
}

bool
esg_file_writer_rename(const EsgFileWriter *writer, const char *from, const char *to)
{
	if (renameat(writer->fd, from, writer->fd, to) != 0)
		return esg_file_writer_report(writer, "rename", from, errno);
	return esg_file_writer_sync(writer);
}

static int
write_all(int fd, const unsigned char *data, size_t len)
{
	while (len > 0)
	{
		ssize_t		n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? ENOSPC : errno;
		data += n;
		len -= (size_t) n;
	}
	return 0;
}

/* 0 or errno */
static int
set_owner(const EsgFileWriter *writer, int fd)
{
	struct stat st;

	if (geteuid() != 0 && !writer->keeps_owner)
		return 0;
	if (writer->keeps_owner && fstat(fd, &st) == 0 && st.st_uid == writer->uid && st.st_gid == writer->gid)
		return 0;
	return fchown(fd, writer->uid, writer->gid) == 0 ? 0 : errno;
}

/* Owner and mode whatever the umask is; then the content, on disk.  0 or errno. */
static int
fill_file(const EsgFileWriter *writer, int fd, const unsigned char *data, size_t len)
{
	int			error = set_owner(writer, fd);

	if (error != 0)
		return error;
	if (fchmod(fd, writer->mode) != 0)
		return errno;
	error = write_all(fd, data, len);
	if (error != 0)
		return error;
	return fsync(fd) == 0 ? 0 : errno;
}

bool
esg_file_writer_create(const EsgFileWriter *writer, const char *name,
					   const unsigned char *data, size_t len)
{
	int			fd;
	int			error;

	fd = openat(writer->fd, name,
				O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR);
	if (fd < 0)
		return esg_file_writer_report(writer, "create", name, errno);
	error = fill_file(writer, fd, data, len);
	if (close(fd) != 0 && error == 0)
		error = errno;
	if (error == 0)
		return true;
	esg_file_writer_report(writer, "write", name, error);
	esg_file_writer_remove(writer, name);
	return false;
}
