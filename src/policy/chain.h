/*
 * policy/chain.h
 *		Judging certificates together: chains, bundles, issuers.
 *
 * Linear but for one sort: issuers are found in an index by subject.
 */
#ifndef ESG_POLICY_CHAIN_H
#define ESG_POLICY_CHAIN_H

#include "policy/certificate.h"

/* One certificate in its file.  Findings are appended to those already there. */
typedef struct EsgChainCert
{
	const EsgCertInfo *info;
	EsgPlace	place;
	EsgFindings *findings;
} EsgChainCert;

/* A set of certificates that can be asked for the issuers of a name. */
typedef struct EsgIssuerIndex EsgIssuerIndex;

extern EsgIssuerIndex *esg_policy_chain_index(const EsgCertInfo *const *certs, int count);
extern void esg_policy_chain_index_free(EsgIssuerIndex *index);

/* candidates of that subject name, first of *count; NULL and 0 if none */
extern const EsgCertInfo *const *esg_policy_chain_find(const EsgIssuerIndex *index,
													   const X509_NAME *subject, int *count);

/*
 * ssl_cert_file: certs in file order.  cas is the index of ssl_ca_file (may be
 * NULL).  system_store tells whether a root with that name is in the system's
 * store (callback, may be NULL).  What concerns the whole file goes to the
 * certificate it is about.
 */
#define ESG_CHAIN_MAX_TRIES 16	/* issuers of one name that are tried */
#define ESG_CHAIN_MAX_LENGTH 10 /* certificates of a sane ssl_cert_file */

typedef bool (*EsgSystemRootFn) (const EsgCertInfo *top, void *arg);
extern void esg_policy_chain_check_server(EsgChainCert *certs, int count,
										  const EsgIssuerIndex *cas,
										  EsgSystemRootFn system_root, void *arg,
										  const EsgPolicy *policy, EsgMemo *memo);

/* ssl_ca_file; what concerns the whole bundle goes to file_findings */
extern void esg_policy_chain_check_bundle(EsgChainCert *certs, int count,
										  const EsgPolicy *policy, EsgMemo *memo,
										  EsgFindings *file_findings);

/* an extra file: duplicates and signatures whose issuer is in the file or in cas */
extern void esg_policy_chain_check_extra(EsgChainCert *certs, int count,
										 const EsgIssuerIndex *cas,
										 const EsgPolicy *policy, EsgMemo *memo);

#endif							/* ESG_POLICY_CHAIN_H */
