/*
 * bench/sessions.c
 *		sessions SESSIONS ENTRIES: the processor time that it takes to look for so many
 *		sessions' certificates in a CRL of so many entries, as the server does when
 *		it has loaded one.
 *
 * The CRL is read from its encoding before, as a server has it in memory.  Every
 * tenth session is in it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "policy/revocation.h"

#define LIMIT 1.0
#define SEED UINT64_C(0x5eed)

static EVP_PKEY *
make_key(void)
{
	EVP_PKEY   *key = NULL;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);

	if (context == NULL || EVP_PKEY_keygen_init(context) != 1 ||
		EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) != 1 || EVP_PKEY_keygen(context, &key) != 1)
		exit(2);
	EVP_PKEY_CTX_free(context);
	return key;
}

static X509 *
make_cert(EVP_PKEY *key, const char *name, long serial)
{
	X509	   *cert = X509_new();
	X509_NAME  *issuer = X509_NAME_new();

	X509_NAME_add_entry_by_txt(issuer, "CN", MBSTRING_ASC, (const unsigned char *) "CA", -1, -1, 0);
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
	X509_set_issuer_name(cert, issuer);
	X509_NAME_free(issuer);
	issuer = X509_NAME_new();
	X509_NAME_add_entry_by_txt(issuer, "CN", MBSTRING_ASC, (const unsigned char *) name, -1, -1, 0);
	X509_set_subject_name(cert, issuer);
	X509_NAME_free(issuer);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	X509_set_pubkey(cert, key);
	if (X509_sign(cert, key, EVP_sha256()) <= 0)
		exit(2);
	return cert;
}

/* serial numbers as CAs make them, in no order; the first are those of sessions */
static long
serial_of(long n)
{
	return 1 + n * 7919 % 2147483647;
}

static X509_CRL *
make_crl(X509 *ca, EVP_PKEY *key, long entries)
{
	X509_CRL   *crl = X509_CRL_new();
	ASN1_TIME  *date = X509_gmtime_adj(NULL, 0);
	unsigned char *der = NULL;
	const unsigned char *at;
	int			len;

	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca));
	X509_CRL_set1_lastUpdate(crl, date);
	X509_gmtime_adj(date, 86400);
	X509_CRL_set1_nextUpdate(crl, date);
	for (long i = 0; i < entries; i++)
	{
		X509_REVOKED *revoked = X509_REVOKED_new();
		ASN1_INTEGER *serial = ASN1_INTEGER_new();

		ASN1_INTEGER_set(serial, serial_of(10 * i));
		X509_REVOKED_set_serialNumber(revoked, serial);
		X509_REVOKED_set_revocationDate(revoked, date);
		X509_CRL_add0_revoked(crl, revoked);
		ASN1_INTEGER_free(serial);
	}
	if (X509_CRL_sign(crl, key, EVP_sha256()) <= 0 || (len = i2d_X509_CRL(crl, &der)) <= 0)
		exit(2);
	X509_CRL_free(crl);
	at = der;
	crl = d2i_X509_CRL(NULL, &at, len);
	OPENSSL_free(der);
	return crl;
}

/* What the table of sessions has of each. */
static void
make_sessions(EsgRevocationKey *keys, int count, X509 *ca, EVP_PKEY *key)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	X509	   *cert = make_cert(key, "client", 1);

	sk_X509_push(chain, cert);
	sk_X509_push(chain, ca);
	for (int i = 0; i < count; i++)
	{
		ASN1_INTEGER_set(X509_get_serialNumber(cert), serial_of(i));
		if (esg_revocation_keys(chain, SEED, keys + i * ESG_REVOCATION_DEPTH) != 2)
			exit(2);
	}
	sk_X509_free(chain);
	X509_free(cert);
}

static double
judge(const EsgRevocationKey *keys, int count, X509 *ca, X509_CRL *crl, int *found)
{
	STACK_OF(X509) *cas = sk_X509_new_null();
	STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
	bool	   *revoked = calloc((size_t) count, sizeof(bool));
	clock_t		began = clock();
	EsgRevocationIndex *index = esg_revocation_index_new(count * ESG_REVOCATION_DEPTH, SEED);
	double		took;

	sk_X509_push(cas, ca);
	sk_X509_CRL_push(crls, crl);
	for (int i = 0; i < count; i++)
		esg_revocation_index_add(index, keys + i * ESG_REVOCATION_DEPTH, 2, i);
	esg_revocation_judge(index, crls, cas, (int64_t) time(NULL), revoked);
	esg_revocation_index_free(index);
	took = (double) (clock() - began) / CLOCKS_PER_SEC;
	*found = 0;
	for (int i = 0; i < count; i++)
		*found += revoked[i] ? 1 : 0;
	free(revoked);
	sk_X509_free(cas);
	sk_X509_CRL_free(crls);
	return took;
}

int
main(int argc, char **argv)
{
	int			sessions = argc > 1 ? atoi(argv[1]) : 10000;
	long		entries = argc > 2 ? atol(argv[2]) : 1000000;
	EVP_PKEY   *key = make_key();
	X509	   *ca = make_cert(key, "CA", 0);
	X509_CRL   *crl = make_crl(ca, key, entries);
	EsgRevocationKey *keys = calloc((size_t) sessions * ESG_REVOCATION_DEPTH, sizeof(*keys));
	int			found;
	double		took;

	make_sessions(keys, sessions, ca, key);
	took = judge(keys, sessions, ca, crl, &found);
	printf("%d sessions, a CRL of %ld entries, %d of them revoked: %.3f s, limit %.1f s\n",
		   sessions, entries, found, took, LIMIT);
	if (found != (sessions + 9) / 10)
	{
		printf("it should be %d\n", (sessions + 9) / 10);
		return 1;
	}
	return took > LIMIT;
}
