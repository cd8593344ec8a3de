/*
 * fuzz_pem.c
 *		Hostile certificate files.
 *
 * Whatever the text is, as many certificates must come out as core's loop loads:
 * PEM_read_bio_X509_AUX() once, then PEM_read_bio_X509() until it fails.  Read as
 * a CA file, as many as PEM_X509_INFO_read_bio() yields: in a file without fault
 * those are the ones that the loop skips, in addition.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "checks.h"
#include "x509/pem.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

/* -1: it reads the file as a whole, or not at all */
static int
count_as_ca_file(const uint8_t *data, size_t size)
{
	BIO		   *bio = BIO_new_mem_buf(data, (int) size);
	STACK_OF(X509_INFO) *infos = PEM_X509_INFO_read_bio(bio, NULL, refuse_password, NULL);
	int			count = infos ? 0 : -1;
	int			i;

	for (i = 0; infos != NULL && i < sk_X509_INFO_num(infos); i++)
		count += sk_X509_INFO_value(infos, i)->x509 != NULL;
	sk_X509_INFO_pop_free(infos, X509_INFO_free);
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

static void
check_ca_file(const uint8_t *data, size_t size, const EsgPemResult *certs)
{
	EsgPemResult trusted = scan(data, size, ESG_PEM_CERTS | ESG_PEM_TRUSTED);
	int			count = count_as_ca_file(data, size);

	must(count < 0 || (trusted.certs == count && trusted.end != ESG_PEM_BROKEN));
	if (certs->end == ESG_PEM_BROKEN || trusted.end == ESG_PEM_BROKEN)
		return;
	must(trusted.certs == certs->certs + certs->skipped_trusted);
	must(trusted.skipped_trusted == certs->skipped_trusted);
}

/* What is taken beyond OpenSSL's rules is a first certificate, and is said. */
static void
check_tails(const uint8_t *data, size_t size, const EsgPemResult *certs)
{
	EsgPemResult tails = scan(data, size, ESG_PEM_CERTS | ESG_PEM_TAILS);

	must(tails.tails <= tails.certs && (!tails.refused_tail || tails.tails > 0));
	must(tails.refused_tail ? certs->certs == 0 : certs->certs == tails.certs);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	EsgPemResult certs = scan(data, size, ESG_PEM_CERTS);

	must(certs.certs == count_by_openssl(data, size));
	check_ca_file(data, size, &certs);
	check_tails(data, size, &certs);
	must(scan(data, size, ESG_PEM_CRLS).certs == 0);
	scan(data, size, ESG_PEM_CERTS | ESG_PEM_CRLS);
	return 0;
}
