/*
 * audit/posture.h
 *		What is wrong with the server's settings and pg_hba.conf, as alarms.
 */
#ifndef ESG_AUDIT_POSTURE_H
#define ESG_AUDIT_POSTURE_H

#include "server/report.h"

/*
 * What is in shared memory and matters to it: to be called before, in the same
 * process or the one that it is forked from.
 */
extern void esg_posture_prepare(void);

/*
 * All alarms of ESG_SCOPE_POSTURE, palloc'd; none with posture_check = off.
 * Returns how many.  Does not look at shared memory.
 */
extern int	esg_posture_collect(EsgAlarm **out);

#endif							/* ESG_AUDIT_POSTURE_H */
