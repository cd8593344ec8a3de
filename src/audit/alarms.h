/*
 * audit/alarms.h
 *		The findings of an audit as alarms.
 */
#ifndef ESG_AUDIT_ALARMS_H
#define ESG_AUDIT_ALARMS_H

#include "audit/audit.h"
#include "server/report.h"

/*
 * All findings, worst first, palloc'd; returns how many.  No more than the
 * registry could ever hold and a few, so that a huge bundle costs no memory.
 */
extern int	esg_audit_alarms_collect(EsgAudit *audit, EsgAlarm **out);

#endif							/* ESG_AUDIT_ALARMS_H */
