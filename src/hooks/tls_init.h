/*
 * hooks/tls_init.h
 *		The TLS initialization hook: learns how loads and reloads end.
 */
#ifndef ESG_HOOKS_TLS_INIT_H
#define ESG_HOOKS_TLS_INIT_H

/* preloading only, and after esg_shmem_init() */
extern void esg_tls_init_init(void);

#endif							/* ESG_HOOKS_TLS_INIT_H */
