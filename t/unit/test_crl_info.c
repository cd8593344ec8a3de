/* sources: x509/crl_info x509/info x509/name x509/unicode x509/key x509/signature x509/time x509/asn1 x509/rsa_faults x509/memo */
/*
 * test_crl_info.c
 *		The facts about CRLs.
 */
#include <openssl/err.h>

#include "certmaker.h"
#include "esg_test.h"
#include "x509/crl_info.h"

#define SCOPE(line) "issuingDistributionPoint=critical,@scope\n[scope]\n" line "\n"
#define PUBLISH "1.3.6.1.4.1.311.21.4="

/* Facts are written in the order of facts_text(). */
static const struct
{
	const char *name;
	const char *extensions;
	const char *entry_extensions;
	const char *facts;
}			crls[] = {
	{"plain", NULL, NULL, ""},
	{"numbered", "2.5.29.20=ASN1:INTEGER:7\n", NULL, ""},

	/* scope */
	{"users", SCOPE("onlyuser=TRUE"), NULL, "users"},
	{"CAs", SCOPE("onlyCA=TRUE"), NULL, "cas"},
	{"attributes", SCOPE("onlyAA=TRUE"), NULL, "attributes"},
	{"reasons", SCOPE("onlysomereasons=keyCompromise"), NULL, "reasons"},
	{"indirect", SCOPE("indirectCRL=TRUE"), NULL, "indirect"},
	{"point", SCOPE("fullname=URI:http://pki.example.com/1.crl"), NULL,
	"point=URI:http://pki.example.com/1.crl"},
	{"point of several names", SCOPE("fullname=URI:http://a/,URI:http://b/"), NULL, "point=URI:http://a/"},
	{"point with a control character", SCOPE("fullname=URI:http://a/\\nLOG: x"), NULL,
	"point=URI:http://a/\\x0aLOG: x"},
	{"relative point", SCOPE("relativename=rdn\n[rdn]\nCN=1"), NULL, "point=relative to the CRL's issuer"},
	{"everything", SCOPE("onlyuser=TRUE\nindirectCRL=TRUE\nfullname=URI:http://a/"), NULL,
	"users indirect point=URI:http://a/"},
	{"not critical", "issuingDistributionPoint=@scope\n[scope]\nonlyuser=TRUE\n", NULL, "users"},
	{"all false", "2.5.29.28=critical,DER:3000\n", NULL, ""},
	{"undecodable scope", "2.5.29.28=critical,DER:0500\n", NULL, ""},

	/* delta */
	{"delta", "2.5.29.27=critical,ASN1:INTEGER:3\n", NULL, "delta"},
	{"delta that does not decode", "2.5.29.27=critical,ASN1:NULL\n", NULL, "delta"},

	/* key */
	{"names the key", "authorityKeyIdentifier=keyid\n", NULL, "key"},
	{"names the key, critical", "authorityKeyIdentifier=critical,keyid\n", NULL, "key"},

	/* critical extensions */
	{"unknown", "1.2.3.4=ASN1:NULL\n", NULL, ""},
	{"unknown and critical", "1.2.3.4=ASN1:NULL\n1.2.3.5=critical,ASN1:NULL\n1.2.3.6=critical,ASN1:NULL\n", NULL,
	"critical:1.2.3.5"},
	{"known to OpenSSL, but not in a CRL", "2.5.29.20=critical,ASN1:INTEGER:7\n", NULL, "critical:2.5.29.20"},
	{"in an entry", NULL, "1.2.3.7=critical,ASN1:NULL\n", "entry:1.2.3.7"},
	{"in an entry, not critical", NULL, "1.2.3.7=ASN1:NULL\n", ""},
	{"a reason", NULL, "2.5.29.21=ASN1:ENUM:1\n", ""},
	{"a critical reason", NULL, "2.5.29.21=critical,ASN1:ENUM:1\n", "entry:2.5.29.21"},
	{"an entry's issuer", NULL, "2.5.29.29=critical,DER:300DA40B300931073005060355040313\n", ""},

	/* Microsoft's */
	{"next publication", PUBLISH "ASN1:UTCTIME:260301120000Z\n", NULL, "publish=2026-03-01T12:00:00Z"},
	{"next publication, generalized", PUBLISH "ASN1:GENERALIZEDTIME:20260301120000Z\n", NULL,
	"publish=2026-03-01T12:00:00Z"},
	{"no time", PUBLISH "ASN1:NULL\n", NULL, "publish=invalid"},
};

static void
append(char *text, const char *word)
{
	if (text[0] != '\0')
		strcat(text, " ");
	strcat(text, word);
}

static void
append_pair(char *text, const char *key, const char *value)
{
	char		word[200];

	snprintf(word, sizeof(word), "%s%s", key, value);
	append(text, word);
}

static void
append_scope(char *text, const EsgCrlInfo *info)
{
	static const char *const names[] = {"users", "cas", "attributes", "reasons", "indirect"};
	char	   *point = esg_crl_info_point_text(info);
	int			i;

	for (i = 0; i < 5; i++)
	{
		if (info->scope & (1U << i))
			append(text, names[i]);
	}
	if (info->scope & ESG_SCOPE_POINT)
		append_pair(text, "point=", point);
	OPENSSL_free(point);
}

static const char *
facts_text(const EsgCrlInfo *info)
{
	static char text[512];
	char		time[ESG_TIME_TEXT_SIZE];

	text[0] = '\0';
	append_scope(text, info);
	if (info->delta)
		append(text, "delta");
	if (info->names_key)
		append(text, "key");
	if (info->critical)
		append_pair(text, "critical:", info->critical_oid);
	if (info->critical_entry)
		append_pair(text, "entry:", info->critical_oid);
	esg_x509_time_text(info->next_publish, time, sizeof(time));
	if (info->next_publish.state != ESG_TIME_ABSENT)
		append_pair(text, "publish=", time);
	return text;
}

static void
test_facts(void)
{
	static const char *const revoked[] = {"5", "6", NULL};
	EVP_PKEY   *key = certmaker_rsa(2048);
	X509	   *ca = certmaker_cert(&(CertSpec){.key = key, .extensions = "subjectKeyIdentifier=hash"});
	size_t		i;

	for (i = 0; i < sizeof(crls) / sizeof(crls[0]); i++)
	{
		X509_CRL   *crl = certmaker_crl(&(CrlSpec){.issuer_cert = ca, .issuer_key = key, .revoked = revoked,
										 .extensions = crls[i].extensions,
										 .entry_extensions = crls[i].entry_extensions});
		EsgCrlInfo	info;

		esg_crl_info_read(crl, &info);
		is_text(facts_text(&info), crls[i].facts, crls[i].name);
		X509_CRL_free(crl);
	}
	X509_free(ca);
	ok(ERR_peek_error() == 0, "error queue is empty");
}

static void
test_plain(void)
{
	EVP_PKEY   *key = certmaker_rsa(2048);
	X509	   *ca = certmaker_cert(&(CertSpec){.subject = "CN=ca", .key = key});
	X509	   *other = certmaker_cert(&(CertSpec){.subject = "CN=ca", .key = certmaker_rsa_other(2048)});
	const char *const revoked[] = {"1", "2", "3", NULL};
	X509_CRL   *full = certmaker_crl(&(CrlSpec){.issuer_cert = ca, .issuer_key = key, .revoked = revoked});
	X509_CRL   *empty = certmaker_crl(&(CrlSpec){.issuer_cert = ca, .issuer_key = key, .next_update = ""});
	EsgMemo    *memo = esg_memo_create(100);
	EsgCrlInfo	crl;
	EsgCertInfo info;
	EsgCertInfo other_info;

	esg_x509_info_read(ca, memo, &info);
	esg_x509_info_read(other, memo, &other_info);
	esg_crl_info_read(full, &crl);
	is_int(crl.revoked_count, 3, "three revoked");
	is_int(crl.this_update.state, ESG_TIME_VALID, "this update");
	is_int(crl.next_update.state, ESG_TIME_VALID, "next update");
	is_int(crl.signature.strength, 128, "signature");
	is_int(esg_crl_info_verify(&crl, &info, memo), ESG_YES, "verified");
	is_int(esg_crl_info_verify(&crl, &info, memo), ESG_YES, "again");
	is_int(esg_crl_info_verify(&crl, &other_info, NULL), ESG_NO, "not by another key");
	esg_crl_info_read(empty, &crl);
	is_int(crl.revoked_count, 0, "none revoked");
	is_int(crl.next_update.state, ESG_TIME_ABSENT, "no next update");
	X509_CRL_free(full);
	X509_CRL_free(empty);
	X509_free(ca);
	X509_free(other);
	esg_memo_free(memo);
}

/* subjectKeyIdentifier of the CA and what the CRL's authorityKeyIdentifier says */
static const struct
{
	const char *name;
	const char *ca_extensions;
	const char *extensions;
	EsgVerdict	fits;			/* the CA it names */
	EsgVerdict	fits_other;		/* one with another identifier */
	EsgVerdict	same;			/* a certificate with authorityKeyIdentifier 0102 */
}			keys[] = {
	{"identifier", "subjectKeyIdentifier=0102", "2.5.29.35=DER:300480020102", ESG_YES, ESG_NO, ESG_YES},
	{"another identifier", "subjectKeyIdentifier=0103", "2.5.29.35=DER:300480020103", ESG_YES, ESG_NO, ESG_NO},
	{"none", "subjectKeyIdentifier=0102", NULL, ESG_UNKNOWN, ESG_UNKNOWN, ESG_UNKNOWN},
	{"issuer and serial number", "subjectKeyIdentifier=0102", "authorityKeyIdentifier=issuer:always",
	ESG_YES, ESG_NO, ESG_UNKNOWN},
	{"undecodable", "subjectKeyIdentifier=0102", "2.5.29.35=DER:0500", ESG_UNKNOWN, ESG_UNKNOWN, ESG_UNKNOWN},
};

static void
test_keys(void)
{
	EVP_PKEY   *key = certmaker_rsa(2048);
	X509	   *other = certmaker_cert(&(CertSpec){.key = key, .serial = "9",
										.extensions = "subjectKeyIdentifier=0909"});
	X509	   *nameless = certmaker_cert(&(CertSpec){.key = key});
	size_t		i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
	{
		X509	   *ca = certmaker_cert(&(CertSpec){.key = key, .extensions = keys[i].ca_extensions});
		X509	   *issued = certmaker_cert(&(CertSpec){.key = key, .extensions = "2.5.29.35=DER:300480020102"});
		X509_CRL   *crl = certmaker_crl(&(CrlSpec){.issuer_cert = ca, .issuer_key = key,
										 .extensions = keys[i].extensions});
		EsgCrlInfo	info;

		esg_crl_info_read(crl, &info);
		is_int(esg_crl_info_fits_key(&info, ca), keys[i].fits, keys[i].name);
		is_int(esg_crl_info_fits_key(&info, other), keys[i].fits_other, "another");
		is_int(esg_crl_info_same_key(&info, issued), keys[i].same, "of a certificate");
		is_int(esg_crl_info_same_key(&info, nameless), ESG_UNKNOWN, "of a certificate that names none");
		X509_CRL_free(crl);
		X509_free(issued);
		X509_free(ca);
	}
	X509_free(other);
	X509_free(nameless);
	ok(ERR_peek_error() == 0, "error queue is empty");
}

/* entries of the CA "other", that is what 2.5.29.29 says */
#define OF_OTHER "2.5.29.29=critical,DER:3014A4123010310E300C06035504030C056F74686572\n"

static const struct
{
	const char *name;
	const char *extensions;
	const char *entry_extensions;
}			listing[] = {
	{"plain", NULL, NULL},
	{"lifted suspensions", NULL, "2.5.29.21=ASN1:ENUM:8\n"},
	{"with reasons", NULL, "2.5.29.21=ASN1:ENUM:1\n"},
	{"of another CA, indirect", SCOPE("indirectCRL=TRUE"), OF_OTHER},
	{"of another CA, and not said to be", NULL, OF_OTHER},
	{"of another CA behind what is unknown", NULL, "1.2.3.7=critical,ASN1:NULL\n" OF_OTHER},
	{"of another CA, something unknown in the CRL itself", "1.2.3.7=critical,ASN1:NULL\n", OF_OTHER},
};

/* Whatever was looked for before, the answer is OpenSSL's. */
static void
compare_listing(const CrlSpec *spec, X509 *cert, const char *name)
{
	X509_CRL   *crl = certmaker_crl(spec);
	X509_CRL   *same = certmaker_crl(spec);
	X509_REVOKED *entry = NULL;
	bool		listed = X509_CRL_get0_by_cert(same, &entry, cert) == 1;
	EsgCrlInfo	info;
	int			scans = 0;
	int			i;

	esg_crl_info_read(crl, &info);
	for (i = 0; i < 6; i++)
		is_int(esg_crl_info_lists(&info, cert, &scans), listed, name);
	ok(scans <= 4, "a few are looked for entry by entry");
	X509_CRL_free(crl);
	X509_CRL_free(same);
}

static void
test_lists(void)
{
	static const char *const revoked[] = {"900", "5", "-7", "6", NULL};
	static const char *const numbers[] = {"5", "6", "7", "-7", "900", "901"};
	EVP_PKEY   *key = certmaker_rsa(2048);
	X509	   *ca = certmaker_cert(&(CertSpec){.subject = "CN=ca", .key = key});
	size_t		i;

	for (i = 0; i < 2 * sizeof(numbers) / sizeof(numbers[0]); i++)
	{
		X509	   *cert = certmaker_cert(&(CertSpec){.subject = "CN=leaf", .issuer = i % 2 ? "CN=other" : "CN=ca",
											.serial = numbers[i / 2], .key = key});
		size_t		j;

		for (j = 0; j < sizeof(listing) / sizeof(listing[0]); j++)
			compare_listing(&(CrlSpec){.issuer_cert = ca, .issuer_key = key, .revoked = revoked, .extensions = listing[j].extensions,
							.entry_extensions = listing[j].entry_extensions}, cert, listing[j].name);
		X509_free(cert);
	}
	X509_free(ca);
	ok(ERR_peek_error() == 0, "error queue is empty");
}

int
main(void)
{
	test_plain();
	test_lists();
	test_facts();
	test_keys();
	return done();
}
