/*
 * test_failing.c
 *		Certificates and CRLs where OpenSSL fails or memory ends: what is then not known is not taken for good.
 *
 * A sanitizer sees what is not given back.
 */
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "certmaker.h"
#include "failing.h"
#include "policy/chain.h"
#include "policy/crl.h"
#include "policy/crl_names.h"
#include "policy/crl_plan.h"
#include "policy/crl_uses.h"
#include "policy/revocation.h"
#include "policy/shell_text.h"
#include "policy/verify.h"
#include "policy/worse.h"
#include "x509/crl_points.h"
#include "x509/crl_text.h"
#include "x509/dh_params.h"
#include "x509/host_names.h"
#include "x509/memo.h"
#include "x509/pem.h"

#define NOW INT64_C(1780000000)	/* in May 2026 */
#define CA "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\nkeyUsage=keyCertSign,cRLSign\n"
#define LEAF "basicConstraints=CA:FALSE\nsubjectAltName=DNS:*.example.com,DNS:b.example.com,IP:192.0.2.1,dirName:dn\n" \
	"authorityKeyIdentifier=keyid\ncrlDistributionPoints=URI:http://a/crl,URI:http://b/crl\n" \
	"extendedKeyUsage=serverAuth,1.2.3.4\nauthorityInfoAccess=caIssuers;URI:http://a/ca\n[dn]\nCN=x\n"
#define POINT "authorityKeyIdentifier=keyid\nissuingDistributionPoint=critical,@scope\n[scope]\nfullname=URI:http://a/crl\n"

enum
{
	ROOT, INTERMEDIATE, STRANGER, SERVER, CERTS
};

#define CRLS 5

static X509 *certs[CERTS];
static EsgCertInfo infos[CERTS];
static const EsgCertInfo *const cas[] = {&infos[ROOT], &infos[INTERMEDIATE]};
static X509_CRL *crls[CRLS];
static EsgCrlInfo crl_infos[CRLS];
static const EsgCrlInfo *const crl_list[CRLS] = {&crl_infos[0], &crl_infos[1], &crl_infos[2], &crl_infos[3], &crl_infos[4]};
static EsgPolicy policy;

static bool is_first;			/* nothing fails yet: what a scenario gives is what is right */

/* ---- certificates ---- */

/* Nothing is known of a certificate that could not be read but what is there; no fact is another one. */
static Outcome
read_info(void)
{
	static EsgCertInfo whole;
	EsgCertInfo info;

	esg_x509_info_read(certs[SERVER], NULL, &info);
	if (is_first)
		whole = info;
	if (info.is_ca || info.key.type != whole.key.type || info.server_purpose != whole.server_purpose)
		return WRONG;
	return memcmp(info.fingerprint, whole.fingerprint, sizeof(info.fingerprint)) == 0 &&
		memcmp(info.key.digest, whole.key.digest, sizeof(info.key.digest)) == 0 && info.key.faults == whole.key.faults ? RIGHT : TOLD;
}

static Outcome
list_key_usages(void)
{
	char	   *names[4] = {NULL};
	int			count = esg_x509_info_ext_key_usage_names(&infos[SERVER], names, 4);
	bool		whole = count == 2 && strcmp(names[0], "serverAuth") == 0 && strcmp(names[1], "1.2.3.4") == 0;
	int			i;

	for (i = 0; i < count; i++)
		OPENSSL_free(names[i]);
	return whole ? RIGHT : count < 2 ? TOLD : WRONG;
}

/* Frees the text; NULL: there was no memory for it. */
static Outcome
judge_text(char *text, const char *wanted)
{
	Outcome		outcome = text == NULL ? TOLD : strcmp(text, wanted) == 0 ? RIGHT : WRONG;

	OPENSSL_free(text);
	return outcome;
}

static Outcome
write_serial(void)
{
	return judge_text(esg_x509_info_serial_text(X509_get0_serialNumber(certs[SERVER])), "04D2");
}

static Outcome
write_name(void)
{
	return judge_text(esg_x509_name_text(X509_get_subject_name(certs[SERVER])), "CN=J\303\266rg,O=x");
}

/* One with a value that is no text, which is shown as hex. */
static Outcome
write_strange_name(void)
{
	static char whole[200];
	char	   *text = esg_x509_name_text(X509_get_subject_name(certs[STRANGER]));
	Outcome		outcome;

	if (is_first)
		snprintf(whole, sizeof(whole), "%s", text);
	outcome = text == NULL ? TOLD : strcmp(text, whole) == 0 && strchr(text, '#') != NULL ? RIGHT : WRONG;
	OPENSSL_free(text);
	return outcome;
}

static Outcome
list_alt_names(void)
{
	EsgAltNames names;
	bool		read = esg_x509_name_alt_names(certs[SERVER], &names);
	Outcome		outcome = !read ? (names.count == 0 ? TOLD : WRONG) : names.count == 4 ? RIGHT : WRONG;

	if (read && names.count == 4)
		outcome = strcmp(names.items[0].text, "*.example.com") == 0 && strcmp(names.items[3].text, "CN=x") == 0 ? RIGHT : WRONG;
	esg_x509_name_alt_names_free(&names);
	return outcome;
}

static Outcome
judge_host_names(void)
{
	char		fault[200];

	return esg_x509_host_names_bad(certs[SERVER], fault, sizeof(fault)) ? WRONG : RIGHT;
}

static Outcome
judge_lost_names(void)
{
	char		fault[200];

	return esg_x509_host_names_lost(certs[SERVER], fault, sizeof(fault)) ? WRONG : RIGHT;
}

static void
count_name(const char *name, void *arg)
{
	static const char *const names[] = {"*.example.com", "b.example.com", "192.0.2.1"};
	int			i;

	for (i = 0; i < 3 && strcmp(name, names[i]) != 0;)
		i++;
	*(int *) arg += i < 3 ? 1 : 100;
}

static Outcome
list_host_names(void)
{
	int			known = 0;
	int			count = esg_x509_host_names_each(certs[SERVER], count_name, &known);

	return known != count || count > 3 ? WRONG : count == 3 ? RIGHT : TOLD;
}

static Outcome
read_points(void)
{
	EsgCrlPoints points;
	bool		read = esg_crl_points_read(certs[SERVER], &points);
	Outcome		outcome = !read ? TOLD : points.count == 2 && strcmp(points.urls[1], "http://b/crl") == 0 ? RIGHT : WRONG;

	esg_crl_points_free(&points);
	return outcome;
}

/* A path that was not verified is no good one. */
static Outcome
verify_path(void)
{
	X509	   *path[] = {certs[SERVER], certs[INTERMEDIATE], certs[ROOT]};
	EsgChainFault fault;

	if (!esg_policy_verify_path(path, 3, &fault))
		return TOLD;
	return fault.error == X509_V_OK ? RIGHT : fault.error == X509_V_ERR_UNSPECIFIED ? TOLD : WRONG;
}

static bool
has_all(const EsgFindings *found, const EsgFindings *wanted)
{
	int			i;

	for (i = 0; i < wanted->count; i++)
	{
		if (!esg_findings_has(found, wanted->items[i].code))
			return false;
	}
	return true;
}

/*
 * In the wrong order, and with a stranger: nothing of that may be forgotten.  Where OpenSSL cannot say who has
 * signed, which is not lack of memory alone, nobody is blamed.
 */
static Outcome
judge_chain(void)
{
	static EsgFindings wanted[4];
	EsgFindings found[4] = {{0}};
	EsgChainCert chain[] = {
		{&infos[SERVER], ESG_PLACE_LEAF, &found[0]}, {&infos[ROOT], ESG_PLACE_CHAIN, &found[1]},
		{&infos[INTERMEDIATE], ESG_PLACE_CHAIN, &found[2]}, {&infos[STRANGER], ESG_PLACE_CHAIN, &found[3]}
	};
	EsgChainContext context = {.policy = &policy,.now = NOW};
	bool		told;
	bool		right = true;
	int			i;

	failing_name = "";
	esg_policy_chain_check(chain, 4, &context, NULL);
	told = strcmp(failing_name, "X509_verify") == 0;
	for (i = 0; i < 4; i++)
	{
		if (is_first)
			wanted[i] = found[i];
		told |= found[i].out_of_memory;
		right &= has_all(&found[i], &wanted[i]);
		if (!is_first)
			esg_findings_free(&found[i]);
	}
	return told ? TOLD : right ? RIGHT : WRONG;
}

/* ---- CRLs ---- */

static Outcome
read_crl(void)
{
	static EsgCrlInfo whole;
	EsgCrlInfo	info;

	esg_crl_info_read(crls[3], &info);
	if (is_first)
		whole = info;
	if (info.revoked_count != whole.revoked_count || info.scope != whole.scope || info.delta)
		return WRONG;
	return memcmp(info.fingerprint, whole.fingerprint, sizeof(info.fingerprint)) == 0 ? RIGHT : TOLD;
}

static Outcome
write_point(void)
{
	char	   *text = esg_crl_info_point_text(&crl_infos[3]);
	Outcome		outcome = text == NULL ? TOLD : strcmp(text, "URI:http://a/crl") == 0 ? RIGHT : WRONG;

	OPENSSL_free(text);
	return outcome;
}

static Outcome
verify_crl(void)
{
	switch (esg_crl_info_verify(&crl_infos[0], &infos[ROOT], NULL))
	{
		case ESG_YES:
			return RIGHT;
		case ESG_UNKNOWN:
			return TOLD;
		default:
			return WRONG;
	}
}

static Outcome
find_uses(void)
{
	static int	whole;
	EsgIssuerIndex *index = esg_policy_chain_index(cas, 2);
	EsgCrlSources sources = {cas, 2, index, crl_list, CRLS};
	EsgMemo    *memo = index != NULL ? esg_memo_create(100) : NULL;
	EsgCrlUses *uses = index != NULL ? esg_crl_uses_find(&sources, memo, NOW) : NULL;
	Outcome		outcome = uses == NULL || uses->incomplete ? TOLD : RIGHT;

	if (is_first)
		whole = uses->count;
	if (outcome == RIGHT && uses->count != whole)
		outcome = WRONG;
	esg_crl_uses_free(uses);
	esg_memo_free(memo);
	esg_policy_chain_index_free(index);
	return outcome;
}

static Outcome
name_files(void)
{
	EsgCrlFileName files[] = {{"/x/0a1b2c3d.r0", true}, {"/x/other", true}};
	EsgCrlNames *names = esg_crl_names_make(files, 2, false);
	Outcome		outcome = names == NULL ? TOLD : RIGHT;

	esg_crl_names_free(names);
	return outcome;
}

/* A newer CRL of each CA comes; where it is not known whether it may, none does. */
static Outcome
make_plan(void)
{
	EsgCrlPlanItem items[CRLS];
	EsgCrlPlan	plan = {.items = items,.count = CRLS,.cas = cas,.ca_count = 2,.policy = &policy,.now = NOW};
	Outcome		outcome;
	int			i;

	memset(items, 0, sizeof(items));
	for (i = 0; i < CRLS; i++)
	{
		items[i].info = crl_list[i];
		items[i].fetched = i == 1 || i == 3;
	}
	esg_crl_plan_make(&plan);
	if (plan.coming == 2)
		outcome = items[1].fate == ESG_CRL_COMES && items[3].fate == ESG_CRL_COMES ? RIGHT : WRONG;
	else
		outcome = plan.coming == 0 && (plan.out_of_memory || plan.refused > 0 || plan.missing[0] != '\0') ? TOLD : WRONG;
	esg_crl_plan_free(&plan);
	return outcome;
}

static Outcome
find_revoked(void)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	STACK_OF(X509) *known = sk_X509_new_null();
	STACK_OF(X509_CRL) *lists = sk_X509_CRL_new_null();
	EsgRevocationIndex *index = esg_revocation_index_new(4, 1);
	EsgRevocationKey keys[ESG_REVOCATION_DEPTH];
	bool		revoked = false;
	bool		made = chain != NULL && known != NULL && lists != NULL && index != NULL &&
		sk_X509_push(chain, certs[SERVER]) && sk_X509_push(chain, certs[INTERMEDIATE]) &&
		sk_X509_push(known, certs[INTERMEDIATE]) && sk_X509_CRL_push(lists, crls[2]);
	bool		judged;

	if (made)
		esg_revocation_index_add(index, keys, esg_revocation_keys(chain, 1, keys), 0);
	judged = made && esg_revocation_judge(index, lists, known, NOW, &revoked);
	sk_X509_free(chain);
	sk_X509_free(known);
	sk_X509_CRL_free(lists);
	esg_revocation_index_free(index);
	return !judged ? (revoked ? WRONG : TOLD) : revoked ? RIGHT : TOLD;
}

static Outcome
read_worth(void)
{
	static EsgWorthItem whole[3];
	EsgWorthItem items[3];
	bool		read[] = {
		esg_worth_read_cert(&infos[SERVER], &items[0]), esg_worth_read_crl(&crl_infos[0], &items[1]),
		esg_worth_read_name("b.example.com", &items[2])
	};
	Outcome		outcome = RIGHT;
	int			i;

	if (is_first)
		memcpy(whole, items, sizeof(whole));
	for (i = 0; i < 3; i++)
	{
		if (!read[i] && outcome == RIGHT)
			outcome = TOLD;
		else if (read[i] && memcmp(items[i].id, whole[i].id, sizeof(items[i].id)) != 0)
			outcome = WRONG;
	}
	return outcome;
}

/* ---- text ---- */

static char *pem;

static bool
take_cert(X509 *cert, int position, void *arg)
{
	(void) position;
	(void) arg;
	X509_free(cert);
	return true;
}

static Outcome
scan_pem(void)
{
	EsgPemSink	sink = {take_cert, NULL, NULL};
	EsgPemResult result;

	esg_pem_scan(pem, strlen(pem), ESG_PEM_CERTS, &sink, &result);
	return result.end == ESG_PEM_COMPLETE ? (result.certs == 1 ? RIGHT : WRONG) : TOLD;
}

static Outcome
parse_text(const char *text, size_t len)
{
	char		reason[ESG_CRL_TEXT_REASON_SIZE];
	STACK_OF(X509_CRL) *list = esg_crl_text_parse(text, len, reason);
	Outcome		outcome = list == NULL ? (reason[0] != '\0' ? TOLD : WRONG) : sk_X509_CRL_num(list) == 1 ? RIGHT : WRONG;

	sk_X509_CRL_pop_free(list, X509_CRL_free);
	return outcome;
}

static char *crl_pem;
static unsigned char *crl_der;
static int	crl_der_len;

static Outcome
parse_crl_pem(void)
{
	return parse_text(crl_pem, strlen(crl_pem));
}

static Outcome
parse_crl_der(void)
{
	return parse_text((const char *) crl_der, (size_t) crl_der_len);
}

static Outcome
write_crl(void)
{
	BIO		   *out = BIO_new(BIO_s_mem());
	bool		written = out != NULL && esg_crl_text_append(out, crls[0]);
	char	   *text;
	Outcome		outcome = written ? ((size_t) BIO_get_mem_data(out, &text) == strlen(crl_pem) ? RIGHT : WRONG) : TOLD;

	BIO_free(out);
	return outcome;
}

/* RFC 7919, A.1: ffdhe2048 */
static const char dh_params[] =
"-----BEGIN DH PARAMETERS-----\n"
"MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz\n"
"+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a\n"
"87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7\n"
"YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi\n"
"7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD\n"
"ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==\n"
"-----END DH PARAMETERS-----\n";

static Outcome
read_dh_params(void)
{
	EsgDhParams params;
	Outcome		outcome;

	esg_dh_params_read(dh_params, strlen(dh_params), &params);
	outcome = params.params == NULL ? (esg_dh_params_are_invalid(&params) ? TOLD : WRONG) :
		params.bits == 2048 && !esg_dh_params_are_invalid(&params) ? RIGHT : WRONG;
	esg_dh_params_free(&params);
	return outcome;
}

static Outcome
write_shell_text(void)
{
	EsgShellText text = {NULL, 0, false};
	char	   *taken;
	Outcome		outcome;

	esg_shell_text_append(&text, "chown ");
	esg_shell_text_append_name(&text, "a b");
	esg_shell_text_append(&text, " ");
	esg_shell_text_append_quoted(&text, "it's");
	taken = esg_shell_text_take(&text);
	outcome = taken == NULL ? TOLD : strcmp(taken, "chown 'a b' 'it'\\''s'") == 0 ? RIGHT : WRONG;
	OPENSSL_free(taken);
	return outcome;
}

/* What is not remembered is asked for again. */
static Outcome
remember(void)
{
	EsgMemo    *memo = esg_memo_create(4096);
	unsigned char key[ESG_DIGEST_SIZE] = {0};
	int			value = -1;
	int			i;
	Outcome		outcome = memo == NULL ? TOLD : RIGHT;

	for (i = 0; i < 200; i++)
	{
		key[0] = (unsigned char) i;
		esg_memo_put(memo, key, key, i);
		if (!esg_memo_get(memo, key, key, &value))
			outcome = TOLD;
		else if (value != i)
			outcome = WRONG;
	}
	esg_memo_free(memo);
	return outcome;
}

static const struct
{
	const char *name;
	Outcome		(*run) (void);
	int			told;			/* at least */
}			scenarios[] = {
	{"facts of a certificate", read_info, 2},
	{"key usages", list_key_usages, 1},
	{"a serial number", write_serial, 1},
	{"a name as text", write_name, 1},
	{"a strange name as text", write_strange_name, 3},
	{"alternative names", list_alt_names, 4},
	{"bad host names", judge_host_names, 0},
	{"lost host names", judge_lost_names, 0},
	{"host names", list_host_names, 1},
	{"distribution points", read_points, 2},
	{"a path", verify_path, 6},
	{"a chain", judge_chain, 8},
	{"facts of a CRL", read_crl, 1},
	{"a CRL's distribution point", write_point, 2},
	{"a CRL's signature", verify_crl, 1},
	{"uses of CRLs", find_uses, 20},
	{"names of CRL files", name_files, 1},
	{"a plan for CRLs", make_plan, 20},
	{"revoked certificates", find_revoked, 8},
	{"what a file is worth", read_worth, 10},
	{"PEM", scan_pem, 1},
	{"CRLs in PEM", parse_crl_pem, 2},
	{"a CRL in DER", parse_crl_der, 2},
	{"a CRL as PEM", write_crl, 1},
	{"parameters of Diffie-Hellman", read_dh_params, 3},
	{"a command", write_shell_text, 3},
	{"a memo", remember, 2}
};

static void
make_certs(void)
{
	CertSpec	specs[CERTS] = {
		{.subject = "CN=root",.extensions = CA,.key = certmaker_rsa(2048)},
		{.subject = "CN=intermediate",.extensions = CA "authorityKeyIdentifier=keyid\n",.key = certmaker_ec("prime256v1"),.serial = "77"},
		{.subject = "CN=stranger,1.2.3.4=ab",.extensions = CA,.key = certmaker_rsa_other(2048)},
		{.subject = "O=x,CN=J\303\266rg",.extensions = LEAF,.key = certmaker_rsa(2048),.serial = "1234"}
	};
	int			i;

	for (i = 0; i < CERTS; i++)
	{
		if (i == INTERMEDIATE || i == SERVER)
		{
			specs[i].issuer_cert = certs[i == SERVER ? INTERMEDIATE : ROOT];
			specs[i].issuer_key = specs[i == SERVER ? INTERMEDIATE : ROOT].key;
		}
		certs[i] = certmaker_cert(&specs[i]);
		esg_x509_info_read(certs[i], NULL, &infos[i]);
	}
}

/* For each CA one and a newer one, of the intermediate one with a distribution point, and one of a stranger. */
static void
make_crls(void)
{
	static const char *const listed[] = {"1234", NULL};
	static const struct
	{
		int			issuer;
		const char *this_update;
		const char *extensions;
	}			rows[CRLS] = {
		{ROOT, "20260101000000Z", "2.5.29.20=ASN1:INTEGER:1\n"},
		{ROOT, "20260201000000Z", "2.5.29.20=ASN1:INTEGER:2\n"},
		{INTERMEDIATE, "20260101000000Z", "authorityKeyIdentifier=keyid\n"},
		{INTERMEDIATE, "20260201000000Z", POINT},
		{STRANGER, "20260101000000Z", "authorityKeyIdentifier=keyid,issuer:always\n"}
	};
	EVP_PKEY   *keys[CERTS] = {certmaker_rsa(2048), certmaker_ec("prime256v1"), certmaker_rsa_other(2048), NULL};
	int			i;

	for (i = 0; i < CRLS; i++)
	{
		CrlSpec		spec = {.issuer_cert = certs[rows[i].issuer],.issuer_key = keys[rows[i].issuer],
			.this_update = rows[i].this_update,.extensions = rows[i].extensions,.revoked = i == 2 ? listed : NULL
		};

		crls[i] = certmaker_crl(&spec);
		esg_crl_info_read(crls[i], &crl_infos[i]);
	}
}

int
main(void)
{
	size_t		i;
	int			told;

	esg_policy_defaults(&policy);
	make_certs();
	make_crls();
	pem = certmaker_pem(certs[SERVER]);
	crl_pem = certmaker_crl_pem(crls[0]);
	crl_der_len = i2d_X509_CRL(crls[0], &crl_der);
	for (i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
	{
		is_first = true;
		is_int(scenarios[i].run(), RIGHT, scenarios[i].name);
		is_first = false;
		told = fail_each(scenarios[i].name, scenarios[i].run);
		ok(told >= scenarios[i].told, "%s: that a call fails is told %d times", scenarios[i].name, told);
		ok(ERR_peek_error() == 0, "%s: no error is left", scenarios[i].name);
	}
	OPENSSL_free(crl_der);
	free(crl_pem);
	free(pem);
	for (i = 0; i < CRLS; i++)
		X509_CRL_free(crls[i]);
	for (i = 0; i < CERTS; i++)
		X509_free(certs[i]);
	return done();
}
