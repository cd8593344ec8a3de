/*
 * policy/certificate.c
 *		Judging one certificate by itself.
 *
 * A check is a row of the table at the end and a function that says whether the
 * finding is there.  Who can have a finding is in the table of findings.c.
 */
#include "policy/certificate.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/objects.h>
#include <openssl/x509v3.h>

#define DAYS(n) ((n) * ESG_SECONDS_PER_DAY)

/* What a check looks at. */
typedef struct CertCase
{
	const EsgCertInfo *cert;
	EsgPlace	place;
	const EsgPolicy *policy;
	int64_t		now;
} CertCase;

/* What it says; severity comes filled in from the table. */
typedef struct CertVerdict
{
	EsgSeverity severity;
	char		detail[ESG_MAX_DETAIL + 1];
} CertVerdict;

typedef bool (*CertCheckFn) (const CertCase *c, CertVerdict *v);

typedef struct CertCheck
{
	EsgCode		code;
	CertCheckFn check;
} CertCheck;

void
esg_policy_defaults(EsgPolicy *policy)
{
	memset(policy, 0, sizeof(*policy));
	policy->alert_threshold = DAYS(90);
	policy->critical_threshold = DAYS(7);
	policy->alert_lifetime_percent = 33;
	policy->critical_lifetime_percent = 10;
	policy->min_security_bits = 112;
	policy->max_validity = DAYS(825);
	policy->max_file_mode = 0644;
	policy->max_key_file_mode = 0600;
	policy->server_uid = geteuid();
	memset(policy->overrides, -1, sizeof(policy->overrides));
}

static void
set_detail(CertVerdict *v, const char *text)
{
	snprintf(v->detail, sizeof(v->detail), "%s", text);
}

/* Adds text to a list separated by ", "; what does not fit is left out. */
static void
append_detail(CertVerdict *v, const char *text)
{
	size_t		used = strlen(v->detail);

	snprintf(v->detail + used, sizeof(v->detail) - used, "%s%s", used > 0 ? ", " : "", text);
}

/* ---- time ---- */

bool
esg_policy_time_known(EsgTime t)
{
	return t.state == ESG_TIME_VALID || t.state == ESG_TIME_FOREVER;
}

bool
esg_policy_time_unusable(EsgTime t)
{
	return !esg_policy_time_known(t) || t.nonconforming;
}

/* The threshold, or the given share of the lifetime if that is less. */
static int64_t
cap_threshold(int64_t threshold, int percent, int64_t lifetime)
{
	int64_t		share;

	if (percent >= 100 || lifetime <= 0)
		return threshold;
	share = lifetime / 100 * percent + lifetime % 100 * percent / 100;
	return share < threshold ? share : threshold;
}

EsgTimeLeft
esg_policy_time_left(EsgTime begin, EsgTime end, const EsgPolicy *policy, int64_t now,
					 int64_t *left)
{
	int64_t		lifetime = 0;

	*left = 0;
	if (end.state != ESG_TIME_VALID)
		return ESG_LEFT_ENOUGH;
	if (end.unix_seconds < now)
	{
		*left = now - end.unix_seconds;
		return ESG_LEFT_NOTHING;
	}
	*left = end.unix_seconds - now;
	if (esg_policy_time_known(begin))
		lifetime = end.unix_seconds - begin.unix_seconds;
	if (*left < cap_threshold(policy->critical_threshold,
							  policy->critical_lifetime_percent, lifetime))
		return ESG_LEFT_VERY_SOON;
	if (*left < cap_threshold(policy->alert_threshold,
							  policy->alert_lifetime_percent, lifetime))
		return ESG_LEFT_SOON;
	return ESG_LEFT_ENOUGH;
}

void
esg_policy_wait_text(EsgTime begin, int64_t now, char *buf, size_t size)
{
	char		date[ESG_TIME_TEXT_SIZE];
	char		span[40];

	esg_x509_time_text(begin, date, sizeof(date));
	if (begin.unix_seconds - now >= ESG_SECONDS_PER_DAY)
	{
		snprintf(buf, size, "%s", date);
		return;
	}
	esg_x509_time_span_text(begin.unix_seconds - now, span, sizeof(span));
	snprintf(buf, size, "%s (in %s: is the clock right?)", date, span);
}

/* Is the life at this stage?  The detail is the time to or since its end. */
static bool
is_at_stage(const CertCase *c, CertVerdict *v, EsgTimeLeft stage)
{
	int64_t		left;

	if (esg_policy_time_left(c->cert->not_before, c->cert->not_after, c->policy, c->now,
							 &left) != stage)
		return false;
	esg_x509_time_span_text(left, v->detail, sizeof(v->detail));
	return true;
}

static bool
check_expired(const CertCase *c, CertVerdict *v)
{
	return is_at_stage(c, v, ESG_LEFT_NOTHING);
}

static bool
check_expires_very_soon(const CertCase *c, CertVerdict *v)
{
	return is_at_stage(c, v, ESG_LEFT_VERY_SOON);
}

static bool
check_expires_soon(const CertCase *c, CertVerdict *v)
{
	return is_at_stage(c, v, ESG_LEFT_SOON);
}

static bool
check_not_yet_valid(const CertCase *c, CertVerdict *v)
{
	EsgTime		begin = c->cert->not_before;

	if (!esg_policy_time_known(begin) || begin.unix_seconds <= c->now)
		return false;
	esg_policy_wait_text(begin, c->now, v->detail, sizeof(v->detail));
	return true;
}

static bool
check_invalid_time(const CertCase *c, CertVerdict *v)
{
	if (esg_policy_time_unusable(c->cert->not_before))
		append_detail(v, "notBefore");
	if (esg_policy_time_unusable(c->cert->not_after))
		append_detail(v, "notAfter");
	return v->detail[0] != '\0';
}

static bool
knows_both_times(const EsgCertInfo *cert)
{
	return esg_policy_time_known(cert->not_before) && esg_policy_time_known(cert->not_after);
}

static bool
check_validity_reversed(const CertCase *c, CertVerdict *v)
{
	(void) v;
	return knows_both_times(c->cert) &&
		c->cert->not_after.unix_seconds < c->cert->not_before.unix_seconds;
}

static bool
check_validity_too_long(const CertCase *c, CertVerdict *v)
{
	int64_t		lifetime;

	if (c->policy->max_validity <= 0 || !knows_both_times(c->cert))
		return false;
	lifetime = c->cert->not_after.unix_seconds - c->cert->not_before.unix_seconds;
	if (lifetime <= c->policy->max_validity)
		return false;
	if (c->cert->not_after.state == ESG_TIME_FOREVER)
		set_detail(v, "an unlimited time");
	else
		esg_x509_time_span_text(lifetime, v->detail, sizeof(v->detail));
	return true;
}

/* ---- signature ---- */

EsgVerdict
esg_policy_signature_weak(const EsgSigInfo *signature, const EsgPolicy *policy)
{
	if (signature->broken_digest)
		return ESG_YES;
	if (signature->strength < 0)
		return ESG_UNKNOWN;
	return signature->strength < policy->min_security_bits ? ESG_YES : ESG_NO;
}

/* A proven self-signature protects nothing that the key itself would not. */
static bool
check_weak_signature(const CertCase *c, CertVerdict *v)
{
	set_detail(v, c->cert->signature.algorithm);
	return esg_policy_signature_weak(&c->cert->signature, c->policy) == ESG_YES &&
		esg_x509_info_self_signed(c->cert) != ESG_YES;
}

static bool
check_unknown_signature(const CertCase *c, CertVerdict *v)
{
	set_detail(v, c->cert->signature.algorithm);
	return esg_policy_signature_weak(&c->cert->signature, c->policy) == ESG_UNKNOWN;
}

static bool
check_bad_pss_parameters(const CertCase *c, CertVerdict *v)
{
	switch (c->cert->signature.pss)
	{
		case ESG_PSS_NONE:
		case ESG_PSS_GOOD:
			return false;
		case ESG_PSS_UNDECODABLE:
			set_detail(v, "undecodable");
			return true;
		case ESG_PSS_MGF_MISMATCH:
			set_detail(v, "the mask's hash is not the signature's");
			return true;
		case ESG_PSS_BAD_TRAILER:
			set_detail(v, "odd trailer");
			return true;
		case ESG_PSS_BAD_SALT:
			set_detail(v, "impossible salt length");
			return true;
	}
	return false;
}

static bool
check_signature_algorithm_mismatch(const CertCase *c, CertVerdict *v)
{
	(void) v;
	return c->cert->signature.mismatch;
}

static bool
check_scram_incompatible_signature(const CertCase *c, CertVerdict *v)
{
	set_detail(v, c->cert->signature.algorithm);
	return c->cert->signature.no_separate_digest;
}

/* ---- key ---- */

static bool
check_weak_key(const CertCase *c, CertVerdict *v)
{
	const EsgKeyInfo *key = &c->cert->key;

	if (key->security_bits < 0 || key->security_bits >= c->policy->min_security_bits)
		return false;
	if (key->type == ESG_KEY_EC && key->curve[0] != '\0')
		snprintf(v->detail, sizeof(v->detail), "%s %s, %d bits", key->algorithm, key->curve,
				 key->bits);
	else
		snprintf(v->detail, sizeof(v->detail), "%s, %d bits", key->algorithm, key->bits);
	return true;
}

static bool
check_broken_key(const CertCase *c, CertVerdict *v)
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
			append_detail(v, texts[i].text);
	}
	return c->cert->key.faults != 0;
}

static bool
check_explicit_ec_parameters(const CertCase *c, CertVerdict *v)
{
	(void) v;
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
check_unusable_key(const CertCase *c, CertVerdict *v)
{
	const EsgKeyInfo *key = &c->cert->key;

	if (!key->usable)
	{
		char		oid[80];

		print_key_oid(c->cert, oid, sizeof(oid));
		snprintf(v->detail, sizeof(v->detail), "this OpenSSL cannot use it to sign: %s%s%s",
				 key->algorithm, oid[0] != '\0' ? ", OID " : "", oid);
		return true;
	}
	if (key->security_bits >= 0)
		return false;
	v->severity = ESG_WARNING;
	snprintf(v->detail, sizeof(v->detail), "the strength of type %s is unknown", key->algorithm);
	return true;
}

static bool
check_dsa_key(const CertCase *c, CertVerdict *v)
{
	(void) v;
	return c->cert->key.type == ESG_KEY_DSA;
}

static bool
check_small_exponent(const CertCase *c, CertVerdict *v)
{
	(void) v;
	return c->cert->key.small_exponent;
}

static bool
check_uncommon_curve(const CertCase *c, CertVerdict *v)
{
	const EsgKeyInfo *key = &c->cert->key;

	if (key->type != ESG_KEY_EC ||
		key->curve_nid == NID_X9_62_prime256v1 ||
		key->curve_nid == NID_secp384r1 ||
		key->curve_nid == NID_secp521r1)
		return false;
	set_detail(v, key->curve[0] != '\0' ? key->curve : "without a name");
	return true;
}

/* ---- names, extensions, structure ---- */

static bool
check_no_alt_name(const CertCase *c, CertVerdict *v)
{
	(void) v;
	return !c->cert->names.has_server_name;
}

static bool
check_multiple_common_names(const CertCase *c, CertVerdict *v)
{
	snprintf(v->detail, sizeof(v->detail), "%d", c->cert->names.common_names);
	return c->cert->names.common_names > 1;
}

static bool
check_nul_in_name(const CertCase *c, CertVerdict *v)
{
	(void) v;
	return c->cert->names.nul_in_name;
}

static bool
check_malformed_name(const CertCase *c, CertVerdict *v)
{
	const EsgNameFacts *names = &c->cert->names;

	if (names->bad_utf8)
		append_detail(v, "a string is not in its encoding");
	if (names->control_character)
		append_detail(v, "control character");
	if (names->odd_string_type)
		append_detail(v, "outdated string type of the common name");
	if (names->long_common_name)
		append_detail(v, "common name of more than 64 characters");
	if (names->empty_alt_name)
		append_detail(v, "empty alternative name");
	if (names->bad_address)
		append_detail(v, "IP address of odd length");
	if (names->undecodable_alt_name)
		append_detail(v, "undecodable alternative name");
	return v->detail[0] != '\0';
}

/* openssl req -x509 makes self-signed certificates that are CAs: only a notice */
static bool
check_ca_as_leaf(const CertCase *c, CertVerdict *v)
{
	if (!c->cert->is_ca)
		return false;
	if (esg_x509_info_self_signed(c->cert) == ESG_YES)
		v->severity = ESG_NOTICE;
	return true;
}

static bool
check_self_signed_server(const CertCase *c, CertVerdict *v)
{
	(void) v;
	return esg_x509_info_self_signed(c->cert) == ESG_YES;
}

static bool
check_wrong_purpose(const CertCase *c, CertVerdict *v)
{
	if (c->place == ESG_PLACE_CLIENT)
	{
		set_detail(v, "client authentication");
		return !c->cert->client_purpose;
	}
	set_detail(v, "server authentication");
	return !c->cert->server_purpose;
}

/* X509_check_ca() says no for lack of keyCertSign, so ask for the claim itself */
static bool
claims_to_be_ca(const EsgCertInfo *cert)
{
	return cert->is_ca ||
		(cert->cert != NULL && (X509_get_extension_flags(cert->cert) & EXFLAG_CA) != 0);
}

static bool
check_key_usage_mismatch(const CertCase *c, CertVerdict *v)
{
	if (!c->cert->has_key_usage)
		return false;
	if ((c->cert->key_usage & KU_DIGITAL_SIGNATURE) == 0)
		append_detail(v, "digitalSignature");
	if ((c->cert->key_usage & KU_KEY_CERT_SIGN) == 0 && claims_to_be_ca(c->cert))
		append_detail(v, "keyCertSign");
	return v->detail[0] != '\0';
}

static bool
check_unknown_critical_extension(const CertCase *c, CertVerdict *v)
{
	set_detail(v, c->cert->critical_oid);
	return c->cert->unknown_critical;
}

static bool
check_malformed_extension(const CertCase *c, CertVerdict *v)
{
	set_detail(v, c->cert->malformed_reason != NULL ? c->cert->malformed_reason : "invalid");
	return c->cert->malformed_extension;
}

static bool
check_odd_serial(const CertCase *c, CertVerdict *v)
{
	set_detail(v, c->cert->odd_serial_reason != NULL ? c->cert->odd_serial_reason : "odd");
	return c->cert->odd_serial;
}

static bool
check_must_staple(const CertCase *c, CertVerdict *v)
{
	(void) v;
	return c->cert->must_staple;
}

static const CertCheck cert_checks[] = {
	{ESG_WEAK_SIGNATURE, check_weak_signature},
	{ESG_UNKNOWN_SIGNATURE, check_unknown_signature},
	{ESG_BAD_PSS_PARAMETERS, check_bad_pss_parameters},
	{ESG_SIGNATURE_ALGORITHM_MISMATCH, check_signature_algorithm_mismatch},
	{ESG_SCRAM_INCOMPATIBLE_SIGNATURE, check_scram_incompatible_signature},
	{ESG_WEAK_KEY, check_weak_key},
	{ESG_BROKEN_KEY, check_broken_key},
	{ESG_EXPLICIT_EC_PARAMETERS, check_explicit_ec_parameters},
	{ESG_UNUSABLE_KEY, check_unusable_key},
	{ESG_DSA_KEY, check_dsa_key},
	{ESG_SMALL_EXPONENT, check_small_exponent},
	{ESG_UNCOMMON_CURVE, check_uncommon_curve},
	{ESG_EXPIRED, check_expired},
	{ESG_EXPIRES_VERY_SOON, check_expires_very_soon},
	{ESG_EXPIRES_SOON, check_expires_soon},
	{ESG_NOT_YET_VALID, check_not_yet_valid},
	{ESG_INVALID_TIME, check_invalid_time},
	{ESG_VALIDITY_REVERSED, check_validity_reversed},
	{ESG_VALIDITY_TOO_LONG, check_validity_too_long},
	{ESG_NO_ALT_NAME, check_no_alt_name},
	{ESG_MULTIPLE_COMMON_NAMES, check_multiple_common_names},
	{ESG_NUL_IN_NAME, check_nul_in_name},
	{ESG_MALFORMED_NAME, check_malformed_name},
	{ESG_CA_AS_LEAF, check_ca_as_leaf},
	{ESG_SELF_SIGNED_SERVER, check_self_signed_server},
	{ESG_WRONG_PURPOSE, check_wrong_purpose},
	{ESG_KEY_USAGE_MISMATCH, check_key_usage_mismatch},
	{ESG_UNKNOWN_CRITICAL_EXTENSION, check_unknown_critical_extension},
	{ESG_MALFORMED_EXTENSION, check_malformed_extension},
	{ESG_ODD_SERIAL, check_odd_serial},
	{ESG_MUST_STAPLE, check_must_staple},
};

/* Appends to out and puts all of it in order, worst first. */
void
esg_policy_check_cert(const EsgCertInfo *cert, EsgPlace place, const EsgPolicy *policy,
					  int64_t now, EsgFindings *out)
{
	CertCase	c = {cert, place, policy, now};
	CertVerdict v;
	size_t		i;

	for (i = 0; i < sizeof(cert_checks) / sizeof(cert_checks[0]); i++)
	{
		EsgCode		code = cert_checks[i].code;

		if ((esg_findings_def(code)->places & place) == 0)
			continue;
		v.severity = esg_findings_severity(code, place, NULL);
		v.detail[0] = '\0';
		if (cert_checks[i].check(&c, &v))
			esg_findings_add_graded(out, code, v.severity, policy->overrides, "%s", v.detail);
	}
	esg_findings_sort(out);
}
