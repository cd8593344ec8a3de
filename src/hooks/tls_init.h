/*
 * hooks/tls_init.h
 *		The TLS initialization hook: passphrase, and refusal to start.
 */
#ifndef ESG_HOOKS_TLS_INIT_H
#define ESG_HOOKS_TLS_INIT_H

/* preloading only */
extern void esg_tls_init_init(void);

/*
 * Before core looks at the hook: in or out, as ssl_sni has it.  Postmaster only;
 * no lock, no error, no allocation.
 */
extern void esg_tls_init_choose(void);

#endif							/* ESG_HOOKS_TLS_INIT_H */
