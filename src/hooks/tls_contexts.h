/*
 * hooks/tls_contexts.h
 *		Every SSL_CTX that core makes and frees: how loads and reloads end.
 */
#ifndef ESG_HOOKS_TLS_CONTEXTS_H
#define ESG_HOOKS_TLS_CONTEXTS_H

/* preloading only, and after esg_shmem_init() */
extern void esg_tls_contexts_init(void);

#endif							/* ESG_HOOKS_TLS_CONTEXTS_H */
