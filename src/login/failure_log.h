/*
 * login/failure_log.h
 *		What the log says of failed handshakes, whoever makes them fail.
 *
 * Core writes a line for each, ours is six times as long: so it is written while
 * there is credit for it, of which each failure brings some, and for the first
 * failure for its reason in five minutes.  Clients of CAs that the server knows and strangers have
 * a credit each.  What is not written is counted, by reason and address.
 *
 * The worker's alone.
 */
#ifndef ESG_LOGIN_FAILURE_LOG_H
#define ESG_LOGIN_FAILURE_LOG_H

#include "login/failures.h"

/* How the handshake failed. */
typedef struct EsgFailureCause
{
	const char *error;			/* OpenSSL's words */
	const char *hint;			/* or NULL */
	int			depth;			/* 0: the client's own certificate */
} EsgFailureCause;

/* Counts a failure in the table, as esg_failures_note() does, and logs it if that is due. */
extern void esg_failure_log_note(EsgFailure *failure, const EsgFailureCause *cause,
								 TimestampTz now);

/*
 * Tells what was not written: after a minute, or, if that is little, after five.
 */
extern void esg_failure_log_tell(TimestampTz now);

#endif							/* ESG_LOGIN_FAILURE_LOG_H */
