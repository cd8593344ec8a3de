/*
 * ctl/fetch_cas.h
 *		The CAs whose CRLs are wanted.
 */
#ifndef ESG_CTL_FETCH_CAS_H
#define ESG_CTL_FETCH_CAS_H

#include "policy/chain.h"

typedef struct EsgFetchCas
{
	STACK_OF(X509) *certs;
	EsgCertInfo *infos;			/* of certs */
	const EsgCertInfo **list;	/* the same, one by one */
	int			count;
	EsgMemo    *memo;
	EsgIssuerIndex *index;
} EsgFetchCas;

/* of certificates that are CAs' or not; cas->certs is filled before.  False: out of memory */
extern bool esg_fetch_cas_finish(EsgFetchCas *cas);
extern void esg_fetch_cas_free(EsgFetchCas *cas);

#endif							/* ESG_CTL_FETCH_CAS_H */
