/*
 * login/failures.h
 *		TLS handshakes that failed over the client's certificate: a bounded
 *		table in shared memory, one entry per (reason, certificate).
 *
 * Written by the worker only.  Anybody who can connect can fill it, so half of
 * the places are for clients of CAs that the server knows, as far as they need
 * them, and half for strangers.  When it is full, the entry gives way, among
 * those who have more than their half, that failed once and is oldest by
 * last_seen, or if all failed again, the oldest.  Texts are printable UTF-8.
 */
#ifndef ESG_LOGIN_FAILURES_H
#define ESG_LOGIN_FAILURES_H

#include "login/client_entry.h"

#define ESG_MAX_FAILURES 100
#define ESG_FAILURE_REASON_SIZE 32

typedef struct EsgFailure
{
	char		reason[ESG_FAILURE_REASON_SIZE];	/* "expired", "revoked" … */
	char		subject[ESG_CLIENT_NAME_SIZE];
	char		issuer[ESG_CLIENT_NAME_SIZE];
	char		serial_number[ESG_CLIENT_SERIAL_SIZE];
	unsigned char fingerprint[ESG_DIGEST_SIZE]; /* of the client's own
												 * certificate */
	bool		known_ca;		/* a CA of the server's really signed it */
	EsgClientAddress last_address;
	TimestampTz first_seen;
	TimestampTz last_seen;
	TimestampTz last_logged;
	int64		failures;
} EsgFailure;

extern void esg_failures_init(void);

/*
 * Counts one failure; first_seen, last_logged and failures of *failure are
 * ignored and come back as in the table.  True if a log line is due: it is new,
 * or the last line is older than ext_ssl_guard.alarm_repeat_interval.  It stays
 * due unless the caller will write it.
 */
extern bool esg_failures_note(EsgFailure *failure, bool will_log);

/* palloc'd, most recent first; needs shared memory */
extern int	esg_failures_copy(EsgFailure **out);

/* forgets all of them, returns how many; needs shared memory */
extern int64 esg_failures_reset(void);

#endif							/* ESG_LOGIN_FAILURES_H */
