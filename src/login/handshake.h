/*
 * login/handshake.h
 *		What did the handshake see?  Client certificates that TLS refused.
 *
 * The end of a verification is seen in a backend that may not touch shared
 * memory yet: it sends a fixed-size record through a pipe made in the
 * postmaster; the worker reads it, counts it and writes the log line.  OpenSSL's
 * verdict is never changed.  Where children inherit no pipe nothing is seen.
 */
#ifndef ESG_LOGIN_HANDSHAKE_H
#define ESG_LOGIN_HANDSHAKE_H

#include <openssl/ssl.h>

/* makes the pipe; in the postmaster, while the library is preloaded */
extern void esg_handshake_init(void);

/* in the postmaster: watch the verifications of this context; raises no error */
extern void esg_handshake_watch(SSL_CTX *context);

/* the end that the worker waits on; -1 if there is no pipe */
extern int	esg_handshake_fd(void);

/* worker: takes what is there, at most a bounded number of records */
extern void esg_handshake_drain(void);

#endif							/* ESG_LOGIN_HANDSHAKE_H */
