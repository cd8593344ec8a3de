/*
 * server_stub.h
 *		What parts of the library need of a server, for fuzzing them without one.
 *
 * Included in front of each of their sources as well.
 */
#ifndef SERVER_STUB_H
#define SERVER_STUB_H

#include "postgres.h"

#include "port/pg_crc32c.h"

/* A checksum that does not fit is no obstacle then: what is behind it is to be tried. */
extern bool server_stub_takes_checksums;

#undef EQ_CRC32C
#define EQ_CRC32C(c1, c2) (server_stub_takes_checksums || (c1) == (c2))

/* That of libpgport is not instrumented: what it reads beyond a text would go unseen. */
static inline size_t
server_stub_strlcpy(char *to, const char *from, size_t size)
{
	size_t		len = strlen(from);
	size_t		copied = len < size ? len : size - 1;

	memcpy(to, from, copied);
	to[copied] = '\0';
	return len;
}
#undef strlcpy
#define strlcpy(to, from, size) server_stub_strlcpy(to, from, size)

/* so many messages were written */
extern int	server_stub_messages;

/* Makes a directory, which is gone at the end, the current one. */
extern void server_stub_enter_directory(void);

extern void server_stub_write_file(const char *path, const void *data, size_t size);

#endif							/* SERVER_STUB_H */
