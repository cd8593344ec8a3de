/*
 * policy/revocation.h
 *		Which of many certificates do CRLs list?
 *
 * The other way round than OpenSSL asks: each CRL is gone through once, in the
 * order in which it lies in memory, and its serial numbers are looked up among
 * those of the certificates.  Neither is a CRL of a million entries sorted for
 * that, nor read again for each certificate.
 *
 * Pure.
 */
#ifndef ESG_POLICY_REVOCATION_H
#define ESG_POLICY_REVOCATION_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "policy/revocation_key.h"

/* Certificates to be looked for. */
typedef struct EsgRevocationIndex EsgRevocationIndex;

/* room for so many keys; NULL: no memory */
extern EsgRevocationIndex *esg_revocation_index_new(int capacity, uint64_t seed);
extern void esg_revocation_index_free(EsgRevocationIndex *index);

/* the keys of one chain, in its order; owner: whose it is, from 0 */
extern void esg_revocation_index_add(EsgRevocationIndex *index, const EsgRevocationKey *keys,
									 int count, int owner);

/*
 * Marks the owners of what these CRLs list.  CRLs and CAs are all that there are
 * of one name.  As for OpenSSL, of several CRLs for a certificate only the best
 * counts, and only if it is signed by the certificate's issuer, or by a CA of that
 * name further up in its chain.  The signature of who is not among the CAs is not
 * verified.  False: out of memory.
 */
extern bool esg_revocation_judge(const EsgRevocationIndex *index, STACK_OF(X509_CRL) *crls,
								 STACK_OF(X509) *cas, int64_t now, bool *revoked);

/* marks the owners whose own certificate has that serial number, and is of that CA */
extern void esg_revocation_find(const EsgRevocationIndex *index, const X509 *ca,
								const ASN1_INTEGER *serial, bool *found);

#endif							/* ESG_POLICY_REVOCATION_H */
