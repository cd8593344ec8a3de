/* sources: wire/system_roots x509/info x509/key x509/memo x509/name x509/rsa_faults x509/signature x509/time x509/asn1 x509/strict x509/unicode x509/cut_text x509/identities */
/* wraps: time */
/*
 * test_system_roots.c
 *		Which issuers the system's store knows, and that a kept store is read once.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "certmaker.h"
#include "compat.h"
#include "failing.h"
#include "wire/system_roots.h"

FAILS(X509_LOOKUP *, X509_STORE_add_lookup, (X509_STORE *store, X509_LOOKUP_METHOD *method), (store, method), NULL)
FAILS(STACK_OF(X509) *, X509_STORE_CTX_get1_certs, (X509_STORE_CTX *ctx, const X509_NAME *name), (ctx, name), NULL)
FAILS(int, X509_pubkey_digest, (const X509 *cert, const EVP_MD *md, unsigned char *out, unsigned *size),
	(cert, md, out, size), 0)

#define CA "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"

static char bundle[64];
static char directory[64];

/* ---- the clock ---- */

static time_t clock_now = 1780000000;

extern time_t __wrap_time(time_t *out);

time_t
__wrap_time(time_t *out)
{
	if (out != NULL)
		*out = clock_now;
	return clock_now;
}

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

/* ---- a directory ---- */

/* As c_rehash(1) names it; the path that is returned holds until the next one. */
static const char *
put_in_directory(X509 *cert, int number)
{
	static char path[128];
	FILE	   *out;

	snprintf(path, sizeof(path), "%s/%08lx.%d", directory, X509_NAME_hash_ex(X509_get_subject_name(cert), NULL, NULL, NULL), number);
	out = fopen(path, "w");
	if (out == NULL || PEM_write_X509(out, cert) != 1 || fclose(out) != 0)
		abort();
	return path;
}

/* Of several with the name of the issuer the best counts; nothing is remembered from before. */
static void
knows_by_now(X509 *cert, EsgKnownIssuer expected, const char *name)
{
	clock_now += 100;
	knows(cert, expected, name);
}

static void
test_directory(void)
{
	EVP_PKEY   *key = certmaker_ec("prime256v1");
	CertSpec	top = {.subject = "CN=top",.key = certmaker_rsa(2048),.extensions = CA};
	CertSpec	root = {.subject = "CN=ca",.key = key,.extensions = CA};
	CertSpec	other = {.subject = "CN=ca",.key = certmaker_ec("secp521r1"),.extensions = CA};
	CertSpec	between = {.subject = "CN=ca",.key = key,.issuer_key = top.key,.extensions = CA};
	CertSpec	leaf = {.subject = "CN=leaf",.key = certmaker_ec("secp384r1"),.issuer_key = key};
	X509	   *tops = certmaker_cert(&top);
	X509	   *roots = certmaker_cert(&root);
	X509	   *others = certmaker_cert(&other);
	X509	   *betweens;
	X509	   *leaves;
	char		paths[3][128];

	between.issuer_cert = tops;
	betweens = certmaker_cert(&between);
	leaf.issuer_cert = roots;
	leaves = certmaker_cert(&leaf);
	knows_by_now(leaves, ESG_ISSUER_UNKNOWN, "an empty directory");
	snprintf(paths[0], sizeof(paths[0]), "%s", put_in_directory(others, 0));
	knows_by_now(leaves, ESG_ISSUER_UNKNOWN, "a root of that name, with another key");
	knows_by_now(betweens, ESG_ISSUER_UNKNOWN, "of its own name, with another key");
	snprintf(paths[1], sizeof(paths[1]), "%s", put_in_directory(betweens, 1));
	knows_by_now(leaves, ESG_ISSUER_INTERMEDIATE, "an intermediate");
	snprintf(paths[2], sizeof(paths[2]), "%s", put_in_directory(roots, 2));
	knows_by_now(leaves, ESG_ISSUER_ROOT, "a root");
	knows_by_now(betweens, ESG_ISSUER_ROOT, "a root with its own name and key");
	for (int i = 0; i < 3; i++)
		(void) unlink(paths[i]);
	X509_free(tops);
	X509_free(roots);
	X509_free(others);
	X509_free(betweens);
	X509_free(leaves);
}

/* ---- what is kept, and for how long ---- */

static void
test_clock(X509 *cert, X509 *ca, X509 *other)
{
	put_bundle(ca);
	knows_by_now(cert, ESG_ISSUER_ROOT, "a root");
	put_bundle(other);
	clock_now += 59;
	knows(cert, ESG_ISSUER_ROOT, "for a minute the same is said");
	clock_now++;
	knows(cert, ESG_ISSUER_UNKNOWN, "then it is looked for again");
	put_bundle(ca);
	clock_now -= 3600;
	knows(cert, ESG_ISSUER_ROOT, "so it is where the clock was put back");
}

/* What is no file, or too large, is not read. */
static void
test_bundles(X509 *cert, X509 *ca)
{
	put_bundle(ca);
	if (truncate(bundle, (64 << 20) + 1) != 0)
		abort();
	knows_by_now(cert, ESG_ISSUER_UNKNOWN, "a bundle that is too large");
	put_bundle(ca);
	if (truncate(bundle, 64 << 20) != 0)
		abort();
	knows_by_now(cert, ESG_ISSUER_ROOT, "the largest one");
	put_bundle(ca);
	(void) setenv("SSL_CERT_FILE", directory, 1);
	knows_by_now(cert, ESG_ISSUER_UNKNOWN, "a directory in its place");
	(void) setenv("SSL_CERT_FILE", "/nonexistent", 1);
	knows_by_now(cert, ESG_ISSUER_UNKNOWN, "none");
	(void) setenv("SSL_CERT_FILE", "", 1);
	(void) setenv("SSL_CERT_DIR", "", 1);
	knows_by_now(cert, ESG_ISSUER_UNKNOWN, "OpenSSL's own, where none is named");
	(void) unsetenv("SSL_CERT_FILE");
	(void) unsetenv("SSL_CERT_DIR");
	knows_by_now(cert, ESG_ISSUER_UNKNOWN, "or it is not set");
	(void) setenv("SSL_CERT_FILE", bundle, 1);
	(void) setenv("SSL_CERT_DIR", directory, 1);
}

/* ---- calls that fail ---- */

static X509 *asked;

/* It may become unknown, but nothing else. */
static Outcome
ask(void)
{
	EsgCertInfo info;
	long		countdown = failing_countdown;
	EsgKnownIssuer issuer;

	failing_countdown = -1;
	esg_x509_info_read(asked, NULL, &info);
	clock_now += 100;
	failing_countdown = countdown;
	issuer = esg_system_roots_know_issuer(&info);
	if (ERR_peek_error() != 0)
		return WRONG;
	return issuer == ESG_ISSUER_ROOT ? RIGHT : issuer == ESG_ISSUER_UNKNOWN ? TOLD : WRONG;
}

static Outcome
ask_kept(void)
{
	Outcome		outcome;

	(void) esg_system_roots_keep();
	outcome = ask();
	/* the second time there is something that is kept, or it is made anew */
	if (failing_countdown < 0 && ask() != RIGHT)
		outcome = WRONG;
	esg_system_roots_forget();
	return outcome;
}

static void
test_failing(X509 *cert, X509 *root)
{
	asked = cert;
	put_bundle(root);
	ok(fail_each("an issuer", ask) >= 5, "what is not found is unknown");
	ok(fail_each("an issuer, of a store that is kept", ask_kept) >= 5, "what is not found is unknown");
	asked = root;
	ok(fail_each("a root", ask) >= 5, "what is not found is unknown");
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
	snprintf(directory, sizeof(directory), "/tmp/esg_roots.XXXXXX");
	if (mkdtemp(directory) == NULL || setenv("SSL_CERT_DIR", directory, 1) != 0)
		return 1;
	test_directory();
	test_clock(first, pairs[0].ca, pairs[1].ca);
	test_bundles(first, pairs[0].ca);
	test_failing(first, pairs[0].ca);
	(void) rmdir(directory);
	(void) unlink(bundle);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
	{
		X509_free(pairs[i].ca);
		X509_free(pairs[i].leaf);
	}
	return done();
}
