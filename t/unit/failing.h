/*
 * failing.h
 *		Calls of OpenSSL's and of the system's that fail, one after the other.
 *
 * The linker hands each call of such a function by our code, and by the test's, to what FAILS() makes here
 * (t/unit/Makefile reads the names out of these lines); OpenSSL's own calls are its own.
 */
#ifndef FAILING_H
#define FAILING_H

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "esg_test.h"

static long failing_countdown = -1; /* calls until one fails; -1: none does */
static int	failing_errno;		/* which error it is */
static const char *failing_only = NULL; /* the function that is counted; NULL: each */
static const char *failing_name = "";	/* the function that failed last */

__attribute__((unused))
static int
failing_is_due(const char *name)
{
	if (failing_only != NULL && strcmp(name, failing_only) != 0)
		return 0;
	if (failing_countdown < 0 || failing_countdown-- > 0)
		return 0;
	errno = failing_errno;
	failing_name = name;
	return 1;
}

#define FAILS(type, name, params, args, failure) \
	extern type __real_##name params; \
	extern type __wrap_##name params; \
	type __wrap_##name params { return failing_is_due(#name) ? (failure) : __real_##name args; }

/* memory */
FAILS(void *, CRYPTO_malloc, (size_t size, const char *file, int line), (size, file, line), NULL)
FAILS(void *, CRYPTO_zalloc, (size_t size, const char *file, int line), (size, file, line), NULL)
FAILS(void *, CRYPTO_realloc, (void *old, size_t size, const char *file, int line),
	(old, size, file, line), NULL)
FAILS(char *, CRYPTO_strdup, (const char *str, const char *file, int line), (str, file, line), NULL)
FAILS(char *, CRYPTO_strndup, (const char *str, size_t len, const char *file, int line),
	(str, len, file, line), NULL)
FAILS(OPENSSL_STACK *, OPENSSL_sk_new_null, (void), (), NULL)
FAILS(int, OPENSSL_sk_push, (OPENSSL_STACK * stack, const void *item), (stack, item), 0)

/* digests, keys, random bytes */
FAILS(int, EVP_Digest, (const void *data, size_t len, unsigned char *out, unsigned int *size,
	const EVP_MD *md, ENGINE *engine), (data, len, out, size, md, engine), 0)
FAILS(EVP_MD_CTX *, EVP_MD_CTX_new, (void), (), NULL)
FAILS(int, EVP_DigestInit_ex, (EVP_MD_CTX *ctx, const EVP_MD *md, ENGINE *engine),
	(ctx, md, engine), 0)
FAILS(int, EVP_DigestUpdate, (EVP_MD_CTX *ctx, const void *data, size_t len), (ctx, data, len), 0)
FAILS(int, EVP_DigestFinal_ex, (EVP_MD_CTX *ctx, unsigned char *out, unsigned int *size),
	(ctx, out, size), 0)
FAILS(EVP_PKEY_CTX *, EVP_PKEY_CTX_new, (EVP_PKEY *key, ENGINE *engine), (key, engine), NULL)
FAILS(EVP_PKEY_CTX *, EVP_PKEY_CTX_new_id, (int id, ENGINE *engine), (id, engine), NULL)
FAILS(int, EVP_PKEY_derive_init, (EVP_PKEY_CTX *ctx), (ctx), 0)
#if OPENSSL_VERSION_NUMBER >= 0x30000000L	/* macros before */
FAILS(int, EVP_PKEY_CTX_set_hkdf_md, (EVP_PKEY_CTX *ctx, const EVP_MD *md), (ctx, md), 0)
FAILS(int, EVP_PKEY_CTX_set1_hkdf_salt, (EVP_PKEY_CTX *ctx, const unsigned char *salt, int len),
	(ctx, salt, len), 0)
FAILS(int, EVP_PKEY_CTX_set1_hkdf_key, (EVP_PKEY_CTX *ctx, const unsigned char *key, int len),
	(ctx, key, len), 0)
FAILS(int, EVP_PKEY_CTX_add1_hkdf_info, (EVP_PKEY_CTX *ctx, const unsigned char *info, int len),
	(ctx, info, len), 0)
#endif
FAILS(int, EVP_PKEY_derive, (EVP_PKEY_CTX *ctx, unsigned char *key, size_t *len),
	(ctx, key, len), 0)
FAILS(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_new, (void), (), NULL)
FAILS(int, EVP_CIPHER_CTX_ctrl, (EVP_CIPHER_CTX *ctx, int type, int size, void *data),
	(ctx, type, size, data), 0)
FAILS(int, EVP_EncryptInit_ex, (EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher, ENGINE *engine,
	const unsigned char *key, const unsigned char *iv), (ctx, cipher, engine, key, iv), 0)
FAILS(int, EVP_EncryptUpdate, (EVP_CIPHER_CTX *ctx, unsigned char *out, int *size,
	const unsigned char *in, int len), (ctx, out, size, in, len), 0)
FAILS(int, EVP_EncryptFinal_ex, (EVP_CIPHER_CTX *ctx, unsigned char *out, int *size),
	(ctx, out, size), 0)
FAILS(int, EVP_DecryptInit_ex, (EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher, ENGINE *engine,
	const unsigned char *key, const unsigned char *iv), (ctx, cipher, engine, key, iv), 0)
FAILS(int, EVP_DecryptUpdate, (EVP_CIPHER_CTX *ctx, unsigned char *out, int *size,
	const unsigned char *in, int len), (ctx, out, size, in, len), 0)
FAILS(int, EVP_DecryptFinal_ex, (EVP_CIPHER_CTX *ctx, unsigned char *out, int *size),
	(ctx, out, size), 0)
FAILS(int, RAND_bytes, (unsigned char *bytes, int len), (bytes, len), 0)
FAILS(int, RAND_priv_bytes, (unsigned char *bytes, int len), (bytes, len), 0)

/* numbers */
FAILS(BN_CTX *, BN_CTX_new, (void), (), NULL)
FAILS(BIGNUM *, BN_bin2bn, (const unsigned char *bytes, int len, BIGNUM *n), (bytes, len, n), NULL)
FAILS(int, BN_bn2binpad, (const BIGNUM *n, unsigned char *bytes, int len), (n, bytes, len), -1)
FAILS(BIGNUM *, BN_copy, (BIGNUM *to, const BIGNUM *from), (to, from), NULL)
FAILS(int, BN_lshift, (BIGNUM *out, const BIGNUM *n, int bits), (out, n, bits), 0)
FAILS(int, BN_rshift, (BIGNUM *out, const BIGNUM *n, int bits), (out, n, bits), 0)
FAILS(int, BN_rshift1, (BIGNUM *out, const BIGNUM *n), (out, n), 0)
FAILS(int, BN_add, (BIGNUM *out, const BIGNUM *n, const BIGNUM *m), (out, n, m), 0)
FAILS(int, BN_sub, (BIGNUM *out, const BIGNUM *n, const BIGNUM *m), (out, n, m), 0)
FAILS(int, BN_add_word, (BIGNUM *n, BN_ULONG w), (n, w), 0)
FAILS(int, BN_sub_word, (BIGNUM *n, BN_ULONG w), (n, w), 0)
FAILS(int, BN_sqr, (BIGNUM *out, const BIGNUM *n, BN_CTX *ctx), (out, n, ctx), 0)
FAILS(int, BN_div, (BIGNUM *out, BIGNUM *rest, const BIGNUM *n, const BIGNUM *by, BN_CTX *ctx),
	(out, rest, n, by, ctx), 0)
FAILS(BIGNUM *, ASN1_INTEGER_to_BN, (const ASN1_INTEGER *integer, BIGNUM *n), (integer, n), NULL)
FAILS(char *, BN_bn2hex, (const BIGNUM *n), (n), NULL)

/* certificates and CRLs */
FAILS(X509 *, X509_dup, (const X509 *cert), (cert), NULL)
FAILS(int, X509_set_version, (X509 *cert, long version), (cert, version), 0)
FAILS(int, X509_set_issuer_name, (X509 *cert, const X509_NAME *name), (cert, name), 0)
FAILS(int, X509_set_subject_name, (X509 *cert, const X509_NAME *name), (cert, name), 0)
FAILS(int, X509_set_serialNumber, (X509 *cert, ASN1_INTEGER *serial), (cert, serial), 0)
FAILS(int, X509_add1_ext_i2d, (X509 *cert, int nid, void *value, int critical, unsigned long flags),
	(cert, nid, value, critical, flags), 0)
FAILS(X509_NAME *, X509_NAME_dup, (const X509_NAME *name), (name), NULL)
FAILS(int, X509_NAME_add_entry_by_NID, (X509_NAME *name, int nid, int type,
	const unsigned char *bytes, int len, int loc, int set), (name, nid, type, bytes, len, loc, set), 0)
FAILS(int, i2d_X509_NAME, (X509_NAME *name, unsigned char **out), (name, out), -1)
FAILS(int, i2d_X509_PUBKEY, (X509_PUBKEY *key, unsigned char **out), (key, out), -1)
FAILS(DIST_POINT *, DIST_POINT_new, (void), (), NULL)
FAILS(int, X509_digest, (const X509 *cert, const EVP_MD *md, unsigned char *out, unsigned int *size),
	(cert, md, out, size), 0)
FAILS(int, X509_CRL_digest, (const X509_CRL *crl, const EVP_MD *md, unsigned char *out, unsigned int *size),
	(crl, md, out, size), 0)
FAILS(int, X509_verify, (X509 *cert, EVP_PKEY *key), (cert, key), -1)
FAILS(int, X509_CRL_verify, (X509_CRL *crl, EVP_PKEY *key), (crl, key), -1)
FAILS(X509_STORE *, X509_STORE_new, (void), (), NULL)
FAILS(int, X509_STORE_add_cert, (X509_STORE *store, X509 *cert), (store, cert), 0)
FAILS(X509_STORE_CTX *, X509_STORE_CTX_new, (void), (), NULL)
FAILS(int, X509_STORE_CTX_init, (X509_STORE_CTX *ctx, X509_STORE *store, X509 *cert, STACK_OF(X509) *others),
	(ctx, store, cert, others), 0)
FAILS(int, X509_VERIFY_PARAM_set_flags, (X509_VERIFY_PARAM *param, unsigned long flags),
	(param, flags), 0)
FAILS(int, X509_VERIFY_PARAM_set_purpose, (X509_VERIFY_PARAM *param, int purpose),
	(param, purpose), 0)
FAILS(int, X509_verify_cert, (X509_STORE_CTX *ctx), (ctx), -1)

/* text */
FAILS(BIO *, BIO_new, (const BIO_METHOD *method), (method), NULL)
FAILS(BIO *, BIO_new_mem_buf, (const void *data, int len), (data, len), NULL)
FAILS(int, PEM_write_bio, (BIO *out, const char *name, const char *header, const unsigned char *data, long len),
	(out, name, header, data, len), 0)
FAILS(int, PEM_write_bio_X509_CRL, (BIO *out, const X509_CRL *crl), (out, crl), 0)
FAILS(int, GENERAL_NAME_print, (BIO *out, GENERAL_NAME *name), (out, name), 0)
FAILS(ASN1_TYPE *, ASN1_TYPE_new, (void), (), NULL)
FAILS(int, ASN1_TYPE_set1, (ASN1_TYPE *out, int type, const void *value), (out, type, value), 0)
FAILS(int, ASN1_STRING_to_UTF8, (unsigned char **out, const ASN1_STRING *in), (out, in), -1)
FAILS(char *, OPENSSL_buf2hexstr, (const unsigned char *bytes, long len), (bytes, len), NULL)

/* TLS */
FAILS(X509 *, X509_new, (void), (), NULL)
FAILS(ASN1_TIME *, X509_gmtime_adj, (ASN1_TIME *time, long seconds), (time, seconds), NULL)
FAILS(int, X509_set_pubkey, (X509 *cert, EVP_PKEY *key), (cert, key), 0)
FAILS(int, X509_sign, (X509 *cert, EVP_PKEY *key, const EVP_MD *md), (cert, key, md), 0)
FAILS(int, EVP_PKEY_keygen_init, (EVP_PKEY_CTX *ctx), (ctx), 0)
FAILS(int, EVP_PKEY_keygen, (EVP_PKEY_CTX *ctx, EVP_PKEY **out), (ctx, out), 0)
FAILS(int, EVP_PKEY_up_ref, (EVP_PKEY *key), (key), 0)
FAILS(SSL_CTX *, SSL_CTX_new, (const SSL_METHOD *method), (method), NULL)
FAILS(SSL *, SSL_new, (SSL_CTX *context), (context), NULL)
FAILS(long, SSL_CTX_ctrl, (SSL_CTX *context, int command, long n, void *p), (context, command, n, p), 0)
FAILS(long, SSL_ctrl, (SSL *ssl, int command, long n, void *p), (ssl, command, n, p), 0)
FAILS(int, SSL_CTX_set_cipher_list, (SSL_CTX *context, const char *text), (context, text), 0)
FAILS(int, SSL_CTX_set_ciphersuites, (SSL_CTX *context, const char *text), (context, text), 0)
FAILS(int, SSL_use_certificate, (SSL *ssl, X509 *cert), (ssl, cert), 0)
FAILS(int, SSL_use_PrivateKey, (SSL *ssl, EVP_PKEY *key), (ssl, key), 0)
FAILS(STACK_OF(SSL_CIPHER) *, SSL_get1_supported_ciphers, (SSL *ssl), (ssl), NULL)
FAILS(int, BIO_new_bio_pair, (BIO **one, size_t size, BIO **other, size_t other_size),
	(one, size, other, other_size), 0)
FAILS(int, SSL_connect, (SSL *ssl), (ssl), -1)
FAILS(int, SSL_accept, (SSL *ssl), (ssl), -1)

/* files */
FAILS(int, openat, (int at, const char *path, int flags, mode_t mode), (at, path, flags, mode), -1)
FAILS(int, fstat, (int fd, struct stat *st), (fd, st), -1)
FAILS(int, lstat, (const char *path, struct stat *st), (path, st), -1)
FAILS(ssize_t, read, (int fd, void *data, size_t len), (fd, data, len), -1)

/* What came of it, with what is known to be right. */
typedef enum Outcome
{
	RIGHT,						/* as if nothing had failed */
	TOLD,						/* something failed, and that is said */
	WRONG						/* it passes for an answer, and is none */
} Outcome;

/* Runs it until no call fails any more.  How many times it was told. */
__attribute__((unused))
static int
fail_each(const char *name, Outcome (*run) (void))
{
	Outcome		outcome = WRONG;
	long		failing;
	long		first_wrong = -1;
	int			told = 0;

	for (failing = 0; failing < 5000; failing++)
	{
		failing_countdown = failing;
		outcome = run();
		if (failing_countdown >= 0)
			break;
		told += outcome == TOLD;
		if (outcome == WRONG && first_wrong < 0)
		{
			first_wrong = failing;
			printf("# wrong where %s() fails\n", failing_name);
		}
	}
	failing_countdown = -1;
	is_int(first_wrong, -1, name);
	ok(failing > 0 && outcome == RIGHT, "%s: right at last, where none of %ld calls fails", name, failing);
	return told;
}

#endif							/* FAILING_H */
