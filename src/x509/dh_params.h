/*
 * x509/dh_params.h
 *		Parameters of a Diffie-Hellman key exchange in a PEM text.
 *
 * Pure.  OpenSSL's error queue is left empty.
 */
#ifndef ESG_X509_DH_PARAMS_H
#define ESG_X509_DH_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>

typedef struct EsgDhParams
{
	EVP_PKEY   *params;			/* NULL: the text has none that OpenSSL reads */
	int			bits;			/* of p */
	bool		prime;			/* p */
	bool		safe;			/* (p-1)/2 is prime, too, or there is a q */
	bool		good_generator;
} EsgDhParams;

/* The first ones of the text, as PEM_read_DHparams() finds them; out is for esg_dh_params_free(). */
extern void esg_dh_params_read(const char *text, size_t len, EsgDhParams *out);
extern void esg_dh_params_free(EsgDhParams *params);

/* Would core, which looks at them as it loads them, refuse them? */
extern bool esg_dh_params_are_invalid(const EsgDhParams *params);

#endif							/* ESG_X509_DH_PARAMS_H */
