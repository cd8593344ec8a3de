/* sources: policy/findings policy/policy policy/renewal x509/cut_text x509/memo policy/public_roots x509/asn1 x509/rsa_faults x509/time x509/name x509/unicode x509/key x509/signature x509/info x509/crl_info policy/verify policy/chain policy/crl_names policy/crl_uses policy/crl */
/*
 * test_crl.c
 *		CRLs judged against the CAs of ssl_ca_file.
 *
 * What OpenSSL really does is asked by t/028_crl_logins.t.
 */
#include <stdlib.h>
#include <time.h>

#include <openssl/err.h>

#include "certmaker.h"
#include "compat.h"
#include "covered.h"
#include "esg_test.h"
#include "policy/crl.h"

#define CA_EXT "basicConstraints=critical,CA:TRUE\n"
#define CA_USAGE CA_EXT "keyUsage=critical,keyCertSign,cRLSign\n"
#define NO_CRL_SIGN CA_EXT "keyUsage=critical,keyCertSign\n"
#define SCOPE(line) "issuingDistributionPoint=critical,@scope\n[scope]\n" line "\n"
#define POINT(name) SCOPE("fullname=URI:http://pki.example.com/" name)
#define DELTA "2.5.29.27=critical,ASN1:INTEGER:3\n"
#define PUBLISH(time) "1.3.6.1.4.1.311.21.4=ASN1:UTCTIME:" time "Z\n"
#define AKI "authorityKeyIdentifier=keyid\n"

#define MAX_CRLS 6

/* ---- certificates: CAs as bits of a set; a leaf */

enum
{
	ROOT, RENEWED, ISSUING, UNFIT, ALONE, CA_COUNT, LEAF = CA_COUNT, SAME_NUMBER, CERT_COUNT
};

#define CA(name) (1U << name)

static const struct
{
	const char *subject;
	int			issuer;
	const char *serial;
	const char *extensions;
}			cert_specs[CERT_COUNT] = {
	[ROOT] = {"CN=Root", ROOT, "1", CA_USAGE "subjectKeyIdentifier=hash\n"},
	/* a root of the same name with another key */
	[RENEWED] = {"CN=Root", RENEWED, "2", CA_USAGE "subjectKeyIdentifier=hash\n"},
	[ISSUING] = {"CN=Issuing", ROOT, "3", CA_USAGE "subjectKeyIdentifier=hash\n"},
	[UNFIT] = {"CN=Unfit", UNFIT, "4", NO_CRL_SIGN},
	[ALONE] = {"CN=Alone", ALONE, "5", CA_EXT},
	[LEAF] = {"CN=db", ROOT, "77", "subjectAltName=DNS:db\n"},
	/* of the renewed CA, with the serial number of the other one's */
	[SAME_NUMBER] = {"CN=db", RENEWED, "77", "subjectAltName=DNS:db\n"},
};

static X509 *certs[CERT_COUNT];
static EsgCertInfo infos[CERT_COUNT];
static EVP_PKEY *keys[CERT_COUNT];

/* ---- CRLs; now is 2026-06-01 */

enum
{
	NO_CRL, FRESH, OLDER, STALE, NEWER_STALE, FUTURE, FOREVER, WEAK, BROKEN, CRITICAL, CRITICAL_ENTRY,
	FRESH_AKI, RENEWED_FRESH, RENEWED_NEWER, RENEWED_AKI, ISSUED, ISSUED_STALE, UNFIT_FRESH, ALONE_FRESH,
	USERS, CAS, ATTRIBUTES, REASONS, INDIRECT, POINTED, OTHER_POINT_STALE,
	ISSUED_USERS, ISSUED_CAS, ISSUED_ATTRIBUTES, ISSUED_REASONS, ISSUED_INDIRECT, ISSUED_POINT,
	BASE, CHANGES, OLD_CHANGES, LISTS_LEAF, LISTS_LEAF_AKI, LISTS_ISSUING, RENEWED_LISTS, CRL_COUNT
};

static const char *const leaf_serial[] = {"99", "77", NULL};
static const char *const issuing_serial[] = {"3", NULL};

static const struct
{
	int			issuer;
	const char *from;
	const char *to;
	const char *extensions;
	const char *entry_extensions;
	const char *const *revoked;
}			crl_specs[CRL_COUNT] = {
	[FRESH] = {ROOT, "20260520", "20270101"},
	[OLDER] = {ROOT, "20260501", "20270101"},
	[STALE] = {ROOT, "20260501", "20260531"},
	[NEWER_STALE] = {ROOT, "20260525", "20260531"},
	[FUTURE] = {ROOT, "20260603", "20270101"},
	[FOREVER] = {ROOT, "20260520", ""},
	[WEAK] = {ROOT, "20260520", "20270101"},
	[BROKEN] = {ROOT, "20260525", "20270101", AKI},
	[CRITICAL] = {ROOT, "20260520", "20270101", "1.2.3.4=critical,ASN1:NULL\n"},
	[CRITICAL_ENTRY] = {ROOT, "20260520", "20270101", NULL, "1.2.3.4=critical,ASN1:NULL\n", leaf_serial},
	[FRESH_AKI] = {ROOT, "20260520", "20270101", AKI},
	[RENEWED_FRESH] = {RENEWED, "20260519", "20270101"},
	[RENEWED_NEWER] = {RENEWED, "20260525", "20270101"},
	[RENEWED_AKI] = {RENEWED, "20260519", "20270101", AKI},
	[ISSUED] = {ISSUING, "20260520", "20270101"},
	[ISSUED_STALE] = {ISSUING, "20260501", "20260531"},
	[UNFIT_FRESH] = {UNFIT, "20260520", "20270101"},
	[ALONE_FRESH] = {ALONE, "20260520", "20270101"},
	[USERS] = {ROOT, "20260520", "20270101", SCOPE("onlyuser=TRUE")},
	[CAS] = {ROOT, "20260520", "20270101", SCOPE("onlyCA=TRUE")},
	[ATTRIBUTES] = {ROOT, "20260520", "20270101", SCOPE("onlyAA=TRUE")},
	[REASONS] = {ROOT, "20260520", "20270101", SCOPE("onlysomereasons=keyCompromise")},
	[INDIRECT] = {ROOT, "20260520", "20270101", SCOPE("indirectCRL=TRUE")},
	[POINTED] = {ROOT, "20260520", "20270101", POINT("1")},
	[OTHER_POINT_STALE] = {ISSUING, "20260501", "20260531", POINT("2")},
	[ISSUED_USERS] = {ISSUING, "20260520", "20270101", SCOPE("onlyuser=TRUE")},
	[ISSUED_CAS] = {ISSUING, "20260520", "20270101", SCOPE("onlyCA=TRUE")},
	[ISSUED_ATTRIBUTES] = {ISSUING, "20260520", "20270101", SCOPE("onlyAA=TRUE")},
	[ISSUED_REASONS] = {ISSUING, "20260520", "20270101", SCOPE("onlysomereasons=keyCompromise")},
	[ISSUED_INDIRECT] = {ISSUING, "20260520", "20270101", SCOPE("indirectCRL=TRUE")},
	[ISSUED_POINT] = {ISSUING, "20260520", "20270101", POINT("1")},
	[BASE] = {ROOT, "20260519", "20270101", NULL, NULL, leaf_serial},
	[CHANGES] = {ROOT, "20260520", "20270101", DELTA},
	[OLD_CHANGES] = {ROOT, "20260501", "20270101", DELTA},
	[LISTS_LEAF] = {ROOT, "20260520", "20270101", NULL, NULL, leaf_serial},
	[LISTS_LEAF_AKI] = {ROOT, "20260520", "20270101", AKI, NULL, leaf_serial},
	[LISTS_ISSUING] = {ROOT, "20260520", "20270101", NULL, NULL, issuing_serial},
	[RENEWED_LISTS] = {RENEWED, "20260520", "20270101", NULL, NULL, leaf_serial},
};

static X509_CRL *crls[CRL_COUNT];
static EsgCrlInfo crl_infos[CRL_COUNT];

static EsgPolicy policy;
static EsgMemo *memo;
static int64_t now;

static void
make_cert(int which, EVP_PKEY *key)
{
	CertSpec	spec = {.subject = cert_specs[which].subject, .key = key, .serial = cert_specs[which].serial,
						.extensions = cert_specs[which].extensions};
	int			issuer = cert_specs[which].issuer;

	keys[which] = key;
	if (issuer != which)
	{
		spec.issuer_cert = certs[issuer];
		spec.issuer_key = keys[issuer];
	}
	certs[which] = certmaker_cert(&spec);
	esg_x509_info_read(certs[which], memo, &infos[which]);
}

static X509_CRL *
make_crl(int issuer, const char *from, const char *to, const char *extensions, EsgCrlInfo *info)
{
	X509_CRL   *crl = certmaker_crl(&(CrlSpec) {.issuer_cert = certs[issuer], .issuer_key = keys[issuer],
												.this_update = from, .next_update = to,
												.extensions = extensions});

	esg_crl_info_read(crl, info);
	return crl;
}

static void
make_crl_of_table(int which)
{
	CrlSpec		spec = {.issuer_cert = certs[crl_specs[which].issuer], .issuer_key = keys[crl_specs[which].issuer],
						.extensions = crl_specs[which].extensions, .revoked = crl_specs[which].revoked,
						.entry_extensions = crl_specs[which].entry_extensions};
	char		from[20];
	char		to[20] = "";

	snprintf(from, sizeof(from), "%s000000Z", crl_specs[which].from);
	if (crl_specs[which].to[0] != '\0')
		snprintf(to, sizeof(to), "%s000000Z", crl_specs[which].to);
	spec.this_update = from;
	spec.next_update = to;
	if (which == WEAK)
		spec.digest = EVP_sha1();
	/* names the key of one CA, and is signed with another's */
	if (which == BROKEN)
		spec.issuer_key = keys[ALONE];
	crls[which] = certmaker_crl(&spec);
	esg_crl_info_read(crls[which], &crl_infos[which]);
}

static void
make_all(void)
{
	int			i;

	make_cert(ROOT, certmaker_rsa(2048));
	make_cert(RENEWED, certmaker_rsa_other(2048));
	make_cert(ISSUING, certmaker_ec("secp384r1"));
	make_cert(UNFIT, certmaker_ec("prime256v1"));
	make_cert(ALONE, certmaker_ec("secp521r1"));
	make_cert(LEAF, certmaker_ec("prime256v1"));
	make_cert(SAME_NUMBER, certmaker_ec("prime256v1"));
	for (i = NO_CRL + 1; i < CRL_COUNT; i++)
		make_crl_of_table(i);
}

/* ---- a situation */

typedef struct Situation
{
	const EsgCertInfo *cas[CA_COUNT];
	const EsgCrlInfo *crls[MAX_CRLS];
	const EsgCertInfo *own[CERT_COUNT];
	EsgCrlContext context;
	EsgIssuerIndex *index;
	EsgCrlUses *uses;
} Situation;

/* cas: a set; crls: up to MAX_CRLS, ended by NO_CRL; own: LEAF or SAME_NUMBER */
static void
set_up(Situation *s, unsigned cas, const int *crl_numbers, int own)
{
	EsgCrlContext *context = &s->context;
	int			i;

	memset(s, 0, sizeof(*s));
	s->own[context->own_count++] = &infos[own];
	for (i = 0; i < CA_COUNT; i++)
	{
		if (cas & (1U << i))
		{
			s->cas[context->sources.ca_count++] = &infos[i];
			s->own[context->own_count++] = &infos[i];
		}
	}
	for (i = 0; i < MAX_CRLS && crl_numbers[i] != NO_CRL; i++)
		s->crls[context->sources.crl_count++] = &crl_infos[crl_numbers[i]];
	s->index = esg_policy_chain_index(s->cas, context->sources.ca_count);
	context->sources.cas = s->cas;
	context->sources.index = s->index;
	context->sources.crls = s->crls;
	context->first_in_dir = context->sources.crl_count;
	context->own = s->own;
	context->policy = &policy;
	context->memo = memo;
	s->uses = esg_crl_uses_find(&context->sources, memo, now);
	context->uses = s->uses;
}

static void
tear_down(Situation *s)
{
	esg_crl_uses_free(s->uses);
	esg_policy_chain_index_free(s->index);
}

static void
append_findings(char *text, size_t size, const char *kind, int number, const EsgFindings *list)
{
	int			i;

	for (i = 0; i < list->count; i++)
	{
		size_t		used = strlen(text);

		snprintf(text + used, size - used, "%s%s%d %s%s", used > 0 ? ", " : "", kind, number,
				 list->items[i].severity == ESG_NOTICE ? "(notice) " : "",
				 esg_findings_def(list->items[i].code)->name);
		record("raised", list->items[i].code);
	}
}

/* "crl1 crl_expired, ca2 crl_missing", numbers from 1; words: the details, one a line */
static const char *
judge_all(Situation *s, char *words, size_t size)
{
	static char text[1024];
	int			i;
	int			k;

	text[0] = words[0] = '\0';
	for (i = 0; i < s->context.sources.crl_count + s->context.sources.ca_count; i++)
	{
		int			ca = i - s->context.sources.crl_count;
		EsgFindings list = {0};

		if (ca < 0)
			esg_policy_crl_check(s->crls[i], ESG_CRL_LOADED, i, &s->context, now, &list);
		else
			esg_policy_crl_check_ca(s->cas[ca], &s->context, &list);
		append_findings(text, sizeof(text), ca < 0 ? "crl" : "ca", (ca < 0 ? i : ca) + 1, &list);
		for (k = 0; k < list.count; k++)
			snprintf(words + strlen(words), size - strlen(words), "%s%s", words[0] != '\0' ? "\n" : "",
					 list.items[k].detail);
		esg_findings_free(&list);
	}
	return text;
}

static const struct
{
	const char *name;
	unsigned	cas;
	int			crls[MAX_CRLS];
	const char *findings;
	const char *newer;			/* with a newer OpenSSL, if that differs */
}			situations[] = {
	{"fresh", CA(ROOT), {FRESH}, ""},
	{"stale", CA(ROOT), {STALE}, "crl1 crl_expired"},
	{"future", CA(ROOT), {FUTURE}, "crl1 crl_not_yet_valid"},
	{"no end", CA(ROOT), {FOREVER}, "crl1 (notice) crl_no_next_update"},
	{"none", CA(ROOT), {0}, "ca1 crl_missing"},
	{"weak", CA(ROOT), {WEAK}, "crl1 crl_weak_signature"},
	{"bad signature", CA(ROOT), {BROKEN}, "crl1 crl_bad_signature"},
	{"bad signature and good", CA(ROOT), {BROKEN, FRESH}, "crl1 crl_bad_signature"},
	{"no cRLSign", CA(UNFIT), {UNFIT_FRESH}, "crl1 crl_bad_signature"},
	{"no key usage", CA(ALONE), {ALONE_FRESH}, ""},

	/* the best */
	{"stale and fresh", CA(ROOT), {STALE, FRESH}, ""},
	{"fresh and stale", CA(ROOT), {FRESH, NEWER_STALE}, ""},
	{"older and weak", CA(ROOT), {OLDER, WEAK}, "crl2 crl_weak_signature"},
	{"two stale", CA(ROOT), {NEWER_STALE, STALE}, "crl1 crl_expired"},

	/* whose */
	{"of nobody", CA(ALONE), {FRESH, ALONE_FRESH}, "crl1 (notice) crl_unknown_issuer"},
	{"no CA", 0, {FRESH}, "crl1 (notice) crl_unknown_issuer"},
	{"no CA, stale", 0, {STALE}, "crl1 crl_expired, crl1 (notice) crl_unknown_issuer"},
	{"of nobody, stale", CA(ALONE), {STALE, ALONE_FRESH}, "crl1 crl_expired, crl1 (notice) crl_unknown_issuer"},
	{"of nobody, stale and fresh", CA(ALONE), {STALE, FRESH, ALONE_FRESH}, "crl2 (notice) crl_unknown_issuer"},
	{"of nobody, two keys", CA(ALONE), {FRESH_AKI, RENEWED_AKI, ALONE_FRESH},
	"crl1 (notice) crl_unknown_issuer, crl2 (notice) crl_unknown_issuer"},
	{"one of two", CA(ROOT) | CA(ALONE), {FRESH}, "ca2 crl_missing"},
	{"renewed, both", CA(ROOT) | CA(RENEWED), {FRESH_AKI, RENEWED_AKI}, ""},
	{"renewed, one", CA(ROOT) | CA(RENEWED), {FRESH_AKI}, "ca2 crl_missing"},
	{"renewed, one that names no key", CA(ROOT) | CA(RENEWED), {FRESH}, "ca2 crl_missing"},
	{"renewed, both name no key", CA(ROOT) | CA(RENEWED), {FRESH, RENEWED_FRESH}, "crl2 crl_unusable"},
	{"renewed, and the former is gone", CA(RENEWED), {FRESH_AKI, RENEWED_AKI}, "crl1 (notice) crl_unknown_issuer"},
	{"only the former key's", CA(RENEWED), {FRESH_AKI}, "crl1 (notice) crl_unknown_issuer, ca1 crl_missing"},
	{"only the former key's, which it does not name", CA(RENEWED), {FRESH}, "crl1 crl_bad_signature, ca1 crl_missing"},
	{"the former key's is newer", CA(RENEWED), {FRESH, RENEWED_FRESH}, "crl1 crl_bad_signature"},
	{"issuing", CA(ROOT) | CA(ISSUING), {FRESH, ISSUED}, ""},
	{"issuing, stale", CA(ROOT) | CA(ISSUING), {FRESH, ISSUED_STALE}, "crl2 crl_expired"},
	{"issuing, the root's stale", CA(ROOT) | CA(ISSUING), {STALE, ISSUED}, "crl1 crl_expired"},
	{"issuing without its root", CA(ISSUING), {ISSUED}, ""},

	/* scope; roots are not looked for in newer versions */
	{"users", CA(ROOT), {USERS}, "crl1 crl_unusable", ""},
	{"CAs", CA(ROOT), {CAS}, "crl1 crl_unusable"},
	{"users and CAs", CA(ROOT), {USERS, CAS}, ""},
	{"users and CAs, issuing", CA(ROOT) | CA(ISSUING), {USERS, CAS, ISSUED}, ""},
	{"users, issuing", CA(ROOT) | CA(ISSUING), {USERS, ISSUED}, "crl1 crl_unusable"},
	{"attributes", CA(ROOT), {ATTRIBUTES}, "crl1 crl_unusable"},
	{"reasons", CA(ROOT), {REASONS}, "crl1 crl_unusable"},
	{"reasons and complete", CA(ROOT), {REASONS, FRESH}, ""},
	{"indirect", CA(ROOT), {INDIRECT}, "crl1 crl_unusable"},
	{"point", CA(ROOT), {POINTED}, "crl1 crl_unusable", "crl1 (notice) crl_unusable"},
	{"issuing, users", CA(ROOT) | CA(ISSUING), {FRESH, ISSUED_USERS}, ""},
	{"issuing, CAs", CA(ROOT) | CA(ISSUING), {FRESH, ISSUED_CAS}, "crl2 crl_unusable"},
	{"issuing, attributes", CA(ROOT) | CA(ISSUING), {FRESH, ISSUED_ATTRIBUTES}, "crl2 crl_unusable"},
	{"issuing, reasons", CA(ROOT) | CA(ISSUING), {FRESH, ISSUED_REASONS}, "crl2 crl_unusable"},
	{"issuing, indirect", CA(ROOT) | CA(ISSUING), {FRESH, ISSUED_INDIRECT}, "crl2 crl_unusable"},
	{"issuing, point", CA(ROOT) | CA(ISSUING), {FRESH, ISSUED_POINT}, "crl2 (notice) crl_unusable"},
	{"issuing, point and complete", CA(ROOT) | CA(ISSUING), {FRESH, ISSUED_POINT, ISSUED}, ""},
	{"issuing, two points, one stale", CA(ROOT) | CA(ISSUING), {FRESH, ISSUED_POINT, OTHER_POINT_STALE},
	"crl2 (notice) crl_unusable, crl3 crl_expired"},
	{"stranger, users", CA(ROOT), {FRESH, ISSUED_USERS}, "crl2 (notice) crl_unknown_issuer"},
	{"stranger, CAs", CA(ROOT), {FRESH, ISSUED_CAS}, "crl2 crl_unusable, crl2 (notice) crl_unknown_issuer"},
	{"stranger, reasons", CA(ROOT), {FRESH, ISSUED_REASONS}, "crl2 crl_unusable, crl2 (notice) crl_unknown_issuer"},
	{"stranger, point", CA(ROOT), {FRESH, ISSUED_POINT},
	"crl2 (notice) crl_unknown_issuer, crl2 (notice) crl_unusable"},

	/* delta CRLs */
	{"delta", CA(ROOT), {CHANGES}, "crl1 crl_unusable, ca1 crl_missing"},
	{"base and delta", CA(ROOT), {BASE, CHANGES}, "crl2 crl_unusable", ""},
	{"base and old delta", CA(ROOT), {BASE, OLD_CHANGES}, ""},

	/* critical extensions */
	{"critical", CA(ROOT), {CRITICAL}, "crl1 crl_unusable"},
	{"critical and plain", CA(ROOT), {CRITICAL, OLDER}, ""},
	{"critical entry", CA(ROOT), {CRITICAL_ENTRY}, "crl1 crl_unusable"},
};

/* What is not in the list is absent, all the more where it is empty. */
static void
record_absence(const char *findings)
{
	int			code;

	for (code = ESG_CRL_EXPIRED; code <= ESG_CRL_NOT_HASHED; code++)
	{
		if (strstr(findings, esg_findings_def((EsgCode) code)->name) == NULL)
			record("absent", (EsgCode) code);
	}
	if (strstr(findings, "crl_unusable") == NULL)
		record("absent", ESG_CRL_UNUSABLE);
}

static void
test_situations(void)
{
	char		words[2048];
	size_t		i;

	for (i = 0; i < sizeof(situations) / sizeof(situations[0]); i++)
	{
		Situation	s;
		const char *got;

		set_up(&s, situations[i].cas, situations[i].crls, ALONE);
		got = judge_all(&s, words, sizeof(words));
		record_absence(got);
		if (situations[i].newer != NULL && strcmp(got, situations[i].newer) == 0)
			ok(1, "%s, as newer versions have it", situations[i].name);
		else if (!is_text(got, situations[i].findings, situations[i].name))
			printf("# %s\n", words);
		tear_down(&s);
	}
	ok(ERR_peek_error() == 0, "error queue is empty");
}

/* ---- words */

static const struct
{
	unsigned	cas;
	int			crls[MAX_CRLS];
	const char *words;
	const char *newer;			/* with a newer OpenSSL, if that differs */
}			remarks[] = {
	{CA(ROOT), {STALE}, "1 day ago, so clients of \"CN=Root\" are refused"},
	{CA(ROOT), {FUTURE}, "2026-06-03T00:00:00Z, so clients of \"CN=Root\" are refused"},
	{CA(ROOT) | CA(ISSUING), {FRESH, ISSUED_STALE}, "1 day ago, so clients of \"CN=Issuing\" are refused"},
	{CA(ALONE), {STALE, ALONE_FRESH}, "1 day ago, so clients of \"CN=Root\" are refused\n"},
	{CA(ROOT), {BROKEN}, "its CA's key does not verify it, so clients of \"CN=Root\" are refused"},
	{CA(UNFIT), {UNFIT_FRESH}, "its CA lacks key usage cRLSign, so clients of \"CN=Unfit\" are refused"},
	{CA(ALONE) | CA(ROOT), {FRESH}, "its clients are refused"},
	{CA(ROOT), {CRITICAL}, "it has a critical extension that OpenSSL does not know (1.2.3.4), so clients of \"CN=Root\" are refused"},
	{CA(ROOT), {CRITICAL_ENTRY}, "an entry has a critical extension that OpenSSL does not know (1.2.3.4), so clients of \"CN=Root\" are refused"},
	{CA(ROOT), {CAS}, "it covers only CA certificates, so clients of \"CN=Root\" are refused"},
	{CA(ROOT), {REASONS}, "it covers only some reasons, so clients of \"CN=Root\" are refused"},
	{CA(ROOT) | CA(ISSUING), {FRESH, ISSUED_POINT},
	"it covers only a distribution point, so clients of \"CN=Issuing\" whose certificates do not name \"URI:http://pki.example.com/1\" are refused"},
	{CA(ROOT) | CA(ISSUING), {FRESH, ISSUED, OTHER_POINT_STALE}, ""},
	{CA(ROOT) | CA(RENEWED), {FRESH, RENEWED_FRESH},
	"OpenSSL takes another CA's CRL of that name for it, as not both name their keys, so clients of \"CN=Root\" (serial number 02) are refused"},
	{CA(ROOT) | CA(RENEWED), {FRESH_AKI, RENEWED_AKI}, ""},
	/* the newer one does not look for the root itself, only for what it issued */
	{CA(ROOT) | CA(ISSUING), {USERS, ISSUED},
		"it covers only certificates that are no CA's, so clients of \"CN=Root\" are refused",
	"it covers only certificates that are no CA's, so clients of \"CN=Issuing\" are refused"},
};

static void
test_words(void)
{
	char		words[2048];
	size_t		i;

	for (i = 0; i < sizeof(remarks) / sizeof(remarks[0]); i++)
	{
		Situation	s;

		set_up(&s, remarks[i].cas, remarks[i].crls, ALONE);
		(void) judge_all(&s, words, sizeof(words));
		if (remarks[i].newer != NULL && strcmp(words, remarks[i].newer) == 0)
			ok(1, "%s, as newer versions have it", remarks[i].newer);
		else
			is_text(words, remarks[i].words, remarks[i].words);
		tear_down(&s);
	}
}

/* ---- time */

static const struct
{
	const char *from;
	const char *to;
	const char *publish;		/* extension, or NULL */
	EsgTimeLeft stage;
}			times[] = {
	{"20260501000000Z", "20260531235959Z", NULL, ESG_LEFT_NOTHING},
	{"20260501000000Z", "20270101000000Z", NULL, ESG_LEFT_ENOUGH},
	{"20260501000000Z", "99991231235959Z", NULL, ESG_LEFT_ENOUGH},
	{"20260501000000Z", "", NULL, ESG_LEFT_ENOUGH},
	/* a hundred days: 5 % is five days, 2 % two */
	{"20260226010000Z", "20260606010000Z", NULL, ESG_LEFT_ENOUGH},
	{"20260225230000Z", "20260605230000Z", NULL, ESG_LEFT_SOON},
	{"20260223010000Z", "20260603010000Z", NULL, ESG_LEFT_SOON},
	{"20260222230000Z", "20260602230000Z", NULL, ESG_LEFT_VERY_SOON},
	/* a week and half a day, of which the half is the overlap */
	{"20260525000000Z", "20260601120000Z", NULL, ESG_LEFT_ENOUGH},
	{"20260524180000Z", "20260601070000Z", NULL, ESG_LEFT_SOON},
	{"20260524180000Z", "20260601070000Z", PUBLISH("260531190000"), ESG_LEFT_ENOUGH},
	{"20260524160000Z", "20260601050000Z", PUBLISH("260531170000"), ESG_LEFT_SOON},
	{"20260524120000Z", "20260601030000Z", PUBLISH("260531130000"), ESG_LEFT_VERY_SOON},
	/* two hours before the end, and an hour later */
	{"20260525000000Z", "20260601013000Z", PUBLISH("260531233000"), ESG_LEFT_ENOUGH},
	{"20260525000000Z", "20260601003000Z", PUBLISH("260531223000"), ESG_LEFT_VERY_SOON},
	/* what cannot be counts for nothing */
	{"20260524180000Z", "20260601070000Z", PUBLISH("260602000000"), ESG_LEFT_SOON},
	{"20260524180000Z", "20260601070000Z", PUBLISH("250602000000"), ESG_LEFT_SOON},
	{"20260524180000Z", "20260601070000Z", "1.3.6.1.4.1.311.21.4=ASN1:NULL\n", ESG_LEFT_SOON},
	{"20260501000000Z", "20260531235959Z", PUBLISH("260530000000"), ESG_LEFT_NOTHING},
};

/* Until the moment that is said to be the next, nothing changes; at the last one it has ended. */
static void
check_next(const EsgCrlInfo *info, const char *name)
{
	int64_t		at = info->this_update.unix_seconds;
	int64_t		left;
	int			steps;

	for (steps = 0; steps < 10; steps++)
	{
		int64_t		next = esg_policy_crl_time_next(info, &policy, at);
		EsgTimeLeft stage = esg_policy_crl_time_left(info, &policy, at, &left);

		if (next == ESG_TIME_NEVER)
			break;
		if (!ok(next > at && esg_policy_crl_time_left(info, &policy, next - 1, &left) == stage,
				"%s: no change until step %d", name, steps))
			return;
		at = next;
	}
	is_int(esg_policy_crl_time_left(info, &policy, at, &left),
		   info->next_update.state == ESG_TIME_VALID ? ESG_LEFT_NOTHING : ESG_LEFT_ENOUGH, name);
}

static void
test_times(void)
{
	size_t		i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
	{
		EsgCrlInfo	info;
		X509_CRL   *crl = make_crl(ROOT, times[i].from, times[i].to, times[i].publish, &info);
		int64_t		left;
		char		name[128];

		snprintf(name, sizeof(name), "%s to %s %.60s", times[i].from, times[i].to,
				 times[i].publish ? times[i].publish : "");
		name[strcspn(name, "\n")] = '\0';
		is_int(esg_policy_crl_time_left(&info, &policy, now, &left), times[i].stage, name);
		check_next(&info, name);
		X509_CRL_free(crl);
	}
}

/* One CRL of the root, in use. */
static void
judge_one(const char *from, const char *to, EsgCode code, EsgSeverity want, const char *name)
{
	EsgCrlInfo *info = &crl_infos[NO_CRL];
	const int	numbers[MAX_CRLS] = {FRESH, NO_CRL};
	X509_CRL   *crl = make_crl(ROOT, from, to, NULL, info);
	Situation	s;
	EsgFindings list = {0};

	set_up(&s, CA(ROOT), numbers, ALONE);
	s.crls[0] = info;
	esg_crl_uses_free(s.uses);
	s.context.uses = s.uses = esg_crl_uses_find(&s.context.sources, memo, now);
	esg_policy_crl_check(info, ESG_CRL_LOADED, 0, &s.context, now, &list);
	if (want == ESG_OK)
		lacks(&list, code, name);
	else
		shows(&list, code, want, name);
	esg_findings_free(&list);
	tear_down(&s);
	X509_CRL_free(crl);
}

static void
test_thresholds(void)
{
	judge_one("20260225230000Z", "20260605230000Z", ESG_CRL_EXPIRES_SOON, ESG_WARNING, "soon");
	judge_one("20260226010000Z", "20260606010000Z", ESG_CRL_EXPIRES_SOON, ESG_OK, "not soon");
	judge_one("20260222230000Z", "20260602230000Z", ESG_CRL_EXPIRES_VERY_SOON, ESG_CRITICAL, "very soon");
	judge_one("20260223010000Z", "20260603010000Z", ESG_CRL_EXPIRES_VERY_SOON, ESG_OK, "not very soon");
	judge_one("20260501000000Z", "20260531235959Z", ESG_CRL_EXPIRED, ESG_CRITICAL, "stale");
	judge_one("20260601000001Z", "20270101000000Z", ESG_CRL_NOT_YET_VALID, ESG_CRITICAL, "from the next second on");
	judge_one("20260601000000Z", "20270101000000Z", ESG_CRL_NOT_YET_VALID, ESG_OK, "from now on");
	judge_one("20260101000000Z", "20271301000000Z", ESG_INVALID_TIME, ESG_CRITICAL, "no such month");
	judge_one("202601010000Z", "20270101000000Z", ESG_INVALID_TIME, ESG_CRITICAL, "no seconds");
	judge_one("20260101000000Z", "20270101000000Z", ESG_INVALID_TIME, ESG_OK, "good times");
	judge_one("20260101000000Z", "", ESG_INVALID_TIME, ESG_OK, "no nextUpdate is no bad time");
	policy.crl_alert_lifetime_percent = policy.crl_critical_lifetime_percent = 100;
	judge_one("20260501000000Z", "20260820000000Z", ESG_CRL_EXPIRES_SOON, ESG_WARNING, "no cap, 80 days");
	judge_one("20260501000000Z", "20260920000000Z", ESG_CRL_EXPIRES_SOON, ESG_OK, "no cap, 111 days");
	judge_one("20260501000000Z", "20260607000000Z", ESG_CRL_EXPIRES_VERY_SOON, ESG_CRITICAL, "no cap, 6 days");
	esg_policy_defaults(&policy);
}

/* ---- what the server itself uses */

/* want: what is said of the certificate, NULL nothing, "" anything */
static void
judge_own(unsigned cas, int crl, int own, const char *want, const char *name)
{
	/* of a CA below, there is one as well */
	const int	numbers[MAX_CRLS] = {crl, (cas & CA(ISSUING)) != 0 ? ISSUED : NO_CRL};
	Situation	s;
	EsgFindings list = {0};

	set_up(&s, cas, numbers, own);
	esg_policy_crl_check(&crl_infos[crl], ESG_CRL_LOADED, 0, &s.context, now, &list);
	if (want)
		shows(&list, ESG_CRL_REVOKES_OWN, ESG_CRITICAL, name);
	else
		lacks(&list, ESG_CRL_REVOKES_OWN, name);
	for (int i = 0; want != NULL && want[0] != '\0' && i < list.count; i++)
	{
		if (list.items[i].code == ESG_CRL_REVOKES_OWN)
			is_text(list.items[i].detail, want, name);
	}
	esg_findings_free(&list);
	tear_down(&s);
}

/* The CA in the server's own chain tells that the CRL is another one's. */
static void
test_own_chain(void)
{
	const int	numbers[MAX_CRLS] = {RENEWED_LISTS, NO_CRL};
	Situation	s;
	EsgFindings list = {0};

	set_up(&s, CA(ALONE), numbers, LEAF);
	s.own[s.context.own_count++] = &infos[ROOT];
	esg_policy_crl_check(&crl_infos[RENEWED_LISTS], ESG_CRL_LOADED, 0, &s.context, now, &list);
	lacks(&list, ESG_CRL_REVOKES_OWN, "of a CA that nobody knows, but not of the chain's");
	esg_findings_free(&list);
	tear_down(&s);
}

static void
test_own(void)
{
	judge_own(CA(ROOT), FRESH, LEAF, NULL, "empty");
	judge_own(CA(ROOT), LISTS_ISSUING, LEAF, NULL, "another");
	judge_own(CA(ROOT), LISTS_LEAF, LEAF, "certificate \"CN=db\", which this server uses", "the server's");
	judge_own(CA(ROOT) | CA(ISSUING), LISTS_ISSUING, LEAF,
			  "certificate \"CN=Issuing\", which this server uses, so clients of \"CN=Issuing\" are refused", "a CA in use");
	judge_own(CA(ROOT), LISTS_LEAF, SAME_NUMBER, NULL, "the number of another key's certificate");
	judge_own(CA(ROOT) | CA(RENEWED), LISTS_LEAF, SAME_NUMBER, NULL, "the same, both CAs known");
	judge_own(CA(ALONE), LISTS_LEAF, LEAF, "", "of a CA that is not known here");
	judge_own(CA(RENEWED), LISTS_LEAF_AKI, SAME_NUMBER, NULL, "of a CA that is not known here, another's is");
	judge_own(CA(ALONE), RENEWED_LISTS, LEAF, "", "of a CA that nobody knows");
	test_own_chain();
}

/* ---- without all that it takes */

static void
test_without(void)
{
	const int	numbers[MAX_CRLS] = {STALE, NO_CRL};
	Situation	s;
	EsgFindings list = {0};

	set_up(&s, CA(ROOT), numbers, ALONE);
	s.context.uses = NULL;
	esg_policy_crl_check(s.crls[0], ESG_CRL_LOADED, 0, &s.context, now, &list);
	shows(&list, ESG_CRL_EXPIRED, ESG_CRITICAL, "nobody knows who uses it");
	is_text(list.items[0].detail, "1 day ago", "so nobody is spoken of");
	is_int(list.count, 1, "nor is anything else");
	esg_findings_free(&list);
	esg_policy_crl_check_ca(&infos[ROOT], &s.context, &list);
	is_clean(&list, "nor what is missing");
	esg_policy_crl_check(s.crls[0], ESG_CRL_EXTRA, -1, &s.context, now, &list);
	is_text(list.items[0].detail, "1 day ago", "an extra file's CRL has other clients");
	esg_findings_free(&list);
	tear_down(&s);

	set_up(&s, CA(ROOT), numbers, ALONE);
	esg_policy_crl_check(&crl_infos[BROKEN], ESG_CRL_EXTRA, -1, &s.context, now, &list);
	shows(&list, ESG_CRL_BAD_SIGNATURE, ESG_CRITICAL, "an extra file's, of a known key");
	esg_findings_free(&list);
	esg_policy_crl_check(&crl_infos[RENEWED_FRESH], ESG_CRL_EXTRA, -1, &s.context, now, &list);
	is_clean(&list, "an extra file's, of any key");
	tear_down(&s);
}

/* ---- names in a directory */

static const struct
{
	const char *names[6];		/* "%" stands for the hash; a second "!" behind
								 * it: it does not load */
	const char *path;			/* of the CRL that is asked about */
	const char *remark;			/* "": found */
	const char *newer;			/* of an OpenSSL that passes over what does
								 * not load, if that differs */
}			directories[] = {
	{{"%.r0"}, "%.r0", ""},
	{{"%.r0", "%.r1", "%.r2"}, "%.r2", ""},
	{{"%.r2", "%.r0", "%.r1"}, "%.r2", ""},
	{{"%.r1"}, "%.r1", "no file with its content is named \"%.r0\""},
	{{"%.r0", "%.r2"}, "%.r2", "no file with its content is named \"%.r1\""},
	{{"%.r0!", "%.r1"}, "%.r1", "it stops at file \"%.r0\"", ""},
	{{"%.r0!", "%.r1!", "%.r2"}, "%.r2", "it stops at file \"%.r0\"", ""},
	{{"%.r0!", "%.r2"}, "%.r2", "it stops at file \"%.r0\"", "no file with its content is named \"%.r1\""},
	{{"%.r0!", "ca.crl"}, "ca.crl", "it stops at file \"%.r0\"", "no file with its content is named \"%.r1\""},
	{{"%.r0!"}, "%.r0", ""},
	{{"ca.crl"}, "ca.crl", "no file with its content is named \"%.r0\""},
	{{"%.r0", "%.r1", "ca.crl"}, "ca.crl", "no file with its content is named \"%.r2\""},
	{{"%.r01"}, "%.r01", "no file with its content is named \"%.r0\""},
	{{"%.R0"}, "%.R0", "no file with its content is named \"%.r0\""},
	{{"%.r0x"}, "%.r0x", "no file with its content is named \"%.r0\""},
	{{"%.r-1"}, "%.r-1", "no file with its content is named \"%.r0\""},
	{{"%.r0.pem"}, "%.r0.pem", "no file with its content is named \"%.r0\""},
	{{"%.r"}, "%.r", "no file with its content is named \"%.r0\""},
	{{"%.r1234567890"}, "%.r1234567890", "no file with its content is named \"%.r0\""},
	{{"01234567.r0"}, "01234567.r0", "no file with its content is named \"%.r0\""},
	{{NULL}, "%.r0", "no file with its content is named \"%.r0\""},
};

static char *
fill_in(const char *pattern, const char *hash, const char *dir)
{
	const char *percent = strchr(pattern, '%');
	char	   *text = malloc(200);

	if (percent != NULL)
		snprintf(text, 200, "%s%.*s%s%s", dir, (int) (percent - pattern), pattern, hash, percent + 1);
	else
		snprintf(text, 200, "%s%s", dir, pattern);
	return text;
}

static EsgCrlNames *
make_names(const char *const *patterns, const char *hash, EsgCrlFileName *files, bool passes_over)
{
	int			count = 0;

	for (; count < 6 && patterns[count] != NULL; count++)
	{
		char	   *path = fill_in(patterns[count], hash, "/etc/crls/");
		size_t		len = strlen(path);

		files[count].loads = path[len - 1] != '!';
		if (!files[count].loads)
			path[len - 1] = '\0';
		files[count].path = path;
	}
	return esg_crl_names_make(files, count, passes_over);
}

static void
test_directory(const char *const *patterns, const char *path_pattern, const char *want_pattern, const char *hash,
			   bool passes_over)
{
	EsgCrlFileName files[6] = {{0}};
	EsgCrlNames *names = make_names(patterns, hash, files, passes_over);
	char	   *path = fill_in(path_pattern, hash, "/etc/crls/");
	char	   *want = fill_in(want_pattern, hash, "");
	bool		found = esg_crl_names_finds(names, path, crls[FRESH]);
	EsgCrlContext context = {.names = names, .policy = &policy};
	EsgFindings list = {0};
	int			i;

	is_int(found, want[0] == '\0', path);
	if (!found)
	{
		esg_policy_crl_check(&crl_infos[FRESH], ESG_CRL_IGNORED, -1, &context, now, &list);
		shows(&list, ESG_CRL_NOT_HASHED, ESG_WARNING, path);
		is_text(list.count > 0 ? list.items[0].detail : "", want, path);
	}
	esg_findings_free(&list);
	for (i = 0; i < 6; i++)
		free((char *) files[i].path);
	free(path);
	free(want);
	esg_crl_names_free(names);
}

static void
test_names(void)
{
	const EsgCrlInfo *found[] = {&crl_infos[OLDER], &crl_infos[FRESH]};
	EsgCrlNames *none = esg_crl_names_make(NULL, 0, false);
	EsgCrlContext context = {.sources = {.crls = found, .crl_count = 2}, .names = none, .policy = &policy};
	EsgFindings list = {0};
	char		hash[32];
	size_t		i;

	snprintf(hash, sizeof(hash), "%08lx", X509_NAME_hash_ex(X509_CRL_get_issuer(crls[FRESH]), NULL, NULL, NULL));
	for (i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
	{
		test_directory(directories[i].names, directories[i].path, directories[i].remark, hash, false);
		test_directory(directories[i].names, directories[i].path,
					   directories[i].newer != NULL ? directories[i].newer : directories[i].remark, hash, true);
	}
	ok(esg_crl_names_is_hash("01234567.r8") && esg_crl_names_is_hash("/a.b/01234567.r8") &&
	   !esg_crl_names_is_hash("0123456g.r8") && !esg_crl_names_is_hash("012345678.r8"),
	   "any hash, of eight digits");
	/* the second name of a file */
	esg_policy_crl_check(&crl_infos[FRESH], ESG_CRL_IGNORED, -1, &context, now, &list);
	lacks(&list, ESG_CRL_NOT_HASHED, "the same content under a name that is found");
	context.sources.crl_count = 1;
	esg_policy_crl_check(&crl_infos[FRESH], ESG_CRL_IGNORED, -1, &context, now, &list);
	shows(&list, ESG_CRL_NOT_HASHED, ESG_WARNING, "what is found has another content");
	esg_findings_free(&list);
	context.sources.crl_count = 2;
	context.first_in_dir = 2;
	esg_policy_crl_check(&crl_infos[FRESH], ESG_CRL_IGNORED, -1, &context, now, &list);
	shows(&list, ESG_CRL_NOT_HASHED, ESG_WARNING, "the same content in ssl_crl_file");
	esg_findings_free(&list);
	esg_crl_names_free(none);
}

/* ---- many */

static double
seconds_for(int count, const char *extensions)
{
	EsgCrlInfo *many = calloc((size_t) count, sizeof(EsgCrlInfo));
	const EsgCrlInfo **list = calloc((size_t) count, sizeof(*list));
	const int	numbers[MAX_CRLS] = {NO_CRL};
	X509_CRL   *crl = make_crl(ISSUING, NULL, NULL, extensions, &many[0]);
	Situation	s;
	EsgFindings findings = {0};
	clock_t		start;
	double		spent;
	int			i;

	for (i = 0; i < count; i++)
	{
		many[i] = many[0];
		many[i].crl = X509_CRL_dup(crl);
		list[i] = &many[i];
	}
	set_up(&s, CA(ROOT) | CA(ISSUING), numbers, ALONE);
	esg_crl_uses_free(s.uses);
	s.context.sources.crls = list;
	s.context.sources.crl_count = count;
	start = clock();
	s.context.uses = s.uses = esg_crl_uses_find(&s.context.sources, memo, now);
	for (i = 0; i < count; i++)
		esg_policy_crl_check(list[i], ESG_CRL_LOADED, i, &s.context, now, &findings);
	esg_policy_crl_check_ca(&infos[ISSUING], &s.context, &findings);
	spent = (double) (clock() - start) / CLOCKS_PER_SEC;
	esg_findings_free(&findings);
	tear_down(&s);
	for (i = 0; i < count; i++)
		X509_CRL_free(many[i].crl);
	X509_CRL_free(crl);
	free(many);
	free(list);
	return spent;
}

static void
test_many(void)
{
	ok(seconds_for(4000, NULL) < 40 * seconds_for(400, NULL) + 0.5, "linear in CRLs of one name");
	ok(seconds_for(4000, POINT("1")) < 40 * seconds_for(400, POINT("1")) + 0.5, "with distribution points, too");
}

/* ---- more than is looked at */

#define MANY_CRLS 300
#define MANY_CAS 20

/* What becomes of CRLs where the CAs are these; the CRLs of the list are all of one issuer's name. */
typedef struct Crowd
{
	X509	   *copies[MANY_CAS * 5];
	EsgCertInfo cas[MANY_CAS * 5];
	const EsgCertInfo *ca_list[MANY_CAS * 5];
	int			ca_count;
	EsgCrlInfo	crls[MANY_CRLS];
	const EsgCrlInfo *crl_list[MANY_CRLS];
	EsgCrlSources sources;
	EsgIssuerIndex *index;
	EsgCrlUses *uses;
} Crowd;

static void
add_ca(Crowd *crowd, X509 *cert)
{
	int			i = crowd->ca_count++;

	crowd->copies[i] = X509_dup(cert);
	esg_x509_info_read(crowd->copies[i], memo, &crowd->cas[i]);
	crowd->ca_list[i] = &crowd->cas[i];
}

/* Whether all is looked at is asked. */
static void
find_uses(Crowd *crowd, const EsgCrlInfo *crl, int count)
{
	for (int i = 0; i < count; i++)
	{
		crowd->crls[i] = *crl;
		crowd->crls[i].crl = X509_CRL_dup(crl->crl);
		crowd->crl_list[i] = &crowd->crls[i];
	}
	crowd->index = esg_policy_chain_index(crowd->ca_list, crowd->ca_count);
	crowd->sources = (EsgCrlSources) {crowd->ca_list, crowd->ca_count, crowd->index, crowd->crl_list, count};
	crowd->uses = esg_crl_uses_find(&crowd->sources, memo, now);
	ok(crowd->uses != NULL && !crowd->uses->incomplete, "it is found out");
}

static void
disperse(Crowd *crowd)
{
	esg_crl_uses_free(crowd->uses);
	esg_policy_chain_index_free(crowd->index);
	for (int i = 0; i < crowd->ca_count; i++)
		X509_free(crowd->copies[i]);
	for (int i = 0; i < crowd->sources.crl_count; i++)
		X509_CRL_free(crowd->crls[i].crl);
	free(crowd);
}

/* Of no CA with that name: not as many can be tried, and the further ones are not held against their files. */
static void
test_unused(void)
{
	Crowd	   *crowd = calloc(1, sizeof(Crowd));
	int			known = 0;

	add_ca(crowd, certs[ROOT]);
	find_uses(crowd, &crl_infos[RENEWED_AKI], MANY_CRLS);
	for (int i = 0; i < MANY_CRLS; i++)
		known += crowd->uses->known[i];
	ok(!crowd->uses->known[0] && crowd->uses->known[MANY_CRLS - 1], "unused CRLs are of no CA, as far as they are tried");
	is_int(known, MANY_CRLS - 256, "so many are tried");
	disperse(crowd);
}

/* CAs of one name, none of which has made the CRL. */
static void
test_many_cas(int count, bool known)
{
	Crowd	   *crowd = calloc(1, sizeof(Crowd));

	for (int i = 0; i < count; i++)
		add_ca(crowd, certs[RENEWED]);
	find_uses(crowd, &crl_infos[FRESH_AKI], 1);
	is_int(crowd->uses->known[0], known, "a CRL of none of many CAs of one name");
	disperse(crowd);
}

/* CRLs for so many distribution points. */
static void
test_many_points(void)
{
	Crowd	   *crowd = calloc(1, sizeof(Crowd));
	bool		asked[MANY_CAS] = {false};
	int			points = 0;

	add_ca(crowd, certs[ROOT]);
	find_uses(crowd, &crl_infos[POINTED], MANY_CAS);
	for (int i = 0; i < crowd->uses->count; i++)
	{
		if (crowd->uses->uses[i].point >= 0)
			asked[crowd->uses->uses[i].point] = true;
	}
	for (int i = 0; i < MANY_CAS; i++)
		points += asked[i];
	is_int(points, ESG_CHAIN_MAX_TRIES, "so many distribution points are asked for");
	disperse(crowd);
}

/* A name above the other, and of each more CAs than are looked at. */
static void
test_many_ways(void)
{
	Crowd	   *crowd = calloc(1, sizeof(Crowd));
	EVP_PKEY   *key = keys[ROOT];
	X509	   *above = NULL;
	EsgCrlInfo	info;
	X509_CRL   *crl;
	X509	   *lowest;
	char		name[16];

	for (int level = 4; level >= 0; level--)
	{
		CertSpec	spec = {.subject = name,.key = key,.issuer_cert = above,.issuer_key = key,.extensions = CA_USAGE};
		X509	   *ca;

		snprintf(name, sizeof(name), "CN=L%d", level);
		ca = certmaker_cert(&spec);
		for (int i = 0; i < MANY_CAS; i++)
			add_ca(crowd, ca);
		X509_free(above);
		above = ca;
	}
	lowest = above;
	crl = certmaker_crl(&(CrlSpec) {.issuer_cert = lowest,.issuer_key = key});
	esg_crl_info_read(crl, &info);
	find_uses(crowd, &info, 1);
	ok(crowd->uses->known[0], "a CRL of CAs with many above them");
	disperse(crowd);
	X509_CRL_free(crl);
	X509_free(lowest);
}

/* CRLs of one name that no CA here has, each of which names another certificate of it. */
static void
test_many_strangers(void)
{
	Crowd	   *crowd = calloc(1, sizeof(Crowd));
	X509_CRL   *made[MANY_CAS];
	EsgCrlInfo	infos_made[MANY_CAS];
	int			asked = 0;

	for (int i = 0; i < MANY_CAS; i++)
	{
		char		serial[16];
		CertSpec	spec = {.subject = "CN=stranger",.key = keys[ALONE],.serial = serial,.extensions = CA_USAGE};
		X509	   *ca;

		snprintf(serial, sizeof(serial), "%d", 100 + i);
		ca = certmaker_cert(&spec);
		made[i] = certmaker_crl(&(CrlSpec) {.issuer_cert = ca,.issuer_key = keys[ALONE],
											.extensions = "authorityKeyIdentifier=issuer:always\n"});
		esg_crl_info_read(made[i], &infos_made[i]);
		X509_free(ca);
	}
	add_ca(crowd, certs[ROOT]);
	find_uses(crowd, &infos_made[0], MANY_CAS);
	esg_crl_uses_free(crowd->uses);
	for (int i = 0; i < MANY_CAS; i++)
	{
		X509_CRL_free(crowd->crls[i].crl);
		crowd->crls[i] = infos_made[i];
		crowd->crls[i].crl = made[i];
	}
	crowd->uses = esg_crl_uses_find(&crowd->sources, memo, now);
	for (int i = 0; i < MANY_CAS; i++)
		asked += crowd->uses->first[i] >= 0;
	is_int(asked, ESG_CHAIN_MAX_TRIES, "so many strangers are made up");
	disperse(crowd);
}

static void
test_too_many(void)
{
	test_unused();
	test_many_cas(ESG_CHAIN_MAX_TRIES, false);
	test_many_cas(ESG_CHAIN_MAX_TRIES + 1, true);
	test_many_points();
	test_many_ways();
	test_many_strangers();
}

/* Newer versions of OpenSSL do not take it, and nothing is said. */
static void
test_delta_words(void)
{
	static const int crls[MAX_CRLS] = {BASE, CHANGES};
	char		words[2048];
	Situation	s;
	const char *found;

	set_up(&s, CA(ROOT), crls, ALONE);
	found = judge_all(&s, words, sizeof(words));
	is_text(words, found[0] != '\0' ? "it is a delta CRL, so what its base revokes does not count" : "", "beside its base");
	tear_down(&s);
}

int
main(void)
{
	int			i;

	esg_policy_defaults(&policy);
	now = INT64_C(1780272000);	/* 2026-06-01 */
	memo = esg_memo_create(100);
	make_all();
	test_situations();
	test_words();
	test_delta_words();
	test_times();
	test_thresholds();
	test_own();
	test_without();
	test_names();
	test_many();
	test_too_many();
	for (i = 0; i < CRL_COUNT; i++)
		X509_CRL_free(crls[i]);
	for (i = 0; i < CERT_COUNT; i++)
		X509_free(certs[i]);
	esg_memo_free(memo);
	return done();
}
