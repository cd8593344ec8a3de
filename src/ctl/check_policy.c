/*
 * ctl/check_policy.c
 *		What the settings of the extension say that "check" goes by.
 */
#include "ctl/check_policy.h"

#include <stdio.h>
#include <string.h>

#include "ctl/message.h"
#include "policy/setting_text.h"

static bool
refuse(EsgServerSetting setting, const char *value)
{
	return esg_message_error("the server does not take the value \"%s\" of setting \"%s\"", value,
							 esg_server_answers_name(setting));
}

static bool
take_seconds(const EsgServerAnswers *answers, EsgServerSetting setting, int64_t *out)
{
	const char *value = answers->values[setting];

	return !value || esg_setting_text_seconds(value, out) || refuse(setting, value);
}

static bool
take_number(const EsgServerAnswers *answers, EsgServerSetting setting, int *out)
{
	const char *value = answers->values[setting];
	int64_t		number;

	if (!value)
		return true;
	if (!esg_setting_text_number(value, &number) || number < 0 || number > 1000000)
		return refuse(setting, value);
	*out = (int) number;
	return true;
}

static bool
take_mode(const EsgServerAnswers *answers, EsgServerSetting setting, unsigned *out)
{
	const char *value = answers->values[setting];

	return !value || esg_setting_text_mode(value, out) || refuse(setting, value);
}

static bool
take_overrides(const EsgServerAnswers *answers, EsgOverrides out)
{
	const char *value = answers->values[ESG_ASK_OVERRIDES];
	EsgSettingFault fault;

	return !value || esg_setting_text_overrides(value, out, &fault) ||
		refuse(ESG_ASK_OVERRIDES, value);
}

static bool
take_lives(const EsgServerAnswers *answers, EsgPolicy *policy)
{
	if (!take_seconds(answers, ESG_ASK_ALERT, &policy->alert_threshold) ||
		!take_seconds(answers, ESG_ASK_CRITICAL, &policy->critical_threshold) ||
		!take_seconds(answers, ESG_ASK_VALIDITY, &policy->max_validity))
		return false;
	if (policy->critical_threshold > policy->alert_threshold)
		policy->critical_threshold = policy->alert_threshold;
	return take_number(answers, ESG_ASK_ALERT_PERCENT, &policy->alert_lifetime_percent) &&
		take_number(answers, ESG_ASK_CRITICAL_PERCENT, &policy->critical_lifetime_percent) &&
		take_number(answers, ESG_ASK_CRL_ALERT_PERCENT, &policy->crl_alert_lifetime_percent) &&
		take_number(answers, ESG_ASK_CRL_CRITICAL_PERCENT, &policy->crl_critical_lifetime_percent);
}

/* Settings of a library that is not loaded are only names. */
bool
esg_check_policy_read(const EsgServerAnswers *answers, EsgCheckCase *out)
{
	EsgPolicy  *policy = &out->policy;
	const char *check = answers->values[ESG_ASK_PERMISSION_CHECK];

	esg_policy_defaults(policy);
	if (!esg_server_answers_are_with_library(answers))
		return true;
	if (!take_overrides(answers, policy->overrides) || !take_lives(answers, policy) ||
		!take_number(answers, ESG_ASK_SECURITY_BITS, &policy->min_security_bits) ||
		!take_mode(answers, ESG_ASK_MAX_FILE_MODE, &policy->max_file_mode) ||
		!take_mode(answers, ESG_ASK_MAX_KEY_FILE_MODE, &policy->max_key_file_mode))
		return false;
	out->no_permissions = check && strcmp(check, "off") == 0;
	if (out->no_permissions)
		esg_policy_ignore_permissions(policy);
	return true;
}

void
esg_check_policy_each_extra(const char *list, EsgTlsNameFn visit, void *arg)
{
	const char *rest = esg_setting_text_is_blank(list) ? NULL : list;
	char		item[ESG_TLS_PATH_SIZE];

	while (rest && esg_setting_text_next_path(&rest, item, sizeof(item)))
	{
		const char *path = item;
		EsgFileKind kind = esg_setting_text_take_kind(&path);

		if (*path)
			visit(arg, ESG_EXTRA_SETTING, kind, path, false);
	}
}
