/*
 * wire/server_context.c
 *		An SSL_CTX with the settings of a PostgreSQL server, and what it offers.
 *
 * Settings, OpenSSL's configuration file and its security level decide together,
 * so it is OpenSSL that is asked.  Its answers about a context are those for a
 * client, but the rules are the same at both ends: which groups are left shows in
 * the ClientHello that this context would send.
 */
#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "compat.h"
#include "wire/handshake_trial.h"
#include "wire/server_context.h"

/* The server's own DH parameters have 2048 bits, which are worth 112: at most this level takes them. */
#define MAX_LEVEL_OF_OWN_DH 2

static const int versions[ESG_TLS_VERSION_COUNT] = {
	TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION
};

int
esg_server_context_version(const char *name)
{
	static const char *const names[ESG_TLS_VERSION_COUNT] = {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};

	for (int i = 0; i < ESG_TLS_VERSION_COUNT; i++)
	{
		if (strcmp(name, names[i]) == 0)
			return versions[i];
	}
	return 0;
}

/* ---- building ---- */

static bool
apply_dh(SSL_CTX *context, EVP_PKEY *dh)
{
	if (dh == NULL)
		return SSL_CTX_get_security_level(context) <= MAX_LEVEL_OF_OWN_DH;
	if (EVP_PKEY_up_ref(dh) != 1)
		return false;
	if (SSL_CTX_set0_tmp_dh_pkey(context, dh) == 1)
		return true;
	EVP_PKEY_free(dh);
	return false;
}

static bool
apply_curve(SSL_CTX *context, const char *name)
{
	int			nid = OBJ_sn2nid(name);
	EC_GROUP   *group = nid != NID_undef ? EC_GROUP_new_by_curve_name(nid) : NULL;
	bool		known = group != NULL;

	EC_GROUP_free(group);
	return known && SSL_CTX_set1_groups(context, &nid, 1) == 1;
}

static bool
apply_groups(SSL_CTX *context, const EsgServerTls *settings)
{
	if (settings->groups == NULL)
		return true;
	return settings->groups_are_list ?
		SSL_CTX_set1_groups_list(context, settings->groups) == 1 :
		apply_curve(context, settings->groups);
}

EsgTlsPart
esg_server_context_apply(SSL_CTX *context, const EsgServerTls *settings)
{
	int			min = settings->min_version;
	int			max = settings->max_version;

	if (min != 0 && SSL_CTX_set_min_proto_version(context, min) != 1)
		return ESG_TLS_PART_MIN_VERSION;
	if (max != 0 && (max < min || SSL_CTX_set_max_proto_version(context, max) != 1))
		return ESG_TLS_PART_MAX_VERSION;
	if (!apply_dh(context, settings->dh))
		return ESG_TLS_PART_DH;
	if (!apply_groups(context, settings))
		return ESG_TLS_PART_GROUPS;
	if (settings->ciphers != NULL && SSL_CTX_set_cipher_list(context, settings->ciphers) != 1)
		return ESG_TLS_PART_CIPHERS;
	if (settings->ciphersuites != NULL && settings->ciphersuites[0] != '\0' &&
		SSL_CTX_set_ciphersuites(context, settings->ciphersuites) != 1)
		return ESG_TLS_PART_CIPHERSUITES;
	return ESG_TLS_PART_NONE;
}

/* ---- asking ---- */

static bool
is_usable(const EsgCipher *cipher, unsigned keys)
{
	return cipher->auth == ESG_CIPHER_ANY_KEY || (cipher->auth & keys) != 0;
}

/* What is enabled in one version, or, with 0, in all; returns how many, and stores them unless out is NULL. */
static int
list_ciphers(SSL_CTX *context, int version, unsigned keys, EsgCipher *out)
{
	SSL		   *ssl = SSL_new(context);
	STACK_OF(SSL_CIPHER) *list = NULL;
	EsgCipher	cipher;
	int			count = 0;

	if (ssl != NULL &&
		(version == 0 || (SSL_set_min_proto_version(ssl, version) == 1 &&
						  SSL_set_max_proto_version(ssl, version) == 1)))
		list = SSL_get1_supported_ciphers(ssl);
	for (int i = 0; list != NULL && i < sk_SSL_CIPHER_num(list) && count < ESG_MAX_OFFERED_CIPHERS; i++)
	{
		esg_ciphers_read(sk_SSL_CIPHER_value(list, i), &cipher);
		if (!is_usable(&cipher, keys))
			continue;
		if (out != NULL)
			out[count] = cipher;
		count++;
	}
	sk_SSL_CIPHER_free(list);
	SSL_free(ssl);
	ERR_clear_error();
	return count;
}

/* Versions that are old enough to be forbidden in many ways are tried. */
static bool
is_offered(SSL_CTX *context, int version, unsigned keys)
{
	int			min = (int) SSL_CTX_get_min_proto_version(context);
	int			max = (int) SSL_CTX_get_max_proto_version(context);

	return version >= min && (max == 0 || version <= max) &&
		list_ciphers(context, version, keys, NULL) > 0 &&
		(version >= TLS1_2_VERSION || esg_handshake_trial_agrees(context, version, keys));
}

/* SSL_client_hello_cb_fn: the groups are all that is wanted of it. */
static int
take_groups(SSL *ssl, int *alert, void *arg)
{
	EsgTlsOffer *out = arg;
	const unsigned char *data;
	size_t		size;

	(void) alert;
	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_supported_groups, &data, &size) == 1)
	{
		/* behind the list's length */
		for (size_t at = 2; at + 1 < size && out->group_count < ESG_MAX_OFFERED_GROUPS; at += 2)
			out->groups[out->group_count++] = (unsigned) data[at] << 8 | data[at + 1];
	}
	return SSL_CLIENT_HELLO_ERROR;
}

/* The context's ClientHello, up to that version, comes to take_groups(); false if it has none to send. */
static bool
say_hello(SSL_CTX *context, int max_version, EsgTlsOffer *out)
{
	SSL_CTX    *listening = SSL_CTX_new(TLS_server_method());
	SSL		   *client = SSL_new(context);
	SSL		   *server = listening != NULL ? SSL_new(listening) : NULL;
	BIO		   *near = NULL;
	BIO		   *far = NULL;
	bool		sent = false;

	if (client != NULL && server != NULL && BIO_new_bio_pair(&near, 0, &far, 0) == 1)
	{
		SSL_CTX_set_client_hello_cb(listening, take_groups, out);
		SSL_set_bio(client, near, near);
		SSL_set_bio(server, far, far);
		if (max_version != 0)
			(void) SSL_set_max_proto_version(client, max_version);
		sent = SSL_get_error(client, SSL_connect(client)) == SSL_ERROR_WANT_READ;
		if (sent)
			(void) SSL_accept(server);
	}
	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(listening);
	ERR_clear_error();
	return sent;
}

/* Where no group is left for TLS 1.3, there may be some for TLS 1.2. */
static void
ask_groups(SSL_CTX *context, EsgTlsOffer *out)
{
	if (!say_hello(context, 0, out) && out->versions[ESG_TLS_VERSION_1_2])
		(void) say_hello(context, TLS1_2_VERSION, out);
}

static void
take_reason(EsgTlsOffer *out)
{
	unsigned long code = ERR_get_error();
	const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

	if (reason != NULL)
		OPENSSL_strlcpy(out->reason, reason, sizeof(out->reason));
	ERR_clear_error();
}

void
esg_server_context_ask(const EsgServerTls *settings, EsgTlsOffer *out)
{
	SSL_CTX    *context;

	memset(out, 0, sizeof(*out));
	ERR_clear_error();

	/*
	 * as core: both methods, which both have their section in OpenSSL's
	 * configuration
	 */
	context = SSL_CTX_new(TLS_method());
	out->fips = EVP_default_properties_is_fips_enabled(NULL) == 1;
	out->refused = ESG_TLS_PART_OPENSSL;
	if (context != NULL)
	{
		out->default_level = out->level = SSL_CTX_get_security_level(context);
		out->refused = esg_server_context_apply(context, settings);
	}
	take_reason(out);
	if (out->refused == ESG_TLS_PART_NONE)
	{
		out->level = SSL_CTX_get_security_level(context);
		out->cipher_count = list_ciphers(context, 0, settings->keys, out->ciphers);
		for (int i = 0; i < ESG_TLS_VERSION_COUNT; i++)
			out->versions[i] = is_offered(context, versions[i], settings->keys);
		ask_groups(context, out);
	}
	SSL_CTX_free(context);
}
