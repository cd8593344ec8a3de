/* sources: x509/info x509/crl_info x509/name x509/unicode x509/key x509/signature x509/time x509/asn1 x509/rsa_faults x509/memo */
/*
 * test_info.c
 *		The facts about certificates.
 */
#include <stdlib.h>
#include <time.h>

#include <openssl/err.h>

#ifdef OSSL_DEPRECATEDIN_3_0
#include <openssl/provider.h>
#endif

#include "certmaker.h"
#include "esg_test.h"
#include "x509/crl_info.h"

/* the end of 1.2.840.113549.1.1.x */
#define RSA_WITH(last) "\xf7\x0d\1\1" last

/* 4,096 bits */
#define EIGHT(x) x x x x x x x x
#define HUGE_MODULUS "F" EIGHT(EIGHT(EIGHT("35"))) "1"

/*
 * Facts are written in the order of facts_text(): "self" proved, "forged" names
 * equal but not its own signature, "self?" cannot say.
 */
static const struct
{
	const char *name;
	CertSpec	spec;
	const char *facts;
}			certs[] = {
	{"self-signed", {0}, "self server client"},
	{"issued", {.issuer = "CN=ca"}, "server client"},
	{"version 1 root", {.version = 1}, "ca self server client"},
	{"version 1 leaf", {.version = 1, .issuer = "CN=ca"}, "server client"},
	{"version 2", {.version = 2, .issuer = "CN=ca"}, "server client"},
	{"version 1 with extensions", {.version = 1, .extensions = "subjectAltName=DNS:a"},
	"ca self server client bad:only version 3 may have extensions"},
	{"version 2 with extensions", {.version = 2, .issuer = "CN=ca", .extensions = "subjectAltName=DNS:a"},
	"server client bad:only version 3 may have extensions"},
	{"version 4", {.version = 4, .issuer = "CN=ca"}, "server client bad:the version is none of 1, 2 and 3"},

	/* who is a CA */
	{"CA", {.issuer = "CN=ca", .extensions = "basicConstraints=critical,CA:TRUE"}, "ca server client"},
	{"not a CA", {.issuer = "CN=ca", .extensions = "basicConstraints=critical,CA:FALSE"}, "server client"},
	{"keyCertSign alone makes no CA", {.issuer = "CN=ca", .extensions = "keyUsage=keyCertSign"}, ""},

	/* purposes */
	{"server only", {.issuer = "CN=ca", .extensions = "extendedKeyUsage=serverAuth"}, "server"},
	{"client only", {.issuer = "CN=ca", .extensions = "extendedKeyUsage=clientAuth"}, "client"},
	{"both", {.issuer = "CN=ca", .extensions = "extendedKeyUsage=clientAuth,serverAuth"}, "server client"},
	{"neither", {.issuer = "CN=ca", .extensions = "extendedKeyUsage=codeSigning"}, ""},
	{"any is not enough for OpenSSL", {.issuer = "CN=ca", .extensions = "extendedKeyUsage=anyExtendedKeyUsage"}, ""},
	{"step-up is not serverAuth", {.issuer = "CN=ca", .extensions = "extendedKeyUsage=msSGC"}, ""},
	{"signing key", {.issuer = "CN=ca", .extensions = "keyUsage=digitalSignature"}, "server client"},
	{"encryption key", {.issuer = "CN=ca", .extensions = "keyUsage=keyEncipherment"}, "server"},
	{"Netscape client", {.issuer = "CN=ca", .extensions = "nsCertType=client"}, "client"},

	/* critical extensions */
	{"unknown and critical", {.issuer = "CN=ca", .extensions = "1.2.3.4=DER:0500\n1.2.3.5=critical,DER:0500\n1.2.3.6=critical,DER:0500"},
	"server client critical:1.2.3.5"},
	{"unknown", {.issuer = "CN=ca", .extensions = "1.2.3.4=DER:0500"}, "server client"},
	{"critical", {.issuer = "CN=ca", .extensions = "subjectAltName=critical,DNS:a"}, "server client"},

	/* extensions that are no good */
	{"twice", {.issuer = "CN=ca", .extensions = "1.2.3.4=DER:0500\n1.2.3.5=DER:0500\n1.2.3.04=DER:0500"},
	"server client bad:an extension is there twice"},
	{"twice known", {.issuer = "CN=ca", .extensions = "subjectAltName=DNS:a\n2.5.29.17=DER:3003820162"},
	"server client bad:an extension is there twice"},
	{"basicConstraints", {.issuer = "CN=ca", .extensions = "basicConstraints=DER:0500"},
	"server client bad:basicConstraints does not decode"},
	{"keyUsage", {.issuer = "CN=ca", .extensions = "keyUsage=DER:0500"}, "server client bad:keyUsage does not decode"},
	{"subjectAltName", {.issuer = "CN=ca", .extensions = "subjectAltName=DER:0500"}, "server client bad:subjectAltName does not decode"},
	{"nameConstraints", {.issuer = "CN=ca", .extensions = "nameConstraints=DER:0500"}, "server client bad:nameConstraints does not decode"},
	{"proxy with another name", {.issuer = "CN=ca", .extensions =
	"proxyCertInfo=language:id-ppl-anyLanguage,pathlen:1\nsubjectAltName=DNS:a"},
	"server client bad:an extension is invalid or contradicts another"},
	{"usages beside a broken extension", {.issuer = "CN=ca", .extensions = "basicConstraints=DER:0500\nextendedKeyUsage=clientAuth"},
	"client bad:basicConstraints does not decode"},

	/* serial numbers, RFC 5280 4.1.2.2 */
	{"serial 0", {.issuer = "CN=ca", .serial = "0"}, "server client serial:zero"},
	{"serial -1", {.issuer = "CN=ca", .serial = "-1"}, "server client serial:negative"},
	{"serial of 20 octets", {.issuer = "CN=ca", .serial = "730750818665451459101842416358141509827966271487"}, "server client"},
	{"serial of 21 octets, one of them for the sign", {.issuer = "CN=ca", .serial = "730750818665451459101842416358141509827966271488"},
	"server client serial:longer than 20 octets"},
	{"serial of 21 octets", {.issuer = "CN=ca", .serial = "1461501637330902918203684832716283019655932542976"},
	"server client serial:longer than 20 octets"},

	/* RFC 7633 */
	{"must staple", {.issuer = "CN=ca", .extensions = "tlsfeature=status_request"}, "server client staple"},
	{"must staple beside another feature", {.issuer = "CN=ca", .extensions = "tlsfeature=status_request,status_request_v2"},
	"server client staple"},
	{"another feature", {.issuer = "CN=ca", .extensions = "tlsfeature=status_request_v2"}, "server client"},
	{"broken feature", {.issuer = "CN=ca", .extensions = "tlsfeature=DER:0500"}, "server client"}
};

static const char *
facts_text(const EsgCertInfo *c)
{
	static char buf[256];
	static const char *const self[] = {" self?", " forged", " self"};

	snprintf(buf, sizeof(buf), "%s%s%s%s%s%s%s%s%s%s",
			 c->is_ca ? " ca" : "",
			 c->names_equal ? self[esg_x509_info_self_signed(c) + 1] : "",
			 c->server_purpose ? " server" : "", c->client_purpose ? " client" : "",
			 c->unknown_critical ? " critical:" : "", c->critical_oid,
			 c->malformed_extension ? " bad:" : "", c->malformed_reason ? c->malformed_reason : "",
			 c->odd_serial ? " serial:" : "", c->odd_serial_reason ? c->odd_serial_reason : "");
	if (c->must_staple)
		snprintf(buf + strlen(buf), sizeof(buf) - strlen(buf), " staple");
	return buf[0] ? buf + 1 : buf;
}

static void
is_facts(X509 *cert, const char *want, const char *name)
{
	EsgCertInfo info;

	esg_x509_info_read(cert, NULL, &info);
	is_text(facts_text(&info), want, name);
}

static void
test_cert(size_t i)
{
	X509	   *cert = certmaker_cert(&certs[i].spec);

	is_facts(cert, certs[i].facts, certs[i].name);
	X509_free(cert);
}

/* RFC 5280 4.1.2.2 means the content octets of the INTEGER. */
static void
test_serial_length(void)
{
	int			bits;

	for (bits = 150; bits < 170; bits++)
	{
		X509	   *cert = certmaker_cert(&(CertSpec){.issuer = "CN=ca"});
		BIGNUM	   *number = BN_new();
		ASN1_INTEGER *serial;
		EsgCertInfo info;

		BN_set_bit(number, bits - 1);
		serial = BN_to_ASN1_INTEGER(number, NULL);
		X509_set_serialNumber(cert, serial);
		esg_x509_info_read(cert, NULL, &info);
		is_int(info.odd_serial, i2d_ASN1_INTEGER(serial, NULL) - 2 > 20, "serial by its encoding");
		ASN1_INTEGER_free(serial);
		BN_free(number);
		X509_free(cert);
	}
}

/* Names equal is no proof. */
static void
test_self_signed(void)
{
	CertSpec	forged = {.key = certmaker_rsa(2048), .issuer_key = certmaker_rsa_other(2048)};
	CertSpec	forged_v1 = {.key = certmaker_rsa(2048), .issuer_key = certmaker_rsa_other(2048), .version = 1};
	CertSpec	elliptic = {.key = certmaker_ec("prime256v1")};
	CertSpec	no_signer = {.key = certmaker_named("X25519"), .issuer_key = certmaker_rsa(2048)};
	X509	   *cert;
	X509	   *unreadable;

	is_facts(cert = certmaker_cert(&forged), "forged server client", "another key signed it");
	X509_free(cert);
	is_facts(cert = certmaker_cert(&forged_v1), "forged server client", "nor is it a CA then");
	X509_free(cert);
	is_facts(cert = certmaker_cert(&elliptic), "self server client", "EC");
	X509_free(cert);
	is_facts(cert = certmaker_cert(&no_signer), "self? server client", "a key that cannot verify");
	X509_free(cert);
	/* rsaEncryption becomes an algorithm nobody knows */
	cert = certmaker_cert(&(CertSpec){0});
	unreadable = certmaker_patch(cert, "\x86\xf7\x0d\1\1\1", "\x86\xf7\x0d\1\1\x7f", 6);
	is_facts(unreadable, "self? server client", "a key that does not decode");
	X509_free(unreadable);
	X509_free(cert);
}

static void
test_memo(void)
{
	EsgMemo    *memo = esg_memo_create(100);
	X509	   *cert = certmaker_cert(&(CertSpec){.subject = "CN=memo"});
	EsgCertInfo info;
	int			value = -2;

	esg_x509_info_read(cert, memo, &info);
	is_int(esg_x509_info_self_signed(&info), ESG_YES, "first look");
	ok(esg_memo_get(memo, info.fingerprint, info.key.digest, &value) && value == ESG_YES,
	   "remembered by certificate and key");
	esg_memo_put(memo, info.fingerprint, info.key.digest, ESG_NO);
	esg_x509_info_read(cert, memo, &info);
	is_int(esg_x509_info_self_signed(&info), ESG_NO, "second look asks the memo");
	esg_x509_info_read(cert, NULL, &info);
	is_int(esg_x509_info_self_signed(&info), ESG_YES, "without a memo it is proved again");
	X509_free(cert);
	esg_memo_free(memo);
}

static void
test_verify(void)
{
	EsgMemo    *memo = esg_memo_create(100);
	EVP_PKEY   *key = certmaker_rsa(2048);
	X509	   *certs_made[4];
	EsgCertInfo info[4];
	int			i;

	certs_made[0] = certmaker_cert(&(CertSpec){.subject = "CN=ca", .key = key});
	certs_made[1] = certmaker_cert(&(CertSpec){.subject = "CN=ca", .key = certmaker_rsa_other(2048)});
	certs_made[2] = certmaker_cert(&(CertSpec){.subject = "CN=ca", .key = certmaker_ec("prime256v1")});
	certs_made[3] = certmaker_cert(&(CertSpec){.subject = "CN=leaf", .issuer_cert = certs_made[0],
		.key = certmaker_ec("prime256v1"), .issuer_key = key});
	for (i = 0; i < 4; i++)
		esg_x509_info_read(certs_made[i], memo, &info[i]);
	for (i = 0; i < 2; i++)
	{
		is_int(esg_x509_info_verify(&info[3], &info[0], memo), ESG_YES, "by its issuer");
		is_int(esg_x509_info_verify(&info[3], &info[1], memo), ESG_NO, "by another of that name");
		is_int(esg_x509_info_verify(&info[3], &info[2], memo), ESG_UNKNOWN, "by a key of another kind");
		is_int(esg_x509_info_verify(&info[3], &info[0], NULL), ESG_YES, "without a memo");
	}
	is_int(info[3].names_equal, false, "a leaf's names differ");
	for (i = 0; i < 4; i++)
		X509_free(certs_made[i]);
	esg_memo_free(memo);
}

static bool
has_digest(const EVP_MD *digest)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool		has = EVP_DigestInit_ex(ctx, digest, NULL) == 1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return has;
}

static void
is_verdict(X509 *cert, EsgVerdict want, const char *name)
{
	EsgCertInfo info;

	esg_x509_info_read(cert, NULL, &info);
	is_int(esg_x509_info_self_signed(&info), want, name);
	X509_free(cert);
}

/* What this OpenSSL lacks, or may not use, is never "does not verify". */
static void
test_lacking(void)
{
	X509	   *cert = certmaker_cert(&(CertSpec){0});
	X509	   *ca = certmaker_cert(&(CertSpec){.subject = "CN=ca"});
	X509_CRL   *crl = certmaker_crl(&(CrlSpec){.issuer_cert = ca, .issuer_key = certmaker_rsa(2048)});
	EVP_PKEY   *huge = certmaker_rsa_raw(HUGE_MODULUS, "10000000000000001");
	EsgCertInfo info;
	EsgCrlInfo	crl_info;

	/* sha256WithRSAEncryption becomes another one, which the signature is not made with */
	is_verdict(certmaker_patch(cert, RSA_WITH("\x0b"), RSA_WITH("\3"), 5),
			   has_digest(EVP_md4()) ? ESG_NO : ESG_UNKNOWN, "MD4");
	is_verdict(certmaker_patch(cert, RSA_WITH("\x0b"), RSA_WITH("\x0d"), 5), ESG_NO, "SHA-512");
	is_verdict(certmaker_patch(cert, RSA_WITH("\x0b"), RSA_WITH("\x7f"), 5), ESG_UNKNOWN, "nobody knows");
	is_verdict(certmaker_cert(&(CertSpec){.key = huge, .issuer_key = certmaker_rsa(2048)}),
			   ESG_UNKNOWN, "an exponent that OpenSSL refuses");
#ifdef OPENSSL_PROVIDER_H
	EVP_default_properties_enable_fips(NULL, 1);
	if (!has_digest(EVP_sha256()))
	{
		is_verdict(X509_dup(cert), ESG_UNKNOWN, "SHA-256, which no provider may offer");
		esg_x509_info_read(ca, NULL, &info);
		esg_crl_info_read(crl, &crl_info);
		is_int(esg_crl_info_verify(&crl_info, &info, NULL), ESG_UNKNOWN, "and a CRL");
	}
	EVP_default_properties_enable_fips(NULL, 0);
#endif
	is_verdict(X509_dup(cert), ESG_YES, "SHA-256");
	esg_x509_info_read(ca, NULL, &info);
	esg_crl_info_read(crl, &crl_info);
	is_int(esg_crl_info_verify(&crl_info, &info, NULL), ESG_YES, "and a CRL");
	X509_CRL_free(crl);
	X509_free(ca);
	X509_free(cert);
}

/* The real thing: a self-signature with MD4, looked at with and without the provider that has it. */
static void
test_legacy(void)
{
#ifdef OPENSSL_PROVIDER_H
	OSSL_PROVIDER *usual = OSSL_PROVIDER_load(NULL, "default");
	OSSL_PROVIDER *legacy = OSSL_PROVIDER_load(NULL, "legacy");
	X509	   *cert;

	if (legacy != NULL)
	{
		cert = certmaker_cert(&(CertSpec){.digest = EVP_md4()});
		is_verdict(X509_dup(cert), ESG_YES, "MD4 with the legacy provider");
		is_verdict(certmaker_cert(&(CertSpec){.issuer_key = certmaker_rsa_other(2048), .digest = EVP_md4()}),
				   ESG_NO, "made with another key");
		OSSL_PROVIDER_unload(legacy);
		is_verdict(cert, ESG_UNKNOWN, "MD4 without it");
	}
	ERR_clear_error();
	OSSL_PROVIDER_unload(usual);
#endif
}

static void
test_usages(void)
{
	X509	   *cert = certmaker_cert(&(CertSpec){.extensions =
		"keyUsage=digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment,keyAgreement,"
		"keyCertSign,cRLSign,encipherOnly,decipherOnly\n"
		"extendedKeyUsage=serverAuth,1.2.3.4,anyExtendedKeyUsage"});
	X509	   *plain = certmaker_cert(&(CertSpec){.subject = "CN=a"});
	static const char *const want[] = {"digitalSignature", "nonRepudiation", "keyEncipherment",
		"dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly",
	"decipherOnly"};
	const char *names[ESG_MAX_USAGES];
	char	   *extended[3];
	EsgCertInfo info;
	int			i;

	esg_x509_info_read(cert, NULL, &info);
	is_int(esg_x509_info_key_usage_names(&info, names), 9, "all key usages");
	for (i = 0; i < 9; i++)
		is_text(names[i], want[i], "key usage");
	is_int(esg_x509_info_ext_key_usage_names(&info, extended, 2), 2, "no more than asked for");
	OPENSSL_free(extended[0]);
	OPENSSL_free(extended[1]);
	is_int(esg_x509_info_ext_key_usage_names(&info, extended, 3), 3, "extended key usages");
	is_text(extended[0], "serverAuth", "known");
	is_text(extended[1], "1.2.3.4", "unknown");
	is_text(extended[2], "anyExtendedKeyUsage", "any");
	for (i = 0; i < 3; i++)
		OPENSSL_free(extended[i]);

	esg_x509_info_read(plain, NULL, &info);
	ok(!info.has_key_usage && !info.has_ext_key_usage, "absent");
	is_int(esg_x509_info_key_usage_names(&info, names), 0, "no key usages");
	is_int(esg_x509_info_ext_key_usage_names(&info, extended, 3), 0, "no extended ones");
	X509_free(cert);
	X509_free(plain);
}

static void
test_broken_usages(void)
{
	X509	   *cert = certmaker_cert(&(CertSpec){.issuer = "CN=ca", .extensions =
		"keyUsage=digitalSignature,decipherOnly\n2.5.29.15=DER:03020106\nextendedKeyUsage=clientAuth"});
	EsgCertInfo info;

	esg_x509_info_read(cert, NULL, &info);
	ok(info.has_key_usage && info.key_usage == (KU_DIGITAL_SIGNATURE | KU_DECIPHER_ONLY),
	   "the first of two key usages");
	ok(info.has_ext_key_usage && info.ext_key_usage == XKU_SSL_CLIENT, "extended key usage beside it");
	X509_free(cert);
}

static void
test_serial_text(void)
{
	static const struct
	{
		const char *decimal;
		const char *want;
	}			serials[] = {
		{"0", "00"}, {"1", "01"}, {"255", "FF"}, {"256", "0100"}, {"-1", "-01"}, {"-4096", "-1000"},
		{"1461501637330902918203684832716283019655932542976", "010000000000000000000000000000000000000000"}
	};
	size_t		i;

	for (i = 0; i < sizeof(serials) / sizeof(serials[0]); i++)
	{
		ASN1_INTEGER *serial = s2i_ASN1_INTEGER(NULL, serials[i].decimal);
		char	   *text = esg_x509_info_serial_text(serial);

		is_text(text, serials[i].want, serials[i].decimal);
		OPENSSL_free(text);
		ASN1_INTEGER_free(serial);
	}
}

static void
test_fingerprint(void)
{
	X509	   *cert = certmaker_cert(&(CertSpec){.subject = "CN=a"});
	size_t		len;
	unsigned char *der = certmaker_der(cert, &len);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned	digest_len;
	char		text[ESG_FINGERPRINT_TEXT_SIZE];
	char		want[3];
	EsgCertInfo info;

	EVP_Digest(der, len, digest, &digest_len, EVP_sha256(), NULL);
	esg_x509_info_read(cert, NULL, &info);
	ok(memcmp(info.fingerprint, digest, ESG_DIGEST_SIZE) == 0, "SHA-256 of the DER");
	esg_x509_info_fingerprint_text(info.fingerprint, text);
	snprintf(want, sizeof(want), "%02x", digest[31]);
	ok(strlen(text) == 64 && strcmp(text + 62, want) == 0, "lower-case hex");
	free(der);
	X509_free(cert);
}

/* What somebody typed, or pasted of "openssl x509 -fingerprint". */
static void
test_fingerprint_parse(void)
{
#define DIGITS "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
#define OCTETS "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD"
	static const struct
	{
		const char *text;
		bool		good;
	}			cases[] = {
		{DIGITS, true}, {OCTETS ":EF", true}, {OCTETS ":ef", true},
		{"", false}, {DIGITS "0", false}, {OCTETS, false}, {OCTETS ":EF:", false}, {OCTETS "-EF", false},
		{OCTETS ":E:", false}, {OCTETS ":G0", false}, {OCTETS "::E", false},
		{"x123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef", false},
		{" 123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef", false}
	};
	unsigned char digest[ESG_DIGEST_SIZE];
	char		text[ESG_FINGERPRINT_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		bool		good = esg_x509_info_fingerprint_parse(cases[i].text, strlen(cases[i].text), digest);

		ok(good == cases[i].good, "fingerprint \"%s\"", cases[i].text);
		if (!good)
			continue;
		esg_x509_info_fingerprint_text(digest, text);
		is_text(text, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "its octets");
	}
	/* what follows the text is not looked at */
	ok(!esg_x509_info_fingerprint_parse(DIGITS, 63, digest), "63 of 64 digits");
	ok(esg_x509_info_fingerprint_parse(DIGITS "zz", 64, digest), "64 of 66 characters");
}

/* A certificate with many extensions, all different. */
static double
seconds_for(int extensions)
{
	X509	   *cert = certmaker_cert(&(CertSpec){.issuer = "CN=ca"});
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	EsgCertInfo info;
	clock_t		start;
	double		spent;
	int			i;

	ASN1_OCTET_STRING_set(value, (const unsigned char *) "\5\0", 2);
	for (i = 0; i < extensions; i++)
	{
		char		oid[32];
		ASN1_OBJECT *object;
		X509_EXTENSION *ext;

		snprintf(oid, sizeof(oid), "1.2.%d", i);
		object = OBJ_txt2obj(oid, 1);
		ext = X509_EXTENSION_create_by_OBJ(NULL, object, 0, value);
		X509_add_ext(cert, ext, -1);
		X509_EXTENSION_free(ext);
		ASN1_OBJECT_free(object);
	}
	start = clock();
	esg_x509_info_read(cert, NULL, &info);
	spent = (double) (clock() - start) / CLOCKS_PER_SEC;
	is_text(facts_text(&info), "server client", "many extensions");
	ASN1_OCTET_STRING_free(value);
	X509_free(cert);
	return spent;
}

/* Where an issuer's certificate can be had, if the extension can be read. */
static void
test_issuer_place(void)
{
	static const struct
	{
		const char *extensions;
		bool		says;
	}			cases[] = {
		{NULL, false},
		{"authorityInfoAccess=caIssuers;URI:http://ca.example.com/ca.der\n", true},
		{"authorityInfoAccess=OCSP;URI:http://ca.example.com/\n", false},
		{"authorityInfoAccess=OCSP;URI:http://ca.example.com/,caIssuers;URI:http://ca.example.com/ca.der\n", true},
		{"authorityInfoAccess=caIssuers;URI:http://ca.example.com/ca.der,OCSP;URI:http://ca.example.com/\n", true},
		{"1.3.6.1.5.5.7.1.1=DER:0500\n", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		X509	   *cert = certmaker_cert(&(CertSpec){.extensions = cases[i].extensions});

		is_int(esg_x509_info_says_where_issuer_is(cert), cases[i].says, cases[i].extensions ? cases[i].extensions : "nothing");
		is_int((long long) ERR_peek_error(), 0, "no error is left");
		X509_free(cert);
	}
}

/* The same certificate with an element more at the end of what is signed. */
static X509 *
add_element(X509 *cert, const unsigned char *element, size_t size)
{
	size_t		len;
	unsigned char *der = certmaker_der(cert, &len);
	unsigned char *longer = malloc(len + size);
	size_t		end = 8 + ((size_t) der[6] << 8 | der[7]);
	X509	   *made;

	/* a sequence in a sequence, each with two octets of length */
	ok(der[1] == 0x82 && der[5] == 0x82, "both lengths have two octets");
	memcpy(longer, der, end);
	memcpy(longer + end, element, size);
	memcpy(longer + end + size, der + end, len - end);
	for (size_t at = 2; at <= 6; at += 4)
	{
		size_t		content = ((size_t) der[at] << 8 | der[at + 1]) + size;

		longer[at] = (unsigned char) (content >> 8);
		longer[at + 1] = (unsigned char) content;
	}
	made = certmaker_parse(longer, len + size);
	free(longer);
	free(der);
	return made;
}

/* RFC 5280 section 4.1.2.8: not in version 1 */
static void
test_unique_identifiers(void)
{
	static const unsigned char elements[][4] = {{0x81, 2, 0, 0x55}, {0x82, 2, 0, 0x55}};

	for (int version = 1; version <= 3; version++)
	{
		for (int i = 0; i < 2; i++)
		{
			X509	   *cert = certmaker_cert(&(CertSpec){.issuer = "CN=ca",.version = version});
			X509	   *made = add_element(cert, elements[i], sizeof(elements[i]));
			EsgCertInfo info;

			esg_x509_info_read(made, NULL, &info);
			is_text(facts_text(&info), version > 1 ? "server client" :
					"server client bad:version 1 may not have unique identifiers",
					i == 0 ? "unique identifier of the issuer" : "unique identifier of the subject");
			X509_free(made);
			X509_free(cert);
		}
	}
}

int
main(void)
{
	size_t		i;

	for (i = 0; i < sizeof(certs) / sizeof(certs[0]); i++)
		test_cert(i);
	test_serial_length();
	test_self_signed();
	test_memo();
	test_verify();
	test_lacking();
	test_legacy();
	test_usages();
	test_broken_usages();
	test_serial_text();
	test_fingerprint();
	test_fingerprint_parse();
	test_issuer_place();
	test_unique_identifiers();
	ok(seconds_for(32000) < 64 * seconds_for(2000) + 0.5, "linear in extensions");
	is_int((long long) ERR_peek_error(), 0, "error queue is empty");
	return done();
}
