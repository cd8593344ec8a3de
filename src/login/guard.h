/*
 * login/guard.h
 *		The checks that a login must pass, and what happens if it does not.
 */
#ifndef ESG_LOGIN_GUARD_H
#define ESG_LOGIN_GUARD_H

#include "libpq/libpq-be.h"

/*
 * To be called in ClientAuthentication_hook, for a login that core accepted.
 * FATAL is a refusal.
 */
extern void esg_login_guard_check(Port *port);

/* The same for a login that core refused: remembers that it was over TLS. */
extern void esg_login_guard_refused(Port *port);

/* The same for one that ends without the hook, in the middle of that: raises nothing, allocates nothing. */
extern void esg_login_guard_turned_away(const Port *port);

/*
 * The worker: an alarm that a login raised is cleared by a login that is well.
 * None comes once the check is off, or when the client stays away; then this
 * clears it.
 */
extern void esg_login_guard_review(void);

/* Takes down the alarms about what clients showed at their logins, or did not. */
extern void esg_login_guard_forget(void);

#endif							/* ESG_LOGIN_GUARD_H */
