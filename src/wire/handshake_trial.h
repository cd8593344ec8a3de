/*
 * wire/handshake_trial.h
 *		Does a server's SSL_CTX agree with a client on a version of TLS?
 *
 * Pure.  OpenSSL's error queue is left empty.
 */
#ifndef ESG_WIRE_HANDSHAKE_TRIAL_H
#define ESG_WIRE_HANDSHAKE_TRIAL_H

#include <stdbool.h>

#include <openssl/ssl.h>

/*
 * A handshake in memory with a client that takes anything.  keys: EsgCipherAuth;
 * the server gets a new key and certificate of one of these kinds for it, which
 * takes a tenth of a second for RSA.
 */
extern bool esg_handshake_trial_agrees(SSL_CTX *context, int version, unsigned keys);

#endif							/* ESG_WIRE_HANDSHAKE_TRIAL_H */
