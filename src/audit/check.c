/*
 * audit/check.c
 *		The full check: audit, running server, alarms, status.
 */
#include "postgres.h"

#include "libpq/libpq.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "utils/timestamp.h"

#include "audit/check.h"
#include "compat.h"
#include "server/alarms.h"
#include "server/guc.h"
#include "server/loaded_files.h"
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

/* Is that so?  Then say, unless NULL, has its detail, and describe "key=value" pairs about it. */
typedef struct ServerCheck
{
	EsgCode		code;
	bool		(*is_so) (const ServerFacts *facts);
	const char *(*say) (const ServerFacts *facts);
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

/* What is in service stays so until a later load succeeds. */
static bool
has_reload_failed(const ServerFacts *facts)
{
	return facts->load.result == ESG_LOAD_FAILED;
}

static const char *
say_what_is_left(const ServerFacts *facts)
{
	return facts->load.in_service ? "the previous certificate stays in service" :
		"there is no TLS";
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
	{ESG_RELOAD_FAILED, has_reload_failed, say_what_is_left, NULL},
	{ESG_RELOAD_PENDING, is_reload_pending, NULL, describe_pending},
	{ESG_HOOK_INACTIVE, is_hook_inactive, NULL, NULL},
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
	esg_report_server_alarm(check->code, severity, check->say ? check->say(facts) : "", pairs, out);
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

/* A new server certificate is reload_pending, which knows what is served. */
static bool
is_certificate_news(const EsgOutlook *outlook)
{
	EsgServedState served;

	esg_server_state_served(&served);
	return outlook->disk_known && served.seen_by != ESG_SEEN_NOT &&
		memcmp(served.fingerprint, outlook->disk_fingerprint, ESG_DIGEST_SIZE) != 0;
}

/* Appends the alarms about files that the server should reload; returns how many there are. */
static int
add_not_reloaded(const EsgOutlook *outlook, uint32 load_sequence, EsgAlarm *alarms)
{
	int			count = 0;

	for (int i = 0; i < outlook->loaded_count; i++)
	{
		const EsgLoadedFile *file = &outlook->loaded[i];

		if (esg_loaded_files_differ(file->setting, file->sha256, load_sequence) &&
			!(file->is_certificate && is_certificate_news(outlook)) &&
			file->alarm.severity != ESG_OK)
			alarms[count++] = file->alarm;
	}
	return count;
}

/* The alarm about the passphrase pair; returns how many there are, 0 or 1. */
static int
add_passphrase_alarm(EsgAlarm *alarm)
{
	EsgPolicy	policy;

	esg_guc_policy(&policy);
	return esg_passphrase_check(policy.overrides, alarm) ? 1 : 0;
}

void
esg_check_conclude(const EsgOutlook *outlook, int moment, TimestampTz began,
				   uint32 load_sequence)
{
	const EsgMoment *found = &outlook->moments[moment];
	int			count = 0;
	EsgAlarm   *alarms;

	alarms = palloc_extended((found->count + 1 + ESG_MAX_LOADED_FILES) * sizeof(EsgAlarm),
							 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	count += add_passphrase_alarm(alarms);
	count += add_not_reloaded(outlook, load_sequence, alarms + count);
	memcpy(alarms + count, outlook->alarms + found->first, found->count * sizeof(EsgAlarm));
	count += found->count;
	esg_alarms_reconcile(ESG_SCOPE_FILES, alarms, count, began);
	esg_server_state_set_check(began, outlook->disk_known ? outlook->disk_fingerprint : NULL);
	pfree(alarms);
	esg_check_server();
}

void
esg_check_run(void)
{
	TimestampTz began = GetCurrentTimestamp();
	EsgLoadState load;
	EsgOutlook *outlook;
	Size		size;

	esg_server_state_load(&load);
	outlook = esg_outlook_make(NULL, 1, &size);
	esg_check_conclude(outlook, 0, began, load.sequence);
	pfree(outlook);
}
