/*
 * ctl/key_file.c
 *		Does a passphrase open a private key file?
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
	const EsgPassphrase *passphrase;
	bool		asked;			/* so the key is encrypted */
} Question;

/* OpenSSL's pem_password_cb */
static int
answer(char *buf, int size, int rwflag, void *userdata)
{
	Question   *question = userdata;

	(void) rwflag;
	question->asked = true;
	if (size < 0 || question->passphrase->len > (size_t) size)
		return -1;
	memcpy(buf, question->passphrase->secret, question->passphrase->len);
	return (int) question->passphrase->len;
}

static EsgKeyFileResult
test_key(const unsigned char *data, size_t len, const EsgPassphrase *passphrase)
{
	Question	question = {passphrase, false};
	BIO		   *bio = BIO_new_mem_buf(data, (int) len);
	EVP_PKEY   *key = NULL;
	EsgKeyFileResult result = ESG_KEY_FILE_NO_KEY;

	if (bio)
		key = PEM_read_bio_PrivateKey(bio, NULL, answer, &question);
	if (question.asked)
		result = key ? ESG_KEY_FILE_OPENED : ESG_KEY_FILE_REFUSED;
	else if (key)
		result = ESG_KEY_FILE_NOT_ENCRYPTED;
	EVP_PKEY_free(key);
	BIO_free(bio);
	ERR_clear_error();
	return result;
}

static EsgKeyFileResult
test_open_file(int fd, const EsgPassphrase *passphrase, int *error)
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
	result = *error ? ESG_KEY_FILE_UNREADABLE : test_key(data, len, passphrase);
	OPENSSL_clear_free(data, data ? MAX_KEY_FILE : 0);
	return result;
}

EsgKeyFileResult
esg_key_file_test(const char *path, const EsgPassphrase *passphrase, int *error)
{
	int			fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	EsgKeyFileResult result;

	*error = 0;
	if (fd < 0)
	{
		*error = errno;
		return *error == ENOENT ? ESG_KEY_FILE_MISSING : ESG_KEY_FILE_UNREADABLE;
	}
	result = test_open_file(fd, passphrase, error);
	close(fd);
	return result;
}
