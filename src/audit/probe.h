/*
 * audit/probe.h
 *		The self-probe: the worker's own TLS handshakes with the server.
 *
 * For the worker alone.  A child does the talking (audit/child.h), so nothing here
 * waits: who wants to know what is served asks for a probe, goes on, and finds
 * the outcome in server/probed.h when one has come to an end that was asked for
 * since.  With ssl_sni each host in service is asked for, so many at a time.
 *
 *	 esg_probe_request();
 *	 ... esg_probe_is_open() until it is false ...
 *	 esg_probed_get(&probed);		outcome, reason, load_sequence
 *	 esg_server_state_served() or esg_server_state_served_set(): fingerprints
 */
#ifndef ESG_AUDIT_PROBE_H
#define ESG_AUDIT_PROBE_H

#include "datatype/timestamp.h"

/*
 * Asks for a probe of what is in service now.  One under way goes on, and is
 * followed by another one.
 */
extern void esg_probe_request(void);

/*
 * Has one been asked for, or is one under way, so that the outcome is old news?
 * Not if it is switched off, nor while there is no TLS: then there will be none.
 */
extern bool esg_probe_is_open(void);

/*
 * Does what is to be done now: takes what the child has found, starts the next
 * one.  Does not wait.  True if what is known of the server has changed, so that
 * what stands of it has to be judged anew.
 */
extern bool esg_probe_serve(void);

/* microseconds until there is something to do; PG_INT64_MAX if there is nothing */
extern int64 esg_probe_time_left(TimestampTz now);

#endif							/* ESG_AUDIT_PROBE_H */
