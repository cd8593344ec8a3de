/*
 * audit/crls.h
 *		The CRLs of an audit, judged together.
 */
#ifndef ESG_AUDIT_CRLS_H
#define ESG_AUDIT_CRLS_H

#include "audit/read.h"
#include "policy/chain.h"

/* cas: of ssl_ca_file, NULL if there is none.  Errors: out of memory, cancel. */
extern void esg_audit_crls_judge(EsgAudit *audit, const EsgIssuerIndex *cas,
								 const EsgPolicy *policy, EsgMemo *memo, int64 now);

#endif							/* ESG_AUDIT_CRLS_H */
