/*
 * served_cert.c
 *		Identifies the certificate that a TLS context or connection serves.
 */
#include "postgres.h"

#include <openssl/evp.h>

#include "compat.h"
#include "served_cert.h"
#include "x509_time.h"

bool
esg_served_cert_identify(const X509 *cert, unsigned char *fingerprint, int64 *not_after_unix)
{
	unsigned	len = 0;
	EsgTime		t;

	*not_after_unix = PG_INT64_MIN;
	if (X509_digest(cert, EVP_sha256(), fingerprint, &len) != 1 || len != ESG_DIGEST_SIZE)
		return false;
	t = esg_x509_time_read(X509_get0_notAfter(cert));
	if (t.state == ESG_TIME_FOREVER)
		*not_after_unix = PG_INT64_MAX;
	else if (t.state == ESG_TIME_VALID)
		*not_after_unix = t.unix_seconds;
	return true;
}
