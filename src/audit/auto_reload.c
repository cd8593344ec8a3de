/*
 * audit/auto_reload.c
 *		Renewed TLS files are brought into service: ext_ssl_guard.auto_reload.
 *
 * When the files look different, a child reads them (audit/trial.h).  If the
 * server has loaded something else, another child reads them a moment later, and
 * again, until two in a row have found the same: then they have settled.  The last
 * one has tried whether they can be loaded.  What is not worse than what is in
 * service is loaded, by the signal that pg_ctl reload sends.
 *
 * It never signals twice for the same content: who has tried in vain waits until
 * the files change or somebody reloads.
 */
#include "postgres.h"

#include <signal.h>

#include "libpq/libpq.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "audit/auto_reload.h"
#include "audit/child.h"
#include "audit/probe.h"
#include "audit/service_facts.h"
#include "policy/elapsed.h"
#include "policy/policy.h"
#include "server/alarms.h"
#include "server/guc.h"
#include "server/served_hosts.h"
#include "server/tls_files.h"
#include "x509/cut_text.h"

/* microseconds between two looks that have to find the same */
#define SETTLE_PAUSE USECS_PER_SEC

/* Whoever writes key and certificate one after the other has that long before it is an alarm. */
#define REFUSAL_PATIENCE (5 * USECS_PER_SEC)

/* Files that do not settle keep the usual alarms waiting for so long, and are read more seldom then. */
#define BUSY_LIMIT (60 * USECS_PER_SEC)

/* A trial that hangs, or has failed. */
#define TRIAL_LIMIT (120 * USECS_PER_SEC)
#define RETRY_PAUSE (60 * USECS_PER_SEC)

/* So often what was not loaded is judged anew: time passes, and other files are put right. */
#define REVIEW_PAUSE (300 * USECS_PER_SEC)

/* The postmaster has that long to load. */
#define LOAD_LIMIT (60 * USECS_PER_SEC)

/* and the self-probe to see what it has loaded */
#define PROBE_LIMIT (10 * USECS_PER_SEC)

#define SHORT_WAIT (USECS_PER_SEC / 10)

typedef enum Phase
{
	DECIDED,					/* nothing to do for files that look like that */
	TO_LOOK,					/* at next_at */
	PATIENT						/* refused, which is an alarm in a while */
} Phase;

/* Zeroes: the worker has just begun. */
static struct
{
	bool		on;
	Phase		phase;
	TimestampTz next_at;
	TimestampTz busy_since;		/* when the files were last at rest; 0: they
								 * are */
	uint32		sequence;		/* of the load that all this is about */
	EsgLoadResult result;
	EsgFileLook look;			/* at the files, just before the last trial */
	TimestampTz tried_at;
	bool		has_found;		/* something else than what is in service */
	unsigned char found[ESG_DIGEST_SIZE];	/* signature of it */
	TimestampTz found_at;		/* when it was found first */
	bool		has_alarm;
	EsgAlarm	alarm;			/* the one that stands, or will when PATIENT */
}			state;

static EsgChild trier =
{
	.purpose = "try the TLS files",
	.title = "trying TLS files",
	.end_signal = SIGKILL,
	.end_patience = 20,
	.fd = -1
};

/* ------------------------------------------------------------------------
 * Alarms
 * ------------------------------------------------------------------------ */

static void
show_alarm(void)
{
	esg_alarms_reconcile(ESG_SCOPE_RELOAD, &state.alarm, state.has_alarm ? 1 : 0, GetCurrentTimestamp());
}

static void
drop_alarm(void)
{
	state.has_alarm = false;
	show_alarm();
}

static EsgSeverity
grade(EsgCode code, EsgPlace place)
{
	EsgPolicy	policy;

	esg_guc_policy(&policy);
	return esg_findings_severity(code, place, policy.overrides);
}

static void
fill_file_alarm(const EsgTrialFile *file, const char *path, const char *reason)
{
	EsgLocation location = {file->setting, path, 0, file->line, file->host[0] != '\0' ? file->host : NULL, false};
	EsgFinding	finding = {ESG_AUTO_RELOAD_REFUSED, ESG_PLACE_FILE,
		grade(ESG_AUTO_RELOAD_REFUSED, ESG_PLACE_FILE), pstrdup(reason)
	};

	state.has_alarm = finding.severity != ESG_OK;
	if (state.has_alarm)
		esg_alarm_text_file(&finding, &location, NULL, &state.alarm);
}

static void
fill_server_alarm(EsgCode code, const char *reason, const char *pairs)
{
	EsgSeverity severity = grade(code, ESG_PLACE_SERVER);

	state.has_alarm = severity != ESG_OK;
	if (state.has_alarm)
		esg_report_server_alarm(code, severity, reason, pairs, &state.alarm);
}

/* ------------------------------------------------------------------------
 * Phases
 * ------------------------------------------------------------------------ */

static void
look_in(int64 microseconds)
{
	state.phase = TO_LOOK;
	state.next_at = GetCurrentTimestamp() + microseconds;
}

static void
begin_busy(void)
{
	if (state.busy_since == 0)
		state.busy_since = GetCurrentTimestamp();
}

static bool
is_past_limit(void)
{
	return state.busy_since != 0 &&
		esg_elapsed(state.busy_since, BUSY_LIMIT, GetCurrentTimestamp());
}

/* Between two looks at files that change in between: who never lets them rest does not keep us busy. */
static int64
get_pause(void)
{
	return is_past_limit() ? RETRY_PAUSE : SETTLE_PAUSE;
}

/*
 * review: it may be decided otherwise in that time, 0: never.  Whether the files
 * are at rest now, the next look tells.
 */
static void
decide(int64 review)
{
	state.phase = DECIDED;
	state.next_at = review > 0 ? GetCurrentTimestamp() + review : 0;
}

static void
start_over(void)
{
	esg_child_end(&trier);
	state.has_found = false;
	state.busy_since = 0;
	look_in(0);
}

/* What was to be loaded is nobody's business any more, also if a worker before this one began it. */
static void
switch_off(void)
{
	esg_service_facts_attempt()->open = false;
	if (!state.on)
		return;
	esg_child_end(&trier);
	drop_alarm();
	memset(&state, 0, sizeof(state));
}

static void
switch_on(void)
{
	if (state.on)
		return;
	state.on = true;
	look_in(0);
}

static bool
is_wanted(void)
{
	return esg_guc_auto_reload && EnableSSL;
}

/* ------------------------------------------------------------------------
 * The reload
 * ------------------------------------------------------------------------ */

static void
append_fingerprint(char *pairs, size_t size, const char *key, const unsigned char *fingerprint)
{
	static const unsigned char none[ESG_DIGEST_SIZE];
	char		text[ESG_FINGERPRINT_TEXT_SIZE];

	if (memcmp(fingerprint, none, ESG_DIGEST_SIZE) == 0)
		return;
	esg_x509_info_fingerprint_text(fingerprint, text);
	esg_alarm_text_append_pair(pairs, size, key, text);
}

static void
describe_attempt(const EsgAttempt *attempt, char *pairs, size_t size)
{
	pairs[0] = '\0';
	esg_alarm_text_append_pair(pairs, size, "settings", attempt->files);
	append_fingerprint(pairs, size, "old_fingerprint", attempt->before);
	append_fingerprint(pairs, size, "new_fingerprint", attempt->after);
}

/* Raises the alarm, again as well. */
static void
show_failure(const EsgAttempt *attempt)
{
	char		pairs[ESG_DETAIL_SIZE];

	describe_attempt(attempt, pairs, sizeof(pairs));
	fill_server_alarm(ESG_AUTO_RELOAD_FAILED, attempt->failure, pairs);
	show_alarm();
}

static void
fail_attempt(EsgAttempt *attempt, const char *reason)
{
	attempt->open = false;
	attempt->failed = true;
	strlcpy(attempt->failure, reason, sizeof(attempt->failure));
	show_failure(attempt);
}

/* Is what was to be in service there? */
static bool
is_in_service(const EsgAttempt *attempt)
{
	static const unsigned char none[ESG_DIGEST_SIZE];
	EsgServedSet *set = palloc(sizeof(EsgServedSet));
	const unsigned char *served;
	bool		good;

	(void) esg_server_state_served_set(set);
	served = esg_server_state_set_get(set, attempt->host_index);
	good = memcmp(attempt->after, none, ESG_DIGEST_SIZE) == 0 ||
		(served != NULL && memcmp(served, attempt->after, ESG_DIGEST_SIZE) == 0);
	pfree(set);
	return good;
}

static void
conclude_attempt(EsgAttempt *attempt, const EsgLoadState *load)
{
	char		pairs[ESG_DETAIL_SIZE];

	if (load->result != ESG_LOAD_OK)
		fail_attempt(attempt, "the server could not load them");
	else if (!is_in_service(attempt))
		fail_attempt(attempt, "another certificate is served");
	else
	{
		attempt->open = false;
		describe_attempt(attempt, pairs, sizeof(pairs));
		ereport(LOG,
				(errmsg("renewed TLS files are in service"),
				 errdetail_internal("%s", pairs)));
	}
}

/* A load has ended, whoever asked for it: what was found out before is history. */
static void
meet_load(const EsgLoadState *load)
{
	EsgAttempt *attempt = esg_service_facts_attempt();

	if (load->sequence == state.sequence && load->result == state.result)
		return;

	/*
	 * a worker before this one may have left an alarm, which says something
	 * still
	 */
	if (state.sequence != 0)
		drop_alarm();
	state.sequence = load->sequence;
	state.result = load->result;
	if (attempt->open && attempt->sequence != load->sequence)
	{
		attempt->loaded = true;
		attempt->sequence = load->sequence;
	}
	if (esg_guc_file_poll_interval == 0)
		ereport(LOG,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"ext_ssl_guard.auto_reload\" has no effect while \"ext_ssl_guard.file_poll_interval\" is 0")));
	start_over();
}

/* What the self-probe sees goes to server/state, too; it is waited for, but not for ever. */
static void
watch_attempt(const EsgLoadState *load)
{
	EsgAttempt *attempt = esg_service_facts_attempt();

	if (attempt->open && attempt->loaded)
	{
		if (load->result == ESG_LOAD_PENDING)
			return;
		if (load->result != ESG_LOAD_OK || !esg_probe_is_open() ||
			esg_elapsed(load->at, PROBE_LIMIT, GetCurrentTimestamp()))
			conclude_attempt(attempt, load);
	}
	else if (attempt->open && esg_elapsed(attempt->at, LOAD_LIMIT, GetCurrentTimestamp()))
		fail_attempt(attempt, "the server has not loaded them within a minute");
}

static void
note_certificate(EsgAttempt *attempt, const EsgTrialFile *file)
{
	EsgServedSet *set = palloc(sizeof(EsgServedSet));
	const unsigned char *served = esg_service_facts_served(set, file->host, file->host_index);

	if (served != NULL)
		memcpy(attempt->before, served, ESG_DIGEST_SIZE);
	memcpy(attempt->after, file->worth.fingerprint, ESG_DIGEST_SIZE);
	attempt->host_index = file->host[0] != '\0' ? file->host_index : 0;
	pfree(set);
}

static void
note_attempt(EsgAttempt *attempt, const EsgTrial *trial)
{
	bool		has_certificate = false;

	memset(attempt, 0, sizeof(*attempt));
	memcpy(attempt->signature, trial->signature, ESG_DIGEST_SIZE);
	for (int i = 0; i < trial->file_count; i++)
	{
		const EsgTrialFile *file = &trial->files[i];

		if (!esg_service_facts_differ(file))
			continue;
		if (attempt->files[0] != '\0')
			strlcat(attempt->files, ",", sizeof(attempt->files));
		strlcat(attempt->files, file->setting, sizeof(attempt->files));
		if (file->worth.kind == ESG_WORTH_CERTIFICATE && !has_certificate)
			note_certificate(attempt, file);
		has_certificate = has_certificate || file->worth.kind == ESG_WORTH_CERTIFICATE;
	}
	attempt->at = GetCurrentTimestamp();
	attempt->sequence = state.sequence;
	attempt->open = true;
}

static void
reload(const EsgTrial *trial)
{
	note_attempt(esg_service_facts_attempt(), trial);
	if (trial->proved.proof == ESG_PROOF_NEEDS_COMMAND)
		ereport(LOG,
				(errmsg("whether the private key fits is known only when the server loads it: "
						"\"ssl_passphrase_command\" has its passphrase")));
	drop_alarm();
	decide(0);
	if (kill(PostmasterPid, SIGHUP) != 0)
		fail_attempt(esg_service_facts_attempt(), "the server could not be signalled");
}

/* ------------------------------------------------------------------------
 * The verdict
 * ------------------------------------------------------------------------ */

static const EsgTrialFile *
find_difference(const EsgTrial *trial)
{
	for (int i = 0; i < trial->file_count; i++)
	{
		if (esg_service_facts_differ(&trial->files[i]))
			return &trial->files[i];
	}
	return NULL;
}

/* Also of what has not changed: what an expired CRL beside it does, it does already. */
static bool
is_refused(const EsgTrial *trial)
{
	char		reason[ESG_REASON_SIZE];

	for (int i = 0; i < trial->file_count; i++)
	{
		const EsgTrialFile *file = &trial->files[i];

		if ((!file->is_key && !esg_service_facts_differ(file)) ||
			!esg_service_facts_worse(trial, file, esg_report_unix_now(), reason))
			continue;
		fill_file_alarm(file, file->path, reason);
		return true;
	}
	return false;
}

/* The one that the proof fell over; as the server opens it, which may be relative. */
static const EsgTrialFile *
find_fault(const EsgTrial *trial)
{
	char	   *path = esg_tls_files_absolute(trial->proved.path);

	for (int i = 0; i < trial->file_count; i++)
	{
		if (strcmp(trial->files[i].path, path) == 0)
			return &trial->files[i];
	}
	return find_difference(trial);
}

static bool
is_unloadable(const EsgTrial *trial)
{
	const EsgTrialFile *file;

	if (trial->proved.proof == ESG_PROOF_LOADS || trial->proved.proof == ESG_PROOF_NEEDS_COMMAND)
		return false;
	file = find_fault(trial);
	fill_file_alarm(file, file->path, trial->proved.reason);
	return true;
}

static bool
is_held(const EsgTrial *trial)
{
	bool		certain;
	const char *path = esg_service_facts_config_news(&trial->config, &certain);
	char		pairs[ESG_DETAIL_SIZE] = "";
	char	   *printable;

	if (path == NULL)
		return false;
	printable = esg_report_printable(path);
	esg_alarm_text_append_pair(pairs, sizeof(pairs), "path", printable);
	fill_server_alarm(ESG_AUTO_RELOAD_HELD,
					  psprintf(certain ? "file \"%s\" has changed since it was last loaded" :
							   "nobody can say whether file \"%s\" has changed since it was last loaded",
							   printable),
					  pairs);
	return true;
}

static void
stand_by(void)
{
	show_alarm();
	decide(REVIEW_PAUSE);
}

static void
refuse(void)
{
	if (esg_elapsed(state.found_at, REFUSAL_PATIENCE, GetCurrentTimestamp()))
	{
		stand_by();
		return;
	}
	state.phase = PATIENT;
	state.next_at = state.found_at + REFUSAL_PATIENCE;
}

/*
 * Has it been tried with the same content?  When somebody has loaded something
 * since, and that went well, it is another case.
 */
static bool
is_tried(const EsgAttempt *attempt, const EsgTrial *trial)
{
	return attempt->at != 0 &&
		memcmp(attempt->signature, trial->signature, ESG_DIGEST_SIZE) == 0 &&
		(attempt->sequence == state.sequence ||
		 (attempt->failed && state.result == ESG_LOAD_FAILED));
}

/* The files have settled, and are not what is in service. */
static void
judge(const EsgTrial *trial)
{
	EsgAttempt *attempt = esg_service_facts_attempt();

	if (is_tried(attempt, trial))
	{
		if (attempt->failed)
			show_failure(attempt);
		decide(0);
	}
	else if (is_refused(trial) || is_unloadable(trial))
		refuse();
	else if (is_held(trial))
		stand_by();
	else
		reload(trial);
}

/* ------------------------------------------------------------------------
 * Trials
 * ------------------------------------------------------------------------ */

static void
note_found(const EsgTrial *trial)
{
	state.has_found = true;
	memcpy(state.found, trial->signature, ESG_DIGEST_SIZE);
	state.found_at = GetCurrentTimestamp();
	begin_busy();
	look_in(SETTLE_PAUSE);
}

static bool
is_same_as_before(const EsgTrial *trial)
{
	return state.has_found && memcmp(state.found, trial->signature, ESG_DIGEST_SIZE) == 0;
}

/* Within the limit what is found next may be what stays. */
static bool
is_at_rest(const EsgTrial *trial)
{
	return trial->at_rest &&
		(!state.has_found || is_same_as_before(trial) || !is_past_limit());
}

static void
wait_for_rest(void)
{
	state.has_found = false;
	begin_busy();
	look_in(get_pause());
}

static void
meet_trial(const EsgTrial *trial)
{
	EsgLoadState load;

	esg_server_state_load(&load);
	if (!is_at_rest(trial))
	{
		wait_for_rest();
		return;
	}
	esg_service_facts_learn(trial, &load);
	if (find_difference(trial) == NULL)
	{
		state.has_found = false;
		drop_alarm();
		decide(0);
	}
	else if (!is_same_as_before(trial))
		note_found(trial);
	else if (trial->proved.proof == ESG_PROOF_NONE)
		look_in(0);
	else
		judge(trial);
}

/* Until the trial comes to a good end, another one is due later. */
static void
start_trial(void)
{
	EsgTrialTask task;

	look_in(RETRY_PAUSE);
	esg_file_state_look(&state.look);
	state.tried_at = GetCurrentTimestamp();
	/* the child cannot ask what was loaded */
	esg_served_hosts_look();
	task.hosts = esg_served_hosts(NULL);
	task.prove = state.has_found;
	esg_child_start(&trier, esg_trial_run, &task);
}

static void
finish_trial(void)
{
	Size		size;
	const EsgTrial *trial = esg_child_take(&trier, &size);

	if (trial != NULL)
		meet_trial(trial);
	else if (esg_child_is_running(&trier) &&
			 esg_elapsed(state.tried_at, TRIAL_LIMIT, GetCurrentTimestamp()))
	{
		esg_child_end(&trier);
		look_in(RETRY_PAUSE);
		ereport(LOG,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("could not try the TLS files: it takes too long")));
	}
}

/* Files that change while a refusal waits to become an alarm were not complete. */
static void
be_patient(void)
{
	EsgFileLook look;

	esg_file_state_look(&look);
	if (!esg_file_state_same_look(&state.look, &look))
		look_in(0);
	else if (state.next_at <= GetCurrentTimestamp())
		refuse();
}

/* ------------------------------------------------------------------------
 * For the worker
 * ------------------------------------------------------------------------ */

bool
esg_auto_reload_is_busy(void)
{
	if (!state.on)
		return false;
	if (esg_service_facts_attempt()->open)
		return true;
	return state.phase != DECIDED && state.busy_since != 0 && !is_past_limit();
}

/* The files do not look as they did at the last trial, whose decision stands. */
static void
meet_change(void)
{
	begin_busy();
	look_in(esg_elapsed_left(state.tried_at, get_pause(), GetCurrentTimestamp()));
}

bool
esg_auto_reload_takes(const EsgFileLook *look)
{
	if (!state.on || !is_wanted())
		return false;
	if (state.phase != DECIDED || esg_service_facts_attempt()->open)
	{
		/* changed before the look that a load is followed by */
		if (!esg_file_state_same_look(&state.look, look))
			begin_busy();
		return esg_auto_reload_is_busy();
	}
	if (!esg_file_state_same_look(&state.look, look))
	{
		meet_change();
		return esg_auto_reload_is_busy();
	}
	state.busy_since = 0;
	if (!esg_file_state_unchanged(&state.look, look))
		look_in(0);
	else if (state.has_alarm)
		show_alarm();
	return false;
}

static bool
is_due(void)
{
	return (state.phase == TO_LOOK || (state.phase == DECIDED && state.next_at != 0)) &&
		state.next_at <= GetCurrentTimestamp();
}

void
esg_auto_reload_serve(bool may_read)
{
	EsgLoadState load;

	if (!is_wanted())
	{
		switch_off();
		return;
	}
	switch_on();
	esg_server_state_load(&load);
	if (load.result != ESG_LOAD_PENDING)
		meet_load(&load);
	watch_attempt(&load);
	if (load.result == ESG_LOAD_PENDING)
		return;
	finish_trial();
	if (state.phase == PATIENT)
		be_patient();
	if (may_read && !esg_child_is_running(&trier) && is_due())
		start_trial();
}

int64
esg_auto_reload_time_left(TimestampTz now)
{
	int64		left = PG_INT64_MAX;

	if (!state.on)
		return left;
	if (esg_child_is_running(&trier))
		return SHORT_WAIT;
	if (state.phase == PATIENT)
		left = SETTLE_PAUSE;
	else if (state.next_at != 0)
		left = state.next_at - now;
	if (esg_service_facts_attempt()->open)
		left = Min(left, SETTLE_PAUSE);
	return Max(left, SHORT_WAIT);
}
