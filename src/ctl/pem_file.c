/*
 * ctl/pem_file.c
 *		The certificates of a PEM file.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/pem_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "ctl/message.h"
#include "secret/pair.h"
#include "x509/pem.h"

/* a bundle of all public roots has a fortieth of it */
#define MAX_FILE (16 * 1024 * 1024)

/* An EsgPemCertFn: the stack owns it from now on. */
static bool
take_cert(X509 *cert, int position, void *arg)
{
	STACK_OF(X509) *certs = arg;

	(void) position;
	if (sk_X509_push(certs, cert) > 0)
		return true;
	X509_free(cert);
	return false;
}

/* All of it; new, OPENSSL_free(); NULL with the reason. */
static char *
read_open_file(int fd, size_t *len, const char **reason)
{
	struct stat st;
	size_t		size;
	char	   *data;
	int			error;

	*reason = "not a regular file";
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return NULL;
	*reason = "too large";
	if (st.st_size > MAX_FILE)
		return NULL;
	size = (size_t) st.st_size + 1;
	data = OPENSSL_malloc(size);
	error = data ? esg_secret_pair_read_fd(fd, (unsigned char *) data, size, len) : ENOMEM;
	if (error == 0)
		return data;
	*reason = strerror(error);
	OPENSSL_free(data);
	return NULL;
}

static char *
read_file(const char *path, size_t *len, const char **reason)
{
	int			fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char	   *data;

	if (fd < 0)
	{
		*reason = strerror(errno);
		return NULL;
	}
	data = read_open_file(fd, len, reason);
	(void) close(fd);
	return data;
}

STACK_OF(X509) *
esg_pem_file_certs(const char *path)
{
	const char *reason = "";
	size_t		len = 0;
	char	   *data = read_file(path, &len, &reason);
	STACK_OF(X509) *certs = sk_X509_new_null();
	EsgPemSink	sink = {.cert = take_cert,.arg = certs};
	EsgPemResult result;

	if (data == NULL || certs == NULL)
		esg_message_error("could not read file \"%s\": %s", path, data ? "out of memory" : reason);
	else
	{
		esg_pem_scan(data, len, ESG_PEM_CERTS | ESG_PEM_TRUSTED, &sink, &result);
		OPENSSL_clear_free(data, len);
		if (result.end == ESG_PEM_COMPLETE && result.certs > 0 && sk_X509_num(certs) == result.certs)
			return certs;
		esg_message_error("could not read certificates from file \"%s\": %s", path,
						  result.end == ESG_PEM_COMPLETE ? "out of memory" : result.found);
	}
	sk_X509_pop_free(certs, X509_free);
	return NULL;
}
