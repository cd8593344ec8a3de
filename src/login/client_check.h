/*
 * login/client_check.h
 *		Is a client's certificate good enough to log in with?
 *
 * The analysis of a certificate is kept in the registry; a login whose
 * certificate, chain and settings are known costs a digest and a look-up.
 */
#ifndef ESG_LOGIN_CLIENT_CHECK_H
#define ESG_LOGIN_CLIENT_CHECK_H

#include "login/clients.h"
#include "login/peer.h"
#include "policy/certificate.h"
#include "server/report.h"

/*
 * What is known of the peer's certificate and of the intermediates it came
 * with.  False: it could not be analysed (OpenSSL ran out of memory).  good: when
 * there was nothing to refuse it for.  fresh: it is time to raise its alarms.
 */
extern bool esg_client_check_facts(const EsgPeer *peer, const EsgPolicy *policy,
								   EsgClientFacts *out, EsgGoodSpan *good, bool *fresh);

/*
 * The worst finding for which enforce refuses it now; ESG_NO_FINDING if none.
 * That is not looked for again in the span for which it is known.
 */
extern EsgCode esg_client_check_refused(const EsgClientFacts *facts, const EsgPolicy *policy,
										int64 now, EsgGoodSpan *good);

/* the findings as of now; the caller frees the list */
extern void esg_client_check_findings(const EsgClientFacts *facts, const EsgPolicy *policy,
									  int64 now, EsgFindings *out);

/* the same, with what only shows beside the other certificates of the registry */
extern void esg_client_check_row_findings(const EsgClientRow *row, const EsgPolicy *policy,
										  TimestampTz now, EsgFindings *out);

/* of them only that it is in use although there is a newer one; *out is added to */
extern void esg_client_check_outdated(const EsgClientRow *row, const EsgPolicy *policy,
									  TimestampTz now, EsgFindings *out);

extern void esg_client_check_report(const EsgFinding *finding, const EsgClientFacts *facts,
									const char *role_name, EsgAlarm *out);

/* raises an alarm for each finding */
extern void esg_client_check_alarm(const EsgClientFacts *facts, const char *role_name,
								   const EsgPolicy *policy, TimestampTz now);

/* the first moment after now at which these findings are others; ESG_TIME_NEVER if none is to come */
extern int64 esg_client_check_next_change(const EsgClientFacts *facts, const EsgPolicy *policy,
										  int64 now);

#endif							/* ESG_LOGIN_CLIENT_CHECK_H */
