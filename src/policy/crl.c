/*
 * policy/crl.c
 *		Judging CRLs against the CAs whose clients they decide about.
 */
#include "policy/crl.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "compat.h"

/* What a check looks at. */
typedef struct CrlCase
{
	const EsgCrlInfo *crl;
	const EsgIssuerIndex *cas;
	const EsgPolicy *policy;
	EsgMemo    *memo;
	int64_t		now;
} CrlCase;

typedef bool (*CrlCheckFn) (const CrlCase *c, char *detail, size_t size);

typedef struct CrlCheck
{
	EsgCode		code;
	CrlCheckFn	check;
} CrlCheck;

/* ---- time ---- */

static bool
is_at_stage(const CrlCase *c, EsgTimeLeft stage, char *detail, size_t size)
{
	int64_t		left;

	if (esg_policy_time_left(c->crl->this_update, c->crl->next_update, c->policy, c->now,
							 &left) != stage)
		return false;
	esg_x509_time_span_text(left, detail, size);
	return true;
}

static bool
check_expired(const CrlCase *c, char *detail, size_t size)
{
	return is_at_stage(c, ESG_LEFT_NOTHING, detail, size);
}

static bool
check_expires_very_soon(const CrlCase *c, char *detail, size_t size)
{
	return is_at_stage(c, ESG_LEFT_VERY_SOON, detail, size);
}

static bool
check_expires_soon(const CrlCase *c, char *detail, size_t size)
{
	return is_at_stage(c, ESG_LEFT_SOON, detail, size);
}

static bool
check_not_yet_valid(const CrlCase *c, char *detail, size_t size)
{
	EsgTime		begin = c->crl->this_update;

	if (!esg_policy_time_known(begin) || begin.unix_seconds <= c->now)
		return false;
	esg_policy_wait_text(begin, c->now, detail, size);
	return true;
}

static bool
check_no_next_update(const CrlCase *c, char *detail, size_t size)
{
	(void) detail;
	(void) size;
	return c->crl->next_update.state == ESG_TIME_ABSENT;
}

static bool
check_invalid_time(const CrlCase *c, char *detail, size_t size)
{
	bool		bad_begin = esg_policy_time_unusable(c->crl->this_update);
	bool		bad_end = esg_policy_time_unusable(c->crl->next_update);

	/* absent is another finding */
	if (c->crl->next_update.state == ESG_TIME_ABSENT)
		bad_end = false;
	snprintf(detail, size, "%s%s%s", bad_begin ? "thisUpdate" : "",
			 bad_begin && bad_end ? ", " : "", bad_end ? "nextUpdate" : "");
	return bad_begin || bad_end;
}

/* ---- issuer and signature ---- */

static const EsgCertInfo *const *
find_cas(const CrlCase *c, int *count)
{
	return esg_policy_chain_find(c->cas, X509_CRL_get_issuer(c->crl->crl), count);
}

static bool
check_unknown_issuer(const CrlCase *c, char *detail, size_t size)
{
	int			count;

	(void) detail;
	(void) size;
	return find_cas(c, &count) == NULL;
}

/* RFC 5280 section 4.2.1.3: a key usage extension must name cRLSign */
static bool
may_sign_crls(const EsgCertInfo *ca)
{
	return !ca->has_key_usage || (ca->key_usage & KU_CRL_SIGN) != 0;
}

/*
 * Good if one CA of that name verifies the CRL and may; not bad as long as a CA
 * was not tried or is one that OpenSSL cannot verify with.
 */
static bool
check_bad_signature(const CrlCase *c, char *detail, size_t size)
{
	int			count;
	const EsgCertInfo *const *cas = find_cas(c, &count);
	bool		forbidden = false;
	bool		refused = false;
	int			i;

	for (i = 0; i < count && i < ESG_CHAIN_MAX_TRIES; i++)
	{
		EsgVerdict	verdict = esg_x509_info_verify_crl(c->crl, cas[i], c->memo);

		if (verdict == ESG_YES && may_sign_crls(cas[i]))
			return false;
		forbidden |= verdict == ESG_YES;
		refused |= verdict == ESG_NO;
	}
	if (forbidden)
		snprintf(detail, size, "its CA lacks key usage cRLSign");
	else
		snprintf(detail, size, "no CA of that name verifies it");
	return (forbidden || refused) && count <= ESG_CHAIN_MAX_TRIES;
}

/* Unlike certificates there is one code only: unknown is not fine either. */
static bool
check_weak_signature(const CrlCase *c, char *detail, size_t size)
{
	snprintf(detail, size, "%s", c->crl->signature.algorithm);
	return esg_policy_signature_weak(&c->crl->signature, c->policy) != ESG_NO;
}

static const CrlCheck crl_checks[] = {
	{ESG_CRL_EXPIRED, check_expired},
	{ESG_CRL_EXPIRES_VERY_SOON, check_expires_very_soon},
	{ESG_CRL_EXPIRES_SOON, check_expires_soon},
	{ESG_CRL_NOT_YET_VALID, check_not_yet_valid},
	{ESG_CRL_NO_NEXT_UPDATE, check_no_next_update},
	{ESG_INVALID_TIME, check_invalid_time},
	{ESG_CRL_UNKNOWN_ISSUER, check_unknown_issuer},
	{ESG_CRL_BAD_SIGNATURE, check_bad_signature},
	{ESG_CRL_WEAK_SIGNATURE, check_weak_signature},
};

void
esg_policy_crl_check(const EsgCrlInfo *crl, const EsgIssuerIndex *cas,
					 const EsgPolicy *policy, EsgMemo *memo, int64_t now,
					 EsgFindings *out)
{
	CrlCase		c = {crl, cas, policy, memo, now};
	char		detail[ESG_MAX_DETAIL + 1];
	size_t		i;

	for (i = 0; i < sizeof(crl_checks) / sizeof(crl_checks[0]); i++)
	{
		detail[0] = '\0';
		if (crl_checks[i].check(&c, detail, sizeof(detail)))
			esg_findings_add(out, crl_checks[i].code, ESG_PLACE_CRL, policy->overrides,
							 "%s", detail);
	}
	esg_findings_sort(out);
	ERR_clear_error();
}

/* ---- the CRL and the server's own certificates ---- */

/* removeFromCRL (2) lifts a suspension, RFC 5280 section 5.3.1 */
static bool
is_revoked(const EsgCrlInfo *crl, const EsgCertInfo *cert)
{
	X509_REVOKED *entry = NULL;

	return X509_CRL_get0_by_cert(crl->crl, &entry, cert->cert) == 1;
}

void
esg_policy_crl_check_own(const EsgCrlInfo *crl, const EsgCertInfo *const *own, int count,
						 const EsgPolicy *policy, EsgFindings *out)
{
	int			i;

	for (i = 0; i < count; i++)
	{
		char	   *name;

		if (!is_revoked(crl, own[i]))
			continue;
		name = esg_x509_name_text(X509_get_subject_name(own[i]->cert));
		esg_findings_add(out, ESG_CRL_REVOKES_OWN, ESG_PLACE_CRL, policy->overrides,
						 "certificate \"%s\"", name != NULL ? name : "");
		OPENSSL_free(name);
		break;
	}
	esg_findings_sort(out);
	ERR_clear_error();
}

void
esg_policy_crl_check_missing(const EsgCertInfo *ca, const EsgCrlInfo *const *crls, int count,
							 const EsgPolicy *policy, EsgFindings *out)
{
	const X509_NAME *subject = X509_get_subject_name(ca->cert);
	int			i;

	if (!ca->is_ca)
		return;
	for (i = 0; i < count; i++)
	{
		if (X509_NAME_cmp(X509_CRL_get_issuer(crls[i]->crl), subject) == 0)
			return;
	}
	esg_findings_add(out, ESG_CRL_MISSING, ESG_PLACE_CA, policy->overrides, "%s", "");
	esg_findings_sort(out);
}

/* ---- names in a hashed directory, openssl-rehash(1) ---- */

void
esg_policy_crl_hash_name(const X509_NAME *issuer, char *buf, size_t size)
{
	snprintf(buf, size, "%08lx.r", X509_NAME_hash_ex(issuer, NULL, NULL, NULL));
	ERR_clear_error();
}

/* a decimal number as OpenSSL writes it: no sign, no leading zero */
static bool
is_plain_number(const char *text)
{
	if (text[0] == '0')
		return text[1] == '\0';
	return text[0] != '\0' && strlen(text) <= 9 &&
		strspn(text, "0123456789") == strlen(text);
}

bool
esg_policy_crl_name_fits(const EsgCrlInfo *crl, const char *file_name)
{
	char		prefix[32];

	esg_policy_crl_hash_name(X509_CRL_get_issuer(crl->crl), prefix, sizeof(prefix));
	return strncmp(file_name, prefix, strlen(prefix)) == 0 &&
		is_plain_number(file_name + strlen(prefix));
}

void
esg_policy_crl_check_name(const EsgCrlInfo *crl, const char *file_name,
						  const EsgPolicy *policy, EsgFindings *out)
{
	char		prefix[32];

	if (esg_policy_crl_name_fits(crl, file_name))
		return;
	esg_policy_crl_hash_name(X509_CRL_get_issuer(crl->crl), prefix, sizeof(prefix));
	esg_findings_add(out, ESG_CRL_NOT_HASHED, ESG_PLACE_CRL, policy->overrides,
					 "%s0", prefix);
	esg_findings_sort(out);
}
