/*
 * client_auth.h
 *		The login hook.
 *
 * Layer 4.
 */
#ifndef ESG_CLIENT_AUTH_H
#define ESG_CLIENT_AUTH_H

/* preloading only */
extern void esg_client_auth_init(void);

#endif							/* ESG_CLIENT_AUTH_H */
