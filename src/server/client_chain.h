/*
 * server/client_chain.h
 *		The chain that a handshake would verify, as far as that can be known.
 */
#ifndef ESG_SERVER_CLIENT_CHAIN_H
#define ESG_SERVER_CLIENT_CHAIN_H

#include <openssl/x509.h>

/*
 * From a client's certificate to a CA in ssl_ca_file as it is now, with the
 * intermediates that the client would send.  Times and CRLs are not asked.  The
 * caller frees chain and certificates; NULL: there is none.
 */
extern STACK_OF(X509) *esg_client_chain_build(X509 *cert, STACK_OF(X509) *intermediates);

#endif							/* ESG_SERVER_CLIENT_CHAIN_H */
