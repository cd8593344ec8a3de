/*
 * server/served_cert.h
 *		The certificate that the server shows, identified.
 */
#ifndef ESG_SERVER_SERVED_CERT_H
#define ESG_SERVER_SERVED_CERT_H

#include <openssl/x509.h>

/*
 * Fingerprint (SHA-256, ESG_DIGEST_SIZE bytes) and end of a server certificate,
 * as server/state wants them: seconds since 1970, PG_INT64_MAX for infinity,
 * PG_INT64_MIN if it cannot be read.  False if OpenSSL cannot digest it.  The
 * answer about the last one is kept.
 *
 * Allocates nothing of PostgreSQL's and raises no error; leaves OpenSSL's error
 * queue to the caller.
 */
extern bool esg_served_cert_identify(X509 *cert, unsigned char *fingerprint,
									 int64 *not_after_unix);

#endif							/* ESG_SERVER_SERVED_CERT_H */
