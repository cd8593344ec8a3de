/*
 * peer_cert.c
 *		Certificates of live TLS connections and contexts.
 */
#include "postgres.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "libpq/libpq-be.h"
#include "miscadmin.h"

#include "compat.h"
#include "peer_cert.h"
#include "x509_time.h"

X509 *
esg_peer_cert_session(void)
{
	/* background workers have no Port */
	if (MyProcPort == NULL || !MyProcPort->ssl_in_use)
		return NULL;
	return MyProcPort->peer;
}

bool
esg_peer_cert_fingerprint(const X509 *cert, unsigned char *fingerprint)
{
	unsigned	len = 0;

	return X509_digest(cert, EVP_sha256(), fingerprint, &len) == 1 && len == ESG_DIGEST_SIZE;
}

bool
esg_peer_cert_identify(const X509 *cert, unsigned char *fingerprint, int64 *not_after_unix)
{
	EsgTime		t;

	*not_after_unix = PG_INT64_MIN;
	if (!esg_peer_cert_fingerprint(cert, fingerprint))
		return false;
	t = esg_x509_time_read(X509_get0_notAfter(cert));
	if (t.state == ESG_TIME_FOREVER)
		*not_after_unix = PG_INT64_MAX;
	else if (t.state == ESG_TIME_VALID)
		*not_after_unix = t.unix_seconds;
	return true;
}
