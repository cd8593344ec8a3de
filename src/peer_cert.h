/*
 * peer_cert.h
 *		Certificates of live TLS connections and contexts.
 *
 * Layer 2.
 */
#ifndef ESG_PEER_CERT_H
#define ESG_PEER_CERT_H

#include <openssl/x509.h>

#include "memo.h"

/* The certificate that the client of this session showed, borrowed; NULL if there is none. */
extern X509 *esg_peer_cert_session(void);

/*
 * Neither of the two allocates anything of PostgreSQL's or raises an error; both
 * leave OpenSSL's error queue to the caller.
 */

/* SHA-256, ESG_DIGEST_SIZE bytes; false if OpenSSL cannot digest it */
extern bool esg_peer_cert_fingerprint(const X509 *cert, unsigned char *fingerprint);

/*
 * Fingerprint and end of a certificate, as server_state wants them: seconds
 * since 1970, PG_INT64_MAX for infinity, PG_INT64_MIN if it cannot be read.
 * False if OpenSSL cannot digest it.  The answer about the last one is kept.
 */
extern bool esg_peer_cert_identify(X509 *cert, unsigned char *fingerprint,
								   int64 *not_after_unix);

#endif							/* ESG_PEER_CERT_H */
