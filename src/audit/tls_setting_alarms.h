/*
 * audit/tls_setting_alarms.h
 *		What is wrong with the settings that matter to TLS, as alarms.
 */
#ifndef ESG_AUDIT_TLS_SETTING_ALARMS_H
#define ESG_AUDIT_TLS_SETTING_ALARMS_H

#include "server/report.h"

/*
 * Whom the server asked for the passphrase of its key is in shared memory: to be
 * called before the next one, in its process or the one that it is forked from.
 */
extern void esg_tls_setting_alarms_prepare(void);

/* One alarm for each finding, whose object is the setting; returns how many.  Does not look at shared memory. */
extern int	esg_tls_setting_alarms_collect(EsgAlarm *alarms, int room);

#endif							/* ESG_AUDIT_TLS_SETTING_ALARMS_H */
