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

/* What is known of a certificate's issuer. */
typedef enum EsgKnownIssuer
{
	ESG_ISSUER_UNKNOWN,
	ESG_ISSUER_INTERMEDIATE,
	ESG_ISSUER_ROOT				/* or the certificate is the twin of a root */
} EsgKnownIssuer;

/* does the system's store know who issued it? */
typedef EsgKnownIssuer (*EsgSystemIssuerFn) (const EsgCertInfo *cert);

/* What a file's certificates are judged by. */
typedef struct EsgChainContext
{
	const EsgIssuerIndex *cas;	/* of ssl_ca_file, or NULL; not for itself */
	const EsgIssuerIndex *extras;	/* of extra_files, or NULL */
	EsgSystemIssuerFn system_issuer;	/* for ssl_cert_file, or NULL */
	const EsgPolicy *policy;
	EsgMemo    *memo;
	int64_t		now;			/* seconds since 1970 */
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
