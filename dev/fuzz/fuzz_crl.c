/*
 * fuzz_crl.c
 *		Hostile CRLs, as DER, judged.
 *
 * Beside a CA of the CRL's issuer's name, beside other CAs, and with none:
 * besides not crashing, a second judgement says what the first one said, texts
 * are not cut within a character, and OpenSSL's error queue is left empty.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "checks.h"
#include "policy/crl.h"

#define NOW INT64_C(1790000000)

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static EsgMemo *memo;
static X509 *root;

static X509 *
make_root(void)
{
	static const unsigned char secret[32] = {1};
	EVP_PKEY   *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof(secret));
	X509	   *cert = X509_new();
	X509_NAME  *name = X509_NAME_new();

	must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *) "root", -1, -1, 0));
	must(X509_set_version(cert, 2) && ASN1_INTEGER_set(X509_get_serialNumber(cert), 1));
	must(X509_set_subject_name(cert, name) && X509_set_issuer_name(cert, name));
	must(X509_gmtime_adj(X509_getm_notBefore(cert), 0) != NULL);
	must(X509_gmtime_adj(X509_getm_notAfter(cert), 864000) != NULL);
	must(X509_set_pubkey(cert, key) && X509_sign(cert, key, NULL) > 0);
	X509_NAME_free(name);
	EVP_PKEY_free(key);
	return cert;
}

/* a CA certificate with the name of the CRL's issuer; NULL if no certificate can have it */
static X509 *
make_namesake(const X509_CRL *crl)
{
	X509	   *cert = X509_dup(root);

	if (X509_set_subject_name(cert, X509_CRL_get_issuer(crl)) && i2d_X509(cert, NULL) > 0)
		return cert;
	X509_free(cert);
	return NULL;
}

static unsigned
judge_once(const EsgCrlContext *context, EsgFindings *list)
{
	unsigned	codes = 0;
	int			i;

	memset(list, 0, sizeof(*list));
	esg_policy_crl_check(context->sources.crls[0], ESG_CRL_LOADED, 0, context, NOW, list);
	esg_policy_crl_check(context->sources.crls[0], ESG_CRL_EXTRA, -1, context, NOW, list);
	for (i = 0; i < context->sources.ca_count; i++)
		esg_policy_crl_check_ca(context->sources.cas[i], context, list);
	for (i = 0; i < list->count; i++)
		codes = codes * 31 + list->items[i].code;
	must(!list->out_of_memory && ERR_peek_error() == 0);
	return codes;
}

static void
judge(const EsgCrlInfo *crl, const EsgCertInfo *const *cas, int count)
{
	const EsgCrlInfo *crls[] = {crl};
	EsgIssuerIndex *index = esg_policy_chain_index(cas, count);
	EsgPolicy	policy;
	EsgCrlContext context = {
		.sources = {.cas = cas, .ca_count = count, .index = index, .crls = crls, .crl_count = 1},
		.own = cas, .own_count = count, .policy = &policy, .memo = memo
	};
	EsgCrlUses *uses;
	EsgFindings first;
	EsgFindings again;

	esg_policy_defaults(&policy);
	uses = esg_crl_uses_find(&context.sources, memo, NOW);
	must(uses != NULL && ERR_peek_error() == 0);
	context.uses = uses;
	must(judge_once(&context, &first) == judge_once(&context, &again));
	esg_findings_free(&first);
	esg_findings_free(&again);
	esg_crl_uses_free(uses);
	esg_policy_chain_index_free(index);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	X509_CRL   *crl = d2i_X509_CRL(NULL, &data, (long) size);
	X509	   *namesake = NULL;
	EsgCrlInfo	info;
	EsgCertInfo infos[2];
	const EsgCertInfo *cas[] = {&infos[0], &infos[1]};

	ERR_clear_error();
	if (crl == NULL)
		return 0;
	if (root == NULL)
	{
		memo = esg_memo_create(1000);
		root = make_root();
	}
	esg_crl_info_read(crl, &info);
	OPENSSL_free(esg_crl_info_point_text(&info));
	esg_x509_info_read(root, memo, &infos[0]);
	judge(&info, cas, 0);
	judge(&info, cas, 1);
	namesake = make_namesake(crl);
	if (namesake != NULL)
	{
		ERR_clear_error();
		esg_x509_info_read(namesake, memo, &infos[1]);
		/* the CA by itself counts, whatever its extensions would say */
		infos[1].is_ca = true;
		judge(&info, cas, 2);
	}
	X509_free(namesake);
	X509_CRL_free(crl);
	ERR_clear_error();
	return 0;
}
