/*
 * served_cert.h
 *		Identifies the certificate that a TLS context or connection serves.
 *
 * Layer 2.
 */
#ifndef ESG_SERVED_CERT_H
#define ESG_SERVED_CERT_H

#include <openssl/x509.h>

#include "memo.h"

/*
 * Fingerprint (ESG_DIGEST_SIZE bytes) and end of a certificate, as
 * server_state wants them: seconds since 1970, PG_INT64_MAX for infinity,
 * PG_INT64_MIN if it cannot be read.  False if OpenSSL cannot digest it.
 * Allocates nothing of PostgreSQL's and raises no error, for the postmaster's
 * sake; leaves OpenSSL's error queue to the caller.
 */
extern bool esg_served_cert_identify(const X509 *cert, unsigned char *fingerprint,
									 int64 *not_after_unix);

#endif							/* ESG_SERVED_CERT_H */
