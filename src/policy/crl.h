/*
 * policy/crl.h
 *		Judging CRLs against the CAs whose clients they decide about.
 */
#ifndef ESG_POLICY_CRL_H
#define ESG_POLICY_CRL_H

#include "policy/chain.h"
#include "x509/crl_info.h"

/* What CRLs are judged by. */
typedef struct EsgCrlContext
{
	const EsgIssuerIndex *cas;	/* of ssl_ca_file, or NULL */
	const EsgCertInfo *const *own;	/* the server's chain and the CAs in use */
	int			own_count;
	const EsgCrlInfo *const *crls;	/* those that OpenSSL finds */
	int			crl_count;
	const EsgPolicy *policy;
	EsgMemo    *memo;
} EsgCrlContext;

/* One CRL; hashed_path is its file's if that lies in ssl_crl_dir, else NULL. */
extern void esg_policy_crl_check(const EsgCrlInfo *crl, const char *hashed_path,
								 const EsgCrlContext *context, int64_t now,
								 EsgFindings *out);

/* A CA of ssl_ca_file where CRLs are configured: has it one? */
extern void esg_policy_crl_check_ca(const EsgCertInfo *ca, const EsgCrlContext *context,
									EsgFindings *out);

/* is the file's name "<hash>.rN", as OpenSSL looks for CRLs in a directory? */
extern bool esg_policy_crl_is_hash_name(const char *path);

/* and the very hash under which it looks for this CRL? */
extern bool esg_policy_crl_name_fits(const EsgCrlInfo *crl, const char *path);

#endif							/* ESG_POLICY_CRL_H */
