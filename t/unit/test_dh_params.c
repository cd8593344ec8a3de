/* sources: x509/dh_params */
/*
 * test_dh_params.c
 *		Parameters of a Diffie-Hellman key exchange, good ones and such as OpenSSL complains of.
 */
#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "esg_test.h"
#include "x509/dh_params.h"

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
#include <openssl/core_names.h>
#include <openssl/param_build.h>

static char text[20000];

/* Appends p, g and, unless it is NULL, q as PEM. */
static void
append_params(const BIGNUM *p, const BIGNUM *q, unsigned long g)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, q != NULL ? "DHX" : "DH", NULL);
	BIGNUM	   *generator = BN_new();
	OSSL_PARAM *params;
	EVP_PKEY   *key = NULL;
	BIO		   *out = BIO_new(BIO_s_mem());
	size_t		len = strlen(text);

	BN_set_word(generator, g);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_FFC_P, p);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_FFC_G, generator);
	if (q != NULL)
		OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_FFC_Q, q);
	params = OSSL_PARAM_BLD_to_param(build);
	ok(EVP_PKEY_fromdata_init(ctx) == 1 && EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEY_PARAMETERS, params) == 1 &&
	   PEM_write_bio_Parameters(out, key) == 1, "parameters are written");
	len += (size_t) BIO_read(out, text + len, (int) (sizeof(text) - len - 1));
	text[len] = '\0';
	BIO_free(out);
	EVP_PKEY_free(key);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_free(generator);
	EVP_PKEY_CTX_free(ctx);
}

typedef struct Want
{
	bool		params;
	bool		prime;
	bool		safe;
	bool		good_generator;
	bool		invalid;
} Want;

static void
expect(const char *name, int bits, Want want)
{
	EsgDhParams params;

	esg_dh_params_read(text, strlen(text), &params);
	is_int(params.params != NULL, want.params, name);
	is_int(params.bits, bits, "as many bits");
	is_int(params.prime, want.prime, "p is a prime");
	is_int(params.safe, want.safe, "so is (p-1)/2, or there is a q");
	is_int(params.good_generator, want.good_generator, "the generator is good");
	is_int(esg_dh_params_are_invalid(&params), want.invalid, "core refuses them");
	ok(ERR_peek_error() == 0, "no error is left");
	esg_dh_params_free(&params);
	text[0] = '\0';
}

static void
test_nothing(void)
{
	const Want	none = {.invalid = true};

	expect("no text", 0, none);
	snprintf(text, sizeof(text), "-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n");
	expect("a block that is nothing", 0, none);
	snprintf(text, sizeof(text), "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n");
	expect("other parameters", 0, none);
}

static BIGNUM *
make_prime(int bits, int safe)
{
	BIGNUM	   *p = BN_new();

	BN_generate_prime_ex(p, bits, safe, NULL, NULL, NULL);
	return p;
}

static void
test_good(void)
{
	const Want	good = {true, true, true, true, false};
	BIGNUM	   *p = make_prime(512, 1);
	BIGNUM	   *q = BN_dup(p);

	BN_rshift1(q, q);
	append_params(p, q, 4);
	expect("with a q", 512, good);
	append_params(p, NULL, 2);
	expect("a safe prime", 512, good);
	snprintf(text, sizeof(text), "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n");
	append_params(p, NULL, 2);
	expect("behind other parameters", 512, good);
	BN_free(q);
	BN_free(p);
}

/* What is wrong with them is asked of OpenSSL's numbers, not of its check. */
static void
test_bad(void)
{
	BIGNUM	   *p = make_prime(512, 0);
	BIGNUM	   *half = BN_dup(p);

	BN_rshift1(half, half);
	while (BN_check_prime(half, NULL, NULL))
	{
		BN_generate_prime_ex(p, 512, 0, NULL, NULL, NULL);
		BN_rshift1(half, p);
	}
	append_params(p, NULL, 2);
	expect("a prime that is not safe", 512, (Want) {true, true, false, true, false});
	append_params(p, NULL, 1);
	expect("and a generator of nothing", 512, (Want) {true, true, false, false, true});
	BN_add_word(p, 1);
	append_params(p, NULL, 2);
	/* of what is no prime OpenSSL asks no more */
	expect("an even number", 512, (Want) {true, false, true, true, true});
	BN_free(half);
	BN_free(p);
}

/* Whether it is a prime would take seconds to find out. */
static void
test_large(void)
{
	BIGNUM	   *p = BN_new();

	BN_set_bit(p, 4099);
	append_params(p, NULL, 2);
	expect("more bits than are checked", 4100, (Want) {true, true, true, true, false});
	BN_free(p);
}

int
main(void)
{
	test_nothing();
	test_good();
	test_bad();
	test_large();
	return done();
}

#else

int
main(void)
{
	ok(1, "before OpenSSL 3.0 such parameters are made otherwise: not tested");
	return done();
}

#endif
