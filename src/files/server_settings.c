/*
 * files/server_settings.c
 *		What a server's settings make of an SSL_CTX, with the files that they name.
 */
#include "files/server_settings.h"

#include <string.h>

#include <openssl/x509.h>

#include "compat.h"
#include "files/content.h"
#include "x509/dh_params.h"

#define ALL_KEYS (ESG_CIPHER_RSA | ESG_CIPHER_ECDSA)

/* a file of parameters has some hundred bytes */
#define DH_FILE_LIMIT (INT64_C(1) << 20)

static void
read_dh(EsgServerSettings *out, const char *file)
{
	EsgDhParams params;
	EsgFileFacts facts;
	EsgContent	content;

	if (file == NULL || file[0] == '\0')
		return;
	out->dh.configured = true;
	if (!esg_content_read(file, DH_FILE_LIMIT, &facts, &content))
	{
		out->dh.unread = esg_content_reason(&facts);
		return;
	}
	esg_dh_params_read(content.data, content.len, &params);
	esg_content_release(&content);
	out->dh.bits = params.bits;
	out->dh.safe = params.safe;
	out->dh.valid = !esg_dh_params_are_invalid(&params);
	if (out->dh.valid)
		out->own_dh = params.params;
	else
		esg_dh_params_free(&params);
}

/* EsgPemCertFn: the first one is enough. */
static bool
take_key_kind(X509 *cert, int position, void *arg)
{
	const EVP_PKEY *key = X509_get0_pubkey(cert);
	unsigned   *keys = arg;
	int			type = key != NULL ? EVP_PKEY_base_id(key) : EVP_PKEY_NONE;

	if (type == EVP_PKEY_RSA || type == EVP_PKEY_RSA_PSS)
		*keys = ESG_CIPHER_RSA;
	else if (type == EVP_PKEY_EC || type == EVP_PKEY_ED25519 || type == EVP_PKEY_ED448)
		*keys = ESG_CIPHER_ECDSA;
	(void) position;
	X509_free(cert);
	return false;
}

/* With several certificates, or none that can be read, it may be any. */
static unsigned
find_keys(const char *file)
{
	unsigned	keys = ALL_KEYS;
	EsgPemSink	sink = {.cert = take_key_kind,.arg = &keys};
	EsgPemResult result;
	EsgFileFacts facts;
	EsgContent	content;

	if (file == NULL || !esg_content_read(file, ESG_CERT_FILE_LIMIT, &facts, &content))
		return ALL_KEYS;
	esg_pem_scan(content.data, content.len, ESG_PEM_CERTS, &sink, &result);
	esg_content_release(&content);
	return keys;
}

void
esg_server_settings_read(const EsgServerValues *values, EsgServerSettings *out)
{
	memset(out, 0, sizeof(*out));
	out->tls.min_version = esg_server_context_version(values->min_version);
	out->tls.max_version = esg_server_context_version(values->max_version);
	out->tls.ciphers = values->ciphers;
	out->tls.ciphersuites = values->ciphersuites;
	out->tls.groups = values->groups;
	out->tls.groups_are_list = values->groups_are_list;
	out->tls.keys = find_keys(values->cert_file);
	read_dh(out, values->dh_file);
	out->tls.dh = out->own_dh;
}

void
esg_server_settings_forget(EsgServerSettings *settings)
{
	EVP_PKEY_free(settings->own_dh);
	memset(settings, 0, sizeof(*settings));
}
