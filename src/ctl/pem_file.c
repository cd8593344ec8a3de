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

#include <openssl/crypto.h>

#include "ctl/message.h"
#include "ctl/whole_file.h"
#include "x509/pem.h"

#define SIZE_LIMIT ((size_t) 64 << 20)	/* as for the server's audit */

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

bool
esg_pem_file_append(const char *path, STACK_OF(X509) *certs)
{
	EsgPemSink	sink = {take_cert, NULL, certs};
	int			before = sk_X509_num(certs);
	struct stat st;
	EsgPemResult result;
	char	   *text;
	size_t		len;
	int			error = esg_whole_file_read(AT_FDCWD, path, true, SIZE_LIMIT, &st, &text, &len);

	if (error != 0)
		return esg_message_error("could not read file \"%s\": %s", path,
								 error == EINVAL ? "it is not a regular file" : strerror(error));
	esg_pem_scan(text, len, ESG_PEM_CERTS | ESG_PEM_TRUSTED, &sink, &result);
	/* a key may be there, too */
	OPENSSL_clear_free(text, len + 1);
	if (result.end == ESG_PEM_NOTHING)
		return esg_message_error("file \"%s\" has %s, and no certificate", path, result.found);
	if (result.end == ESG_PEM_BROKEN)
		return esg_message_error("file \"%s\" has %s at byte %zu", path, result.found, result.fault_offset);
	return (result.end == ESG_PEM_COMPLETE && sk_X509_num(certs) - before == result.certs) ||
		esg_message_error("out of memory");
}

STACK_OF(X509) *
esg_pem_file_certs(const char *path)
{
	STACK_OF(X509) *certs = sk_X509_new_null();

	if (certs == NULL)
		esg_message_error("out of memory");
	else if (esg_pem_file_append(path, certs))
		return certs;
	sk_X509_pop_free(certs, X509_free);
	return NULL;
}
