/*
 * login/session_review.h
 *		The worker's look at the open sessions: ext_ssl_guard.session_check.
 *
 * It raises alarms about sessions whose certificate would not let them in any
 * more, or ends them, and has the loaded CRLs asked which those are.
 */
#ifndef ESG_LOGIN_SESSION_REVIEW_H
#define ESG_LOGIN_SESSION_REVIEW_H

#include "datatype/timestamp.h"

/* Does what is due now.  Does not wait. */
extern void esg_session_review_serve(void);

/* microseconds until something is; PG_INT64_MAX if nothing will be */
extern int64 esg_session_review_time_left(TimestampTz now);

/* the settings may be others now */
extern void esg_session_review_request(void);

/* what lies in ssl_crl_dir may be something else now */
extern void esg_session_review_request_crls(void);

#endif							/* ESG_LOGIN_SESSION_REVIEW_H */
