/*
 * x509/crl_points.h
 *		Where a certificate says that the CRL of its issuer is.
 *
 * cRLDistributionPoints, RFC 5280 section 4.2.1.13.  Points without reasons
 * cover all of them, so that their URLs are for the same purpose, and any one
 * will do.
 *
 * Pure.  OpenSSL's error queue is left empty.
 */
#ifndef ESG_X509_CRL_POINTS_H
#define ESG_X509_CRL_POINTS_H

#include <stdbool.h>

#include <openssl/x509.h>

/* of one certificate; more are not taken */
#define ESG_CRL_POINTS_MAX 32

typedef struct EsgCrlPoints
{
	int			count;
	char	   *urls[ESG_CRL_POINTS_MAX];	/* in their order, as they are:
											 * any octets but NUL */
	bool		malformed;		/* the extension does not decode */
	bool		some_reasons;	/* a point is left out that covers only some
								 * reasons, */
	bool		indirect;		/* or whose CRL is another issuer's, */
	bool		nameless;		/* or that has no URL */
} EsgCrlPoints;

/* out is for esg_crl_points_free(), whatever is returned; false: out of memory */
extern bool esg_crl_points_read(X509 *cert, EsgCrlPoints *out);
extern void esg_crl_points_free(EsgCrlPoints *points);

#endif							/* ESG_X509_CRL_POINTS_H */
