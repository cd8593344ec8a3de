/* sources: x509/pem */
/*
 * fuzz_pem.c
 *		Hostile certificate files.
 *
 * Whatever the text is, as many certificates must come out as core's loop loads:
 * PEM_read_bio_X509_AUX() once, then PEM_read_bio_X509() until it fails.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "x509/pem.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int cond)
{
	if (!cond)
		abort();
}

static bool
take_cert(X509 *cert, int position, void *arg)
{
	must(cert != NULL && position == ++*(int *) arg);
	X509_free(cert);
	return true;
}

static bool
take_crl(X509_CRL *crl, int position, void *arg)
{
	(void) arg;
	must(crl != NULL && position > 0);
	X509_CRL_free(crl);
	return true;
}

static int
refuse_password(char *buf, int size, int writing, void *arg)
{
	(void) buf;
	(void) size;
	(void) writing;
	(void) arg;
	return -1;
}

static int
count_by_openssl(const uint8_t *data, size_t size)
{
	BIO		   *bio = BIO_new_mem_buf(data, (int) size);
	X509	   *cert = PEM_read_bio_X509_AUX(bio, NULL, refuse_password, NULL);
	int			count = 0;

	while (cert != NULL)
	{
		count++;
		X509_free(cert);
		cert = PEM_read_bio_X509(bio, NULL, refuse_password, NULL);
	}
	BIO_free(bio);
	ERR_clear_error();
	return count;
}

static EsgPemResult
scan(const uint8_t *data, size_t size, unsigned want)
{
	EsgPemResult result;
	int			certs = 0;
	EsgPemSink	sink = {take_cert, take_crl, &certs};
	const char *p;

	esg_pem_scan((const char *) data, size, want, &sink, &result);
	must(result.certs == certs && ERR_peek_error() == 0);
	must(result.fault_offset <= size);
	must((result.end == ESG_PEM_COMPLETE) == (result.found[0] == '\0'));
	for (p = result.found; *p; p++)
		must(*p >= 0x20 && *p < 0x7F);
	return result;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	EsgPemResult certs = scan(data, size, ESG_PEM_CERTS);

	must(certs.certs == count_by_openssl(data, size));
	must(scan(data, size, ESG_PEM_CERTS | ESG_PEM_TRUSTED).skipped_trusted == 0);
	must(scan(data, size, ESG_PEM_CRLS).certs == 0);
	scan(data, size, ESG_PEM_CERTS | ESG_PEM_CRLS);
	return 0;
}
