/*
 * tls_init.h
 *		The TLS initialization hook: learns how loads and reloads end.
 *
 * Layer 4.
 */
#ifndef ESG_TLS_INIT_H
#define ESG_TLS_INIT_H

/* preloading only, and after esg_shmem_init() */
extern void esg_tls_init_init(void);

#endif							/* ESG_TLS_INIT_H */
