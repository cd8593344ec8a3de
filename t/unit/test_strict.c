/* sources: x509/strict */
/*
 * test_strict.c
 *		What strict clients refuse, held against OpenSSL's own strict mode.
 */
#include <string.h>

#include <openssl/x509_vfy.h>

#include "certmaker.h"
#include "esg_test.h"
#include "x509/strict.h"

#define CA "basicConstraints=critical,CA:TRUE\n"
#define SIGNS "keyUsage=critical,keyCertSign,cRLSign\n"
#define SKI "subjectKeyIdentifier=hash\n"
#define AKI "authorityKeyIdentifier=keyid\n"
#define LEAF "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"

static const struct
{
	const char *what;
	const char *subject;
	const char *lines;			/* of the certificate under the root */
	bool		issues;			/* a leaf is put under it */
	const char *fault;
}			cases[] = {
	{"a good leaf", "CN=x", LEAF SKI AKI, false, NULL},
	{"a good CA", "CN=x", CA SIGNS SKI AKI, true, NULL},
	{"a leaf without SKI", "CN=x", LEAF AKI, false, NULL},
	{"a leaf without AKI", "CN=x", LEAF SKI, false, "no authority key identifier"},
	{"a CA without SKI", "CN=x", CA SIGNS AKI, true, "a CA without subject key identifier"},
	{"a CA without keyUsage", "CN=x", CA SKI AKI, true, "a CA without keyUsage"},
	{"basicConstraints not critical", "CN=x", "basicConstraints=CA:TRUE\n" SIGNS SKI AKI, true,
	"basicConstraints of a CA not critical"},
	{"a CA by keyUsage alone", "CN=x", SIGNS SKI AKI, true, "a CA without basicConstraints"},
	{"keyCertSign in a leaf", "CN=x", "basicConstraints=critical,CA:FALSE\n" SIGNS SKI AKI, false,
	"keyCertSign without being a CA"},
	{"a path length in a leaf", "CN=x",
	"basicConstraints=critical,CA:FALSE,pathlen:0\nkeyUsage=critical,digitalSignature\n" SKI AKI, false,
	"a path length where none may be"},
	{"a path length in a CA", "CN=x", "basicConstraints=critical,CA:TRUE,pathlen:3\n" SIGNS SKI AKI, true, NULL},
	{"no subject, names critical", "", LEAF SKI AKI "subjectAltName=critical,DNS:x\n", false, NULL},
	{"no subject, names not critical", "", LEAF SKI AKI "subjectAltName=DNS:x\n", false,
	"subjectAltName not critical, with no subject name"},
	{"no subject, no names", "", LEAF SKI AKI, false, "no subject name"},
	{"an empty list of names", "CN=x", LEAF SKI AKI "subjectAltName=DER:30:00\n", false,
	"subjectAltName without a name"},
	{"a path length in a CA that signs no certificates", "CN=x",
	"basicConstraints=critical,CA:TRUE,pathlen:3\nkeyUsage=critical,cRLSign\n" SKI AKI, false, "a path length where none may be"},
	{"a CA without subject, names critical", "", CA SIGNS SKI AKI "subjectAltName=critical,DNS:x\n", false, "no subject name"},
	{"no subject, signs CRLs", "",
	"basicConstraints=critical,CA:FALSE\nkeyUsage=critical,cRLSign\n" SKI AKI "subjectAltName=critical,DNS:x\n", false, "no subject name"},
	{"no subject, no keyUsage", "", "basicConstraints=critical,CA:FALSE\n" SKI AKI "subjectAltName=critical,DNS:x\n", false, NULL},
	{"a critical AKI", "CN=x", LEAF SKI "authorityKeyIdentifier=critical,keyid\n", false, "a critical key identifier"},
	{"a critical SKI", "CN=x", LEAF AKI "subjectKeyIdentifier=critical,hash\n", false,
	"a critical key identifier"},
};

static X509 *
make_cert(const char *subject, const char *lines, X509 *issuer, EVP_PKEY *issuer_key)
{
	CertSpec	spec = {0};

	spec.subject = subject;
	spec.key = issuer ? certmaker_ec("secp384r1") : certmaker_ec("prime256v1");
	spec.issuer_cert = issuer;
	spec.issuer_key = issuer_key;
	spec.extensions = lines;
	return certmaker_cert(&spec);
}

static int
pass_on(int good, X509_STORE_CTX *context)
{
	(void) context;
	return good;
}

/* Does OpenSSL refuse the chain of leaf, middle (or NULL) and root in its strict mode? */
static bool
is_refused(X509 *leaf, X509 *middle, X509 *root)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	STACK_OF(X509) *others = sk_X509_new_null();
	bool		refused;

	if (middle != NULL)
		sk_X509_push(others, middle);
	X509_STORE_add_cert(store, root);
	X509_STORE_CTX_init(context, store, leaf, others);
	X509_STORE_CTX_set_verify_cb(context, pass_on);
	X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context),
								X509_V_FLAG_X509_STRICT | X509_V_FLAG_NO_CHECK_TIME);
	refused = X509_verify_cert(context) != 1;
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	sk_X509_free(others);
	return refused;
}

int
main(void)
{
	X509	   *root = make_cert("CN=Root", CA SIGNS SKI, NULL, NULL);
	EVP_PKEY   *root_key = certmaker_ec("prime256v1");
	size_t		i;

	ok(esg_x509_strict_fault(root, true, true) == NULL, "a root needs no AKI");
	is_text(esg_x509_strict_fault(root, false, true), "no authority key identifier",
			"unless it is not proved to be one");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		X509	   *cert = make_cert(cases[i].subject, cases[i].lines, root, root_key);
		X509	   *leaf = cases[i].issues ?
			make_cert("CN=leaf", LEAF SKI "authorityKeyIdentifier=issuer:always,keyid\n", cert,
					  certmaker_ec("secp384r1")) : NULL;
		const char *fault = esg_x509_strict_fault(cert, false, cases[i].issues);

		if (cases[i].fault == NULL)
			ok(fault == NULL, "%s: nothing, \"%s\"", cases[i].what, fault ? fault : "");
		else
			is_text(fault, cases[i].fault, cases[i].what);
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
		/* a leaf below a CA without SKI cannot have the AKI that it must have */
		if (strstr(cases[i].what, "without SKI") == NULL || leaf == NULL)
			ok(is_refused(leaf ? leaf : cert, leaf ? cert : NULL, root) == (cases[i].fault != NULL),
			   "%s: OpenSSL says the same", cases[i].what);
#endif
		X509_free(leaf);
		X509_free(cert);
	}
	X509_free(root);
	return done();
}
