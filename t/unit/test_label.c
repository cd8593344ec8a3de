/*
 * test_label.c
 *		Role labels: what parses, where it fails, and what meets them.
 */
#include <stdlib.h>

#include <openssl/ssl.h>

#include "certmaker.h"
#include "esg_test.h"
#include "policy/label.h"

#define F64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A256 A64 A64 A64 A64
#define A1024 A256 A256 A256 A256

/* want: the first rule, "key=value" in its normal form; "" if there is none */
static const struct
{
	const char *text;
	const char *want;
	int			count;
	bool		tls;
	bool		x509;
	int			min_tls;
}			good[] = {
	{"cn=alice", "cn=alice", 1, false, false, 0},
	{"tls", "", 0, true, false, 0},
	{"x509", "", 0, false, true, 0},
	{" \t x509\n tls  ", "", 0, true, true, 0},
	{"min_tls=TLSv1", "", 0, false, false, TLS1_VERSION},
	{"min_tls=TLSv1.1", "", 0, false, false, TLS1_1_VERSION},
	{"min_tls=TLSv1.2", "", 0, false, false, TLS1_2_VERSION},
	{"min_tls=\"TLSv1.3\"", "", 0, false, false, TLS1_3_VERSION},
	{"dn=\"CN=a b,O=Example\" tls", "dn=CN=a b,O=Example", 1, true, false, 0},
	{"cn=\"say \\\"hi\\\" \\\\ there\"", "cn=say \"hi\" \\ there", 1, false, false, 0},
	{"dn=CN=a\\,b", "dn=CN=a\\,b", 1, false, false, 0},
	{"uri=spiffe://prod/a?b=c", "uri=spiffe://prod/a?b=c", 1, false, false, 0},
	{"cn=a cn=b cn=a", "cn=a", 3, false, false, 0},
	{"issuer=CN=x", "issuer=CN=x", 1, false, false, 0},
	{"email=a@b", "email=a@b", 1, false, false, 0},
	{"upn=a@b", "upn=a@b", 1, false, false, 0},
	{"dns=a.b", "dns=a.b", 1, false, false, 0},
	{"serial=0a1b", "serial=A1B", 1, false, false, 0},
	{"serial=00:0A:1B", "serial=A1B", 1, false, false, 0},
	{"serial=00", "serial=0", 1, false, false, 0},
	{"serial=-0A", "serial=-A", 1, false, false, 0},
	{"ip=192.0.2.1", "ip=192.0.2.1", 1, false, false, 0},
	{"ip=2001:DB8:0:0::1", "ip=2001:db8::1", 1, false, false, 0},
	{"ip=::1.2.3.4", "ip=::1.2.3.4", 1, false, false, 0},
	{"fingerprint=" F64, "fingerprint=" F64, 1, false, false, 0},
	{"fingerprint=01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:"
		"01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF", "fingerprint=" F64, 1, false, false, 0},
	{"cn=" A1024, "cn=" A1024, 1, false, false, 0},
	{"cn=J\303\266rg", "cn=J\303\266rg", 1, false, false, 0},
};

static const struct
{
	const char *text;
	int			position;
	const char *reason;			/* a part of it */
}			bad[] = {
	{"", 1, "no requirement"},
	{" \n", 1, "no requirement"},
	{"colour=red", 1, "unknown key \"colour\""},
	{"CN=alice", 1, "unknown key \"CN\""},
	{"=alice", 1, "unknown key \"\""},
	{"an_unknown_key_that_is_39_bytes_long___\303\266x=1", 1, "unknown key \"an_unknown_key_that_is_39_bytes_long___\""},
	{"ssl", 1, "unknown requirement \"ssl\""},
	{"tls ,x509", 5, "unknown requirement \",x509\""},
	{"cn", 3, "needs \"=\""},
	{"cn =alice", 3, "needs \"=\""},
	{"cn=", 4, "empty value"},
	{"cn= alice", 4, "empty value"},
	{"x509 cn=\"\"", 9, "empty value"},
	{"cn=\"alice", 4, "unterminated quote"},
	{"cn=\"alice\\", 4, "unterminated quote"},
	{"cn=\"alice\\\"", 4, "unterminated quote"},
	{"cn=\"a\\nb\"", 6, "escapes"},
	{"cn=\"a\"b", 7, "space expected"},
	{"cn=a\"b\"", 5, "quote inside"},
	{"cn=\"a\nb\"", 6, "control character"},
	{"cn=J\303\266rg colour=red", 9, "unknown key"},
	{"tls=on", 4, "takes no value"},
	{"tls x509 tls", 10, "given twice"},
	{"x509 x509", 6, "given twice"},
	{"min_tls=TLSv1.2 min_tls=TLSv1.3", 17, "given twice"},
	{"min_tls=tlsv1.2", 9, "must be TLSv1"},
	{"min_tls=1.2", 9, "must be TLSv1"},
	{"min_tls=SSLv3", 9, "must be TLSv1"},
	{"min_tls=", 9, "empty value"},
	{"min_tls", 8, "needs \"=\""},
	{"ip=192.0.2", 4, "must be an IPv4 or IPv6 address"},
	{"ip=192.0.2.256", 4, "must be an IPv4 or IPv6 address"},
	{"ip=2001:db8::/32", 4, "must be an IPv4 or IPv6 address"},
	{"serial=xyz", 8, "hexadecimal"},
	{"serial=0x1F", 8, "hexadecimal"},
	{"serial=-", 8, "hexadecimal"},
	{"serial=0A:1", 8, "hexadecimal"},
	{"serial=0A:", 8, "hexadecimal"},
	{"serial=:0A", 8, "hexadecimal"},
	{"fingerprint=abcd", 13, "64 hexadecimal digits"},
	{"fingerprint=" F64 "00", 13, "64 hexadecimal digits"},
	{"fingerprint=01:" F64, 13, "64 hexadecimal digits"},
	{"cn=a" A1024, 4, "longer than 1024"},
	{"cn=\"a" A1024 "\"", 4, "longer than 1024"},
};

static void
test_good(void)
{
	size_t		i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
	{
		EsgLabel	label;
		EsgLabelError error;
		char		first[ESG_MAX_IDENTITY_LENGTH + 40] = "";

		if (!ok(esg_label_parse(good[i].text, strlen(good[i].text), &label, &error),
				"label '%.40s'", good[i].text))
			printf("# %d: %s\n", error.position, error.reason);
		if (label.count > 0)
			BIO_snprintf(first, sizeof(first), "%s=%s",
						 esg_identities_source_name(label.rules[0].key), label.rules[0].value);
		is_text(first, good[i].want, "its first rule");
		ok(label.count == good[i].count && label.tls == good[i].tls &&
		   label.x509 == good[i].x509 && label.min_tls == good[i].min_tls, "the rest of it");
		esg_label_free(&label);
	}
}

static void
test_bad(void)
{
	size_t		i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		EsgLabel	label;
		EsgLabelError error;

		ok(!esg_label_parse(bad[i].text, strlen(bad[i].text), &label, &error),
		   "bad label %d '%.40s'", (int) i, bad[i].text);
		is_int(error.position, bad[i].position, "the position of its fault");
		if (!ok(strstr(error.reason, bad[i].reason) != NULL, "the reason"))
			printf("# got \"%s\", want \"%s\"\n", error.reason, bad[i].reason);
		ok(label.count == 0 && label.rules == NULL, "nothing is left of it");
		esg_label_free(&label);
	}
}

static void
test_many_rules(void)
{
	char		text[5 * (ESG_MAX_LABEL_RULES + 1) + 1];
	EsgLabel	label;
	EsgLabelError error;
	int			i;

	for (i = 0; i <= ESG_MAX_LABEL_RULES; i++)
		memcpy(text + 5 * i, "cn=a ", 6);
	ok(esg_label_parse(text, 5 * ESG_MAX_LABEL_RULES, &label, &error), "as many rules as may be");
	esg_label_free(&label);
	ok(!esg_label_parse(text, strlen(text), &label, &error), "one rule too many");
	is_int(error.position, 5 * ESG_MAX_LABEL_RULES + 1, "is told with its position");
}

/* The certificate of all checks below. */
static X509 *
make_cert(void)
{
	CertSpec	spec = {.subject = "O=Example,CN=alice", .issuer = "O=Example,CN=J\303\266rg CA",
		.serial = "2587", .extensions = "subjectAltName=DNS:db.Example.com,DNS:x,"
		"email:Alice@Example.com,URI:spiffe://prod/Alice,IP:192.0.2.7,IP:2001:db8::7,"
	"otherName:1.3.6.1.4.1.311.20.2.3;UTF8:Alice@corp,email:nowhere\n"};

	return certmaker_cert(&spec);
}

/* want: the key that refuses, NULL if the label is met */
static const struct
{
	const char *label;
	const char *want;
}			matches[] = {
	{"x509", NULL},
	{"tls", NULL},
	{"cn=alice", NULL},
	{"cn=Alice", "cn"},
	{"cn=alic", "cn"},
	{"cn=bob cn=alice", NULL},
	{"cn=alice uri=spiffe://prod/Alice", NULL},
	{"cn=alice uri=spiffe://prod/bob", "uri"},
	{"cn=bob uri=spiffe://prod/Alice", "cn"},
	{"cn=bob cn=carol", "cn"},
	{"dn=CN=alice,O=Example", NULL},
	{"dn=O=Example,CN=alice", "dn"},
	{"dn=\"CN=alice, O=Example\"", "dn"},
	{"issuer=\"CN=J\303\266rg CA,O=Example\"", NULL},
	{"issuer=\"CN=J\\\\C3\\\\B6rg CA,O=Example\"", NULL},
	{"issuer=\"CN=Jorg CA,O=Example\"", "issuer"},
	{"issuer=CN=alice,O=Example", "issuer"},
	{"dns=DB.example.COM", NULL},
	{"dns=x", NULL},
	{"dns=example.com", "dns"},
	{"dns=*.example.com", "dns"},
	{"email=Alice@EXAMPLE.com", NULL},
	{"email=alice@example.com", "email"},
	{"email=nowhere", NULL},
	{"email=NOWHERE", "email"},
	{"email=now@here", "email"},
	{"uri=spiffe://prod/Alice", NULL},
	{"uri=spiffe://prod/alice", "uri"},
	{"upn=Alice@corp", NULL},
	{"upn=alice@corp", "upn"},
	{"ip=192.0.2.7", NULL},
	{"ip=2001:0db8::0007", NULL},
	{"ip=192.0.2.8", "ip"},
	{"serial=0a1b", NULL},
	{"serial=0A:1B issuer=\"CN=J\303\266rg CA,O=Example\"", NULL},
	{"serial=0a1b issuer=CN=other", "issuer"},
	{"serial=0a1c", "serial"},
	{"serial=-0a1b", "serial"},
	{"fingerprint=" F64, "fingerprint"},
	{"min_tls=TLSv1.2", NULL},
	{"min_tls=TLSv1.3", "min_tls"},
};

static const char *
check(const char *text, bool tls, X509 *cert, EsgLabelVerdict *verdict)
{
	EsgLabelPeer peer = {tls, tls ? TLS1_2_VERSION : 0, cert, NULL};
	EsgLabel	label;
	EsgLabelError error;

	if (!ok(esg_label_parse(text, strlen(text), &label, &error), "label '%s'", text))
		printf("# %d: %s\n", error.position, error.reason);
	esg_label_check(&label, &peer, verdict);
	esg_label_free(&label);
	return verdict->refused ? verdict->key : "met";
}

static void
test_matches(X509 *cert)
{
	EsgLabelVerdict verdict;
	size_t		i;

	for (i = 0; i < sizeof(matches) / sizeof(matches[0]); i++)
	{
		const char *got = check(matches[i].label, true, cert, &verdict);

		is_text(got, matches[i].want ? matches[i].want : "met", "its verdict");
	}
}

static void
test_fingerprint(X509 *cert)
{
	unsigned char source = ESG_SOURCE_FINGERPRINT;
	EsgCandidates list;
	EsgLabelVerdict verdict;
	char		text[120];
	int			i;

	esg_identities_candidates(cert, &source, 1, &list);
	for (i = 0; i < list.count; i++)
	{
		BIO_snprintf(text, sizeof(text), "fingerprint=%s", list.items[i].text);
		is_text(check(text, true, cert, &verdict), "met", "the certificate's own fingerprint");
	}
	esg_identities_candidates_free(&list);
}

static void
test_missing(X509 *cert)
{
	EsgLabelVerdict verdict;

	is_text(check("tls", false, NULL, &verdict), "tls", "no TLS, tls");
	is_text(check("x509", false, NULL, &verdict), "tls", "no TLS, x509");
	is_text(check("min_tls=TLSv1", false, NULL, &verdict), "tls", "no TLS, min_tls");
	is_text(check("cn=a", false, NULL, &verdict), "tls", "no TLS, cn");
	is_text(check("tls min_tls=TLSv1.2", true, NULL, &verdict), "met", "TLS without certificate");
	is_text(check("x509", true, NULL, &verdict), "x509", "no certificate, x509");
	is_text(check("cn=alice", true, NULL, &verdict), "x509", "no certificate, cn");
	is_text(check("min_tls=TLSv1.3", true, cert, &verdict), "min_tls", "TLS too old");
	is_text(verdict.reason, "the connection's TLS version is lower", "which is said");
}

/* Values that never match, and a certificate whose names cannot be read. */
static void
test_hostile(void)
{
	CertSpec	spec = {.subject = "CN=alice@x", .extensions = "subjectAltName=DNS:ab\n"};
	X509	   *cert = certmaker_cert(&spec);
	X509	   *nul = certmaker_patch(cert, "alice@x", "alice\0x", 7);
	X509	   *broken = certmaker_patch(cert, "\202\002ab", "\202\011ab", 4);
	EsgLabelVerdict verdict;

	is_text(check("cn=alice@x", true, cert, &verdict), "met", "a common name");
	is_text(check("cn=alice", true, nul, &verdict), "cn", "cut by a NUL");
	is_text(check("cn=alice\\x00x", true, nul, &verdict), "cn", "or as it is shown");
	is_text(check("dn=CN=alice\\00x", true, nul, &verdict), "dn", "a subject with a NUL");
	is_text(check("dns=ab", true, cert, &verdict), "met", "a DNS name");
	is_text(check("dns=ab", true, broken, &verdict), "x509", "in a subjectAltName that is broken");
	is_text(verdict.reason, "the certificate's subjectAltName cannot be read", "which is said");
	is_text(check("cn=alice@x", true, broken, &verdict), "met", "and nobody asked for");
	is_text(check("email=alice@x", true, cert, &verdict), "email", "no e-mail address");
	X509_free(broken);
	X509_free(nul);
	X509_free(cert);
}

int
main(void)
{
	X509	   *cert = make_cert();

	test_good();
	test_bad();
	test_many_rules();
	test_matches(cert);
	test_fingerprint(cert);
	test_missing(cert);
	test_hostile();
	X509_free(cert);
	return done();
}
