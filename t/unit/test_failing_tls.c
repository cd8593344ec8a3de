/* sources: policy/ciphers policy/groups x509/dh_params wire/server_context wire/handshake_trial */
/*
 * test_failing_tls.c
 *		What a server with some settings offers, where OpenSSL fails or memory ends: never more than it does.
 */
#include <openssl/dh.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "failing.h"
#include "wire/handshake_trial.h"
#include "wire/server_context.h"

#if OPENSSL_VERSION_NUMBER >= 0x30000000L	/* macros before, or not there */
FAILS(int, EVP_PKEY_CTX_set_rsa_keygen_bits, (EVP_PKEY_CTX *maker, int bits), (maker, bits), 0)
FAILS(int, EVP_PKEY_CTX_set_ec_paramgen_curve_nid, (EVP_PKEY_CTX *maker, int nid), (maker, nid), 0)
FAILS(int, SSL_CTX_set0_tmp_dh_pkey, (SSL_CTX *context, EVP_PKEY *dh), (context, dh), 0)
#endif
FAILS(EC_GROUP *, EC_GROUP_new_by_curve_name, (int nid), (nid), NULL)

static EsgServerTls settings = {
	.ciphers = "ALL:@SECLEVEL=0",.ciphersuites = "TLS_AES_256_GCM_SHA384",.groups = "prime256v1",.keys = ESG_CIPHER_ECDSA
};
static EsgTlsOffer whole;

static bool
has_cipher(const EsgTlsOffer *offer, const char *name)
{
	int			i;

	for (i = 0; i < offer->cipher_count; i++)
	{
		if (strcmp(offer->ciphers[i].name, name) == 0)
			return true;
	}
	return false;
}

/* What it tells is a part of the whole. */
static Outcome
ask(void)
{
	EsgTlsOffer offer;
	bool		all;
	int			i;

	ERR_clear_error();
	esg_server_context_ask(&settings, &offer);
	all = offer.refused == ESG_TLS_PART_NONE && offer.cipher_count == whole.cipher_count && offer.group_count == whole.group_count;
	for (i = 0; i < ESG_TLS_VERSION_COUNT; i++)
	{
		if (offer.versions[i] && !whole.versions[i])
			return WRONG;
		all &= offer.versions[i] == whole.versions[i];
	}
	for (i = 0; i < offer.cipher_count; i++)
	{
		if (!has_cipher(&whole, offer.ciphers[i].name))
			return WRONG;
	}
	return all ? RIGHT : TOLD;
}

static unsigned keys;
static const char *ciphers;
static bool agrees;

/* A handshake that fails is not one that agrees. */
static Outcome
try_handshake(void)
{
	int			version = TLS1_2_VERSION;
	long		left = failing_countdown;
	SSL_CTX    *context;
	bool		answer;

	failing_countdown = -1;
	context = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_cipher_list(context, ciphers);
	failing_countdown = left;
	answer = esg_handshake_trial_agrees(context, version, keys);
	SSL_CTX_free(context);
	ERR_clear_error();
	return answer == agrees ? RIGHT : answer ? WRONG : TOLD;
}

static void
test_handshake(const char *name, const char *list, unsigned wanted_keys, bool wanted)
{
	ciphers = list;
	keys = wanted_keys;
	agrees = wanted;
	fail_each(name, try_handshake);
}

/* The same with DH parameters of its own, which are the caller's afterwards as well. */
static void
test_dh(void)
{
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_id(EVP_PKEY_DH, NULL);

	if (maker != NULL && EVP_PKEY_paramgen_init(maker) == 1 && EVP_PKEY_CTX_set_dh_nid(maker, NID_ffdhe2048) == 1)
		(void) EVP_PKEY_paramgen(maker, &settings.dh);
	EVP_PKEY_CTX_free(maker);
	ok(settings.dh != NULL, "DH parameters");
	ok(fail_each("what is offered, with DH parameters", ask) > 10, "it is told");
	EVP_PKEY_free(settings.dh);
	settings.dh = NULL;
}

int
main(void)
{
	esg_server_context_ask(&settings, &whole);
	ok(whole.versions[ESG_TLS_VERSION_1_2] && whole.cipher_count > 0, "TLS 1.2 is offered");
	ok(fail_each("what is offered", ask) > 10, "it is told");
	test_dh();
	test_handshake("a handshake with an ECDSA key", "ECDHE-ECDSA-AES256-GCM-SHA384", ESG_CIPHER_ECDSA, true);
	test_handshake("a handshake with an RSA key", "ECDHE-RSA-AES256-GCM-SHA384", ESG_CIPHER_RSA, true);
	test_handshake("a handshake with either key", "ECDHE-RSA-AES256-GCM-SHA384", ESG_CIPHER_ECDSA | ESG_CIPHER_RSA, true);
	keys = 0;
	agrees = false;
	is_int(try_handshake(), RIGHT, "without a key there is no handshake");
	test_handshake("the key does not fit", "ECDHE-RSA-AES256-GCM-SHA384", ESG_CIPHER_ECDSA, false);
	return done();
}
