/*
 * audit/server_tls.c
 *		The settings of this server by which it makes an SSL_CTX.
 *
 * They are asked for by name, as variables and their number differ between
 * versions of PostgreSQL.
 */
#include "postgres.h"

#include <openssl/x509.h>

#include "libpq/libpq.h"
#include "utils/guc.h"

#include "audit/server_tls.h"
#include "compat.h"
#include "files/content.h"
#include "x509/dh_params.h"

/* since PostgreSQL 18; before, it was one curve */
#define GROUPS "ssl_groups"

/* the only one of them that is not the server's alone */
#define PASSWORDS "password_encryption"

#define ALL_KEYS (ESG_CIPHER_RSA | ESG_CIPHER_ECDSA)

/* a file of parameters has some hundred bytes */
#define DH_FILE_LIMIT (INT64CONST(1) << 20)

const char *
esg_server_tls_value(const char *name)
{
	/* whoever looks may have set one for his own session */
	if (strcmp(name, PASSWORDS) == 0)
		return GetConfigOptionResetString(name);
	return GetConfigOption(name, true, false);
}

const char *
esg_server_tls_groups_name(void)
{
	return esg_server_tls_value(GROUPS) != NULL ? GROUPS : "ssl_ecdh_curve";
}

static void
read_dh(EsgServerSettings *out, const char *file)
{
	char		path[MAXPGPATH];
	EsgDhParams params;
	EsgFileFacts facts;
	EsgContent	content;

	if (file == NULL || file[0] == '\0')
		return;
	out->dh.configured = true;
	/* relative to the working directory, as core does it */
	strlcpy(path, file, sizeof(path));
	if (!esg_content_read(path, DH_FILE_LIMIT, &facts, &content))
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
	X509_free(cert);
	return false;
}

/* With several certificates, or none that can be read, it may be any. */
static unsigned
find_keys(void)
{
	unsigned	keys = ALL_KEYS;
	EsgPemSink	sink = {.cert = take_key_kind,.arg = &keys};
	EsgPemResult result;
	EsgFileFacts facts;
	EsgContent	content;

	if (ssl_sni || !esg_content_read(ssl_cert_file, ESG_CERT_FILE_LIMIT, &facts, &content))
		return ALL_KEYS;
	esg_pem_scan(content.data, content.len, ESG_PEM_CERTS, &sink, &result);
	esg_content_release(&content);
	return keys;
}

void
esg_server_tls_read(EsgServerSettings *out)
{
	const char *max = esg_server_tls_value("ssl_max_protocol_version");

	memset(out, 0, sizeof(*out));
	out->tls.min_version = esg_server_context_version(esg_server_tls_value("ssl_min_protocol_version"));
	out->tls.max_version = esg_server_context_version(max);
	out->tls.ciphers = esg_server_tls_value("ssl_ciphers");
	out->tls.ciphersuites = esg_server_tls_value("ssl_tls13_ciphers");
	out->tls.groups = esg_server_tls_value(esg_server_tls_groups_name());
	out->tls.groups_are_list = strcmp(esg_server_tls_groups_name(), GROUPS) == 0;
	out->tls.keys = find_keys();
	read_dh(out, ssl_dh_params_file);
	out->tls.dh = out->own_dh;
}

void
esg_server_tls_forget(EsgServerSettings *settings)
{
	EVP_PKEY_free(settings->own_dh);
	memset(settings, 0, sizeof(*settings));
}
