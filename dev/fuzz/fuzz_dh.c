/*
 * fuzz_dh.c
 *		Files of Diffie-Hellman parameters.
 *
 * What is said of them is what core makes of them, which asks OpenSSL; its error queue
 * is left empty.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <stdint.h>

#include <openssl/bio.h>
#include <openssl/dh.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "checks.h"
#include "x509/dh_params.h"

/* to find out about larger ones takes too long */
#define MAX_BITS 1024

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Would core load them? */
static bool
is_loaded(DH *dh)
{
	int			codes = 0;

	if (DH_check(dh, &codes) == 0 || (codes & DH_CHECK_P_NOT_PRIME) != 0)
		return false;
	return (codes & DH_NOT_SUITABLE_GENERATOR) == 0 || (codes & DH_CHECK_P_NOT_SAFE_PRIME) == 0;
}

static void
compare(const EsgDhParams *ours, DH *theirs)
{
	must((ours->params != NULL) == (theirs != NULL));
	if (theirs == NULL)
		return;
	must(ours->bits == DH_bits(theirs));
	if (ours->bits <= MAX_BITS)
		must(esg_dh_params_are_invalid(ours) == !is_loaded(theirs));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BIO		   *bio = BIO_new_mem_buf(data, (int) size);
	DH		   *theirs = PEM_read_bio_DHparams(bio, NULL, NULL, NULL);
	EsgDhParams ours;

	esg_dh_params_read((const char *) data, size, &ours);
	must(ERR_peek_error() == 0);
	must(ours.bits >= 0 && (ours.params != NULL || esg_dh_params_are_invalid(&ours)));
	compare(&ours, theirs);
	ERR_clear_error();
	DH_free(theirs);
	BIO_free(bio);
	esg_dh_params_free(&ours);
	return 0;
}
