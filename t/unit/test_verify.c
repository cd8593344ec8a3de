/* sources: policy/verify */
/*
 * test_verify.c
 *		What OpenSSL refuses in a chain, and what other findings say already.
 */
#include <openssl/x509_vfy.h>

#include "certmaker.h"
#include "esg_test.h"
#include "policy/verify.h"

#define CA "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
#define LEAF "basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:db.example.com\n"

static const struct
{
	const char *what;
	const char *top;			/* extensions of the top, the middle and the leaf */
	const char *middle;
	const char *leaf;
	int			error;
	int			depth;
}			cases[] = {
	{"a good chain", CA, CA, LEAF, X509_V_OK, 0},
	{"a path length of the top", "basicConstraints=critical,CA:TRUE,pathlen:0\n", CA, LEAF,
	X509_V_ERR_PATH_LENGTH_EXCEEDED, 2},
	{"a middle that is no CA", CA, "basicConstraints=critical,CA:FALSE\n", LEAF,
	X509_V_ERR_INVALID_CA, 1},
	{"a middle without keyCertSign", CA, "basicConstraints=critical,CA:TRUE\nkeyUsage=cRLSign\n", LEAF,
	-1, 1},
	{"a middle for clients", CA, CA "extendedKeyUsage=clientAuth\n", LEAF,
	X509_V_ERR_INVALID_PURPOSE, 1},
	{"a middle that forbids the name", CA, CA "nameConstraints=critical,permitted;DNS:example.org\n", LEAF,
	X509_V_ERR_PERMITTED_VIOLATION, 0},
	{"a leaf for clients has its own finding", CA, CA, LEAF "extendedKeyUsage=clientAuth\n", X509_V_OK, 0},
	{"so has an unknown critical extension", CA, CA "1.2.3.4.5=critical,ASN1:NULL\n", LEAF, X509_V_OK, 0},
	{"which hides nothing behind it", CA, CA "1.2.3.4.5=critical,ASN1:NULL\n"
	"nameConstraints=critical,permitted;DNS:example.org\n", LEAF, X509_V_ERR_PERMITTED_VIOLATION, 0},
};

static X509 *
make_cert(const char *subject, const char *lines, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
		  const char *not_after)
{
	CertSpec	spec = {0};

	spec.subject = subject;
	spec.key = key;
	spec.issuer_cert = issuer;
	spec.issuer_key = issuer_key;
	spec.extensions = lines;
	spec.not_after = not_after;
	return certmaker_cert(&spec);
}

int
main(void)
{
	EVP_PKEY   *keys[3] = {certmaker_ec("prime256v1"), certmaker_ec("secp384r1"), certmaker_ec("secp521r1")};
	EsgChainFault fault;
	size_t		i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		/* times are not asked: all of it has expired long ago */
		X509	   *top = make_cert("CN=Top", cases[i].top, keys[0], NULL, NULL, "20260102000000Z");
		X509	   *middle = make_cert("CN=Middle", cases[i].middle, keys[1], top, keys[0], "20260102000000Z");
		X509	   *path[3] = {NULL, middle, top};

		path[0] = make_cert("CN=db", cases[i].leaf, keys[2], middle, keys[1], "20260102000000Z");
		ok(esg_policy_verify_path(path, 3, &fault), "%s: verified", cases[i].what);
		if (cases[i].error >= 0)
			is_int(fault.error, cases[i].error, cases[i].what);
		else
			ok(fault.error != X509_V_OK, "%s: refused, %d", cases[i].what, fault.error);
		is_int(fault.depth, cases[i].depth, "at that depth");
		ok(esg_policy_verify_path(path, 1, &fault) && fault.error == X509_V_OK,
		   "the leaf alone is refused by nobody");
		X509_free(path[0]);
		X509_free(middle);
		X509_free(top);
	}
	return done();
}
