/*
 * x509/errors.h
 *		OpenSSL's error queue, left empty.
 *
 * For what each login does: where the queue is empty, which is nearly always, that is seen
 * for a quarter of what ERR_clear_error() takes to empty it once more.
 */
#ifndef ESG_X509_ERRORS_H
#define ESG_X509_ERRORS_H

#include <openssl/err.h>

static inline void
esg_errors_forget(void)
{
	if (ERR_peek_error() != 0)
		ERR_clear_error();
}

#endif							/* ESG_X509_ERRORS_H */
