/*
 * x509/crl_points.c
 *		Where a certificate says that the CRL of its issuer is.
 */
#include "x509/crl_points.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

/* Names with a NUL are no URLs, and none that two readers agree about. */
static bool
add_url(EsgCrlPoints *out, const ASN1_IA5STRING *value)
{
	const unsigned char *octets = ASN1_STRING_get0_data(value);
	int			len = ASN1_STRING_length(value);

	if (len <= 0 || out->count == ESG_CRL_POINTS_MAX || memchr(octets, '\0', (size_t) len) != NULL)
		return true;
	out->urls[out->count] = OPENSSL_strndup((const char *) octets, (size_t) len);
	return out->urls[out->count] != NULL && ++out->count > 0;
}

static bool
add_names(EsgCrlPoints *out, const GENERAL_NAMES *names)
{
	int			before = out->count;
	int			i;

	for (i = 0; i < sk_GENERAL_NAME_num(names); i++)
	{
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_URI && !add_url(out, name->d.uniformResourceIdentifier))
			return false;
	}
	out->nameless |= out->count == before;
	return true;
}

static bool
add_point(EsgCrlPoints *out, const DIST_POINT *point)
{
	out->some_reasons |= point->reasons != NULL;
	out->indirect |= point->CRLissuer != NULL;
	if (point->reasons != NULL || point->CRLissuer != NULL)
		return true;
	if (point->distpoint != NULL && point->distpoint->type == 0)
		return add_names(out, point->distpoint->name.fullname);
	out->nameless = true;
	return true;
}

bool
esg_crl_points_read(X509 *cert, EsgCrlPoints *out)
{
	int			found = -1;
	CRL_DIST_POINTS *points = X509_get_ext_d2i(cert, NID_crl_distribution_points, &found, NULL);
	bool		good = true;
	int			i;

	memset(out, 0, sizeof(*out));
	out->malformed = points == NULL && found != -1;
	for (i = 0; good && i < sk_DIST_POINT_num(points); i++)
		good = add_point(out, sk_DIST_POINT_value(points, i));
	CRL_DIST_POINTS_free(points);
	ERR_clear_error();
	return good;
}

void
esg_crl_points_free(EsgCrlPoints *points)
{
	int			i;

	for (i = 0; i < points->count; i++)
		OPENSSL_free(points->urls[i]);
	memset(points, 0, sizeof(*points));
}
