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
	const EsgCrlInfo *crl;		/* NULL for a check of a CA's CRLs */
	const char *hashed_path;	/* of a file in ssl_crl_dir, or NULL */
	const EsgCertInfo *ca;		/* NULL for a check of a CRL */
	const EsgCrlContext *context;
	int64_t		now;
} CrlCase;

typedef bool (*CrlCheckFn) (const CrlCase *c, EsgRemark *remark);

/* ---- time ---- */

static bool
is_at_stage(const CrlCase *c, EsgRemark *remark, EsgTimeLeft stage)
{
	return esg_policy_is_at_stage(c->crl->this_update, c->crl->next_update, c->context->policy,
								  c->now, stage, remark);
}

static bool
check_expired(const CrlCase *c, EsgRemark *remark)
{
	return is_at_stage(c, remark, ESG_LEFT_NOTHING);
}

static bool
check_expires_very_soon(const CrlCase *c, EsgRemark *remark)
{
	return is_at_stage(c, remark, ESG_LEFT_VERY_SOON);
}

static bool
check_expires_soon(const CrlCase *c, EsgRemark *remark)
{
	return is_at_stage(c, remark, ESG_LEFT_SOON);
}

static bool
check_not_yet_valid(const CrlCase *c, EsgRemark *remark)
{
	return esg_policy_is_before(c->crl->this_update, c->now, remark);
}

static bool
check_no_next_update(const CrlCase *c, EsgRemark *remark)
{
	(void) remark;
	return c->crl->next_update.state == ESG_TIME_ABSENT;
}

static bool
check_invalid_time(const CrlCase *c, EsgRemark *remark)
{
	EsgTime		end = c->crl->next_update;

	if (esg_policy_time_unusable(c->crl->this_update))
		esg_remark_list(remark, "thisUpdate");
	/* absent is another finding */
	if (end.state != ESG_TIME_ABSENT && esg_policy_time_unusable(end))
		esg_remark_list(remark, "nextUpdate");
	return remark->detail[0] != '\0';
}

/* ---- issuer and signature ---- */

static const EsgCertInfo *const *
find_cas(const CrlCase *c, int *count)
{
	return esg_policy_chain_find(c->context->cas, X509_CRL_get_issuer(c->crl->crl), count);
}

static bool
check_unknown_issuer(const CrlCase *c, EsgRemark *remark)
{
	int			count;

	(void) remark;
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
check_bad_signature(const CrlCase *c, EsgRemark *remark)
{
	int			count;
	const EsgCertInfo *const *cas = find_cas(c, &count);
	bool		forbidden = false;
	bool		refused = false;
	int			i;

	for (i = 0; i < count && i < ESG_CHAIN_MAX_TRIES; i++)
	{
		EsgVerdict	verdict = esg_x509_crl_verify(c->crl, cas[i], c->context->memo);

		if (verdict == ESG_YES && may_sign_crls(cas[i]))
			return false;
		forbidden |= verdict == ESG_YES;
		refused |= verdict == ESG_NO;
	}
	if (forbidden)
		esg_remark_say(remark, "its CA lacks key usage cRLSign");
	else
		esg_remark_say(remark, "no CA of that name verifies it");
	return (forbidden || refused) && count <= ESG_CHAIN_MAX_TRIES;
}

/* Unlike certificates there is one code only: unknown is not fine either. */
static bool
check_weak_signature(const CrlCase *c, EsgRemark *remark)
{
	esg_remark_say(remark, "%s", c->crl->signature.algorithm);
	return esg_policy_signature_weak(&c->crl->signature, c->context->policy) != ESG_NO;
}

/* ---- the CRL and the server's own certificates ---- */

/* removeFromCRL (2) lifts a suspension, RFC 5280 section 5.3.1 */
static bool
is_revoked(const EsgCrlInfo *crl, const EsgCertInfo *cert)
{
	X509_REVOKED *entry = NULL;

	return X509_CRL_get0_by_cert(crl->crl, &entry, cert->cert) == 1;
}

static bool
check_revokes_own(const CrlCase *c, EsgRemark *remark)
{
	int			i;

	for (i = 0; i < c->context->own_count; i++)
	{
		char	   *name;

		if (!is_revoked(c->crl, c->context->own[i]))
			continue;
		name = esg_x509_name_text(X509_get_subject_name(c->context->own[i]->cert));
		esg_remark_say(remark, "certificate \"%s\"", name != NULL ? name : "");
		OPENSSL_free(name);
		return true;
	}
	return false;
}

static bool
check_missing(const CrlCase *c, EsgRemark *remark)
{
	const X509_NAME *subject = X509_get_subject_name(c->ca->cert);
	int			i;

	(void) remark;
	for (i = 0; i < c->context->crl_count; i++)
	{
		if (X509_NAME_cmp(X509_CRL_get_issuer(c->context->crls[i]->crl), subject) == 0)
			return false;
	}
	return c->ca->is_ca;
}

/* ---- names in a hashed directory, openssl-rehash(1) ---- */

static void
print_hash(const EsgCrlInfo *crl, char *buf, size_t size)
{
	snprintf(buf, size, "%08lx.r", X509_NAME_hash_ex(X509_CRL_get_issuer(crl->crl), NULL, NULL, NULL));
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

static const char *
skip_directory(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

bool
esg_policy_crl_is_hash_name(const char *path)
{
	const char *name = skip_directory(path);

	return strspn(name, "0123456789abcdef") == 8 && strncmp(name + 8, ".r", 2) == 0 &&
		is_plain_number(name + 10);
}

bool
esg_policy_crl_name_fits(const EsgCrlInfo *crl, const char *path)
{
	char		prefix[32];

	print_hash(crl, prefix, sizeof(prefix));
	return esg_policy_crl_is_hash_name(path) &&
		strncmp(skip_directory(path), prefix, strlen(prefix)) == 0;
}

static bool
check_not_hashed(const CrlCase *c, EsgRemark *remark)
{
	char		prefix[32];

	if (c->hashed_path == NULL || esg_policy_crl_name_fits(c->crl, c->hashed_path))
		return false;
	print_hash(c->crl, prefix, sizeof(prefix));
	esg_remark_say(remark, "%s0", prefix);
	return true;
}

/* ---- all of them ---- */

#define BY_CRL(check) check
#define BY_CERTIFICATE_AND_CRL(check) check
#define FINDING(code, name, state, severity, places, enforced, message, hint, check) [ESG_##code] = check,

static const CrlCheckFn crl_checks[ESG_CODE_COUNT] = {
#include "policy/finding_list.h"
};

#define BY_CRLS_OF_CA(check) check
#define FINDING(code, name, state, severity, places, enforced, message, hint, check) [ESG_##code] = check,

static const CrlCheckFn ca_checks[ESG_CODE_COUNT] = {
#include "policy/finding_list.h"
};

static void
judge(const CrlCheckFn *checks, const CrlCase *c, EsgPlace place, EsgFindings *out)
{
	EsgRemark	remark;
	int			code;

	for (code = 0; code < ESG_CODE_COUNT; code++)
	{
		if (checks[code] != NULL && esg_remark_start(&remark, (EsgCode) code, place) &&
			checks[code] (c, &remark))
			esg_findings_add(out, &remark, c->context->policy->overrides);
	}
	esg_findings_sort(out);
	ERR_clear_error();
}

void
esg_policy_crl_check(const EsgCrlInfo *crl, const char *hashed_path,
					 const EsgCrlContext *context, int64_t now, EsgFindings *out)
{
	CrlCase		c = {.crl = crl,.hashed_path = hashed_path,.context = context,.now = now};

	judge(crl_checks, &c, ESG_PLACE_CRL, out);
}

void
esg_policy_crl_check_ca(const EsgCertInfo *ca, const EsgCrlContext *context, EsgFindings *out)
{
	CrlCase		c = {.ca = ca,.context = context};

	judge(ca_checks, &c, ESG_PLACE_CA, out);
}
