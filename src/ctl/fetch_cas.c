/*
 * ctl/fetch_cas.c
 *		The CAs whose CRLs are wanted.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/fetch_cas.h"

#include <fcntl.h>
#include <string.h>

#include <openssl/crypto.h>

#include "ctl/message.h"
#include "ctl/whole_file.h"
#include "x509/pem.h"

#define SIZE_LIMIT ((size_t) 64 << 20)	/* as for the server's audit */
#define MEMO_SIZE 4096

static bool
take_cert(X509 *cert, int position, void *arg)
{
	STACK_OF(X509) *certs = arg;

	(void) position;
	if (sk_X509_push(certs, cert))
		return true;
	X509_free(cert);
	return false;
}

bool
esg_fetch_cas_read_certs(const char *path, STACK_OF(X509) *certs)
{
	EsgPemSink	sink = {take_cert, NULL, certs};
	int			before = sk_X509_num(certs);
	struct stat st;
	EsgPemResult result;
	char	   *text;
	size_t		len;
	int			error = esg_whole_file_read(AT_FDCWD, path, true, SIZE_LIMIT, &st, &text, &len);

	if (error != 0)
		return esg_message_error("could not read file \"%s\": %s", path, strerror(error));
	esg_pem_scan(text, len, ESG_PEM_CERTS | ESG_PEM_TRUSTED, &sink, &result);
	OPENSSL_clear_free(text, len + 1);
	if (result.end == ESG_PEM_NOTHING)
		return esg_message_error("file \"%s\" has %s, and no certificate", path, result.found);
	if (result.end == ESG_PEM_BROKEN)
		return esg_message_error("file \"%s\" has %s at byte %zu", path, result.found, result.fault_offset);
	return (result.end == ESG_PEM_COMPLETE && sk_X509_num(certs) - before == result.certs) ||
		esg_message_error("out of memory");
}

bool
esg_fetch_cas_finish(EsgFetchCas *cas)
{
	int			i;

	cas->count = sk_X509_num(cas->certs);
	cas->memo = esg_memo_create(MEMO_SIZE);
	cas->infos = OPENSSL_zalloc(((size_t) cas->count + 1) * sizeof(EsgCertInfo));
	cas->list = OPENSSL_malloc(((size_t) cas->count + 1) * sizeof(*cas->list));
	if (!cas->infos || !cas->list)
		return esg_message_error("out of memory");
	for (i = 0; i < cas->count; i++)
	{
		esg_x509_info_read(sk_X509_value(cas->certs, i), cas->memo, &cas->infos[i]);
		cas->list[i] = &cas->infos[i];
	}
	cas->index = esg_policy_chain_index(cas->list, cas->count);
	return cas->index || esg_message_error("out of memory");
}

void
esg_fetch_cas_free(EsgFetchCas *cas)
{
	esg_policy_chain_index_free(cas->index);
	OPENSSL_free(cas->infos);
	OPENSSL_free(cas->list);
	esg_memo_free(cas->memo);
	sk_X509_pop_free(cas->certs, X509_free);
	memset(cas, 0, sizeof(*cas));
}
