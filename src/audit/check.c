/*
 * audit/check.c
 *		The full check: audit, running server, alarms, status.
 */
#include "postgres.h"

#include "libpq/libpq.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "audit/check.h"
#include "audit/posture.h"
#include "compat.h"
#include "server/alarms.h"
#include "server/guc.h"
#include "server/loaded_files.h"
#include "server/passphrase.h"
#include "server/probed.h"
#include "server/served_hosts.h"
#include "server/state.h"
#include "server/tls_files.h"

/* what reload_pending is about */
#define SERVER_CERTIFICATE "server certificate"

/* What the checks of the running server go by. */
typedef struct ServerFacts
{
	bool		tls;
	EsgLoadState load;
	EsgServedState served;
	EsgCheckState disk;
	EsgProbed	probed;
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
	esg_server_state_load(&facts->load);
	esg_server_state_served(&facts->served);
	esg_server_state_check(&facts->disk);
	esg_probed_get(&facts->probed);
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

const EsgHost *
esg_check_failed_host(const EsgLoadState *load)
{
	EsgFileMark mark;
	const EsgHosts *hosts = esg_sni_hosts_read();

	esg_sni_hosts_mark(&mark);
	if (load->failed_host < 0 || load->failed_host >= list_length(hosts->hosts) ||
		memcmp(&mark, &load->hosts_mark, sizeof(mark)) != 0)
		return NULL;
	return list_nth(hosts->hosts, load->failed_host);
}

static void
describe_failed_host(const ServerFacts *facts, char *pairs, size_t size)
{
	const EsgHost *host = esg_check_failed_host(&facts->load);
	char		line[16];

	if (host == NULL)
		return;
	snprintf(line, sizeof(line), "%d", host->line);
	esg_alarm_text_append_pair(pairs, size, "line", line);
	esg_alarm_text_append_pair(pairs, size, "host", esg_report_printable(esg_sni_hosts_names(host)));
}

static bool
is_reload_pending(const ServerFacts *facts)
{
	return facts->tls && facts->served.seen_by != ESG_SEEN_NOT && facts->disk.disk_known &&
		memcmp(facts->served.fingerprint, facts->disk.disk_fingerprint, ESG_DIGEST_SIZE) != 0;
}

static const char *
say_what_is_pending(const ServerFacts *facts)
{
	return SERVER_CERTIFICATE;
}

static void
append_fingerprints(const unsigned char *served, const unsigned char *disk, char *pairs, size_t size)
{
	char		text[ESG_FINGERPRINT_TEXT_SIZE];

	esg_x509_info_fingerprint_text(served, text);
	esg_alarm_text_append_pair(pairs, size, "served_fingerprint", text);
	esg_x509_info_fingerprint_text(disk, text);
	esg_alarm_text_append_pair(pairs, size, "disk_fingerprint", text);
}

static void
describe_pending(const ServerFacts *facts, char *pairs, size_t size)
{
	append_fingerprints(facts->served.fingerprint, facts->disk.disk_fingerprint, pairs, size);
}

static bool
has_probe_failed(const ServerFacts *facts)
{
	return facts->tls && esg_guc_self_probe && facts->probed.alarming;
}

static const char *
say_why_probe_failed(const ServerFacts *facts)
{
	return facts->probed.reason;
}

static bool
is_passphrase_in_backup(const ServerFacts *facts)
{
	return facts->tls && esg_passphrase_in_backup();
}

static void
describe_pair(const ServerFacts *facts, char *pairs, size_t size)
{
	char		directory[MAXPGPATH];
	char	   *printable;

	if (!esg_tls_files_passphrase_directory(directory))
		return;
	printable = esg_report_printable(directory);
	esg_alarm_text_append_pair(pairs, size, "path", printable);
	pfree(printable);
}

static const ServerCheck server_checks[] = {
	{ESG_RELOAD_FAILED, has_reload_failed, say_what_is_left, describe_failed_host},
	{ESG_RELOAD_PENDING, is_reload_pending, say_what_is_pending, describe_pending},
	{ESG_PROBE_FAILED, has_probe_failed, say_why_probe_failed, NULL},
	{ESG_PASSPHRASE_IN_BACKUP, is_passphrase_in_backup, NULL, describe_pair},
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

/* ------------------------------------------------------------------------
 * Files and hosts that the server should reload
 * ------------------------------------------------------------------------ */

/* What is in service, beside what an outlook has found on disk. */
typedef struct Service
{
	EsgLoadState load;
	EsgServedState served;
	EsgServedSet set;
	bool		exact;			/* hosts and "set" belong together */
	bool		edited;			/* the list of hosts on disk is another one */
	EsgPolicy	policy;
} Service;

/* Where alarms are added. */
typedef struct Alarms
{
	EsgAlarm   *items;
	int			count;
} Alarms;

static void
read_service(Service *service)
{
	esg_server_state_load(&service->load);
	esg_server_state_served(&service->served);
	(void) esg_server_state_served_set(&service->set);
	(void) esg_served_hosts(&service->exact);
	service->edited = EnableSSL && esg_served_hosts_edited();
	esg_guc_policy(&service->policy);
}

/* The fingerprint in service; NULL if it is not known. */
static const unsigned char *
find_served(const Service *service, const EsgLoadedFile *file)
{
	if (file->host[0] == '\0')
		return service->served.seen_by != ESG_SEEN_NOT ? service->served.fingerprint : NULL;
	return service->exact ? esg_server_state_set_get(&service->set, file->host_index) : NULL;
}

/* A new server certificate is reload_pending, which knows what is served. */
static bool
is_certificate_news(const Service *service, const EsgLoadedFile *file)
{
	const unsigned char *served = find_served(service, file);

	return file->leaf_known && served != NULL && memcmp(served, file->leaf, ESG_DIGEST_SIZE) != 0;
}

/* Space for an alarm of that code; false if it is switched off. */
static bool
begin_finding(const Service *service, EsgFinding *finding, EsgCode code, EsgPlace place, char *detail)
{
	finding->code = code;
	finding->place = place;
	finding->severity = esg_findings_severity(code, place, service->policy.overrides);
	finding->detail = detail;
	return finding->severity != ESG_OK;
}

static void
add_not_reloaded(const Service *service, const EsgLoadedFile *file, Alarms *out)
{
	EsgLocation location = {file->setting, file->path, 0, file->line, file->host[0] ? file->host : NULL, false};
	EsgFinding	finding;

	if (begin_finding(service, &finding, ESG_FILE_NOT_RELOADED, ESG_PLACE_FILE, ""))
		esg_alarm_text_file(&finding, &location, NULL, &out->items[out->count++]);
}

static void
add_host_pending(const Service *service, const EsgLoadedFile *file, Alarms *out)
{
	EsgLocation location = {file->setting, file->path, 0, file->line, file->host, false};
	EsgFinding	finding;
	char		pairs[ESG_DETAIL_SIZE] = "";

	if (!begin_finding(service, &finding, ESG_RELOAD_PENDING, ESG_PLACE_SERVER, SERVER_CERTIFICATE))
		return;
	append_fingerprints(find_served(service, file), file->leaf, pairs, sizeof(pairs));
	esg_report_loaded_alarm(&finding, &location, pairs, &out->items[out->count++]);
}

static void
add_hosts_pending(const Service *service, Alarms *out)
{
	EsgLocation location = {"hosts_file", HostsFileName, 0, 0, NULL, false};
	EsgFinding	finding;

	if (begin_finding(service, &finding, ESG_RELOAD_PENDING, ESG_PLACE_SERVER, "list of hosts"))
		esg_report_loaded_alarm(&finding, &location, NULL, &out->items[out->count++]);
}

/* What was loaded while the look was taken is compared at the next one. */
static void
add_pending(const EsgOutlook *outlook, uint32 load_sequence, Alarms *out, EsgHostsSync *hosts)
{
	const EsgLoadedFile *files = esg_outlook_loaded(outlook);
	Service    *service = palloc0(sizeof(Service));

	read_service(service);
	memset(hosts, 0, sizeof(*hosts));
	hosts->sequence = load_sequence;
	hosts->in_sync = !service->edited;
	for (int i = 0; i < outlook->loaded_count && service->load.sequence == load_sequence; i++)
	{
		const EsgLoadedFile *file = &files[i];
		bool		news = file->is_certificate && is_certificate_news(service, file);

		if (file->host[0] != '\0' && file->is_certificate && find_served(service, file) != NULL)
		{
			hosts->known = true;
			hosts->in_sync = hosts->in_sync && file->leaf_known && !news;
		}
		if (news && file->host[0] != '\0')
			add_host_pending(service, file, out);
		else if (!news && file->sound &&
				 esg_loaded_files_differ(file->setting, file->path, file->sha256, load_sequence))
			add_not_reloaded(service, file, out);
	}
	if (service->edited)
		add_hosts_pending(service, out);
	pfree(service);
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
	Alarms		alarms = {NULL, 0};
	EsgHostsSync hosts;

	/*
	 * each file has one at most, and the passphrase pair, and the list of
	 * hosts
	 */
	alarms.items = palloc_extended((found->count + outlook->loaded_count + 2) * sizeof(EsgAlarm),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	alarms.count = add_passphrase_alarm(alarms.items);
	add_pending(outlook, load_sequence, &alarms, &hosts);
	memcpy(alarms.items + alarms.count, outlook->alarms + found->first, found->count * sizeof(EsgAlarm));
	alarms.count += found->count;
	esg_renewals_learn(&outlook->seen);
	esg_alarms_reconcile(ESG_SCOPE_FILES, alarms.items, alarms.count, began);
	esg_alarms_reconcile(ESG_SCOPE_POSTURE, outlook->alarms + outlook->posture_first,
						 outlook->posture_count, began);
	esg_server_state_set_check(began, outlook->disk_known ? outlook->disk_fingerprint : NULL, &hosts);
	pfree(alarms.items);
	esg_check_server();
}

void
esg_check_run(void)
{
	TimestampTz began = GetCurrentTimestamp();
	EsgLoadState load;
	EsgOutlook *outlook;
	Size		size;

	esg_served_hosts_look();
	esg_server_state_load(&load);
	esg_posture_prepare();
	outlook = esg_outlook_make(NULL, esg_renewals_copy(), 1, &size);
	esg_check_conclude(outlook, 0, began, load.sequence);
	pfree(outlook);
}
