/* sources: policy/findings policy/policy x509/cut_text x509/memo policy/public_roots x509/asn1 x509/rsa_faults x509/time x509/name x509/key x509/signature x509/info x509/crl_info policy/chain policy/crl */
/*
 * test_crl.c
 *		CRLs judged against the CAs of ssl_ca_file.
 */
#include <openssl/err.h>

#include "certmaker.h"
#include "compat.h"
#include "covered.h"
#include "esg_test.h"
#include "policy/crl.h"

#define N ESG_NOTICE
#define W ESG_WARNING
#define CRIT ESG_CRITICAL
#define ABSENT ESG_OK

#define CA_EXT "basicConstraints=critical,CA:TRUE\n"
#define CA_USAGE CA_EXT "keyUsage=critical,keyCertSign,cRLSign\n"
#define NO_CRL_SIGN CA_EXT "keyUsage=critical,keyCertSign\n"

/* CAs: two of one name with different keys, one that may not sign CRLs, one by itself */
enum
{
	PLAIN, OTHER_KEY, FORBIDDEN, ALONE, LEAF, CERT_COUNT
};

static X509 *certs[CERT_COUNT];
static EsgCertInfo infos[CERT_COUNT];
static EVP_PKEY *keys[CERT_COUNT];
static EsgPolicy policy;
static EsgMemo *memo;
static int64_t now;

static void
make_cert(int which, const char *subject, EVP_PKEY *key, const char *extensions, int issuer,
		  const char *serial)
{
	CertSpec	spec = {0};

	spec.subject = subject;
	spec.key = keys[which] = key;
	spec.extensions = extensions;
	spec.serial = serial;
	if (issuer != which)
	{
		spec.issuer_cert = certs[issuer];
		spec.issuer_key = keys[issuer];
	}
	certs[which] = certmaker_cert(&spec);
	esg_x509_info_read(certs[which], memo, &infos[which]);
}

static void
make_certs(void)
{
	make_cert(PLAIN, "CN=CA", certmaker_rsa(2048), CA_USAGE, PLAIN, "1");
	make_cert(OTHER_KEY, "CN=CA", certmaker_rsa_other(2048), CA_EXT, OTHER_KEY, "2");
	make_cert(FORBIDDEN, "CN=CA", certmaker_ec("prime256v1"), NO_CRL_SIGN, FORBIDDEN, "3");
	make_cert(ALONE, "CN=alone", certmaker_ec("secp384r1"), CA_USAGE, ALONE, "4");
	make_cert(LEAF, "CN=db", certmaker_ec("prime256v1"), "subjectAltName=DNS:db\n", PLAIN, "77");
}

static X509_CRL *
make_crl(int issuer, const char *this_update, const char *next_update, const EVP_MD *digest,
		 const char *const *revoked, EsgCrlInfo *info)
{
	CrlSpec		spec = {0};
	X509_CRL   *crl;

	spec.issuer_cert = certs[issuer];
	spec.issuer_key = keys[issuer];
	spec.this_update = this_update;
	spec.next_update = next_update;
	spec.digest = digest;
	spec.revoked = revoked;
	crl = certmaker_crl(&spec);
	esg_x509_crl_read(crl, info);
	return crl;
}

static void
expect(const EsgFindings *list, EsgCode code, EsgSeverity want, const char *name)
{
	if (want == ABSENT)
		lacks(list, code, name);
	else
		shows(list, code, want, name);
}

/* cas: bits of the CAs in ssl_ca_file */
static void
judge_info(const EsgCrlInfo *info, unsigned cas, EsgCode code, EsgSeverity want, const char *name)
{
	const EsgCertInfo *in_file[CERT_COUNT];
	EsgFindings list = {0};
	EsgCrlContext context = {.policy = &policy, .memo = memo};
	EsgIssuerIndex *index;
	int			count = 0;
	int			i;

	for (i = 0; i < CERT_COUNT; i++)
	{
		if (cas & (1U << i))
			in_file[count++] = &infos[i];
	}
	index = esg_policy_chain_index(in_file, count);
	context.cas = index;
	esg_policy_crl_check(info, NULL, &context, now, &list);
	if (code == ESG_NO_FINDING)
		is_clean(&list, name);
	else
		expect(&list, code, want, name);
	esg_findings_free(&list);
	esg_policy_chain_index_free(index);
}

/* now is 2026-06-01; next_update "" leaves it out */
static const struct
{
	const char *this_update;
	const char *next_update;
	EsgCode		code;
	EsgSeverity want;
}			times[] = {
	{"20260501000000Z", "20260531235959Z", ESG_CRL_EXPIRED, CRIT},
	{"20260501000000Z", "20260531235959Z", ESG_CRL_EXPIRES_VERY_SOON, ABSENT},
	{"20260501000000Z", "20260601000000Z", ESG_CRL_EXPIRED, CRIT},
	{"20260501000000Z", "20260601000000Z", ESG_CRL_EXPIRES_VERY_SOON, ABSENT},
	{"20260501000000Z", "20260601000001Z", ESG_CRL_EXPIRED, ABSENT},
	{"20260501000000Z", "20260601000001Z", ESG_CRL_EXPIRES_VERY_SOON, CRIT},
	{"20250101000000Z", "20260606000000Z", ESG_CRL_EXPIRES_VERY_SOON, CRIT},
	{"20250101000000Z", "20260606000000Z", ESG_CRL_EXPIRES_SOON, ABSENT},
	{"20250101000000Z", "20260701000000Z", ESG_CRL_EXPIRES_SOON, W},
	{"20250101000000Z", "20260701000000Z", ESG_CRL_EXPIRES_VERY_SOON, ABSENT},
	/* a week's CRL, a day old */
	{"20260531000000Z", "20260607000000Z", ESG_CRL_EXPIRES_VERY_SOON, ABSENT},
	{"20260531000000Z", "20260607000000Z", ESG_CRL_EXPIRES_SOON, ABSENT},
	{"20260601000001Z", "20270101000000Z", ESG_CRL_NOT_YET_VALID, CRIT},
	{"20260601000000Z", "20270101000000Z", ESG_CRL_NOT_YET_VALID, ABSENT},
	{"20260101000000Z", "", ESG_CRL_NO_NEXT_UPDATE, N},
	{"20260101000000Z", "", ESG_CRL_EXPIRED, ABSENT},
	{"20260101000000Z", "", ESG_INVALID_TIME, ABSENT},
	{"20260101000000Z", "20270101000000Z", ESG_CRL_NO_NEXT_UPDATE, ABSENT},
	{"20260101000000Z", "99991231235959Z", ESG_CRL_EXPIRED, ABSENT},
	{"20260101000000Z", "20271301000000Z", ESG_INVALID_TIME, CRIT},
	{"202601010000Z", "20270101000000Z", ESG_INVALID_TIME, CRIT},
	{"20260101000000Z", "20270101000000Z", ESG_INVALID_TIME, ABSENT},
	{"20260101000000Z", "20270101000000Z", ESG_NO_FINDING, ABSENT},
};

static void
test_times(void)
{
	size_t		i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
	{
		EsgCrlInfo	info;
		X509_CRL   *crl = make_crl(PLAIN, times[i].this_update, times[i].next_update, NULL,
								   NULL, &info);
		char		name[80];

		snprintf(name, sizeof(name), "%s to %s", times[i].this_update, times[i].next_update);
		judge_info(&info, 1 << PLAIN, times[i].code, times[i].want, name);
		X509_CRL_free(crl);
	}
}

static const struct
{
	int			issuer;
	unsigned	cas;
	EsgCode		code;
	EsgSeverity want;
	const char *name;
}			issuers[] = {
	{PLAIN, 1 << PLAIN, ESG_NO_FINDING, ABSENT, "its CA"},
	{PLAIN, 1 << ALONE, ESG_CRL_UNKNOWN_ISSUER, W, "another CA"},
	{PLAIN, 0, ESG_CRL_UNKNOWN_ISSUER, W, "no CA"},
	{PLAIN, 1 << ALONE, ESG_CRL_BAD_SIGNATURE, ABSENT, "another CA"},
	{PLAIN, 1 << PLAIN, ESG_CRL_UNKNOWN_ISSUER, ABSENT, "its CA"},
	{PLAIN, 1 << OTHER_KEY, ESG_CRL_BAD_SIGNATURE, CRIT, "same name, another key"},
	{PLAIN, 1 << OTHER_KEY, ESG_CRL_UNKNOWN_ISSUER, ABSENT, "same name, another key"},
	{PLAIN, 1 << OTHER_KEY | 1 << PLAIN, ESG_CRL_BAD_SIGNATURE, ABSENT, "each is tried"},
	{OTHER_KEY, 1 << OTHER_KEY, ESG_CRL_BAD_SIGNATURE, ABSENT, "a CA without key usage"},
	{FORBIDDEN, 1 << FORBIDDEN, ESG_CRL_BAD_SIGNATURE, CRIT, "a CA without cRLSign"},
	{FORBIDDEN, 1 << FORBIDDEN | 1 << PLAIN, ESG_CRL_BAD_SIGNATURE, CRIT, "and one that is not it"},
};

static void
test_issuers(void)
{
	size_t		i;

	for (i = 0; i < sizeof(issuers) / sizeof(issuers[0]); i++)
	{
		EsgCrlInfo	info;
		X509_CRL   *crl = make_crl(issuers[i].issuer, NULL, NULL, NULL, NULL, &info);

		judge_info(&info, issuers[i].cas, issuers[i].code, issuers[i].want, issuers[i].name);
		X509_CRL_free(crl);
	}
	ok(ERR_peek_error() == 0, "error queue is empty");
}

static void
test_signature(void)
{
	EsgCrlInfo	info;
	X509_CRL   *crl = make_crl(PLAIN, NULL, NULL, EVP_sha1(), NULL, &info);

	judge_info(&info, 1 << PLAIN, ESG_CRL_WEAK_SIGNATURE, W, "SHA-1");
	X509_CRL_free(crl);
	crl = make_crl(PLAIN, NULL, NULL, EVP_sha384(), NULL, &info);
	judge_info(&info, 1 << PLAIN, ESG_CRL_WEAK_SIGNATURE, ABSENT, "SHA-384");
	info.signature.strength = -1;
	judge_info(&info, 1 << PLAIN, ESG_CRL_WEAK_SIGNATURE, W, "unknown");
	X509_CRL_free(crl);
}

static void
judge_own(int issuer, const char *const *revoked, int own, EsgSeverity want, const char *name)
{
	const EsgCertInfo *certificates[] = {&infos[own], &infos[ALONE]};
	EsgCrlContext context = {.own = certificates, .own_count = 2, .policy = &policy, .memo = memo};
	EsgFindings list = {0};
	EsgCrlInfo	info;
	X509_CRL   *crl = make_crl(issuer, NULL, NULL, NULL, revoked, &info);

	esg_policy_crl_check(&info, NULL, &context, now, &list);
	expect(&list, ESG_CRL_REVOKES_OWN, want, name);
	esg_findings_free(&list);
	X509_CRL_free(crl);
}

static void
test_own(void)
{
	static const char *const others[] = {"5", "78", "79", NULL};
	static const char *const leaf[] = {"99", "77", "5", NULL};
	static const char *const ca[] = {"1", NULL};

	judge_own(PLAIN, NULL, LEAF, ABSENT, "empty");
	judge_own(PLAIN, others, LEAF, ABSENT, "others");
	judge_own(PLAIN, leaf, LEAF, CRIT, "the server's");
	judge_own(PLAIN, ca, PLAIN, CRIT, "a CA");
	judge_own(ALONE, leaf, LEAF, ABSENT, "the same number of another CA");
}

static void
judge_missing(int ca, int crl_issuer, EsgSeverity want, const char *name)
{
	EsgFindings list = {0};
	EsgCrlInfo	info;
	X509_CRL   *crl = make_crl(crl_issuer, NULL, NULL, NULL, NULL, &info);
	const EsgCrlInfo *crls[] = {&info};
	EsgCrlContext context = {.crls = crls, .crl_count = 1, .policy = &policy};

	esg_policy_crl_check_ca(&infos[ca], &context, &list);
	expect(&list, ESG_CRL_MISSING, want, name);
	esg_findings_free(&list);
	X509_CRL_free(crl);
}

static void
test_missing(void)
{
	EsgFindings list = {0};
	EsgCrlContext none = {.policy = &policy};

	judge_missing(PLAIN, PLAIN, ABSENT, "its CRL");
	judge_missing(ALONE, PLAIN, CRIT, "another's CRL");
	judge_missing(LEAF, ALONE, ABSENT, "no CA needs none");
	esg_policy_crl_check_ca(&infos[PLAIN], &none, &list);
	shows(&list, ESG_CRL_MISSING, CRIT, "no CRL at all");
	esg_findings_free(&list);
}

static const char *
find_detail(const EsgFindings *list, EsgCode code)
{
	int			i;

	for (i = 0; i < list->count; i++)
	{
		if (list->items[i].code == code)
			return list->items[i].detail;
	}
	return NULL;
}

static void
test_file_names(void)
{
	static const struct
	{
		const char *tail;		/* after the hash and a dot */
		EsgSeverity want;
	}			tails[] = {
		{"r0", ABSENT}, {"r1", ABSENT}, {"r12", ABSENT}, {"r", W}, {"0", W}, {"r01", W},
		{"r0x", W}, {"R0", W}, {"r-1", W}, {"r0.pem", W}, {"", W},
	};
	EsgCrlInfo	info;
	X509_CRL   *crl = make_crl(PLAIN, NULL, NULL, NULL, NULL, &info);
	EsgCrlContext context = {.policy = &policy, .memo = memo};
	EsgFindings list = {0};
	char		hash[32];
	char		name[64];
	size_t		i;

	snprintf(hash, sizeof(hash), "%08lx.r", X509_NAME_hash_ex(X509_CRL_get_issuer(crl), NULL, NULL, NULL));
	for (i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
	{
		snprintf(name, sizeof(name), "/etc/crls/%.9s%s", hash, tails[i].tail);
		esg_policy_crl_check(&info, name, &context, now, &list);
		ok(esg_policy_crl_is_hash_name(name) == (tails[i].want == ABSENT), "%s", name);
		expect(&list, ESG_CRL_NOT_HASHED, tails[i].want, name);
		esg_findings_free(&list);
	}
	ok(esg_policy_crl_is_hash_name("01234567.r8") && !esg_policy_crl_is_hash_name("0123456g.r8") &&
	   !esg_policy_crl_is_hash_name("012345678.r8"), "any hash, of eight digits");
	esg_policy_crl_check(&info, "ca.crl", &context, now, &list);
	shows(&list, ESG_CRL_NOT_HASHED, W, "ca.crl");
	snprintf(name, sizeof(name), "%s0", hash);
	is_text(find_detail(&list, ESG_CRL_NOT_HASHED), name, "the name it should have");
	esg_findings_free(&list);
	X509_CRL_free(crl);
}

int
main(void)
{
	int			i;

	esg_policy_defaults(&policy);
	now = INT64_C(1780272000); /* 2026-06-01 */
	memo = esg_memo_create(100);
	make_certs();
	test_times();
	test_issuers();
	test_signature();
	test_own();
	test_missing();
	test_file_names();
	for (i = 0; i < CERT_COUNT; i++)
		X509_free(certs[i]);
	esg_memo_free(memo);
	return done();
}
