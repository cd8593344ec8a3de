/*
 * hooks/client_auth.h
 *		The login hook.
 */
#ifndef ESG_HOOKS_CLIENT_AUTH_H
#define ESG_HOOKS_CLIENT_AUTH_H

/* preloading only */
extern void esg_client_auth_init(void);

#endif							/* ESG_HOOKS_CLIENT_AUTH_H */
