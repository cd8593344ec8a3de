/*
 * policy/revocation.h
 *		Which of many certificates do CRLs list?
 *
 * The other way round than OpenSSL asks: each CRL is gone through once, in the
 * order in which it lies in memory, and its serial numbers are looked up among
 * those of the certificates.  Neither is a CRL of a million entries sorted for
 * that, nor read again for each certificate.
 *
 * Pure.  A certificate is kept as two numbers of 64 bits, made with a secret seed:
 * what its chain consists of need not be kept.
 */
#ifndef ESG_POLICY_REVOCATION_H
#define ESG_POLICY_REVOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

/* of a chain so many certificates are kept, the client's own first */
#define ESG_REVOCATION_DEPTH 4

/* A certificate as CRLs name it: by its serial number, and by whose it is. */
typedef struct EsgRevocationKey
{
	uint64_t	by_key;			/* its issuer's public key, */
	uint64_t	by_name;		/* or name, for CRLs of a CA that is not known
								 * here */
} EsgRevocationKey;

/* Certificates to be looked for. */
typedef struct EsgRevocationIndex EsgRevocationIndex;

/* a digest that nobody can foresee who does not know the seed */
extern uint64_t esg_revocation_hash(uint64_t seed, const void *data, size_t len);

/* the keys of a verified chain, ESG_REVOCATION_DEPTH at most; returns how many */
extern int	esg_revocation_keys(STACK_OF(X509) *chain, uint64_t seed, EsgRevocationKey *keys);

/* by_key of a certificate with that serial number that this CA has issued */
extern uint64_t esg_revocation_key_of(const X509 *ca, const ASN1_INTEGER *serial, uint64_t seed);

/* room for so many keys; NULL: no memory */
extern EsgRevocationIndex *esg_revocation_index_new(int capacity, uint64_t seed);
extern void esg_revocation_index_free(EsgRevocationIndex *index);

/* the keys of one chain, in its order; owner: whose it is, from 0 */
extern void esg_revocation_index_add(EsgRevocationIndex *index, const EsgRevocationKey *keys,
									 int count, int owner);

/*
 * Marks the owners of what these CRLs list.  CRLs and CAs are all that there are
 * of one name.  Of several CRLs of one CA's key only the best counts, as for
 * OpenSSL now, and only if that key has signed it.  A CRL that belongs to none of the
 * CAs counts for whom its issuer's name fits, and is not verified.
 */
extern void esg_revocation_judge(const EsgRevocationIndex *index, STACK_OF(X509_CRL) *crls,
								 STACK_OF(X509) *cas, int64_t now, bool *revoked);

#endif							/* ESG_POLICY_REVOCATION_H */
