/*
 * policy/certificate.c
 *		Judging one certificate by itself.
 *
 * A check says whether the finding is there.  Who can have it is in the rows of
 * finding_list.h.
 */
#include "policy/certificate.h"

#include <string.h>

#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "x509/host_names.h"
#include "x509/strict.h"

/* What a check looks at. */
typedef struct CertCase
{
	const EsgCertInfo *cert;
	const EsgPolicy *policy;
	int64_t		now;
} CertCase;

typedef struct SpanUnit
{
	int64_t		length;			/* seconds */
	const char *name;
} SpanUnit;

typedef bool (*CertCheckFn) (const CertCase *c, EsgRemark *remark);

/* ---- time ---- */

static bool
is_at_stage(const CertCase *c, EsgRemark *remark, EsgTimeLeft stage)
{
	return esg_policy_is_at_stage(c->cert->not_before, c->cert->not_after, c->policy, c->now,
								  stage, remark);
}

static bool
check_expired(const CertCase *c, EsgRemark *remark)
{
	return is_at_stage(c, remark, ESG_LEFT_NOTHING);
}

static bool
check_expires_very_soon(const CertCase *c, EsgRemark *remark)
{
	return is_at_stage(c, remark, ESG_LEFT_VERY_SOON);
}

static bool
check_expires_soon(const CertCase *c, EsgRemark *remark)
{
	return is_at_stage(c, remark, ESG_LEFT_SOON);
}

static bool
check_not_yet_valid(const CertCase *c, EsgRemark *remark)
{
	return esg_policy_is_before(c->cert->not_before, c->now, remark);
}

static bool
check_invalid_time(const CertCase *c, EsgRemark *remark)
{
	if (esg_policy_time_unusable(c->cert->not_before))
		esg_remark_list(remark, "notBefore");
	if (esg_policy_time_unusable(c->cert->not_after))
		esg_remark_list(remark, "notAfter");
	return remark->detail[0] != '\0';
}

static bool
knows_both_times(const EsgCertInfo *cert)
{
	return esg_policy_time_known(cert->not_before) && esg_policy_time_known(cert->not_after);
}

static bool
check_validity_reversed(const CertCase *c, EsgRemark *remark)
{
	(void) remark;
	return knows_both_times(c->cert) &&
		c->cert->not_after.unix_seconds < c->cert->not_before.unix_seconds;
}

/* The largest unit in which the limit is a whole number. */
static const SpanUnit *
find_unit(int64_t limit)
{
	static const SpanUnit units[] = {{ESG_SECONDS_PER_DAY, "days"}, {3600, "hours"}, {60, "minutes"}, {1, "seconds"}};
	size_t		i = 0;

	while (limit % units[i].length != 0)
		i++;
	return &units[i];
}

/*
 * Counted in the limit's unit: with 825 days a certificate of 825 days and some
 * seconds is not too long.  Clients trust a self-signed one by having it, so a
 * shorter life would mean that more often, and no safety.
 */
static bool
check_validity_too_long(const CertCase *c, EsgRemark *remark)
{
	int64_t		limit = c->policy->max_validity;
	int64_t		lifetime;
	const SpanUnit *unit;

	if (limit <= 0 || !knows_both_times(c->cert))
		return false;
	unit = find_unit(limit);
	lifetime = (c->cert->not_after.unix_seconds - c->cert->not_before.unix_seconds) / unit->length;
	if (lifetime <= limit / unit->length || esg_x509_info_self_signed(c->cert) == ESG_YES)
		return false;
	if (c->cert->not_after.state == ESG_TIME_FOREVER)
		esg_remark_say(remark, "an unlimited time");
	else
		esg_remark_say(remark, "%lld %s", (long long) lifetime, unit->name);
	return true;
}

/* ---- signature ---- */

/* A proven self-signature protects nothing that the key itself would not. */
static bool
check_weak_signature(const CertCase *c, EsgRemark *remark)
{
	esg_remark_say(remark, "%s", c->cert->signature.algorithm);
	return esg_policy_signature_weak(&c->cert->signature, c->policy) == ESG_YES &&
		esg_x509_info_self_signed(c->cert) != ESG_YES;
}

static bool
check_unknown_signature(const CertCase *c, EsgRemark *remark)
{
	esg_remark_say(remark, "%s", c->cert->signature.algorithm);
	return esg_policy_signature_weak(&c->cert->signature, c->policy) == ESG_UNKNOWN;
}

static bool
check_bad_pss_parameters(const CertCase *c, EsgRemark *remark)
{
	switch (c->cert->signature.pss)
	{
		case ESG_PSS_NONE:
		case ESG_PSS_GOOD:
			return false;
		case ESG_PSS_UNDECODABLE:
			esg_remark_say(remark, "undecodable");
			return true;
		case ESG_PSS_MGF_MISMATCH:
			esg_remark_say(remark, "the mask's hash is not the signature's");
			return true;
		case ESG_PSS_BAD_TRAILER:
			esg_remark_say(remark, "odd trailer");
			return true;
		case ESG_PSS_BAD_SALT:
			esg_remark_say(remark, "impossible salt length");
			return true;
	}
	return false;
}

static bool
check_signature_algorithm_mismatch(const CertCase *c, EsgRemark *remark)
{
	(void) remark;
	return c->cert->signature.mismatch;
}

static bool
check_scram_incompatible_signature(const CertCase *c, EsgRemark *remark)
{
	esg_remark_say(remark, "%s", c->cert->signature.algorithm);
	return c->cert->signature.no_separate_digest;
}

/* ---- key ---- */

static bool
check_weak_key(const CertCase *c, EsgRemark *remark)
{
	return esg_policy_key_weak(&c->cert->key, c->policy, remark);
}

static bool
check_broken_key(const CertCase *c, EsgRemark *remark)
{
	static const struct
	{
		EsgKeyFault fault;
		const char *text;
	}			texts[] = {
		{ESG_KEY_BAD_EXPONENT, "the public exponent is 1, even or negative"},
		{ESG_KEY_BAD_MODULUS, "the modulus is even, negative or a square"},
		{ESG_KEY_SMALL_FACTOR, "the modulus has a small factor"},
		{ESG_KEY_ROCA, "made by a faulty library: ROCA, CVE-2017-15361"},
		{ESG_KEY_CLOSE_PRIMES, "the primes are too close together"},
	};
	size_t		i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		if (c->cert->key.faults & texts[i].fault)
			esg_remark_list(remark, texts[i].text);
	}
	return c->cert->key.faults != 0;
}

static bool
check_explicit_ec_parameters(const CertCase *c, EsgRemark *remark)
{
	(void) remark;
	return c->cert->key.explicit_parameters;
}

/*
 * The OID of the key's type, or of its curve if the type has one; "" if the
 * name that the key goes by is that OID.
 */
static void
print_key_oid(const EsgCertInfo *cert, char *buf, size_t size)
{
	X509_ALGOR *algorithm = NULL;
	const ASN1_OBJECT *shown;
	const void *parameter = NULL;
	int			parameter_type = V_ASN1_UNDEF;

	buf[0] = '\0';
	if (cert->cert == NULL ||
		X509_PUBKEY_get0_param(NULL, NULL, NULL, &algorithm,
							   X509_get_X509_PUBKEY(cert->cert)) != 1)
		return;
	X509_ALGOR_get0(&shown, &parameter_type, &parameter, algorithm);
	if (parameter_type == V_ASN1_OBJECT)
		shown = parameter;
	esg_x509_name_oid(shown, buf, size);
	if (strcmp(buf, cert->key.algorithm) == 0)
		buf[0] = '\0';
}

/*
 * A key that OpenSSL can use but whose strength is in no table of ours is not
 * fine either: a warning under the same code.
 */
static bool
check_unusable_key(const CertCase *c, EsgRemark *remark)
{
	const EsgKeyInfo *key = &c->cert->key;

	if (!key->usable)
	{
		char		oid[80];

		print_key_oid(c->cert, oid, sizeof(oid));
		esg_remark_say(remark, "this OpenSSL cannot use it to sign: %s%s%s",
					   key->algorithm, oid[0] != '\0' ? ", OID " : "", oid);
		return true;
	}
	if (key->security_bits >= 0)
		return false;
	remark->severity = ESG_WARNING;
	esg_remark_say(remark, "the strength of type %s is unknown", key->algorithm);
	return true;
}

static bool
check_dsa_key(const CertCase *c, EsgRemark *remark)
{
	(void) remark;
	return c->cert->key.type == ESG_KEY_DSA;
}

static bool
check_small_exponent(const CertCase *c, EsgRemark *remark)
{
	(void) remark;
	return c->cert->key.small_exponent;
}

static bool
check_uncommon_curve(const CertCase *c, EsgRemark *remark)
{
	const EsgKeyInfo *key = &c->cert->key;

	if (key->type != ESG_KEY_EC ||
		key->curve_nid == NID_X9_62_prime256v1 ||
		key->curve_nid == NID_secp384r1 ||
		key->curve_nid == NID_secp521r1)
		return false;
	esg_remark_say(remark, "%s", key->curve[0] != '\0' ? key->curve : "without a name");
	return true;
}

/* ---- names, extensions, structure ---- */

static bool
check_no_alt_name(const CertCase *c, EsgRemark *remark)
{
	(void) remark;
	return !c->cert->names.has_server_name;
}

static bool
check_multiple_common_names(const CertCase *c, EsgRemark *remark)
{
	esg_remark_say(remark, "%d", c->cert->names.common_names);
	return c->cert->names.common_names > 1;
}

static bool
check_nul_in_name(const CertCase *c, EsgRemark *remark)
{
	(void) remark;
	return c->cert->names.nul_in_name;
}

static bool
check_malformed_name(const CertCase *c, EsgRemark *remark)
{
	const EsgNameFacts *names = &c->cert->names;

	if (names->bad_utf8)
		esg_remark_list(remark, "a string is not in its encoding");
	if (names->control_character)
		esg_remark_list(remark, "control character");
	if (names->odd_string_type)
		esg_remark_list(remark, "outdated string type of the common name");
	if (names->ambiguous_string)
		esg_remark_list(remark, "T61String with characters outside ASCII");
	if (names->long_common_name)
		esg_remark_list(remark, "common name of more than 64 characters");
	if (names->empty_alt_name)
		esg_remark_list(remark, "empty alternative name");
	if (names->bad_address)
		esg_remark_list(remark, "IP address of odd length");
	if (names->undecodable_alt_name)
		esg_remark_list(remark, "undecodable alternative name");
	return remark->detail[0] != '\0';
}

/* openssl req -x509 makes self-signed certificates that are CAs: only a notice */
static bool
check_ca_as_leaf(const CertCase *c, EsgRemark *remark)
{
	if (!c->cert->is_ca)
		return false;
	if (esg_x509_info_self_signed(c->cert) == ESG_YES)
		remark->severity = ESG_NOTICE;
	return true;
}

static bool
check_self_signed_server(const CertCase *c, EsgRemark *remark)
{
	(void) remark;
	return esg_x509_info_self_signed(c->cert) == ESG_YES;
}

static bool
check_wrong_purpose(const CertCase *c, EsgRemark *remark)
{
	if (remark->place == ESG_PLACE_CLIENT)
	{
		esg_remark_say(remark, "client authentication");
		return !c->cert->client_purpose;
	}
	esg_remark_say(remark, "server authentication");
	return !c->cert->server_purpose;
}

static bool
check_key_usage_mismatch(const CertCase *c, EsgRemark *remark)
{
	if (!c->cert->has_key_usage)
		return false;
	if ((c->cert->key_usage & KU_DIGITAL_SIGNATURE) == 0)
		esg_remark_list(remark, "digitalSignature");
	if ((c->cert->key_usage & KU_KEY_CERT_SIGN) == 0 && c->cert->claims_ca)
		esg_remark_list(remark, "keyCertSign");
	return remark->detail[0] != '\0';
}

static bool
check_unknown_critical_extension(const CertCase *c, EsgRemark *remark)
{
	esg_remark_say(remark, "%s", c->cert->critical_oid);
	return c->cert->unknown_critical;
}

static bool
check_malformed_extension(const CertCase *c, EsgRemark *remark)
{
	esg_remark_say(remark, "%s", c->cert->malformed_reason != NULL ? c->cert->malformed_reason : "invalid");
	return c->cert->malformed_extension;
}

static bool
check_odd_serial(const CertCase *c, EsgRemark *remark)
{
	esg_remark_say(remark, "%s", c->cert->odd_serial_reason != NULL ? c->cert->odd_serial_reason : "odd");
	return c->cert->odd_serial;
}

static bool
check_bad_dns_name(const CertCase *c, EsgRemark *remark)
{
	return c->cert->cert != NULL &&
		esg_x509_host_names_bad(c->cert->cert, remark->detail, sizeof(remark->detail));
}

static bool
check_cn_not_in_alt_name(const CertCase *c, EsgRemark *remark)
{
	return c->cert->cert != NULL &&
		esg_x509_host_names_lost(c->cert->cert, remark->detail, sizeof(remark->detail));
}

static bool
check_strict_client_refuses(const CertCase *c, EsgRemark *remark)
{
	const char *fault = NULL;

	if (c->cert->cert != NULL)
		fault = esg_x509_strict_fault(c->cert->cert, esg_x509_info_self_signed(c->cert) == ESG_YES,
									  remark->place != ESG_PLACE_LEAF);
	esg_remark_say(remark, "%s", fault != NULL ? fault : "");
	return fault != NULL;
}

static bool
check_must_staple(const CertCase *c, EsgRemark *remark)
{
	(void) remark;
	return c->cert->must_staple;
}

#define BY_CERTIFICATE(check) check
#define BY_CERTIFICATE_AND_CRL(check) check
#define FINDING(code, name, state, severity, places, enforced, message, hint, check) [ESG_##code] = check,

static const CertCheckFn checks[ESG_CODE_COUNT] = {
#include "policy/finding_list.h"
};

/* Appends to out and puts all of it in order, worst first. */
void
esg_policy_check_cert(const EsgCertInfo *cert, EsgPlace place, const EsgPolicy *policy,
					  int64_t now, EsgFindings *out)
{
	CertCase	c = {cert, policy, now};
	EsgRemark	remark;
	int			code;

	for (code = 0; code < ESG_CODE_COUNT; code++)
	{
		if (checks[code] != NULL && esg_remark_start(&remark, (EsgCode) code, place) &&
			checks[code] (&c, &remark))
			esg_findings_add(out, &remark, policy->overrides);
	}
	esg_findings_sort(out);
}
