/*
 * fuzz_cert.c
 *		Hostile certificates and CRLs, as DER.
 *
 * Besides not crashing: every text is valid UTF-8 without hidden characters, a
 * second look says what the first one said, what is compared can be read back of
 * what is shown, and OpenSSL's error queue is left empty.
 */
#include <stdint.h>
#include <string.h>

#include <openssl/err.h>

#include "checks.h"
#include "policy/certificate.h"
#include "x509/crl_info.h"

#define NOW INT64_C(1790000000)

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static EsgMemo *memo;

static void
check_names(X509 *cert)
{
	EsgAltNames names;
	EsgNameFault fault;
	bool		found;
	char	   *exact;
	char	   *cn = esg_x509_name_common_name(X509_get_subject_name(cert), &found);
	int			i;

	must(esg_x509_name_exact_common_name(X509_get_subject_name(cert), &fault, &exact));
	must((exact != NULL) == (fault == ESG_NAME_SOUND) && found == (fault != ESG_NAME_ABSENT));
	if (exact != NULL)
		check_exact(cn, exact);
	OPENSSL_free(exact);
	check_text(cn);
	check_text(esg_x509_name_text(X509_get_subject_name(cert)));
	check_text(esg_x509_name_text(X509_get_issuer_name(cert)));
	if (esg_x509_name_alt_names(cert, &names))
		for (i = 0; i < names.count; i++)
		{
			if (names.items[i].exact != NULL)
				check_exact(names.items[i].text, names.items[i].exact);
			check_text(OPENSSL_strdup(names.items[i].text));
		}
	esg_x509_name_alt_names_free(&names);
}

static void
check_usages(const EsgCertInfo *info)
{
	const char *names[ESG_MAX_USAGES];
	char	   *extended[8];
	int			count = esg_x509_info_ext_key_usage_names(info, extended, 8);
	int			i;

	must(esg_x509_info_key_usage_names(info, names) <= ESG_MAX_USAGES);
	for (i = 0; i < count; i++)
		check_text(extended[i]);
	check_text(esg_x509_info_serial_text(X509_get0_serialNumber(info->cert)));
}

static void
check_policy(const EsgCertInfo *info)
{
	EsgPolicy	policy;
	EsgFindings findings;
	unsigned	place;
	int			i;

	esg_policy_defaults(&policy);
	for (place = ESG_PLACE_LEAF; place <= ESG_PLACE_EXTRA; place <<= 1)
	{
		memset(&findings, 0, sizeof(findings));
		esg_policy_check_cert(info, (EsgPlace) place, &policy, NOW, &findings);
		for (i = 0; i < findings.count; i++)
			check_text(OPENSSL_strdup(findings.items[i].detail));
		esg_findings_free(&findings);
	}
}

static void
try_cert(const uint8_t *data, size_t size)
{
	X509	   *cert = d2i_X509(NULL, &data, (long) size);
	EsgCertInfo first;
	EsgCertInfo again;

	if (cert == NULL)
		return;
	esg_x509_info_read(cert, memo, &first);
	esg_x509_info_read(cert, memo, &again);
	must(memcmp(&first, &again, sizeof(first)) == 0);
	must(ERR_peek_error() == 0);
	check_names(cert);
	check_usages(&first);
	check_policy(&first);
	must(ERR_peek_error() == 0);
	X509_free(cert);
}

static void
try_crl(const uint8_t *data, size_t size)
{
	X509_CRL   *crl = d2i_X509_CRL(NULL, &data, (long) size);
	EsgCrlInfo	info;

	if (crl == NULL)
		return;
	esg_crl_info_read(crl, &info);
	must(info.revoked_count >= 0 && ERR_peek_error() == 0);
	check_text(esg_x509_name_text(X509_CRL_get_issuer(crl)));
	X509_CRL_free(crl);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (memo == NULL)
		memo = esg_memo_create(1000);
	try_cert(data, size);
	try_crl(data, size);
	ERR_clear_error();
	check_text(esg_x509_name_escape(data, size));
	return 0;
}
