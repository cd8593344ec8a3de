/*
 * policy/ciphers.h
 *		What is wrong with a cipher suite.
 *
 * Pure.
 */
#ifndef ESG_POLICY_CIPHERS_H
#define ESG_POLICY_CIPHERS_H

#include <stdbool.h>

#include <openssl/ssl.h>

/* Faults of a suite, the worst first. */
typedef enum EsgCipherFault
{
	ESG_CIPHER_NO_ENCRYPTION = 1 << 0,
	ESG_CIPHER_NO_AUTHENTICATION = 1 << 1,	/* anybody in between can be the
											 * server */
	ESG_CIPHER_EXPORT = 1 << 2, /* 56 bits or less */
	ESG_CIPHER_RC4 = 1 << 3,
	ESG_CIPHER_3DES = 1 << 4,
	ESG_CIPHER_NO_FORWARD_SECRECY = 1 << 5	/* whoever gets the key reads what
											 * was recorded */
} EsgCipherFault;

#define ESG_CIPHER_FAULT_COUNT 6

/* Which keys of a server it works with. */
typedef enum EsgCipherAuth
{
	ESG_CIPHER_ANY_KEY = 0,		/* TLS 1.3, or none is needed */
	ESG_CIPHER_RSA = 1 << 0,
	ESG_CIPHER_ECDSA = 1 << 1,
	ESG_CIPHER_OTHER_KEY = 1 << 2	/* PSK, DSS: none that PostgreSQL has */
} EsgCipherAuth;

/* A suite as OpenSSL describes it: numbers of its objects. */
typedef struct EsgCipherParts
{
	int			key_exchange;
	int			authentication;
	int			encryption;
	int			bits;
} EsgCipherParts;

typedef struct EsgCipher
{
	const char *name;			/* OpenSSL's */
	bool		tls13;
	EsgCipherAuth auth;
	unsigned	faults;			/* of EsgCipherFault */
} EsgCipher;

extern void esg_ciphers_read(const SSL_CIPHER *cipher, EsgCipher *out);
extern void esg_ciphers_judge(const EsgCipherParts *parts, EsgCipher *out);

/* the n-th fault in words: "no encryption" */
extern const char *esg_ciphers_fault_name(int n);

#endif							/* ESG_POLICY_CIPHERS_H */
