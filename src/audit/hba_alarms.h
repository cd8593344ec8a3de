/*
 * audit/hba_alarms.h
 *		What is wrong with pg_hba.conf and pg_ident.conf, as alarms.
 */
#ifndef ESG_AUDIT_HBA_ALARMS_H
#define ESG_AUDIT_HBA_ALARMS_H

#include "server/report.h"

/* So many alarms there are at most, however many lines and files. */
#define ESG_MAX_HBA_ALARMS 64

/*
 * Reads the files and judges them: one alarm per code and file, which names the
 * first lines and how many more there are; worst first, as many as have room.
 * Returns how many.  Does not look at shared memory.
 */
extern int	esg_hba_alarms_collect(EsgAlarm *alarms, int room);

#endif							/* ESG_AUDIT_HBA_ALARMS_H */
