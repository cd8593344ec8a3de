/*
 * wire/handshake_trial.c
 *		Does a server's SSL_CTX agree with a client on a version of TLS?
 *
 * Whether OpenSSL's security level allows a version depends on the release: on
 * the version itself, or on the digest that a signature in it would have.
 */
#include "wire/handshake_trial.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "policy/ciphers.h"

/* no handshake goes there and back more often */
#define MAX_ROUNDS 10
#define RSA_BITS 2048
#define ONE_HOUR 3600

typedef struct Trial
{
	EVP_PKEY   *key;
	X509	   *cert;
	SSL_CTX    *any;			/* the client's */
	SSL		   *server;
	SSL		   *client;
} Trial;

static EVP_PKEY *
make_key(EsgCipherAuth kind)
{
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_id(kind == ESG_CIPHER_RSA ? EVP_PKEY_RSA : EVP_PKEY_EC, NULL);
	EVP_PKEY   *key = NULL;

	if (maker != NULL && EVP_PKEY_keygen_init(maker) == 1 &&
		(kind == ESG_CIPHER_RSA ?
		 EVP_PKEY_CTX_set_rsa_keygen_bits(maker, RSA_BITS) :
		 EVP_PKEY_CTX_set_ec_paramgen_curve_nid(maker, NID_X9_62_prime256v1)) == 1)
		(void) EVP_PKEY_keygen(maker, &key);
	EVP_PKEY_CTX_free(maker);
	return key;
}

/* Self-signed, without a name: nobody looks at it. */
static X509 *
make_cert(EVP_PKEY *key)
{
	X509	   *cert = X509_new();

	if (cert != NULL && X509_gmtime_adj(X509_getm_notBefore(cert), -ONE_HOUR) != NULL &&
		X509_gmtime_adj(X509_getm_notAfter(cert), ONE_HOUR) != NULL &&
		X509_set_pubkey(cert, key) == 1 && X509_sign(cert, key, EVP_sha256()) > 0)
		return cert;
	X509_free(cert);
	return NULL;
}

static bool
make_client(Trial *trial, int version)
{
	trial->any = SSL_CTX_new(TLS_client_method());
	return trial->any != NULL &&
		SSL_CTX_set_cipher_list(trial->any, "ALL:COMPLEMENTOFALL:@SECLEVEL=0") == 1 &&
		SSL_CTX_set_min_proto_version(trial->any, version) == 1 &&
		SSL_CTX_set_max_proto_version(trial->any, version) == 1 &&
		(trial->client = SSL_new(trial->any)) != NULL;
}

static bool
make_server(Trial *trial, SSL_CTX *context, EsgCipherAuth kind)
{
	return (trial->key = make_key(kind)) != NULL && (trial->cert = make_cert(trial->key)) != NULL &&
		(trial->server = SSL_new(context)) != NULL && SSL_set_dh_auto(trial->server, 1) == 1 &&
		SSL_use_certificate(trial->server, trial->cert) == 1 &&
		SSL_use_PrivateKey(trial->server, trial->key) == 1;
}

static bool
connect_both(Trial *trial)
{
	BIO		   *near = NULL;
	BIO		   *far = NULL;

	if (BIO_new_bio_pair(&near, 0, &far, 0) != 1)
		return false;
	SSL_set_bio(trial->client, near, near);
	SSL_set_bio(trial->server, far, far);
	for (int i = 0; i < MAX_ROUNDS; i++)
	{
		int			client = SSL_connect(trial->client);
		int			server = SSL_accept(trial->server);

		if (client == 1 && server == 1)
			return true;
		if ((client != 1 && SSL_get_error(trial->client, client) != SSL_ERROR_WANT_READ) ||
			(server != 1 && SSL_get_error(trial->server, server) != SSL_ERROR_WANT_READ))
			return false;
	}
	return false;
}

static bool
agrees_with_key(SSL_CTX *context, int version, EsgCipherAuth kind)
{
	Trial		trial = {NULL, NULL, NULL, NULL, NULL};
	bool		agrees = make_client(&trial, version) && make_server(&trial, context, kind) &&
	connect_both(&trial);

	SSL_free(trial.client);
	SSL_free(trial.server);
	SSL_CTX_free(trial.any);
	X509_free(trial.cert);
	EVP_PKEY_free(trial.key);
	ERR_clear_error();
	return agrees;
}

bool
esg_handshake_trial_agrees(SSL_CTX *context, int version, unsigned keys)
{
	return ((keys & ESG_CIPHER_ECDSA) != 0 && agrees_with_key(context, version, ESG_CIPHER_ECDSA)) ||
		((keys & ESG_CIPHER_RSA) != 0 && agrees_with_key(context, version, ESG_CIPHER_RSA));
}
