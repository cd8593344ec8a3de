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

#define MEMO_SIZE 4096

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
