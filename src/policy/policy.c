/*
 * policy/policy.c
 *		What the administrator wants, and how far certificates and CRLs are from
 *		their end.
 */
#include "policy/policy.h"

#include <string.h>
#include <unistd.h>

#define DAYS(n) ((n) * ESG_SECONDS_PER_DAY)

void
esg_policy_defaults(EsgPolicy *policy)
{
	memset(policy, 0, sizeof(*policy));
	policy->alert_threshold = DAYS(90);
	policy->critical_threshold = DAYS(7);
	policy->alert_lifetime_percent = 25;
	policy->critical_lifetime_percent = 10;
	policy->crl_alert_lifetime_percent = 5;
	policy->crl_critical_lifetime_percent = 2;
	policy->min_security_bits = 112;
	policy->max_validity = DAYS(825);
	policy->max_file_mode = 0644;
	policy->max_key_file_mode = 0600;
	policy->server_uid = geteuid();
	memset(policy->overrides, -1, sizeof(policy->overrides));
}

void
esg_policy_ignore_permissions(EsgPolicy *policy)
{
	policy->overrides[ESG_PERMISSIONS_TOO_OPEN] = ESG_OK;
	policy->overrides[ESG_WRONG_OWNER] = ESG_OK;
	policy->overrides[ESG_DIRECTORY_WRITABLE] = ESG_OK;
}

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
	/* the last second is over when it begins, as for OpenSSL */
	if (end.unix_seconds <= now)
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

/* What a verdict depends on: the stage, and whether the life has begun. */
static int
life_state(EsgTime begin, EsgTime end, const EsgPolicy *policy, int64_t now)
{
	int64_t		left;
	bool		waiting = esg_policy_time_known(begin) && begin.unix_seconds > now;

	return (int) esg_policy_time_left(begin, end, policy, now, &left) * 2 + waiting;
}

int64_t
esg_policy_time_next(EsgTime begin, EsgTime end, const EsgPolicy *policy, int64_t now)
{
	int64_t		lifetime = 0;
	int64_t		moments[4];
	int64_t		next = ESG_TIME_NEVER;
	int			count = 0;
	int			i;

	if (esg_policy_time_known(begin))
		moments[count++] = begin.unix_seconds;
	if (end.state == ESG_TIME_VALID)
	{
		if (esg_policy_time_known(begin))
			lifetime = end.unix_seconds - begin.unix_seconds;
		/* a stage begins when less than the threshold is left */
		moments[count++] = end.unix_seconds + 1 -
			cap_threshold(policy->alert_threshold, policy->alert_lifetime_percent, lifetime);
		moments[count++] = end.unix_seconds + 1 -
			cap_threshold(policy->critical_threshold, policy->critical_lifetime_percent, lifetime);
		moments[count++] = end.unix_seconds;
	}
	for (i = 0; i < count; i++)
	{
		/* one threshold may lie behind the other, or behind the end */
		if (moments[i] > now && moments[i] < next &&
			life_state(begin, end, policy, moments[i]) != life_state(begin, end, policy, now))
			next = moments[i];
	}
	return next;
}

bool
esg_policy_is_at_stage(EsgTime begin, EsgTime end, const EsgPolicy *policy, int64_t now,
					   EsgTimeLeft stage, EsgRemark *remark)
{
	int64_t		left;
	char		span[40];

	if (esg_policy_time_left(begin, end, policy, now, &left) != stage)
		return false;
	esg_x509_time_span_text(left, span, sizeof(span));
	esg_remark_say(remark, "%s", span);
	return true;
}

bool
esg_policy_is_before(EsgTime begin, int64_t now, EsgRemark *remark)
{
	char		date[ESG_TIME_TEXT_SIZE];
	char		span[40];

	if (!esg_policy_time_known(begin) || begin.unix_seconds <= now)
		return false;
	esg_x509_time_text(begin, date, sizeof(date));
	esg_x509_time_span_text(begin.unix_seconds - now, span, sizeof(span));
	if (begin.unix_seconds - now >= ESG_SECONDS_PER_DAY)
		esg_remark_say(remark, "%s", date);
	else
		esg_remark_say(remark, "%s (in %s: is the clock right?)", date, span);
	return true;
}

EsgVerdict
esg_policy_signature_weak(const EsgSigInfo *signature, const EsgPolicy *policy)
{
	if (signature->broken_digest)
		return ESG_YES;
	if (signature->strength < 0)
		return ESG_UNKNOWN;
	return signature->strength < policy->min_security_bits ? ESG_YES : ESG_NO;
}

bool
esg_policy_key_weak(const EsgKeyInfo *key, const EsgPolicy *policy, EsgRemark *remark)
{
	const char *curve = key->type == ESG_KEY_EC ? key->curve : "";

	if (key->security_bits < 0 || key->security_bits >= policy->min_security_bits)
		return false;
	/* of a DSA key it may be the subgroup that is small */
	if (key->type == ESG_KEY_DSA)
		esg_remark_say(remark, "%s, %d bits, strength %d", key->algorithm, key->bits,
					   key->security_bits);
	else
		esg_remark_say(remark, "%s%s%s, %d bits", key->algorithm, curve[0] != '\0' ? " " : "",
					   curve, key->bits);
	return true;
}
