/*
 * login_guard.h
 *		The checks that a login must pass, and what happens if it does not.
 *
 * Layer 3.
 */
#ifndef ESG_LOGIN_GUARD_H
#define ESG_LOGIN_GUARD_H

#include "libpq/libpq-be.h"

/*
 * To be called in ClientAuthentication_hook, for a login that core accepted.
 * FATAL is a refusal.
 */
extern void esg_login_guard_check(Port *port);

#endif							/* ESG_LOGIN_GUARD_H */
