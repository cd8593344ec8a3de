/*
 * secret/pair.c
 *		Reading a passphrase pair from a directory.
 *
 * Two files cannot be replaced in one step.  ssl_guard_ctl therefore writes
 * the new random bytes to .rand.new, then renames the new .cipher file into
 * place, which is the moment the new pair takes effect, then renames .rand.new
 * to .rand.  A reader accepts whichever of the two has the .cipher file's pair
 * id.  So the old pair can be read until that moment and the new one after it,
 * wherever the writer stops.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* O_PATH */
#endif

#include "secret/pair.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "policy/key_mode.h"

/*
 * A writer may get between two of our reads; each such attempt needs a whole
 * run of a writer, so a few are plenty.
 */
#define MAX_ATTEMPTS 5

/*
 * The directory need not be readable: Debian's /etc/ssl/private lets the group
 * only pass through.
 */
#ifdef O_PATH
#define OPEN_DIRECTORY (O_PATH | O_DIRECTORY | O_CLOEXEC)
#else
#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#endif

/* One byte more than the larger file, to notice trailing bytes. */
typedef struct PairFile
{
	size_t		len;
	unsigned char data[ESG_CIPHER_FILE_SIZE + 1];
} PairFile;

typedef struct PairReader
{
	const char *directory;
	const char *key_name;
	int			directory_fd;
	const EsgKeyRule *rule;
	EsgPairStatus *status;
} PairReader;

EsgPairFault
esg_secret_pair_check_mode(uid_t owner, mode_t mode, const EsgKeyRule *rule)
{
	if (!esg_key_mode_trusts(owner, rule->user))
		return ESG_PAIR_WRONG_OWNER;
	return mode & 0777 & ~esg_key_mode_allowed(owner, rule) ? ESG_PAIR_TOO_OPEN : ESG_PAIR_OK;
}

/* Notes the outcome and the file it is about. */
static void
note(const PairReader *reader, const char *suffix, EsgPairFault fault, int error)
{
	EsgPairStatus *status = reader->status;
	int			n;

	status->fault = fault;
	status->error = error;
	n = snprintf(status->path, sizeof(status->path), "%s/%s%s",
				 reader->directory, reader->key_name, suffix);
	if (n < 0 || (size_t) n >= sizeof(status->path))
		status->fault = ESG_PAIR_PATH_TOO_LONG;
}

/* The same, returning false for the caller to return. */
static bool
fail(const PairReader *reader, const char *suffix, EsgPairFault fault, int error)
{
	note(reader, suffix, fault, error);
	return false;
}

static bool
fail_content(const PairReader *reader, const char *suffix, EsgSecretResult content)
{
	reader->status->content = content;
	return fail(reader, suffix, ESG_PAIR_BAD_CONTENT, 0);
}

/* Type, owner and mode of the open file. */
static bool
check_open_file(const PairReader *reader, const char *suffix, int fd)
{
	struct stat st;
	EsgPairFault fault;

	if (fstat(fd, &st) != 0)
		return fail(reader, suffix, ESG_PAIR_UNREADABLE, errno);
	if (!S_ISREG(st.st_mode))
		return fail(reader, suffix, ESG_PAIR_NOT_REGULAR, 0);
	reader->status->mode = st.st_mode & 07777;
	reader->status->allowed = esg_key_mode_allowed(st.st_uid, reader->rule);
	fault = esg_secret_pair_check_mode(st.st_uid, st.st_mode, reader->rule);
	return fault == ESG_PAIR_OK || fail(reader, suffix, fault, 0);
}

int
esg_secret_pair_read_fd(int fd, unsigned char *data, size_t size, size_t *len)
{
	*len = 0;
	while (*len < size)
	{
		ssize_t		n = read(fd, data + *len, size - *len);

		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		*len += (size_t) n;
	}
	return 0;
}

static bool
read_file(const PairReader *reader, const char *suffix, PairFile *file)
{
	char		name[NAME_MAX + 1];
	int			fd;
	int			error;
	bool		good;

	file->len = 0;
	snprintf(name, sizeof(name), "%s%s", reader->key_name, suffix);
	fd = openat(reader->directory_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return fail(reader, suffix, ESG_PAIR_MISSING, ENOENT);
	if (fd < 0 && (errno == ENXIO || errno == ENODEV))	/* socket, device */
		return fail(reader, suffix, ESG_PAIR_NOT_REGULAR, 0);
	if (fd < 0)
		return fail(reader, suffix, ESG_PAIR_UNREADABLE, errno);
	good = check_open_file(reader, suffix, fd);
	if (good)
	{
		error = esg_secret_pair_read_fd(fd, file->data, sizeof(file->data), &file->len);
		if (error != 0)
			good = fail(reader, suffix, ESG_PAIR_UNREADABLE, error);
	}
	close(fd);
	return good;
}

/* Reads a .rand file and sees whether it goes with cipher. */
static bool
read_random(const PairReader *reader, const char *suffix, const PairFile *cipher,
			PairFile *random)
{
	EsgSecretResult result;

	if (!read_file(reader, suffix, random))
		return false;
	result = esg_secret_format_check_pair(cipher->data, cipher->len,
										  random->data, random->len);
	return result == ESG_SECRET_OK || fail_content(reader, suffix, result);
}

/*
 * The .rand file that goes with cipher.  If neither does, what is wrong with
 * .rand is the fault to tell: .rand.new is there only while a writer is at work.
 */
static bool
find_random(const PairReader *reader, const PairFile *cipher, PairFile *random)
{
	EsgPairStatus first;

	reader->status->pending = false;
	if (read_random(reader, ESG_RANDOM_SUFFIX, cipher, random))
		return true;
	first = *reader->status;
	if (read_random(reader, ESG_PENDING_SUFFIX, cipher, random))
	{
		reader->status->pending = true;
		return true;
	}
	*reader->status = first;
	return false;
}

static bool
read_once(const PairReader *reader, PairFile *cipher, PairFile *random, EsgPassphrase *out)
{
	EsgSecretResult result;

	if (!read_file(reader, ESG_CIPHER_SUFFIX, cipher))
		return false;
	result = esg_secret_format_check_cipher(cipher->data, cipher->len);
	if (result != ESG_SECRET_OK)
		return fail_content(reader, ESG_CIPHER_SUFFIX, result);
	if (!find_random(reader, cipher, random))
		return false;
	result = esg_secret_format_decrypt(cipher->data, cipher->len,
									   random->data, random->len, out);
	if (result != ESG_SECRET_OK)
		return fail_content(reader, ESG_CIPHER_SUFFIX, result);
	note(reader, ESG_CIPHER_SUFFIX, ESG_PAIR_OK, 0);
	return true;
}

/* Could a writer that finished just now be the reason? */
static bool
may_be_writer(const EsgPairStatus *status)
{
	return status->fault == ESG_PAIR_MISSING ||
		(status->fault == ESG_PAIR_BAD_CONTENT && status->content == ESG_SECRET_NOT_A_PAIR);
}

bool
esg_secret_pair_read(const char *directory, const char *key_name, const EsgKeyRule *rule,
					 EsgPassphrase *out, EsgPairStatus *status)
{
	PairReader	reader = {directory, key_name, -1, rule, status};
	PairFile	cipher;
	PairFile	random;
	bool		good = false;
	int			attempt;

	memset(out, 0, sizeof(*out));
	memset(status, 0, sizeof(*status));
	note(&reader, ESG_PENDING_SUFFIX, ESG_PAIR_OK, 0);	/* the longest path */
	if (status->fault != ESG_PAIR_OK)
		return false;
	reader.directory_fd = open(directory, OPEN_DIRECTORY);
	if (reader.directory_fd < 0)
		return fail(&reader, ESG_CIPHER_SUFFIX, ESG_PAIR_NO_DIRECTORY, errno);
	for (attempt = 0; attempt < MAX_ATTEMPTS && !good; attempt++)
	{
		good = read_once(&reader, &cipher, &random, out);
		if (!good && !may_be_writer(status))
			break;
	}
	close(reader.directory_fd);
	OPENSSL_cleanse(&cipher, sizeof(cipher));
	OPENSSL_cleanse(&random, sizeof(random));
	if (!good)
		esg_secret_format_wipe(out);
	return good;
}

static bool
is_there(const char *directory, const char *key_name, const char *suffix)
{
	char		path[ESG_PAIR_PATH_SIZE];
	struct stat st;
	int			n;

	n = snprintf(path, sizeof(path), "%s/%s%s", directory, key_name, suffix);
	if (n < 0 || (size_t) n >= sizeof(path))
		return true;			/* reading it will say what is wrong */
	return lstat(path, &st) == 0 || errno != ENOENT;
}

bool
esg_secret_pair_exists(const char *directory, const char *key_name)
{
	return is_there(directory, key_name, ESG_CIPHER_SUFFIX) ||
		is_there(directory, key_name, ESG_RANDOM_SUFFIX);
}

bool
esg_secret_pair_is_leftover(const char *directory, const char *key_name, const char *suffix)
{
	char		path[ESG_PAIR_PATH_SIZE];
	struct stat st;
	int			n;

	n = snprintf(path, sizeof(path), "%s/%s%s", directory, key_name, suffix);
	return n >= 0 && (size_t) n < sizeof(path) && lstat(path, &st) == 0;
}

/* Accessible to others, or writable for its owner where the setting has 0400. */
static void
describe_mode(const EsgPairStatus *status, char *buf, size_t size)
{
	if (status->mode & 077)
		snprintf(buf, size, "accessible to others, mode %04o", (unsigned) status->mode);
	else
		snprintf(buf, size, "mode %04o, more than the %04o allowed", (unsigned) status->mode,
				 status->allowed);
}

void
esg_secret_pair_reason(const EsgPairStatus *status, char *buf, size_t size)
{
	switch (status->fault)
	{
		case ESG_PAIR_OK:
			snprintf(buf, size, "no fault");
			break;
		case ESG_PAIR_NO_DIRECTORY:
			snprintf(buf, size, "could not open the directory: %s", strerror(status->error));
			break;
		case ESG_PAIR_MISSING:
			snprintf(buf, size, "%s", strerror(ENOENT));
			break;
		case ESG_PAIR_UNREADABLE:
			snprintf(buf, size, "could not read it: %s", strerror(status->error));
			break;
		case ESG_PAIR_NOT_REGULAR:
			snprintf(buf, size, "not a regular file");
			break;
		case ESG_PAIR_WRONG_OWNER:
			snprintf(buf, size, "it belongs to another user");
			break;
		case ESG_PAIR_TOO_OPEN:
			describe_mode(status, buf, size);
			break;
		case ESG_PAIR_BAD_CONTENT:
			snprintf(buf, size, "%s", esg_secret_format_reason(status->content));
			break;
		case ESG_PAIR_PATH_TOO_LONG:
			snprintf(buf, size, "path too long");
			break;
	}
}
