/*
 * audit/check.h
 *		The full check: audit, running server, alarms, status.
 *
 * Run by the worker and, in the caller's process, by ssl_guard_check().
 */
#ifndef ESG_AUDIT_CHECK_H
#define ESG_AUDIT_CHECK_H

#include "audit/outlook.h"
#include "server/sni_hosts.h"
#include "server/state.h"

/* Everything, in this process. */
extern void esg_check_run(void);

/*
 * Everything but the reading: the alarms of that moment of an outlook that was
 * begun at that time are those that stand.  load_sequence: EsgLoadState's then.
 */
extern void esg_check_conclude(const EsgOutlook *outlook, int moment, TimestampTz began,
							   uint32 load_sequence);

/* the running server only: reload_failed, reload_pending, probe_failed, passphrase_in_backup */
extern void esg_check_server(void);

/*
 * Whose certificate could the last load not take?  NULL: none's, or pg_hosts.conf
 * is not any more as it was when the load began.
 */
extern const EsgHost *esg_check_failed_host(const EsgLoadState *load);

#endif							/* ESG_AUDIT_CHECK_H */
