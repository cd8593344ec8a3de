/*
 * server/client_chain.c
 *		The chain that a handshake would verify, as far as that can be known.
 */
#include "postgres.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include "libpq/libpq.h"

#include "compat.h"
#include "files/content.h"
#include "server/client_chain.h"
#include "x509/pem.h"

/* EsgPemCertFn */
static bool
trust(X509 *cert, int position, void *arg)
{
	(void) X509_STORE_add_cert(arg, cert);
	X509_free(cert);
	return true;
}

/* NULL: no memory, or no such file */
static X509_STORE *
load_trusted(void)
{
	X509_STORE *store = NULL;
	EsgFileFacts facts;
	EsgContent	content;
	EsgPemResult result;

	if (ssl_ca_file == NULL || ssl_ca_file[0] == '\0')
		return NULL;
	if (esg_content_read(ssl_ca_file, esg_content_limit(ESG_FILE_CA), &facts, &content) &&
		(store = X509_STORE_new()) != NULL)
	{
		EsgPemSink	sink = {trust, NULL, store};

		esg_pem_scan(content.data, content.len, ESG_PEM_CERTS | ESG_PEM_TRUSTED, &sink, &result);
	}
	esg_content_release(&content);
	return store;
}

STACK_OF(X509) *
esg_client_chain_build(X509 *cert, STACK_OF(X509) *intermediates)
{
	X509_STORE *store = load_trusted();
	X509_STORE_CTX *context = store != NULL ? X509_STORE_CTX_new() : NULL;
	STACK_OF(X509) *chain = NULL;

	if (context != NULL && X509_STORE_CTX_init(context, store, cert, intermediates) == 1 &&
		X509_STORE_CTX_set_default(context, "ssl_client") == 1)
	{
		X509_STORE_CTX_set_flags(context, X509_V_FLAG_NO_CHECK_TIME);
		if (X509_verify_cert(context) == 1)
			chain = X509_STORE_CTX_get1_chain(context);
	}
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	ERR_clear_error();
	return chain;
}
