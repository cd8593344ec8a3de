/*
 * test_identities.c
 *		Which identities a certificate offers.
 */
#include <stdlib.h>

#include "certmaker.h"
#include "esg_test.h"
#include "x509/identities.h"

#define CN ESG_SOURCE_CN
#define DN ESG_SOURCE_DN
#define DNS ESG_SOURCE_DNS
#define EMAIL ESG_SOURCE_EMAIL
#define URI ESG_SOURCE_URI
#define UPN ESG_SOURCE_UPN
#define IP ESG_SOURCE_IP
#define SERIAL ESG_SOURCE_SERIAL
#define FINGERPRINT ESG_SOURCE_FINGERPRINT
#define ISSUER ESG_SOURCE_ISSUER

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A256 A64 A64 A64 A64
#define A1024 A256 A256 A256 A256

/* want: "source=text" or "!source=text" for an unusable one, joined with "|" */
static const struct
{
	const char *name;
	CertSpec	spec;
	int			sources[10];
	int			count;
	const char *want;
}			cases[] = {
	{"common name", {.subject = "CN=alice,O=Example"}, {CN}, 1, "cn=alice"},
	{"no common name", {.subject = "O=Example"}, {CN}, 1, ""},
	{"the first common name", {.subject = "CN=alice,CN=bob"}, {CN}, 1, "cn=alice"},
	{"subject, most specific first", {.subject = "O=Example,CN=alice"}, {DN}, 1, "dn=CN=alice,O=Example"},
	{"issuer", {.subject = "CN=alice", .issuer = "O=Example,CN=CA"}, {ISSUER}, 1, "issuer=CN=CA,O=Example"},
	{"a subject outside ASCII has two texts", {.subject = "CN=J\303\266rg"}, {DN}, 1,
	"dn=CN=J\\C3\\B6rg|dn=CN=J\303\266rg"},
	{"DNS, several", {.extensions = "subjectAltName=DNS:a.example.com,DNS:*.example.com\n"}, {DNS}, 1,
	"dns=a.example.com|dns=*.example.com"},
	{"no alternative name", {.subject = "CN=alice"}, {DNS, EMAIL, URI, UPN, IP}, 5, ""},
	{"no silent fallback to the common name", {.subject = "CN=alice",
	.extensions = "subjectAltName=URI:spiffe://prod/billing\n"}, {DNS}, 1, ""},
	{"each kind by itself, in the order of the sources", {.subject = "CN=alice",
		.extensions = "subjectAltName=IP:192.0.2.7,email:a@example.com,"
	"URI:spiffe://prod/billing,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:a@corp\n"},
		{UPN, URI, EMAIL, IP, CN}, 5,
	"upn=a@corp|uri=spiffe://prod/billing|email=a@example.com|ip=192.0.2.7|cn=alice"},
	{"IPv6", {.extensions = "subjectAltName=IP:2001:db8::1\n"}, {IP}, 1, "ip=2001:db8::1"},
	{"other kinds of alternative names are no identity",
	{.extensions = "subjectAltName=RID:1.2.3.4,DNS:a\n"}, {DNS, URI}, 2, "dns=a"},
	{"serial with issuer", {.subject = "CN=alice", .issuer = "O=Example,CN=CA", .serial = "2587"},
	{SERIAL}, 1, "serial=0A1B/CN=CA,O=Example"},
	{"a value of 1024 bytes", {.extensions = "subjectAltName=URI:" A1024 "\n"}, {URI}, 1, "uri=" A1024},
	{"a longer value", {.extensions = "subjectAltName=URI:a" A1024 "\n"}, {URI}, 1, "!uri=a" A1024},
	{"an empty value", {.extensions = "2.5.29.17=DER:30:05:82:00:82:01:61\n"}, {DNS}, 1, "!dns=|dns=a"},
	{"an empty subject", {.subject = "", .issuer = "CN=CA"}, {DN, CN}, 2, "!dn="},
	{"a bit string in the subject", {.subject = "CN=alice,x500UniqueIdentifier=ab"}, {CN}, 1, "cn=alice"},
	{"a control character", {.subject = "CN=ali\001ce"}, {CN}, 1, "!cn=ali\\x01ce"},
	{"a line feed in the subject", {.subject = "CN=ali\nce"}, {DN}, 1, "!dn=CN=ali\\x0ace"},
};

static char *
join(const EsgCandidates *list)
{
	BIO		   *bio = BIO_new(BIO_s_mem());
	char	   *data;
	char	   *text;
	long		len;
	int			i;

	for (i = 0; i < list->count; i++)
		BIO_printf(bio, "%s%s%s=%s", i ? "|" : "", list->items[i].unusable ? "!" : "",
				   esg_identities_source_name(list->items[i].source), list->items[i].text);
	len = BIO_get_mem_data(bio, &data);
	text = OPENSSL_strndup(len ? data : "", (size_t) len);
	BIO_free(bio);
	return text;
}

static char *
candidates(X509 *cert, const int *sources, int count, EsgNamesResult *result)
{
	unsigned char bytes[10];
	EsgCandidates list;
	char	   *text;
	int			i;

	for (i = 0; i < count; i++)
		bytes[i] = (unsigned char) sources[i];
	*result = esg_identities_candidates(cert, bytes, count, &list);
	text = join(&list);
	esg_identities_candidates_free(&list);
	return text;
}

static void
test_cases(void)
{
	size_t		i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		X509	   *cert = certmaker_cert(&cases[i].spec);
		EsgNamesResult result;
		char	   *text = candidates(cert, cases[i].sources, cases[i].count, &result);

		is_int(result, ESG_NAMES_OK, "it can be read");
		is_text(text, cases[i].want, cases[i].name);
		OPENSSL_free(text);
		X509_free(cert);
	}
}

/* What openssl does not make: the value's bytes replaced by others. */
static void
test_patched(void)
{
	static const struct
	{
		const char *name;
		const char *extensions;
		const char *from;
		const char *to;
		size_t		len;
		int			source;
		const char *want;
	}			patches[] = {
		{"NUL in a common name", NULL, "billing@x", "billing\0x", 9, CN, "!cn=billing\\x00x"},
		{"NUL in a subject", NULL, "billing@x", "billing\0x", 9, DN, "!dn=CN=billing\\x00x"},
		{"a comma in a subject", NULL, "billing@x", "billing,x", 9, DN, "dn=CN=billing\\,x"},
		{"what only looks like an escape", NULL, "billing@x", "bill\\C3\\x", 9, DN, "dn=CN=bill\\\\C3\\\\x"},
		{"an escape and a comma", NULL, "billing@x", "bill\303\266,\\x", 9, DN,
		"dn=CN=bill\\C3\\B6\\,\\\\x|dn=CN=bill\303\266\\,\\\\x"},
		{"NUL in a DNS name", "subjectAltName=DNS:good.example\n", "good.", "good\0", 5, DNS,
		"!dns=good\\x00example"},
		{"NUL in a URI", "subjectAltName=URI:spiffe://a/b\n", "//a/b", "//a\0b", 5, URI,
		"!uri=spiffe://a\\x00b"},
		{"T61String of ASCII, common name", NULL, "\014\011billing@x", "\024\011billing@x", 11, CN, "cn=billing@x"},
		{"T61String of ASCII, subject", NULL, "\014\011billing@x", "\024\011billing@x", 11, DN, "dn=CN=billing@x"},
		{"T61String with high bytes, common name", NULL, "\014\011billing@x", "\024\011bill\374ng@x", 11, CN,
		"!cn=bill\303\274ng@x"},
		{"T61String with high bytes, subject", NULL, "\014\011billing@x", "\024\011bill\374ng@x", 11, DN,
		"!dn=CN=bill\303\274ng@x"},
		{"T61String with high bytes, serial", NULL, "\014\011billing@x", "\024\011bill\374ng@x", 11, SERIAL,
		"!serial=01/CN=bill\303\274ng@x"},
		{"PrintableString with high bytes, common name", NULL, "\014\011billing@x", "\023\011bill\374ng@x", 11, CN,
		"!cn=bill\\xfcng@x"},
		{"PrintableString with high bytes, subject", NULL, "\014\011billing@x", "\023\011bill\374ng@x", 11, DN,
		"!dn=CN=bill\\xfcng@x"},
		{"high bytes in an e-mail address", "subjectAltName=email:ab@example.com\n", "ab@", "\303\266@", 3, EMAIL,
		"!email=\303\266@example.com"},
	};
	size_t		i;

	for (i = 0; i < sizeof(patches) / sizeof(patches[0]); i++)
	{
		CertSpec	spec = {.subject = "CN=billing@x", .extensions = patches[i].extensions};
		X509	   *cert = certmaker_cert(&spec);
		X509	   *patched = certmaker_patch(cert, patches[i].from, patches[i].to, patches[i].len);
		EsgNamesResult result;
		char	   *text = candidates(patched, &patches[i].source, 1, &result);

		is_int(result, ESG_NAMES_OK, "it can be read");
		is_text(text, patches[i].want, patches[i].name);
		OPENSSL_free(text);
		X509_free(patched);
		X509_free(cert);
	}
}

/* Wider units.  What is no Unicode in them OpenSSL does not take for a name at all. */
static void
test_wide(void)
{
	static const struct
	{
		const char *to;
		int			source;
		const char *want;
	}			wide[] = {
		{"\036\010\004\026\0a\0\\ \013", CN, "cn=\320\226a\\\342\200\213"},
		{"\036\010\004\026\0a\0\\ \013", DN,
		"dn=CN=\\D0\\96a\\\\\\E2\\80\\8B|dn=CN=\320\226a\\\\\342\200\213"},
		{"\034\010\0\0\004\026\0\0\0a", CN, "cn=\320\226a"},
		{"\034\010\0\0\004\026\0\0\0a", DN, "dn=CN=\\D0\\96a|dn=CN=\320\226a"},
	};
	CertSpec	spec = {.subject = "CN=billings"};
	X509	   *cert = certmaker_cert(&spec);
	size_t		i;

	for (i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
	{
		X509	   *patched = certmaker_patch(cert, "\014\010billings", wide[i].to, 10);
		EsgNamesResult result;
		char	   *text = candidates(patched, &wide[i].source, 1, &result);

		is_int(result, ESG_NAMES_OK, "it can be read");
		is_text(text, wide[i].want, "BMPString or UniversalString");
		OPENSSL_free(text);
		X509_free(patched);
	}
	X509_free(cert);
}

/* Compared is the value, shown what tells all values apart. */
static void
test_shown(void)
{
	static const struct
	{
		const char *subject;
		int			source;
		int			at;			/* which candidate */
		const char *want;
	}			shown[] = {
		{"CN=a\342\200\213b", CN, 0, "a\\u200bb"},
		{"CN=a\\\\b", CN, 0, "a\\\\b"},
		{"CN=a\001", CN, 0, "a\\x01"},
		{"CN=a\342\200\213b", DN, 0, "CN=a\\E2\\80\\8Bb"},
		{"CN=a\342\200\213b", DN, 1, "CN=a\\u200bb"},
		{"CN=a\001", DN, 0, "CN=a\\x01"},
		{"CN=a\342\200\213b", SERIAL, 0, "01/CN=a\\E2\\80\\8Bb"},
		{"CN=a\342\200\213b", ESG_SOURCE_ISSUER, 0, "CN=a\\E2\\80\\8Bb"},
		{"CN=a\342\200\213\\,b", ESG_SOURCE_ISSUER, 1, "CN=a\\u200b\\,b"},
	};
	size_t		i;

	for (i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
	{
		CertSpec	spec = {.subject = shown[i].subject, .issuer = shown[i].subject, .serial = "1"};
		X509	   *cert = certmaker_cert(&spec);
		unsigned char source = (unsigned char) shown[i].source;
		EsgCandidates list;

		if (is_int(esg_identities_candidates(cert, &source, 1, &list), ESG_NAMES_OK, "it can be read") &&
			ok(list.count > shown[i].at, "it is there"))
		{
			char	   *text = esg_identities_shown(&list.items[shown[i].at]);

			is_text(text, shown[i].want, "shown");
			OPENSSL_free(text);
		}
		esg_identities_candidates_free(&list);
		X509_free(cert);
	}
}

static void
test_fingerprint(void)
{
	CertSpec	spec = {.subject = "CN=alice"};
	X509	   *cert = certmaker_cert(&spec);
	unsigned char source = ESG_SOURCE_FINGERPRINT;
	EsgCandidates list;

	is_int(esg_identities_candidates(cert, &source, 1, &list), ESG_NAMES_OK, "a fingerprint");
	if (is_int(list.count, 2, "comes in two forms"))
	{
		ok(strlen(list.items[0].text) == 64 &&
		   strspn(list.items[0].text, "0123456789abcdef") == 64, "64 lower-case digits");
		ok(strlen(list.items[1].text) == 95 && list.items[1].text[2] == ':' &&
		   strspn(list.items[1].text, "0123456789ABCDEF:") == 95, "upper case with colons");
	}
	esg_identities_candidates_free(&list);
	X509_free(cert);
}

/* A subjectAltName that does not parse is a failure, absent or unasked for is none. */
static void
test_bad_alt_name(void)
{
	static const int with_dns[] = {CN, DNS};
	CertSpec	spec = {.subject = "CN=alice", .extensions = "subjectAltName=DNS:ab\n"};
	X509	   *cert = certmaker_cert(&spec);
	X509	   *patched = certmaker_patch(cert, "\202\002ab", "\202\011ab", 4);
	EsgNamesResult result;
	char	   *text;

	text = candidates(cert, with_dns, 2, &result);
	is_text(text, "cn=alice|dns=ab", "a good subjectAltName");
	OPENSSL_free(text);
	text = candidates(patched, with_dns, 2, &result);
	is_int(result, ESG_NAMES_BAD_ALT_NAME, "one that does not parse");
	is_text(text, "", "gives nothing, not even the common name");
	OPENSSL_free(text);
	text = candidates(patched, with_dns, 1, &result);
	is_text(text, "cn=alice", "but who does not ask for it is not bothered");
	OPENSSL_free(text);
	X509_free(patched);
	X509_free(cert);
}

static void
test_too_many(void)
{
	static const int dns = DNS;
	static const char head[] = "subjectAltName=DNS:a";
	char	   *extensions = malloc(sizeof(head) + 6 * (ESG_MAX_CANDIDATES + 1));
	EsgNamesResult result;
	int			extra;

	for (extra = 0; extra <= 1; extra++)
	{
		CertSpec	spec = {.subject = "CN=alice", .extensions = extensions};
		X509	   *cert;
		char	   *text;
		int			i;

		memcpy(extensions, head, sizeof(head));
		for (i = 1; i < ESG_MAX_CANDIDATES + extra; i++)
			memcpy(extensions + sizeof(head) - 1 + 6 * (i - 1), ",DNS:a", 7);
		cert = certmaker_cert(&spec);
		text = candidates(cert, &dns, 1, &result);
		is_int(result, extra ? ESG_NAMES_TOO_MANY : ESG_NAMES_OK,
			   extra ? "one identity too many" : "as many identities as may be");
		OPENSSL_free(text);
		X509_free(cert);
	}
	free(extensions);
}

static void
test_lookup(void)
{
	EsgIdentitySource source;
	int			i;

	for (i = 0; i < ESG_SOURCE_COUNT; i++)
	{
		const char *name = esg_identities_source_name((EsgIdentitySource) i);

		ok(esg_identities_source_lookup(name, strlen(name), &source) && (int) source == i,
		   "source %s", name);
	}
	ok(!esg_identities_source_lookup("issuer", 6, &source), "issuer is no source");
	ok(!esg_identities_source_lookup("CN", 2, &source), "upper case is no source");
	ok(!esg_identities_source_lookup("dn", 1, &source), "the length counts");
	is_text(esg_identities_result_text(ESG_NAMES_OK), "", "no reason");
	for (i = ESG_NAMES_NO_MEMORY; i <= ESG_NAMES_TOO_MANY; i++)
		ok(strlen(esg_identities_result_text((EsgNamesResult) i)) > 10, "reason %d", i);
}

int
main(void)
{
	test_cases();
	test_patched();
	test_wide();
	test_shown();
	test_fingerprint();
	test_bad_alt_name();
	test_too_many();
	test_lookup();
	return done();
}
