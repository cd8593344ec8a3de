/*
 * certmaker.h
 *		Certificates, CRLs and keys made at test time.
 *
 * Every function ends the program with a message on failure: tests need no
 * error paths.  Keys are cached by kind for the life of the program.
 */
#ifndef CERTMAKER_H
#define CERTMAKER_H

#include <stddef.h>

#include <openssl/x509v3.h>

/* Zeroed fields take the default in brackets. */
typedef struct CertSpec
{
	const char *subject;		/* "CN=a,O=b", in file order; "\\," and "\\xHH"
								 * are taken literally, the bytes raw as
								 * UTF8String; "" is an empty name [CN=test] */
	const char *issuer;			/* name when there is no issuer_cert [subject] */
	EVP_PKEY   *key;			/* [RSA 2048] */
	X509	   *issuer_cert;	/* [none: self-signed] */
	EVP_PKEY   *issuer_key;		/* signs [key] */
	const char *not_before;		/* "20260101000000Z": GeneralizedTime or, with 13
								 * characters, UTCTime, taken raw; "U:" or "G:" in
								 * front forces the type ["20260101000000Z"] */
	const char *not_after;		/* ["20270101000000Z"] */
	const EVP_MD *digest;		/* [SHA-256; none for Ed25519/Ed448] */
	int			pss_salt;		/* sign with RSASSA-PSS, this salt length (0: no PSS) */
	const EVP_MD *pss_mgf;		/* [digest] */
	const char *serial;			/* decimal, may be negative ["1"] */
	int			version;		/* 1, 2, 3 [3] */
	const char *extensions;		/* openssl.cnf lines "name=value\n…", then
								 * sections they refer to [none] */
} CertSpec;

typedef struct CrlSpec
{
	X509	   *issuer_cert;
	EVP_PKEY   *issuer_key;
	const char *this_update;	/* ["20260101000000Z"] */
	const char *next_update;	/* ["20270101000000Z"]; "" leaves it out */
	const EVP_MD *digest;		/* [SHA-256] */
	const char *const *revoked; /* serials, decimal, NULL-terminated */
	const char *extensions;		/* as a certificate's [none] */
	const char *entry_extensions;	/* of each revoked one [none] */
} CrlSpec;

extern EVP_PKEY *certmaker_rsa(int bits);	/* cached by size */
extern EVP_PKEY *certmaker_rsa_other(int bits); /* a second one of that size */
extern EVP_PKEY *certmaker_rsa_raw(const char *n_hex, const char *e_hex);	/* public key only */
extern EVP_PKEY *certmaker_ec(const char *curve);	/* "prime256v1" … */
extern EVP_PKEY *certmaker_ec_explicit(const char *curve);
extern EVP_PKEY *certmaker_dsa(int bits);
extern EVP_PKEY *certmaker_named(const char *algorithm);	/* "ED25519", "ED448", "X25519" */

extern X509 *certmaker_cert(const CertSpec *spec);
extern X509_CRL *certmaker_crl(const CrlSpec *spec);

/* DER of a certificate, new, for free(); and back (exit on error) */
extern unsigned char *certmaker_der(X509 *cert, size_t *len);
extern X509 *certmaker_parse(const unsigned char *der, size_t len);
/* the same certificate with every occurrence of the bytes from replaced by to (same length); not re-signed */
extern X509 *certmaker_patch(X509 *cert, const void *from, const void *to, size_t len);
/* re-signs a certificate whose fields the test changed */
extern void certmaker_resign(X509 *cert, EVP_PKEY *key, const EVP_MD *digest);
/* PEM text of a certificate or CRL, new, for free() */
extern char *certmaker_pem(X509 *cert);
extern char *certmaker_crl_pem(X509_CRL *crl);

#endif							/* CERTMAKER_H */
