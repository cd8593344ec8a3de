/*
 * x509/key.h
 *		Public keys: kind, size, strength, and known faults.
 *
 * Strength is ours (NIST SP 800-57 part 1 table 2), not OpenSSL's.
 */
#ifndef ESG_X509_KEY_H
#define ESG_X509_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "x509/memo.h"

typedef enum EsgKeyType
{
	ESG_KEY_UNKNOWN = 0,
	ESG_KEY_RSA,				/* rsaEncryption and id-RSASSA-PSS */
	ESG_KEY_DSA,
	ESG_KEY_EC,
	ESG_KEY_ED25519,
	ESG_KEY_ED448,
	ESG_KEY_MLDSA,
	ESG_KEY_CANNOT_SIGN			/* X25519, X448, DH, ML-KEM … */
} EsgKeyType;

/* Why a key is broken; bits. */
typedef enum EsgKeyFault
{
	ESG_KEY_BAD_EXPONENT = 1 << 0,	/* <= 1 or even */
	ESG_KEY_BAD_MODULUS = 1 << 1,	/* even, negative, a square */
	ESG_KEY_SMALL_FACTOR = 1 << 2,	/* a prime below 752 */
	ESG_KEY_ROCA = 1 << 3,		/* CVE-2017-15361 fingerprint */
	ESG_KEY_CLOSE_PRIMES = 1 << 4	/* Fermat, 100 rounds */
} EsgKeyFault;

typedef struct EsgKeyInfo
{
	EsgKeyType	type;
	bool		usable;			/* OpenSSL decoded it and it can sign */
	char		algorithm[64];	/* "RSA", "RSASSA-PSS", "DSA", "EC",
								 * "Ed25519", …, the dotted OID if unknown */
	char		curve[32];		/* EC: "prime256v1" …; "" if unnamed */
	int			curve_nid;		/* NID_undef if none */
	int			bits;			/* RSA modulus, DSA p, EC group order, 256
								 * Ed25519, 456 Ed448; 0 if unknown */
	int			security_bits;	/* -1 if unknown */
	bool		small_exponent; /* RSA, 3..65535 */
	bool		explicit_parameters;	/* EC */
	unsigned	faults;			/* EsgKeyFault bits */
	unsigned char digest[ESG_DIGEST_SIZE];	/* SHA-256 of subjectPublicKeyInfo
											 * (algorithm + key bits) */
} EsgKeyInfo;

extern void esg_x509_key_read(X509 *cert, EsgMemo *memo, EsgKeyInfo *out);

/* NIST SP 800-57 row for a modulus size, rounded down; 0 below 1024 bits */
extern int	esg_x509_key_rsa_strength(int bits);

#endif							/* ESG_X509_KEY_H */
