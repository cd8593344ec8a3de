/*
 * policy/chain.h
 *		Judging certificates together: chains, bundles, issuers.
 *
 * Linear but for sorting: issuers are found in an index by subject.
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

#define ESG_CHAIN_MAX_TRIES 16	/* issuers of one name that are tried */
#define ESG_CHAIN_MAX_LENGTH 10 /* certificates of a sane ssl_cert_file */

/* is a root that issued such a certificate in the system's store? */
typedef bool (*EsgSystemRootFn) (const EsgCertInfo *top);

/* What a file's certificates are judged by. */
typedef struct EsgChainContext
{
	const EsgIssuerIndex *cas;	/* of ssl_ca_file, or NULL; not for itself */
	EsgSystemRootFn system_root;	/* for ssl_cert_file, or NULL */
	const EsgPolicy *policy;
	EsgMemo    *memo;
} EsgChainContext;

/*
 * One file's certificates, in file order; their places say which file it is.
 * What concerns the whole of ssl_ca_file goes to file_findings, which is NULL
 * for other files.
 */
extern void esg_policy_chain_check(EsgChainCert *certs, int count,
								   const EsgChainContext *context,
								   EsgFindings *file_findings);

/*
 * A client's certificate with a certificate above it whose signature was
 * verified; of either no more is looked at than the facts.
 */
extern void esg_policy_chain_check_client(const EsgCertInfo *cert, const EsgCertInfo *issuer,
										  const EsgPolicy *policy, EsgFindings *out);

#endif							/* ESG_POLICY_CHAIN_H */
