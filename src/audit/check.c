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

#define MAX_SERVER_ALARMS 3

typedef struct ServerAlarms
{
	EsgPolicy	policy;
	EsgAlarm	alarms[MAX_SERVER_ALARMS];
	int			count;
} ServerAlarms;

static void
add_alarm(ServerAlarms *set, EsgCode code, const char *pairs)
{
	EsgSeverity severity = esg_findings_severity(code, ESG_PLACE_SERVER,
												 set->policy.overrides);

	if (severity != ESG_OK)
		esg_report_server_alarm(code, severity, "", pairs, &set->alarms[set->count++]);
}

/* The old certificate stays in service until a later load succeeds. */
static void
check_reload_failed(ServerAlarms *set)
{
	EsgLoadState load;

	esg_server_state_load(&load);
	if (load.result == ESG_LOAD_FAILED)
		add_alarm(set, ESG_RELOAD_FAILED, NULL);
}

static void
check_reload_pending(ServerAlarms *set)
{
	EsgServedState served;
	EsgCheckState disk;
	char		text[ESG_FINGERPRINT_TEXT_SIZE];
	char		pairs[ESG_DETAIL_SIZE] = "";

	esg_server_state_served(&served);
	esg_server_state_check(&disk);
	if (!EnableSSL || served.seen_by == ESG_SEEN_NOT || !disk.disk_known ||
		memcmp(served.fingerprint, disk.disk_fingerprint, ESG_DIGEST_SIZE) == 0)
		return;
	esg_x509_info_fingerprint_text(served.fingerprint, text);
	esg_report_append_pair(pairs, sizeof(pairs), "served_fingerprint", text);
	esg_x509_info_fingerprint_text(disk.disk_fingerprint, text);
	esg_report_append_pair(pairs, sizeof(pairs), "disk_fingerprint", text);
	add_alarm(set, ESG_RELOAD_PENDING, pairs);
}

/* ssl_sni is PostgreSQL 19's: with it core builds its contexts another way. */
static void
check_hook_inactive(ServerAlarms *set)
{
	if (EnableSSL && ssl_sni)
		add_alarm(set, ESG_HOOK_INACTIVE, NULL);
}

void
esg_check_server(void)
{
	TimestampTz now = GetCurrentTimestamp();
	ServerAlarms *set = palloc0(sizeof(ServerAlarms));

	esg_guc_policy(&set->policy);
	check_reload_failed(set);
	check_reload_pending(set);
	check_hook_inactive(set);
	esg_alarms_reconcile(ESG_SCOPE_SERVER, set->alarms, set->count, now);
	pfree(set);
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
