/*
 * audit/check.c
 *		The full check: audit, running server, alarms, status.
 */
#include "postgres.h"

#include "libpq/libpq.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "utils/timestamp.h"

#include "audit/alarms.h"
#include "audit/audit.h"
#include "audit/check.h"
#include "audit/file_state.h"
#include "compat.h"
#include "server/alarms.h"
#include "server/guc.h"
#include "server/passphrase.h"
#include "server/state.h"

/* What the checks of the running server go by. */
typedef struct ServerFacts
{
	bool		tls;
	bool		sni;
	EsgLoadState load;
	EsgServedState served;
	EsgCheckState disk;
} ServerFacts;

/* Is that so?  Then describe, unless NULL, has "key=value" pairs about it. */
typedef struct ServerCheck
{
	EsgCode		code;
	bool		(*is_so) (const ServerFacts *facts);
	void		(*describe) (const ServerFacts *facts, char *pairs, size_t size);
} ServerCheck;

static void
read_facts(ServerFacts *facts)
{
	facts->tls = EnableSSL;
	facts->sni = ssl_sni;
	esg_server_state_load(&facts->load);
	esg_server_state_served(&facts->served);
	esg_server_state_check(&facts->disk);
}

/* The old certificate stays in service until a later load succeeds. */
static bool
has_reload_failed(const ServerFacts *facts)
{
	return facts->load.result == ESG_LOAD_FAILED;
}

static bool
is_reload_pending(const ServerFacts *facts)
{
	return facts->tls && facts->served.seen_by != ESG_SEEN_NOT && facts->disk.disk_known &&
		memcmp(facts->served.fingerprint, facts->disk.disk_fingerprint, ESG_DIGEST_SIZE) != 0;
}

static void
describe_pending(const ServerFacts *facts, char *pairs, size_t size)
{
	char		text[ESG_FINGERPRINT_TEXT_SIZE];

	esg_x509_info_fingerprint_text(facts->served.fingerprint, text);
	esg_report_append_pair(pairs, size, "served_fingerprint", text);
	esg_x509_info_fingerprint_text(facts->disk.disk_fingerprint, text);
	esg_report_append_pair(pairs, size, "disk_fingerprint", text);
}

/* With ssl_sni core builds its contexts another way. */
static bool
is_hook_inactive(const ServerFacts *facts)
{
	return facts->tls && facts->sni;
}

static const ServerCheck server_checks[] = {
	{ESG_RELOAD_FAILED, has_reload_failed, NULL},
	{ESG_RELOAD_PENDING, is_reload_pending, describe_pending},
	{ESG_HOOK_INACTIVE, is_hook_inactive, NULL},
};

static bool
run_server_check(const ServerCheck *check, const ServerFacts *facts, const EsgPolicy *policy,
				 EsgAlarm *out)
{
	EsgSeverity severity = esg_findings_severity(check->code, ESG_PLACE_SERVER, policy->overrides);
	char		pairs[ESG_DETAIL_SIZE] = "";

	if (severity == ESG_OK || !check->is_so(facts))
		return false;
	if (check->describe)
		check->describe(facts, pairs, sizeof(pairs));
	esg_report_server_alarm(check->code, severity, "", pairs, out);
	return true;
}

void
esg_check_server(void)
{
	TimestampTz now = GetCurrentTimestamp();
	EsgAlarm   *alarms = palloc0(sizeof(EsgAlarm) * lengthof(server_checks));
	int			count = 0;
	ServerFacts facts;
	EsgPolicy	policy;

	read_facts(&facts);
	esg_guc_policy(&policy);
	for (int i = 0; i < (int) lengthof(server_checks); i++)
		count += run_server_check(&server_checks[i], &facts, &policy, &alarms[count]);
	esg_alarms_reconcile(ESG_SCOPE_SERVER, alarms, count, now);
	pfree(alarms);
}

/* The alarm about the passphrase pair, before the others; returns how many there are now. */
static int
add_passphrase_alarm(EsgAlarm **alarms, int count)
{
	EsgPolicy	policy;
	EsgAlarm   *found = palloc0(sizeof(EsgAlarm));

	esg_guc_policy(&policy);
	if (esg_passphrase_check(policy.overrides, found))
	{
		*alarms = repalloc(*alarms, (count + 1) * sizeof(EsgAlarm));
		memmove(*alarms + 1, *alarms, count * sizeof(EsgAlarm));
		(*alarms)[0] = *found;
		count++;
	}
	pfree(found);
	return count;
}

void
esg_check_run(unsigned char *signature)
{
	TimestampTz now = GetCurrentTimestamp();
	EsgAudit   *audit = esg_audit_run(ESG_AUDIT_ALL);
	EsgAlarm   *alarms;
	int			count;

	if (signature != NULL)
		esg_file_state_of(audit, signature);
	count = esg_audit_alarms_collect(audit, &alarms);
	count = add_passphrase_alarm(&alarms, count);
	esg_alarms_reconcile(ESG_SCOPE_FILES, alarms, count, now);
	esg_server_state_set_check(now, audit->disk_known ? audit->disk_fingerprint : NULL);
	pfree(alarms);
	esg_audit_free(audit);
	esg_check_server();
}
