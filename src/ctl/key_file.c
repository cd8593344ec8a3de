/*
 * ctl/key_file.c
 *		Opens a private key file.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "secret/pair.h"

/* far more than any key needs; certificates may be in the same file */
#define MAX_KEY_FILE (1024 * 1024)

typedef struct Question
{
	EsgPassphraseFn ask;
	void	   *arg;
	EsgPassphrase *passphrase;
	bool		asked;			/* so the key is encrypted */
} Question;

/* OpenSSL's pem_password_cb */
static int
answer(char *buf, int size, int rwflag, void *userdata)
{
	Question   *question = userdata;

	(void) rwflag;
	question->asked = true;
	if (!question->ask(question->arg, question->passphrase) || size < 0 ||
		question->passphrase->len > (size_t) size)
		return -1;
	memcpy(buf, question->passphrase->secret, question->passphrase->len);
	return (int) question->passphrase->len;
}

static EsgKeyFileResult
read_key(const unsigned char *data, size_t len, Question *question, EVP_PKEY **key)
{
	BIO		   *bio = BIO_new_mem_buf(data, (int) len);
	EsgKeyFileResult result = ESG_KEY_FILE_NO_KEY;

	if (bio)
		*key = PEM_read_bio_PrivateKey(bio, NULL, answer, question);
	if (question->asked)
		result = *key ? ESG_KEY_FILE_OPENED : ESG_KEY_FILE_REFUSED;
	else if (*key)
		result = ESG_KEY_FILE_NOT_ENCRYPTED;
	BIO_free(bio);
	ERR_clear_error();
	return result;
}

static EsgKeyFileResult
read_open_file(int fd, Question *question, EVP_PKEY **key, int *error)
{
	struct stat st;
	unsigned char *data;
	size_t		len;
	EsgKeyFileResult result;

	if (fstat(fd, &st) != 0)
	{
		*error = errno;
		return ESG_KEY_FILE_UNREADABLE;
	}
	if (!S_ISREG(st.st_mode))
		return ESG_KEY_FILE_NOT_REGULAR;
	data = OPENSSL_malloc(MAX_KEY_FILE);
	*error = data ? esg_secret_pair_read_fd(fd, data, MAX_KEY_FILE, &len) : ENOMEM;
	result = *error ? ESG_KEY_FILE_UNREADABLE : read_key(data, len, question, key);
	OPENSSL_clear_free(data, data ? MAX_KEY_FILE : 0);
	return result;
}

static EsgKeyFileResult
read_file(const char *path, Question *question, EVP_PKEY **key, int *error)
{
	int			fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	EsgKeyFileResult result;

	*error = 0;
	*key = NULL;
	if (fd < 0)
	{
		*error = errno;
		return *error == ENOENT ? ESG_KEY_FILE_MISSING : ESG_KEY_FILE_UNREADABLE;
	}
	result = read_open_file(fd, question, key, error);
	close(fd);
	return result;
}

/* An EsgPassphraseFn: it is there already. */
static bool
give_known(void *arg, EsgPassphrase *out)
{
	(void) arg;
	(void) out;
	return true;
}

EsgKeyFileResult
esg_key_file_test(const char *path, const EsgPassphrase *passphrase, int *error)
{
	/* give_known() does not touch it */
	Question	question = {give_known, NULL, (EsgPassphrase *) passphrase, false};
	EVP_PKEY   *key;
	EsgKeyFileResult result = read_file(path, &question, &key, error);

	EVP_PKEY_free(key);
	return result;
}

EsgKeyFileResult
esg_key_file_open(const char *path, EsgPassphraseFn ask, void *arg, EsgPassphrase *passphrase,
				  EVP_PKEY **key, int *error)
{
	Question	question = {ask, arg, passphrase, false};
	EsgKeyFileResult result = read_file(path, &question, key, error);

	esg_secret_format_wipe(passphrase);
	return result;
}
