/*
 * test_crl_plan.c
 *		Which of fetched CRLs may take which place among those that are there?
 */
#include <stdlib.h>

#include <openssl/err.h>

#include "certmaker.h"
#include "covered.h"
#include "policy/crl_plan.h"

#define NOW INT64_C(1780000000)	/* in May 2026 */
#define CA "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n"
#define KEY "authorityKeyIdentifier=keyid\n"
#define NUMBER(n) "2.5.29.20=ASN1:INTEGER:" #n "\n"
#define SCOPE(line) "issuingDistributionPoint=critical,@scope\n[scope]\n" line "\n"
#define MAX_CRLS 6

/* Who issues. */
enum
{
	FIRST, TWIN, OTHER, EXPIRED, ISSUERS
};

static X509 *certs[ISSUERS];
static EVP_PKEY *keys[ISSUERS];
static EsgCertInfo infos[ISSUERS];

typedef struct Crl
{
	int			issuer;
	const char *this_update;	/* [January] */
	const char *next_update;	/* [January after] */
	const char *extensions;
	const char *const *revoked;
	bool		fetched;
	bool		spoilt;			/* the signature */
	int			same_as;		/* the CRL of that number, from 1 */
} Crl;

static const char *const one[] = {"1", NULL};

/* fates: a letter for each: s(tays) g(oes) c(omes) t(here) u(surpassed) r(efused) */
static const struct
{
	const char *name;
	int			cas;			/* of the issuers, from the first */
	const char *fates;
	const char *reason;			/* of the last that is refused, or the CA that
								 * is missing; a part of it; "" none */
	bool		keep_going;
	bool		allow_missing;
	bool		allow_revoked;
	Crl			crls[MAX_CRLS];
}			cases[] = {
	{"the first one", 1, "c", "", 0, 0, 0, {{FIRST,.extensions = KEY,.fetched = true}}},
	{"a newer one", 1, "gc", "", 0, 0, 0, {{FIRST, "20260101000000Z"}, {FIRST, "20260201000000Z",.fetched = true}}},
	{"the same", 1, "st", "", 0, 0, 0, {{FIRST}, {.same_as = 1,.fetched = true}}},
	{"an older one", 1, "sr", "is older (2026-01-01", 0, 0, 0,
	{{FIRST, "20260201000000Z"}, {FIRST, "20260101000000Z",.fetched = true}}},
	{"newer, with a lower number", 1, "sr", "has a lower number", 0, 0, 0,
	{{FIRST, "20260101000000Z",.extensions = NUMBER(7)}, {FIRST, "20260201000000Z",.extensions = NUMBER(6),.fetched = true}}},
	{"newer, with the next number", 1, "gc", "", 0, 0, 0,
	{{FIRST, "20260101000000Z",.extensions = NUMBER(255)}, {FIRST, "20260201000000Z",.extensions = NUMBER(256),.fetched = true}}},
	{"two that are there", 1, "ggc", "", 0, 0, 0,
	{{FIRST, "20260102000000Z"}, {FIRST, "20260101000000Z"}, {FIRST, "20260201000000Z",.fetched = true}}},
	{"newer than one of two", 1, "ssr", "is older", 0, 0, 0,
	{{FIRST, "20260101000000Z"}, {FIRST, "20260301000000Z"}, {FIRST, "20260201000000Z",.fetched = true}}},
	{"two fetched, the newer first", 1, "gcu", "", 0, 0, 0,
	{{FIRST, "20260101000000Z"}, {FIRST, "20260301000000Z",.fetched = true}, {FIRST, "20260201000000Z",.fetched = true}}},
	{"two fetched, the newer last", 1, "guc", "", 0, 0, 0,
	{{FIRST, "20260101000000Z"}, {FIRST, "20260201000000Z",.fetched = true}, {FIRST, "20260301000000Z",.fetched = true}}},
	{"the same twice", 1, "cu", "", 0, 0, 0, {{FIRST,.fetched = true}, {.same_as = 1,.fetched = true}}},

	/* whose */
	{"of another CA", 1, "r", "is of no CA that is known here", 0, 0, 0, {{OTHER,.fetched = true}}},
	{"of another key", 1, "r", "is of another key than the CA", 0, 0, 0, {{TWIN,.extensions = KEY,.fetched = true}}},
	{"of another key, unnamed", 1, "r", "is of another key than the CA", 0, 0, 0, {{TWIN,.fetched = true}}},
	{"spoilt", 1, "r", "is not signed by the key of its CA", 0, 0, 0, {{FIRST,.extensions = KEY,.fetched = true,.spoilt = true}}},
	{"a newer one that is spoilt, and there", 1, "gc", "", 0, 0, 0,
	{{FIRST, "20260301000000Z",.extensions = KEY,.spoilt = true}, {FIRST, "20260201000000Z",.extensions = KEY,.fetched = true}}},
	{"one of each of two keys", 2, "sgc", "", 0, 0, 0,
	{{FIRST,.extensions = KEY}, {TWIN, "20260101000000Z",.extensions = KEY}, {TWIN, "20260201000000Z",.extensions = KEY,.fetched = true}}},
	{"others stay", 1, "ssgc", "", 0, 0, 0,
	{{OTHER}, {TWIN,.extensions = KEY}, {FIRST, "20260101000000Z",.extensions = KEY}, {FIRST, "20260201000000Z",.extensions = KEY,.fetched = true}}},

	/* of use */
	{"expired", 1, "r", "has expired: 2026-02-01", 0, 0, 0, {{FIRST, "20260101000000Z", "20260201000000Z",.fetched = true}}},
	{"not valid yet", 1, "r", "is not valid yet: from 2026-12-01", 0, 0, 0, {{FIRST, "20261201000000Z",.fetched = true}}},
	{"without an end", 1, "c", "", 0, 0, 0, {{FIRST, NULL, "",.fetched = true}}},
	{"delta", 1, "sr", "it is a delta CRL", 0, 0, 0,
	{{FIRST, "20260101000000Z"}, {FIRST, "20260201000000Z",.extensions = "2.5.29.27=critical,ASN1:INTEGER:3\n",.fetched = true}}},
	{"of attribute certificates", 1, "r", "it covers only attribute certificates", 0, 0, 0, {{FIRST,.extensions = SCOPE("onlyAA=TRUE"),.fetched = true}}},
	{"indirect", 1, "r", "it is an indirect CRL", 0, 0, 0, {{FIRST,.extensions = SCOPE("indirectCRL=TRUE"),.fetched = true}}},
	{"some reasons", 1, "r", "it covers only some reasons", 0, 0, 0, {{FIRST,.extensions = SCOPE("onlysomereasons=keyCompromise"),.fetched = true}}},
	{"attributes", 1, "r", "cannot be used by PostgreSQL: it covers only attribute certificates", 0, 0, 0, {{FIRST,.extensions = SCOPE("onlyAA=TRUE"),.fetched = true}}},
	{"CAs only", 1, "r", "crl_unusable", 0, 0, 0, {{FIRST,.extensions = SCOPE("onlyCA=TRUE"),.fetched = true}}},
	{"a part", 1, "sc", "", 0, 0, 0, {{FIRST}, {FIRST, "20260201000000Z",.extensions = SCOPE("fullname=URI:http://a/"),.fetched = true}}},
	{"a part that is not newer than the whole", 1, "sr", "would be used for nobody", 0, 0, 0,
	{{FIRST}, {FIRST,.extensions = SCOPE("fullname=URI:http://a/"),.fetched = true}}},
	{"a newer part", 1, "sgc", "", 0, 0, 0,
	{{FIRST}, {FIRST, "20260101000000Z",.extensions = SCOPE("fullname=URI:http://a/")},
	{FIRST, "20260201000000Z",.extensions = SCOPE("fullname=URI:http://a/"),.fetched = true}}},
	{"an unknown critical extension", 1, "r", "crl_unusable", 0, 0, 0, {{FIRST,.extensions = "1.2.3.4=critical,ASN1:NULL\n",.fetched = true}}},
	{"that lists its CA", 1, "r", "crl_revokes_own", 0, 0, 0, {{FIRST,.revoked = one,.fetched = true}}},
	{"that lists its CA, as it may", 1, "c", "", 0, 0, 1, {{FIRST,.revoked = one,.fetched = true}}},
	{"that listed its CA before", 1, "gr", "crl_revokes_own", 0, 0, 0,
	{{FIRST, "20260101000000Z",.revoked = one}, {FIRST, "20260201000000Z",.revoked = one,.fetched = true}}},

	/* all of them */
	{"one CA of three", 3, "c", "\"CN=one\"", 0, 0, 0, {{FIRST,.extensions = KEY,.fetched = true}}},
	{"as it may be", 3, "c", "", 0, 1, 0, {{FIRST,.extensions = KEY,.fetched = true}}},
	{"where another had none before", 3, "gc", "", 0, 0, 0,
	{{FIRST, "20260101000000Z",.extensions = KEY}, {FIRST, "20260201000000Z",.extensions = KEY,.fetched = true}}},
	{"one is refused", 3, "gcr", "is of no CA", 0, 0, 0,
	{{FIRST, "20260101000000Z",.extensions = KEY}, {FIRST, "20260201000000Z",.extensions = KEY,.fetched = true}, {EXPIRED,.fetched = true}}},
	{"one is refused, the other comes", 3, "gcr", "is of no CA", 1, 0, 0,
	{{FIRST, "20260101000000Z",.extensions = KEY}, {FIRST, "20260201000000Z",.extensions = KEY,.fetched = true}, {EXPIRED,.fetched = true}}},
	{"nothing", 1, "", "", 0, 0, 0, {{0}}}
};

static X509_CRL *
make_crl(const Crl *crl, X509_CRL *const *before)
{
	CrlSpec		spec = {.issuer_cert = certs[crl->issuer],.issuer_key = keys[crl->issuer],.this_update = crl->this_update,
		.next_update = crl->next_update,.extensions = crl->extensions,.revoked = crl->revoked
	};
	const ASN1_BIT_STRING *signature;
	X509_CRL   *made;

	if (crl->same_as > 0)
		return X509_CRL_dup(before[crl->same_as - 1]);
	made = certmaker_crl(&spec);
	X509_CRL_get0_signature(made, &signature, NULL);
	if (crl->spoilt)
		((unsigned char *) ASN1_STRING_get0_data(signature))[20] ^= 1;
	return made;
}

static void
run_case(size_t n)
{
	static const char letters[] = "sgctur";
	const EsgCertInfo *list[] = {&infos[0], &infos[1], &infos[2], &infos[3]};
	EsgCrlInfo	crl_infos[MAX_CRLS];
	X509_CRL   *crls[MAX_CRLS];
	EsgCrlPlanItem items[MAX_CRLS];
	EsgPolicy	policy;
	EsgCrlPlan	plan = {.items = items,.cas = list,.ca_count = cases[n].cas,.policy = &policy,.now = NOW,
		.keep_going = cases[n].keep_going,.allow_missing = cases[n].allow_missing,.allow_revoked = cases[n].allow_revoked
	};
	char		fates[MAX_CRLS + 1] = "";
	const char *reason = "";
	int			comes = 0;
	int			i;

	esg_policy_defaults(&policy);
	memset(items, 0, sizeof(items));
	plan.count = (int) strlen(cases[n].fates);
	for (i = 0; i < plan.count; i++)
	{
		crls[i] = make_crl(&cases[n].crls[i], crls);
		esg_crl_info_read(crls[i], &crl_infos[i]);
		items[i].info = &crl_infos[i];
		items[i].fetched = cases[n].crls[i].fetched;
	}
	esg_crl_plan_make(&plan);
	for (i = 0; i < plan.count; i++)
	{
		fates[i] = letters[items[i].fate];
		comes += items[i].fate == ESG_CRL_COMES;
		if (items[i].fate == ESG_CRL_IS_REFUSED)
			reason = items[i].reason;
	}
	if (plan.missing[0] != '\0')
		reason = plan.missing;
	/* what was given up for the sake of the rest goes no more */
	for (i = 0; i < plan.count; i++)
	{
		if (fates[i] == 's' && cases[n].fates[i] == 'g' && plan.coming == 0)
			fates[i] = 'g';
	}
	is_text(fates, cases[n].fates, cases[n].name);
	ok(cases[n].reason[0] == '\0' ? reason[0] == '\0' : strstr(reason, cases[n].reason) != NULL, "%s: %s",
	   cases[n].name, reason);
	is_int(plan.coming, plan.missing[0] != '\0' || (plan.refused > 0 && !plan.keep_going) ? 0 : comes, "as many come");
	ok(!plan.out_of_memory && ERR_peek_error() == 0, "%s: no error is left", cases[n].name);
	esg_crl_plan_free(&plan);
	for (i = 0; i < plan.count; i++)
		X509_CRL_free(crls[i]);
}

/* In place of the first of those that go. */
static void
test_place(void)
{
	const EsgCertInfo *list[] = {&infos[0]};
	const Crl	rows[] = {{OTHER}, {FIRST, "20260101000000Z"}, {FIRST, "20260102000000Z"}, {FIRST, "20260201000000Z"}};
	EsgCrlInfo	crl_infos[4];
	X509_CRL   *crls[4];
	EsgCrlPlanItem items[4];
	EsgPolicy	policy;
	EsgCrlPlan	plan = {.items = items,.count = 4,.cas = list,.ca_count = 1,.policy = &policy,.now = NOW};
	int			i;

	esg_policy_defaults(&policy);
	memset(items, 0, sizeof(items));
	for (i = 0; i < 4; i++)
	{
		crls[i] = make_crl(&rows[i], NULL);
		esg_crl_info_read(crls[i], &crl_infos[i]);
		items[i].info = &crl_infos[i];
		items[i].fetched = i == 3;
	}
	esg_crl_plan_make(&plan);
	is_int(items[3].place, 1, "the place is that of the first that goes");
	ok(items[3].ca == &infos[0] && items[3].is_signed, "it is known whose it is");
	ok(items[0].ca == NULL, "of a stranger it is not");
	esg_crl_plan_free(&plan);
	for (i = 0; i < 4; i++)
		X509_CRL_free(crls[i]);
}

/* A CA whose own issuer is not known has its CRL asked for clients alone. */
static void
test_intermediate(void)
{
	CertSpec	spec = {.subject = "CN=intermediate",.key = keys[TWIN],.issuer_cert = certs[FIRST],
		.issuer_key = keys[FIRST],.extensions = CA
	};
	X509	   *ca = certmaker_cert(&spec);
	X509_CRL   *crl = certmaker_crl(&(CrlSpec){.issuer_cert = ca,.issuer_key = keys[TWIN]});
	EsgCertInfo info;
	const EsgCertInfo *list[] = {&info};
	EsgCrlInfo	crl_info;
	EsgCrlPlanItem item = {.info = &crl_info,.fetched = true};
	EsgPolicy	policy;
	EsgCrlPlan	plan = {.items = &item,.count = 1,.cas = list,.ca_count = 1,.policy = &policy,.now = NOW};

	esg_policy_defaults(&policy);
	esg_x509_info_read(ca, NULL, &info);
	esg_crl_info_read(crl, &crl_info);
	esg_crl_plan_make(&plan);
	is_text(item.reason, "", "that of an intermediate alone is not refused");
	is_int(item.fate, ESG_CRL_COMES, "it comes");
	esg_crl_plan_free(&plan);
	X509_CRL_free(crl);
	X509_free(ca);
}

int
main(void)
{
	static const char *const subjects[] = {"CN=one", "CN=one", "CN=other", "CN=expired"};
	size_t		n;
	int			i;

	for (i = 0; i < ISSUERS; i++)
	{
		CertSpec	spec = {.subject = subjects[i],.extensions = CA};

		keys[i] = spec.key = i == TWIN ? certmaker_rsa_other(2048) : i == OTHER ? certmaker_ec("prime256v1") : certmaker_rsa(2048);
		certs[i] = certmaker_cert(&spec);
		esg_x509_info_read(certs[i], NULL, &infos[i]);
	}
	for (n = 0; n < sizeof(cases) / sizeof(cases[0]); n++)
		run_case(n);
	test_place();
	test_intermediate();
	for (i = 0; i < ISSUERS; i++)
		X509_free(certs[i]);
	return done();
}
