/*
 * audit/check.h
 *		The full check: audit, running server, alarms, status.
 *
 * Run by the worker and, in the caller's process, by ssl_guard_check().
 */
#ifndef ESG_AUDIT_CHECK_H
#define ESG_AUDIT_CHECK_H

/* signature: of the files as they were read, for esg_file_state_now(); may be NULL */
extern void esg_check_run(unsigned char *signature);

/* only what needs no file: reload_failed, reload_pending, hook_inactive */
extern void esg_check_server(void);

#endif							/* ESG_AUDIT_CHECK_H */
