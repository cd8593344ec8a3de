/*
 * policy/crl.h
 *		Judging CRLs against the CAs whose clients they decide about.
 */
#ifndef ESG_POLICY_CRL_H
#define ESG_POLICY_CRL_H

#include "policy/chain.h"

/* One CRL by itself and against the CAs of ssl_ca_file. */
extern void esg_policy_crl_check(const EsgCrlInfo *crl, const EsgIssuerIndex *cas,
								 const EsgPolicy *policy, EsgMemo *memo,
								 int64_t now, EsgFindings *out);

/* crl_revokes_own: own are the server's chain and the CAs in use */
extern void esg_policy_crl_check_own(const EsgCrlInfo *crl,
									 const EsgCertInfo *const *own, int count,
									 const EsgPolicy *policy, EsgFindings *out);

/* crl_missing, for one CA: does any of the CRLs have its name? */
extern void esg_policy_crl_check_missing(const EsgCertInfo *ca,
										 const EsgCrlInfo *const *crls, int count,
										 const EsgPolicy *policy, EsgFindings *out);

/* the name OpenSSL looks for in a hashed directory, "1a2b3c4d.r", at least 16 bytes */
extern void esg_policy_crl_hash_name(const X509_NAME *issuer, char *buf, size_t size);

/* is file_name (no directory) "<hash>.rN" for this CRL, as OpenSSL looks for it? */
extern bool esg_policy_crl_name_fits(const EsgCrlInfo *crl, const char *file_name);

/* crl_not_hashed: does it not? */
extern void esg_policy_crl_check_name(const EsgCrlInfo *crl, const char *file_name,
									  const EsgPolicy *policy, EsgFindings *out);

#endif							/* ESG_POLICY_CRL_H */
