/*
 * server/served_cert.c
 *		The certificate that the server shows, identified.
 */
#include "postgres.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "server/served_cert.h"
#include "x509/info.h"

/*
 * The certificate asked about last.  The postmaster asks about the one that it
 * has loaded, so each login inherits the answer.  The reference keeps the
 * address from being another certificate's.
 */
static struct
{
	X509	   *cert;
	unsigned char fingerprint[ESG_DIGEST_SIZE];
	int64		not_after_unix;
}			known;

static void
remember(X509 *cert, const unsigned char *fingerprint, int64 not_after_unix)
{
	X509_free(known.cert);
	known.cert = X509_up_ref(cert) == 1 ? cert : NULL;
	memcpy(known.fingerprint, fingerprint, ESG_DIGEST_SIZE);
	known.not_after_unix = not_after_unix;
}

bool
esg_served_cert_identify(X509 *cert, unsigned char *fingerprint, int64 *not_after_unix)
{
	EsgTime		t;

	*not_after_unix = PG_INT64_MIN;
	if (cert == known.cert)
	{
		memcpy(fingerprint, known.fingerprint, ESG_DIGEST_SIZE);
		*not_after_unix = known.not_after_unix;
		return true;
	}
	if (!esg_x509_info_fingerprint(cert, fingerprint))
		return false;
	t = esg_x509_time_read(X509_get0_notAfter(cert));
	if (t.state == ESG_TIME_FOREVER)
		*not_after_unix = PG_INT64_MAX;
	else if (t.state == ESG_TIME_VALID)
		*not_after_unix = t.unix_seconds;
	remember(cert, fingerprint, *not_after_unix);
	return true;
}
