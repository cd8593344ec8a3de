/*
 * ctl/pair_writer.c
 *		Writing a passphrase pair so that at every moment, and after a crash at
 *		any moment, the old pair or the new one can be read.
 *
 * The steps, with what a reader sees after each; secret_pair.c has the other
 * half of the agreement:
 *
 *	 1. finish what an interrupted writer left: its .rand.new may be the only
 *		file that goes with .cipher							  (old pair)
 *	 2. write and fsync .rand.new and .cipher.new, fsync the directory, see
 *		that the server's user can read them				  (old pair)
 *	 3. rename .cipher.new to .cipher, fsync the directory
 *											 (new pair, by way of .rand.new)
 *	 4. rename .rand.new to .rand, fsync the directory		  (new pair)
 *
 * How a single file is written, ctl/file_writer.c knows.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/pair_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "ctl/message.h"
#include "secret/pair.h"

#define NAME_SIZE (NAME_MAX + 1)

/* both files of a pair, in memory */
typedef struct PairBytes
{
	unsigned char cipher[ESG_CIPHER_FILE_SIZE];
	unsigned char random[ESG_RANDOM_FILE_SIZE];
} PairBytes;

static void
make_name(const EsgPairWriter *writer, const char *suffix, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "%s%s", writer->key_name, suffix);
}

static bool
report(const EsgPairWriter *writer, const char *what, const char *suffix, int error)
{
	char		name[NAME_SIZE];

	make_name(writer, suffix, name);
	return esg_file_writer_report(&writer->files, what, name, error);
}

/* 1 there, 0 not there, -1 refused with a message */
static int
look_at(const EsgPairWriter *writer, const char *suffix, struct stat *st)
{
	char		name[NAME_SIZE];

	make_name(writer, suffix, name);
	return esg_file_writer_look_at(&writer->files, name, st);
}

/* Root's, for a group that the server's user is in? */
static bool
is_for_group(const EsgPairWriter *writer, const struct stat *st)
{
	return st->st_uid == 0 && (st->st_mode & S_IRGRP) &&
		writer->rules->user->reader.uid != 0 &&
		esg_access_has_group(&writer->rules->user->reader, st->st_gid);
}

/*
 * Owner and mode of the new files, which only root can choose.  They are the
 * server's user's alone; but where the key is root's and that user reads it as
 * one of its group, so it is with the pair.  Without a key the old pair tells.
 */
static void
choose_owner(EsgPairWriter *writer, const struct stat *old_cipher)
{
	const EsgReader *reader = &writer->rules->user->reader;
	struct stat key;
	const struct stat *model = old_cipher;

	if (fstatat(writer->files.fd, writer->key_name, &key, 0) == 0)
		model = &key;
	writer->files.mode = S_IRUSR;
	writer->files.uid = reader->uid;
	writer->files.gid = reader->gid;
	if (geteuid() == 0 && model && is_for_group(writer, model))
	{
		writer->files.mode |= S_IRGRP;
		writer->files.uid = 0;
		writer->files.gid = model->st_gid;
	}
}

bool
esg_pair_writer_prepare(EsgPairWriter *writer, bool force)
{
	struct stat cipher_st;
	struct stat st;
	int			cipher = look_at(writer, ESG_CIPHER_SUFFIX, &cipher_st);
	int			random = look_at(writer, ESG_RANDOM_SUFFIX, &st);

	if (cipher < 0 || random < 0 ||
		(cipher && !esg_rules_check_owner(writer->rules, ESG_CIPHER_SUFFIX, &cipher_st)) ||
		(random && !esg_rules_check_owner(writer->rules, ESG_RANDOM_SUFFIX, &st)) ||
		look_at(writer, ESG_UNFINISHED_SUFFIX, &st) < 0 ||
		look_at(writer, ESG_PENDING_SUFFIX, &st) < 0)
		return false;
	if ((cipher || random) && !force)
		return esg_message_error("\"%s/%s%s\" exists already; --force replaces the pair",
								 writer->files.directory, writer->key_name,
								 cipher ? ESG_CIPHER_SUFFIX : ESG_RANDOM_SUFFIX);
	choose_owner(writer, cipher ? &cipher_st : NULL);
	return true;
}

static bool
check_directory(const EsgPairWriter *writer)
{
	struct stat st;

	if (fstat(writer->files.fd, &st) != 0)
		return esg_message_error("could not stat directory \"%s\": %s",
								 writer->files.directory, strerror(errno));
	return esg_rules_check_directory(writer->rules, &st);
}

bool
esg_pair_writer_open(EsgPairWriter *writer, const char *directory, const EsgRules *rules)
{
	writer->rules = rules;
	writer->key_name = rules->key_name;
	if (!esg_file_writer_open(&writer->files, directory))
		return false;
	if (esg_file_writer_lock(&writer->files, 0) && check_directory(writer))
		return true;
	esg_file_writer_close(&writer->files);
	return false;
}

void
esg_pair_writer_close(EsgPairWriter *writer)
{
	esg_file_writer_close(&writer->files);
}

static bool
remove_file(const EsgPairWriter *writer, const char *suffix)
{
	char		name[NAME_SIZE];

	make_name(writer, suffix, name);
	return esg_file_writer_remove(&writer->files, name);
}

static bool
rename_file(const EsgPairWriter *writer, const char *from_suffix, const char *to_suffix)
{
	char		from[NAME_SIZE];
	char		to[NAME_SIZE];

	make_name(writer, from_suffix, from);
	make_name(writer, to_suffix, to);
	return esg_file_writer_rename(&writer->files, from, to);
}

/* Reads what is there, up to size bytes; nothing if it cannot be read. */
static size_t
read_old(const EsgPairWriter *writer, const char *suffix, unsigned char *data, size_t size)
{
	char		name[NAME_SIZE];
	size_t		len = 0;
	int			fd;

	make_name(writer, suffix, name);
	fd = openat(writer->files.fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (esg_secret_pair_read_fd(fd, data, size, &len) != 0)
		len = 0;
	close(fd);
	return len;
}

/*
 * Step 1.  If .cipher goes with .rand.new rather than with .rand, the last
 * writer was interrupted between steps 3 and 4, and this takes step 4.
 */
static bool
finish_interrupted(const EsgPairWriter *writer)
{
	unsigned char cipher[ESG_CIPHER_FILE_SIZE + 1];
	unsigned char random[ESG_RANDOM_FILE_SIZE + 1];
	size_t		cipher_len = read_old(writer, ESG_CIPHER_SUFFIX, cipher, sizeof(cipher));
	size_t		random_len = read_old(writer, ESG_RANDOM_SUFFIX, random, sizeof(random));
	bool		good = true;

	if (esg_secret_format_check_pair(cipher, cipher_len, random, random_len) != ESG_SECRET_OK)
	{
		random_len = read_old(writer, ESG_PENDING_SUFFIX, random, sizeof(random));
		if (esg_secret_format_check_pair(cipher, cipher_len, random, random_len) == ESG_SECRET_OK)
			good = rename_file(writer, ESG_PENDING_SUFFIX, ESG_RANDOM_SUFFIX);
	}
	OPENSSL_cleanse(random, sizeof(random));
	return good;
}

static bool
create_file(const EsgPairWriter *writer, const char *suffix,
			const unsigned char *data, size_t len)
{
	char		name[NAME_SIZE];

	make_name(writer, suffix, name);
	return esg_file_writer_create(&writer->files, name, data, len);
}

/* Under the names that they have now they are as hard to reach as they will be. */
static bool
can_read_new_files(const void *arg)
{
	const EsgRules *rules = arg;

	return esg_rules_check_file(rules, ESG_UNFINISHED_SUFFIX) &&
		esg_rules_check_file(rules, ESG_PENDING_SUFFIX);
}

/* Step 2, leaving nothing behind if it fails. */
static bool
create_files(const EsgPairWriter *writer, const PairBytes *bytes)
{
	if (!remove_file(writer, ESG_PENDING_SUFFIX) || !remove_file(writer, ESG_UNFINISHED_SUFFIX) ||
		!create_file(writer, ESG_PENDING_SUFFIX, bytes->random, sizeof(bytes->random)))
		return false;
	if (!create_file(writer, ESG_UNFINISHED_SUFFIX, bytes->cipher, sizeof(bytes->cipher)))
	{
		remove_file(writer, ESG_PENDING_SUFFIX);
		return false;
	}
	if (esg_file_writer_sync(&writer->files) &&
		esg_server_user_try(writer->rules->user, can_read_new_files, writer->rules))
		return true;
	remove_file(writer, ESG_UNFINISHED_SUFFIX);
	remove_file(writer, ESG_PENDING_SUFFIX);
	return false;
}

/* Encrypts, and proves that what will be written can be decrypted. */
static bool
encrypt_pair(const EsgPassphrase *passphrase, PairBytes *bytes)
{
	EsgPassphrase back;
	EsgSecretResult result;

	result = esg_secret_format_encrypt(passphrase->secret, passphrase->len,
									   bytes->cipher, bytes->random);
	if (result == ESG_SECRET_OK)
	{
		result = esg_secret_format_decrypt(bytes->cipher, sizeof(bytes->cipher),
										   bytes->random, sizeof(bytes->random), &back);
		if (result == ESG_SECRET_OK &&
			(back.len != passphrase->len ||
			 CRYPTO_memcmp(back.secret, passphrase->secret, back.len) != 0))
			result = ESG_SECRET_CRYPTO_FAILED;
		esg_secret_format_wipe(&back);
	}
	return result == ESG_SECRET_OK ||
		esg_message_error("could not encrypt the passphrase: %s", esg_secret_format_reason(result));
}

static bool
write_bytes(const EsgPairWriter *writer, const PairBytes *bytes)
{
	char		name[NAME_SIZE];
	struct stat st;

	if (!finish_interrupted(writer) || !create_files(writer, bytes))
		return false;
	if (!rename_file(writer, ESG_UNFINISHED_SUFFIX, ESG_CIPHER_SUFFIX))
	{
		/* only if .cipher.new is still there, .rand.new is not needed */
		make_name(writer, ESG_UNFINISHED_SUFFIX, name);
		if (fstatat(writer->files.fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		{
			remove_file(writer, ESG_UNFINISHED_SUFFIX);
			remove_file(writer, ESG_PENDING_SUFFIX);
		}
		return false;
	}
	return rename_file(writer, ESG_PENDING_SUFFIX, ESG_RANDOM_SUFFIX);
}

bool
esg_pair_writer_write(EsgPairWriter *writer, const EsgPassphrase *passphrase)
{
	PairBytes	bytes;
	bool		good;

	good = encrypt_pair(passphrase, &bytes) && write_bytes(writer, &bytes);
	OPENSSL_cleanse(&bytes, sizeof(bytes));
	return good;
}

/* No file, or one that can be read, so that what goes with what can be told. */
static bool
is_readable(const EsgPairWriter *writer, const char *suffix)
{
	char		name[NAME_SIZE];
	struct stat st;
	int			there = look_at(writer, suffix, &st);
	int			fd;

	if (there <= 0)
		return there == 0;
	make_name(writer, suffix, name);
	fd = openat(writer->files.fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return report(writer, "open", suffix, errno);
	close(fd);
	return true;
}

bool
esg_pair_writer_tidy(const EsgPairWriter *writer)
{
	return is_readable(writer, ESG_CIPHER_SUFFIX) && is_readable(writer, ESG_RANDOM_SUFFIX) &&
		is_readable(writer, ESG_PENDING_SUFFIX) && finish_interrupted(writer) &&
		remove_file(writer, ESG_UNFINISHED_SUFFIX) && remove_file(writer, ESG_PENDING_SUFFIX) &&
		esg_file_writer_sync(&writer->files);
}
