/*
 * x509/dh_params.c
 *		Parameters of a Diffie-Hellman key exchange in a PEM text.
 */
#include "x509/dh_params.h"

#include <limits.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/dherr.h>
#include <openssl/err.h>
#include <openssl/pem.h>

/* Larger ones are taken for primes: to find out takes seconds. */
#define MAX_CHECKED_BITS 4096

/* A text of that block alone, as other kinds of parameters may stand before it; NULL if it has none. */
static BIO *
find_block(const char *text, size_t len)
{
	BIO		   *in = len <= INT_MAX ? BIO_new_mem_buf(text, (int) len) : NULL;
	BIO		   *out = NULL;
	char	   *name = NULL;
	char	   *header = NULL;
	unsigned char *data = NULL;
	long		size;

	while (in != NULL && out == NULL && PEM_read_bio(in, &name, &header, &data, &size) == 1)
	{
		if (strcmp(name, PEM_STRING_DHPARAMS) == 0 || strcmp(name, PEM_STRING_DHXPARAMS) == 0)
		{
			out = BIO_new(BIO_s_mem());
			if (out == NULL || PEM_write_bio(out, name, "", data, size) <= 0)
				size = 0;
		}
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(data, (size_t) size);
	}
	BIO_free(in);
	return out;
}

/* What OpenSSL complains of is in its queue. */
static void
note_faults(EsgDhParams *out)
{
	unsigned long code;

	while ((code = ERR_get_error()) != 0)
	{
		if (ERR_GET_LIB(code) != ERR_LIB_DH)
			continue;
		if (ERR_GET_REASON(code) == DH_R_CHECK_P_NOT_SAFE_PRIME)
			out->safe = false;
		else if (ERR_GET_REASON(code) == DH_R_NOT_SUITABLE_GENERATOR)
			out->good_generator = false;
		else
			out->prime = false;
	}
}

static void
check(EsgDhParams *out)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(out->params, NULL);

	if (context != NULL && EVP_PKEY_param_check(context) != 1)
	{
		if (ERR_peek_error() == 0)
			out->prime = false;
		note_faults(out);
	}
	EVP_PKEY_CTX_free(context);
}

void
esg_dh_params_read(const char *text, size_t len, EsgDhParams *out)
{
	BIO		   *block;

	memset(out, 0, sizeof(*out));
	ERR_clear_error();
	block = find_block(text, len);
	if (block != NULL)
		out->params = PEM_read_bio_Parameters(block, NULL);
	BIO_free(block);
	ERR_clear_error();
	if (out->params == NULL)
		return;
	out->bits = EVP_PKEY_bits(out->params);
	out->prime = out->safe = out->good_generator = true;
	if (out->bits <= MAX_CHECKED_BITS)
		check(out);
	ERR_clear_error();
}

void
esg_dh_params_free(EsgDhParams *params)
{
	EVP_PKEY_free(params->params);
	memset(params, 0, sizeof(*params));
}

bool
esg_dh_params_are_invalid(const EsgDhParams *params)
{
	return params->params == NULL || !params->prime || (!params->safe && !params->good_generator);
}
