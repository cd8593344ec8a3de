/*
 * policy/revocation_key.h
 *		A certificate as CRLs name it: its serial number, and whose it is.
 *
 * Digests, made with a secret seed: what a chain consists of need not be kept.
 * Names that X509_NAME_cmp() takes for equal have the same digest.
 */
#ifndef ESG_POLICY_REVOCATION_KEY_H
#define ESG_POLICY_REVOCATION_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

/* of a chain so many certificates are kept, the client's own first */
#define ESG_REVOCATION_DEPTH 12

typedef struct EsgRevocationKey
{
	uint64_t	number;			/* serial number and issuer's name */
	uint64_t	issuer;			/* the issuer: its name and public key */
	uint64_t	above;			/* another CA of that name further up in the
								 * chain: the issuer has changed its key
								 * since; 0: there is none */
	uint32_t	issuer_id;		/* subjectKeyIdentifier of each; 0: it has
								 * none */
	uint32_t	above_id;
} EsgRevocationKey;

/* a digest that nobody can foresee who does not know the seed */
extern uint64_t esg_revocation_hash(uint64_t seed, const void *data, size_t len);

/* the keys of a verified chain, ESG_REVOCATION_DEPTH at most; returns how many */
extern int	esg_revocation_keys(STACK_OF(X509) *chain, uint64_t seed, EsgRevocationKey *keys);

/* What the fields of a key are made of. */
extern uint64_t esg_revocation_name(const X509_NAME *name, uint64_t seed);
extern uint64_t esg_revocation_number(uint64_t issuer_name, const ASN1_INTEGER *serial);
extern uint64_t esg_revocation_issuer(const X509 *ca, uint64_t seed);
extern uint32_t esg_revocation_key_id(const ASN1_OCTET_STRING *id, uint64_t seed);

#endif							/* ESG_POLICY_REVOCATION_KEY_H */
