/*
 * server/live_contexts.h
 *		The SSL_CTXs with which the server serves, for processes that inherit them.
 *
 * The postmaster writes them down as it makes and frees them; a child has those
 * that were in service when it was forked.  No lock, no error, no allocation.
 */
#ifndef ESG_SERVER_LIVE_CONTEXTS_H
#define ESG_SERVER_LIVE_CONTEXTS_H

#include <openssl/ssl.h>

/* load: any pointer that tells one load from another */
extern void esg_live_contexts_add(SSL_CTX *context, const void *load);
extern void esg_live_contexts_remove(const SSL_CTX *context);

/* that load has failed: what is left of it is not in service */
extern void esg_live_contexts_forget(const void *load);

/* a child is about to free it: its store stays for whoever asks below */
extern void esg_live_contexts_keep_store(SSL_CTX *context);

extern int	esg_live_contexts_count(void);

/* of the n-th, from 0 on */
extern X509_STORE *esg_live_contexts_store(int n);

/* false: there were too many at some time, and some are missing */
extern bool esg_live_contexts_are_complete(void);

#endif							/* ESG_SERVER_LIVE_CONTEXTS_H */
