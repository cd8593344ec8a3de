/*
 * login/session_state.h
 *		Would its certificate let the client of an open session in again?
 */
#ifndef ESG_LOGIN_SESSION_STATE_H
#define ESG_LOGIN_SESSION_STATE_H

#include "login/sessions.h"

typedef enum EsgSessionState
{
	ESG_STATE_NO_CERTIFICATE,
	ESG_STATE_VALID,
	ESG_STATE_EXPIRED,
	ESG_STATE_REVOKED,
	ESG_STATE_DENIED
} EsgSessionState;

/* ext_ssl_guard.denied_certificates, prepared for many look-ups. */
typedef struct EsgDeniedIssues
{
	int			count;
	uint64	   *issues;			/* sorted; see EsgSession */
} EsgDeniedIssues;

/* palloc'd; as the setting is now */
extern void esg_session_state_prepare(EsgDeniedIssues *out);

/*
 * As of that second since 1970.  A certificate that is denied and revoked counts
 * as denied, one that is revoked and expired as revoked.  Revocation is known only
 * while session_check is not off.
 */
extern EsgSessionState esg_session_state_of(const EsgSession *session, const EsgDeniedIssues *denied,
											int64 now);

/* "valid", "expired", "revoked", "denied", "no_certificate" */
extern const char *esg_session_state_name(EsgSessionState state);

/* the finding that it is, ESG_NO_FINDING if it is none */
extern EsgCode esg_session_state_code(EsgSessionState state);

#endif							/* ESG_LOGIN_SESSION_STATE_H */
