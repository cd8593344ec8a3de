/*
 * audit/audit.h
 *		Is the server's TLS set-up sound?  Files, certificates and CRLs, read
 *		once, with their findings.
 */
#ifndef ESG_AUDIT_AUDIT_H
#define ESG_AUDIT_AUDIT_H

#include "audit/renewals.h"
#include "files/read.h"

/*
 * Reads and judges the files that the settings name.  The findings of every
 * object come out worst first.  what is a set of ESG_AUDIT_*.  renewals, from
 * esg_renewals_copy(), is added to, and must live as long as the audit; NULL: no
 * renewal is late.  Errors: out of memory, cancel.
 */
extern EsgAudit *esg_audit_run(unsigned what, EsgRenewals *renewals);
extern void esg_audit_free(EsgAudit *audit);

/* The same files judged as of another moment, seconds since 1970; nothing is read. */
extern void esg_audit_judge_as_of(EsgAudit *audit, int64 now);

/* The first moment after the one judged at which a verdict is another; ESG_TIME_NEVER if none is to come. */
extern int64 esg_audit_next_change(const EsgAudit *audit);

/*
 * The certificates in PEM text, or one in DER, by themselves: nothing else is
 * read.  place is what the first is judged as: ESG_PLACE_LEAF, CHAIN, CA, CLIENT
 * or EXTRA; of LEAF and CLIENT the further ones are its chain.
 */
extern EsgAudit *esg_audit_inspect(const char *data, size_t len, EsgPlace place,
								   EsgPemResult *result);

#endif							/* ESG_AUDIT_AUDIT_H */
