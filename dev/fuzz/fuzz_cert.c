/* sources: policy/certificate policy/findings policy/policy policy/renewal x509/cut_text x509/info x509/crl_info x509/host_names x509/strict x509/name x509/key x509/signature x509/time x509/asn1 x509/rsa_faults x509/memo */
/*
 * fuzz_cert.c
 *		Hostile certificates and CRLs, as DER.
 *
 * Besides not crashing: every text is valid UTF-8 without control characters, a
 * second look says what the first one said, what is exact has nothing escaped,
 * and OpenSSL's error queue is left empty.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "policy/certificate.h"
#include "x509/crl_info.h"

#define NOW INT64_C(1790000000)

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static EsgMemo *memo;

static void
must(int cond)
{
	if (!cond)
		abort();
}

/* length of the UTF-8 character at p, which must be none that confuses */
static size_t
check_char(const unsigned char *p)
{
	size_t		len = p[0] < 0x80 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
	size_t		i;

	must(p[0] >= 0x20 && p[0] != 0x7F && (p[0] < 0x80 || p[0] >= 0xC2) && p[0] < 0xF5);
	for (i = 1; i < len; i++)
		must((p[i] & 0xC0) == 0x80);
	must(!(p[0] == 0xC2 && p[1] < 0xA0));	/* C1 */
	must(!(p[0] == 0xE2 && p[1] == 0x80 && p[2] >= 0xA8 && p[2] <= 0xAE));
	return len;
}

static void
check_text(char *text)
{
	const unsigned char *p = (const unsigned char *) text;

	must(text != NULL);
	while (*p)
		p += check_char(p);
	OPENSSL_free(text);
}

static void
check_names(X509 *cert)
{
	EsgAltNames names;
	bool		found;
	bool		exact;
	char	   *cn = esg_x509_name_common_name(X509_get_subject_name(cert), &found, &exact);
	int			i;

	must(!exact || (found && cn[0] != '\0'));
	check_text(cn);
	check_text(esg_x509_name_text(X509_get_subject_name(cert)));
	check_text(esg_x509_name_text(X509_get_issuer_name(cert)));
	if (esg_x509_name_alt_names(cert, &names))
		for (i = 0; i < names.count; i++)
		{
			must(!names.items[i].exact || names.items[i].text[0] != '\0');
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
