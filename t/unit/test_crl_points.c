/* sources: x509/crl_points */
/*
 * test_crl_points.c
 *		Where a certificate says that the CRL of its issuer is.
 */
#include <openssl/err.h>

#include "certmaker.h"
#include "esg_test.h"
#include "x509/crl_points.h"

#define POINTS(lines) "crlDistributionPoints=" lines "\n"

static const struct
{
	const char *name;
	const char *extensions;
	const char *want;			/* URLs and flags, each with a blank behind */
}			certs[] = {
	{"none", NULL, ""},
	{"one", POINTS("URI:http://a/1.crl"), "http://a/1.crl "},
	{"two points", POINTS("URI:ldap://b/,URI:http://a/"), "ldap://b/ http://a/ "},
	{"a point of two names", POINTS("p\n[p]\nfullname=URI:http://a/,URI:http://b/"), "http://a/ http://b/ "},
	{"with odd octets", POINTS("URI:http://a/\\n x"), "http://a/\n x "},
	{"for some reasons", POINTS("p\n[p]\nfullname=URI:http://a/\nreasons=keyCompromise"), "reasons "},
	{"of another issuer", POINTS("p\n[p]\nfullname=URI:http://a/\nCRLissuer=dirName:d\n[d]\nCN=x"), "indirect "},
	{"relative", POINTS("p\n[p]\nrelativename=d\n[d]\nCN=x"), "nameless "},
	{"without a URL", POINTS("p\n[p]\nfullname=DNS:a"), "nameless "},
	{"one of each", POINTS("p,URI:http://b/\n[p]\nfullname=URI:http://a/\nreasons=keyCompromise"), "http://b/ reasons "},
	{"undecodable", "2.5.29.31=DER:0500\n", "malformed "},
	{"empty", "2.5.29.31=DER:3000\n", ""},
	/* a URI of "http://a/", NUL, "b" */
	{"with a NUL", "2.5.29.31=DER:30133011a00fa00d860b687474703a2f2f612f0062\n", "nameless "},
	{"with an empty name", "2.5.29.31=DER:30083006a004a0028600\n", "nameless "},
	{"critical", "crlDistributionPoints=critical,URI:http://a/\n", "http://a/ "}
};

static void
describe(const EsgCrlPoints *points, char *text, size_t size)
{
	size_t		len = 0;
	int			i;

	text[0] = '\0';
	for (i = 0; i < points->count; i++)
		len += (size_t) snprintf(text + len, size - len, "%s ", points->urls[i]);
	snprintf(text + len, size - len, "%s%s%s%s", points->malformed ? "malformed " : "",
			 points->some_reasons ? "reasons " : "", points->indirect ? "indirect " : "",
			 points->nameless ? "nameless " : "");
}

static void
test_many(void)
{
	char		lines[4096] = "crlDistributionPoints=URI:http://a/0";
	CertSpec	spec = {.extensions = lines};
	EsgCrlPoints points;
	X509	   *cert;
	int			i;

	for (i = 1; i <= ESG_CRL_POINTS_MAX; i++)
		snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines), ",URI:http://a/%d", i);
	cert = certmaker_cert(&spec);
	ok(esg_crl_points_read(cert, &points), "more than are taken");
	is_int(points.count, ESG_CRL_POINTS_MAX, "are cut off");
	esg_crl_points_free(&points);
	is_int(points.count, 0, "and nothing is left");
	X509_free(cert);
}

int
main(void)
{
	size_t		i;

	for (i = 0; i < sizeof(certs) / sizeof(certs[0]); i++)
	{
		CertSpec	spec = {.extensions = certs[i].extensions};
		X509	   *cert = certmaker_cert(&spec);
		EsgCrlPoints points;
		char		text[1024];

		ok(esg_crl_points_read(cert, &points), "%s: read", certs[i].name);
		describe(&points, text, sizeof(text));
		is_text(text, certs[i].want, certs[i].name);
		ok(ERR_peek_error() == 0, "%s: no error is left", certs[i].name);
		esg_crl_points_free(&points);
		X509_free(cert);
	}
	test_many();
	return done();
}
