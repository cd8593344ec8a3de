/*
 * login/client_review.h
 *		The worker's look at the registry of clients, as time passes.
 *
 * Certificates of idle clients grow old, too; others are renewed.  The worker
 * keeps in its own memory what it knows of each entry, among it the moment until
 * which its verdict holds, and looks at those of which the moment has come, that a
 * login has changed, or that stand beside such a one.
 */
#ifndef ESG_LOGIN_CLIENT_REVIEW_H
#define ESG_LOGIN_CLIENT_REVIEW_H

#include "datatype/timestamp.h"

/*
 * Once a minute; sooner, but not more often than once a second, if there is another
 * verdict to be expected.  The larger the registry, the longer it waits: so that all
 * reviews together take 10 ms of a minute, or one of them does.
 */
extern bool esg_client_review_is_due(TimestampTz now);

/* microseconds until it may be due, as far as is known */
extern int64 esg_client_review_time_left(TimestampTz now);

/* raises and clears the alarms about clients */
extern void esg_client_review_run(void);

/* The settings are others: the next one is due, and looks at all entries. */
extern void esg_client_review_forget(void);

#endif							/* ESG_LOGIN_CLIENT_REVIEW_H */
