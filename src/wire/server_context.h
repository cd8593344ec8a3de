/*
 * wire/server_context.h
 *		An SSL_CTX with the settings of a PostgreSQL server, and what it offers.
 *
 * Pure.  OpenSSL's error queue is left empty, but by esg_server_context_apply().
 */
#ifndef ESG_WIRE_SERVER_CONTEXT_H
#define ESG_WIRE_SERVER_CONTEXT_H

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "policy/tls_offer.h"

typedef struct EsgServerTls
{
	int			min_version;	/* OpenSSL's number; 0: not set */
	int			max_version;
	const char *ciphers;		/* up to TLS 1.2 */
	const char *ciphersuites;	/* of TLS 1.3; NULL or "": OpenSSL's own */
	const char *groups;			/* NULL: OpenSSL's own */
	bool		groups_are_list;	/* else it is the name of one curve */
	EVP_PKEY   *dh;				/* NULL: the server's own, of 2048 bits */
	unsigned	keys;			/* EsgCipherAuth: of the server's certificates */
} EsgServerTls;

/* OpenSSL's number of "TLSv1.2", 0 of "" */
extern int	esg_server_context_version(const char *name);

/* As the server does; returns what OpenSSL does not take, and its errors stay in the queue. */
extern EsgTlsPart esg_server_context_apply(SSL_CTX *context, const EsgServerTls *settings);

/* Some milliseconds of work. */
extern void esg_server_context_ask(const EsgServerTls *settings, EsgTlsOffer *out);

#endif							/* ESG_WIRE_SERVER_CONTEXT_H */
