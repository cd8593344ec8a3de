/*
 * ctl/whole_file.c
 *		A file's content, by way of its directory.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <openssl/crypto.h>

/* Size may be another one while it is read. */
static int
read_all(int fd, size_t size, char *data, size_t *len)
{
	*len = 0;
	while (*len < size)
	{
		ssize_t		n = read(fd, data + *len, size - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (n == 0)
			break;
		*len += (size_t) n;
	}
	data[*len] = '\0';
	return 0;
}

static int
read_open(int fd, size_t limit, struct stat *st, char **data, size_t *len)
{
	int			error;

	if (fstat(fd, st) != 0)
		return errno;
	if (!S_ISREG(st->st_mode))
		return EINVAL;
	if (st->st_size < 0 || (size_t) st->st_size > limit)
		return EFBIG;
	*data = OPENSSL_malloc((size_t) st->st_size + 1);
	if (!*data)
		return ENOMEM;
	error = read_all(fd, (size_t) st->st_size, *data, len);
	if (error != 0)
	{
		OPENSSL_free(*data);
		*data = NULL;
	}
	return error;
}

int
esg_whole_file_read(int directory, const char *name, bool follow, size_t limit,
					struct stat *st, char **data, size_t *len)
{
	int			flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int			fd = openat(directory, name, follow ? flags : flags | O_NOFOLLOW);
	int			error;

	*data = NULL;
	*len = 0;
	if (fd < 0)
		return errno;
	error = read_open(fd, limit, st, data, len);
	close(fd);
	return error;
}
