/*
 * audit/auto_reload.h
 *		Renewed TLS files are brought into service: ext_ssl_guard.auto_reload.
 *
 * Part of the worker's rounds.  The worker says when the files look different;
 * from then on they are left to it until it has decided.
 */
#ifndef ESG_AUDIT_AUTO_RELOAD_H
#define ESG_AUDIT_AUTO_RELOAD_H

#include "audit/file_state.h"

/* The worker has looked at the files: are they to be left to it for now? */
extern bool esg_auto_reload_takes(const EsgFileLook *look);

/* is it not decided yet what becomes of them? */
extern bool esg_auto_reload_is_busy(void);

/* Does what is to be done now.  may_read: nobody else reads the files.  Does not wait. */
extern void esg_auto_reload_serve(bool may_read);

/* microseconds until there may be something to do; PG_INT64_MAX if it waits for nothing */
extern int64 esg_auto_reload_time_left(TimestampTz now);

#endif							/* ESG_AUDIT_AUTO_RELOAD_H */
