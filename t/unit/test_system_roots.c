/* sources: wire/system_roots x509/info x509/key x509/memo x509/name x509/rsa_faults x509/signature x509/time x509/asn1 x509/strict x509/unicode x509/cut_text x509/identities */
/*
 * test_system_roots.c
 *		Which issuers the system's store knows, and that a kept store is read once.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdlib.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "certmaker.h"
#include "esg_test.h"
#include "wire/system_roots.h"

#define CA "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"

static char bundle[64];

typedef struct Pair
{
	X509	   *ca;
	X509	   *leaf;
} Pair;

static Pair
make_pair(const char *ca_name, const char *leaf_name)
{
	CertSpec	ca = {.subject = ca_name,.key = certmaker_ec("prime256v1"),.extensions = CA};
	CertSpec	leaf = {.subject = leaf_name,.key = certmaker_ec("secp384r1"),.issuer_key = ca.key};
	Pair		pair;

	pair.ca = certmaker_cert(&ca);
	leaf.issuer_cert = pair.ca;
	pair.leaf = certmaker_cert(&leaf);
	return pair;
}

static void
put_bundle(X509 *cert)
{
	FILE	   *out = fopen(bundle, "w");

	if (out == NULL || PEM_write_X509(out, cert) != 1 || fclose(out) != 0)
		abort();
}

static void
knows(X509 *cert, EsgKnownIssuer expected, const char *name)
{
	EsgCertInfo info;

	esg_x509_info_read(cert, NULL, &info);
	is_int(esg_system_roots_know_issuer(&info), expected, name);
}

int
main(void)
{
	Pair		pairs[] = {make_pair("CN=first", "CN=a"), make_pair("CN=second", "CN=b"), make_pair("CN=first", "CN=c")};
	X509	   *first = pairs[0].leaf;
	X509	   *second = pairs[1].leaf;
	X509	   *third = pairs[2].leaf;

	snprintf(bundle, sizeof(bundle), "/tmp/esg_roots.XXXXXX");
	if (close(mkstemp(bundle)) != 0 || setenv("SSL_CERT_FILE", bundle, 1) != 0 ||
		setenv("SSL_CERT_DIR", "/nonexistent", 1) != 0)
		return 1;
	put_bundle(pairs[0].ca);
	knows(first, ESG_ISSUER_ROOT, "a root of the bundle");
	knows(second, ESG_ISSUER_UNKNOWN, "none of the bundle");
	ok(esg_system_roots_keep(), "it is kept from now on");
	ok(!esg_system_roots_keep(), "which it is already");
	knows(third, ESG_ISSUER_ROOT, "it was read");
	put_bundle(pairs[1].ca);
	knows(first, ESG_ISSUER_ROOT, "and is not read again");
	knows(second, ESG_ISSUER_UNKNOWN, "whatever was written there");
	esg_system_roots_forget();
	knows(first, ESG_ISSUER_UNKNOWN, "forgotten: it is read anew");
	knows(second, ESG_ISSUER_ROOT, "as it is now");
	(void) unlink(bundle);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
	{
		X509_free(pairs[i].ca);
		X509_free(pairs[i].leaf);
	}
	return done();
}
