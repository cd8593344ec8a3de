/*
 * hooks/worker.c
 *		The background worker: looks when it is time to look.
 *
 * It has shared memory but no database, so that it runs from the start of
 * recovery and on standbys.  No login waits for it.
 *
 * What takes time, reading the files, is done by a child (audit/child.h), so
 * that signals are obeyed at once.  Between two readings the worker sleeps until
 * the next moment at which the outlook, or the registry of clients, says that a
 * verdict changes.
 */
#include "postgres.h"

#include <openssl/err.h>

#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/condition_variable.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "audit/alarm_command.h"
#include "audit/auto_reload.h"
#include "audit/check.h"
#include "audit/child.h"
#include "audit/file_state.h"
#include "audit/outlook.h"
#include "audit/posture.h"
#include "audit/probe.h"
#include "audit/renewals.h"
#include "compat.h"
#include "hooks/worker.h"
#include "login/ca_usage.h"
#include "login/client_review.h"
#include "login/clients.h"
#include "login/file_guard.h"
#include "login/guard.h"
#include "login/handshake.h"
#include "login/resets.h"
#include "login/session_review.h"
#include "login/transport.h"
#include "policy/certificate.h"
#include "policy/elapsed.h"
#include "server/alarms.h"
#include "server/guc.h"
#include "server/served_hosts.h"
#include "server/setting_alarms.h"
#include "server/state.h"
#include "wire/system_roots.h"

#define WORKER_NAME "ext_ssl_guard worker"

/* seconds until the postmaster starts it again */
#define RESTART_DELAY 5

/*
 * The longest sleep, milliseconds: sleeps are measured by a clock that nobody
 * sets and that stands still while the machine is suspended, so a jump of the
 * other one is noticed this late at most.
 */
#define LONGEST_SLEEP 10000L
/* After SIGHUP, while the outcome of the reload is not known, milliseconds. */
#define SHORT_SLEEP 200L

/* While files are read; also what a failed handshake waits then, milliseconds. */
#define READING_SLEEP 1000L

/*
 * The postmaster signals us before it reloads the TLS files.  A check in
 * between would take the files just replaced for a forgotten reload, so we
 * wait this long (microseconds) for the outcome; with ssl off none comes.
 */
#define RELOAD_PATIENCE USECS_PER_SEC
/* and keep looking closely for this long */
#define RELOAD_WATCH (3 * USECS_PER_SEC)

/* A check that failed is tried again after this long, microseconds. */
#define RETRY_PAUSE (60 * USECS_PER_SEC)
/* Refused connections, however many, make it look at the files this often. */
#define REFUSAL_PAUSE (USECS_PER_SEC / 2)
/*
 * Files that are read for so long, microseconds, are not read on: the child may wait
 * for something that never comes.  For those that do take longer there is twice
 * the time each further time.
 */
#define READING_LIMIT (60 * USECS_PER_SEC)
#define LONGEST_READING_LIMIT (64 * READING_LIMIT)
/* So often in a row reloads make a check start over; then one is finished. */
#define MAX_INTERRUPTIONS 3

/* What logins have changed is written to disk this often, microseconds. */
#define SAVE_PAUSE (30 * USECS_PER_SEC)
/* and the rest of it, if there is more than one save writes */
#define SAVE_REST_PAUSE (5 * USECS_PER_SEC)

/* What the worker knows of its own past. */
typedef struct EsgWorkerState
{
	bool		first_logged;	/* the server's first check was */
	TimestampTz checked_at;		/* start of the last full check, 0 if none */
	bool		check_failed;	/* it came to no end */
	int			interruptions;	/* checks given up in a row */
	TimestampTz polled_at;		/* of the last look at the files' content */
	TimestampTz saved_at;		/* what logins have changed */
	int64		save_pause;		/* after that, microseconds */
	TimestampTz signalled_at;	/* of the last SIGHUP, 0 if none */
	bool		reload_open;	/* that SIGHUP has had no check yet */
	EsgLoadState load;			/* as of the last check */
	EsgServedState served;		/* as of the last check of the server */
	uint32		refusals;		/* connections refused for the files' sake, as
								 * of the last look at them */
	TimestampTz reading_at;		/* when the child began to read the files */
	int64		reading_limit;	/* how long it may */
	bool		read_anyway;	/* and is to judge them even if it knows them */
	EsgFileLook reading_look;	/* at the files, just before */
	EsgRenewals *renewals;		/* and what was known then, for the child */
	const EsgHosts *hosts;		/* in service then, for the child */
	EsgFileLook look;			/* the same, of the reading that outlook is of */
	EsgOutlook *outlook;		/* of the last full check, NULL if none; ours */
	int			moment;			/* the one in force */
	TimestampTz next_shown;		/* next_check_at */
	bool		unjudged;		/* what was read, or what the self-probe saw,
								 * is not judged yet */
} EsgWorkerState;

/* One kind of work; runs in a context that is emptied afterwards. */
typedef void (*EsgWorkFn) (EsgWorkerState *state);

static MemoryContext work_context = NULL;

/* Freeing a large CRL takes a while: it is killed. */
static EsgChild reader =
{
	.purpose = "check the TLS files",
	.title = "reading TLS files",
	.end_signal = SIGKILL,
	.end_patience = 20,
	.fd = -1
};

/* Not 0: that would mean the worker need not be started again. */
static void
stop_worker(void)
{
	esg_alarm_command_stop();
	esg_clients_save();
	esg_ca_usage_save();
	esg_transport_save();
	esg_resets_save();
	esg_renewals_save(true);
	proc_exit(1);
}

/* ---- when ---- */

static int64
seconds(int interval)
{
	return (int64) interval * USECS_PER_SEC;
}

/* Has interval (seconds, 0 never) passed since then? */
static bool
has_passed(TimestampTz since, int interval, TimestampTz now)
{
	return interval > 0 && esg_elapsed(since, seconds(interval), now);
}

static TimestampTz
from_unix(int64 unix_seconds)
{
	EsgTime		t = {ESG_TIME_VALID, unix_seconds, false};
	bool		is_null;

	return esg_report_timestamp(t, &is_null);
}

/* When does the verdict about a file change?  DT_NOEND if never. */
static TimestampTz
next_change(const EsgWorkerState *state)
{
	int64		next = ESG_TIME_NEVER;

	if (state->outlook != NULL)
		next = esg_outlook_next(state->outlook, state->moment);
	return next != ESG_TIME_NEVER ? from_unix(next) : DT_NOEND;
}

static void
show_next_check(EsgWorkerState *state)
{
	int64		client = esg_server_state_client_change();
	TimestampTz next = next_change(state);

	if (client != ESG_TIME_NEVER)
		next = Min(next, from_unix(client));

	if (esg_guc_expire_check_interval > 0 && state->checked_at != 0)
		next = Min(next, state->checked_at + seconds(esg_guc_expire_check_interval));
	if (next == DT_NOEND)
		next = 0;
	if (next == state->next_shown)
		return;
	state->next_shown = next;
	esg_server_state_set_next_check(next);
}

/* Back to a clean slate after an error, as the server's own processes do it. */
static void
recover_from_error(void)
{
	HOLD_INTERRUPTS();
	EmitErrorReport();
	LWLockReleaseAll();
	ConditionVariableCancelSleep();
	pgstat_report_wait_end();
	AtEOXact_Files(false);
	FlushErrorState();
	ERR_clear_error();
	RESUME_INTERRUPTS();
}

/* Does one piece of work; an error is logged, and the worker goes on. */
static void
do_work(EsgWorkFn work, EsgWorkerState *state)
{
	MemoryContext outer = MemoryContextSwitchTo(work_context);

	PG_TRY();
	{
		work(state);
	}
	PG_CATCH();
	{
		if (ShutdownRequestPending)
			stop_worker();
		MemoryContextSwitchTo(work_context);
		recover_from_error();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(outer);
	MemoryContextReset(work_context);
}

/* ---- the files ---- */

/* Did a TLS load end since the last full check? */
static bool
is_load_news(const EsgWorkerState *state)
{
	EsgLoadState load;

	esg_server_state_load(&load);
	return load.result != ESG_LOAD_PENDING &&
		(load.sequence != state->load.sequence || load.result != state->load.result);
}

/*
 * Is a check under way for nothing?  It starts over then, but one that is never
 * left in peace has to come to an end, too.
 */
static bool
is_reading_moot(const EsgWorkerState *state)
{
	return state->interruptions < MAX_INTERRUPTIONS && is_load_news(state);
}

static void
give_up_reading(EsgWorkerState *state)
{
	esg_child_end(&reader);
	state->interruptions++;
}

/* EsgChildWorkFn */
static void *
read_files(void *arg, Size *size)
{
	const EsgWorkerState *state = arg;
	bool		known = state->outlook != NULL && !state->read_anyway;

	esg_served_hosts_use(state->hosts);
	/* the same chains are judged as of many moments */
	(void) esg_system_roots_keep();
	return esg_outlook_make(known ? state->outlook->signature : NULL, state->renewals,
							ESG_MAX_MOMENTS, size);
}

/* The server has looked at its files for the first time. */
static void
log_first_check(const EsgOutlook *outlook)
{
	EsgAlarmCounts counts;

	esg_alarms_count(&counts);
	ereport(LOG,
			(errmsg("ext_ssl_guard %s has checked the TLS set-up: "
					"files %d, certificates %d, CRLs %d; "
					"standing alarms: critical %d, warning %d, notice %d",
					ESG_VERSION, outlook->file_count, outlook->cert_count, outlook->crl_count,
					counts.criticals, counts.warnings, counts.notices)));
}

static void
conclude_check(EsgWorkerState *state, TimestampTz began)
{
	esg_server_state_served(&state->served);
	esg_check_conclude(state->outlook, state->moment, began, state->load.sequence);
	if (!state->first_logged)
		log_first_check(state->outlook);
	state->first_logged = true;
}

/* Keeps what the child found; it may have taken long. */
static void
keep_outlook(EsgWorkerState *state, const EsgOutlook *outlook, Size size)
{
	if (state->outlook != NULL)
		pfree(state->outlook);
	state->outlook = NULL;
	state->outlook = MemoryContextAllocHuge(TopMemoryContext, size);
	memcpy(state->outlook, outlook, size);
	state->moment = Max(esg_outlook_find(outlook, esg_report_unix_now()), 0);
}

/*
 * Has the files read and, unless their content turns out to be what the outlook
 * is about, judged.  The past is written down before, so that what changes
 * meanwhile is found afterwards.
 */
static void
start_reading(EsgWorkerState *state)
{
	state->reading_at = state->polled_at = GetCurrentTimestamp();
	state->check_failed = true;
	state->refusals = esg_server_state_refusals();
	/* the child cannot ask what was loaded */
	esg_served_hosts_look();
	state->hosts = esg_served_hosts(NULL);
	state->renewals = esg_renewals_copy();
	esg_posture_prepare();
	esg_file_state_look(&state->reading_look);
	esg_file_guard_renew();
	esg_child_start(&reader, read_files, state);
	state->hosts = NULL;
}

static void
limit_reading(EsgWorkerState *state)
{
	if (!esg_child_is_running(&reader) ||
		!esg_elapsed(state->reading_at, state->reading_limit, GetCurrentTimestamp()))
		return;
	esg_child_end(&reader);
	state->interruptions = 0;
	state->checked_at = GetCurrentTimestamp();
	ereport(LOG,
			(errcode(ERRCODE_SYSTEM_ERROR),
			 errmsg("could not check the TLS files: it takes longer than %d seconds",
					(int) (state->reading_limit / USECS_PER_SEC)),
			 errdetail("It is tried again later.")));
	state->reading_limit = Min(2 * state->reading_limit, LONGEST_READING_LIMIT);
}

static void
finish_reading(EsgWorkerState *state)
{
	Size		size;
	const EsgOutlook *outlook = esg_child_take(&reader, &size);

	if (outlook == NULL)
	{
		limit_reading(state);
		return;
	}
	state->interruptions = 0;
	state->reading_limit = READING_LIMIT;
	state->look = state->reading_look;
	if (!outlook->unchanged)
	{
		state->checked_at = state->reading_at;
		esg_session_review_request_crls();
		keep_outlook(state, outlook, size);
		/* what may be about to be loaded is no alarm yet */
		if (state->first_logged && esg_auto_reload_takes(&state->look))
			state->unjudged = true;
		else
			conclude_check(state, state->reading_at);
	}
	else
		esg_renewals_confirm();
	state->check_failed = false;
}

static void
start_full_check(EsgWorkerState *state)
{
	state->checked_at = GetCurrentTimestamp();
	state->reload_open = false;
	state->read_anyway = true;
	esg_server_state_load(&state->load);
	esg_probe_request();
	start_reading(state);
}

static void
run_server_check(EsgWorkerState *state)
{
	esg_server_state_served(&state->served);
	esg_check_server();
}

static void
serve_probe(EsgWorkerState *state)
{
	if (esg_probe_serve())
		state->unjudged = true;
}

/* The files are as they were when they were read; what is served may not be. */
static void
judge_outlook(EsgWorkerState *state)
{
	state->unjudged = false;
	if (state->outlook != NULL)
		conclude_check(state, GetCurrentTimestamp());
	else
		run_server_check(state);
}

/* Looks whether the files are as they were when they were checked. */
static void
poll_files(EsgWorkerState *state)
{
	uint32		refusals = esg_server_state_refusals();
	EsgFileLook look;

	esg_file_state_look(&look);
	esg_file_guard_renew();
	if (esg_auto_reload_takes(&look))
	{
		state->polled_at = GetCurrentTimestamp();
		return;
	}
	if (!esg_file_state_unchanged(&state->look, &look))
	{
		state->read_anyway = false;
		start_reading(state);
		return;
	}
	esg_renewals_confirm();
	state->polled_at = GetCurrentTimestamp();
	state->refusals = refusals;
}

/*
 * A verdict is another now, or the clock was set back before the last one.  What
 * was not judged beforehand is read again; a reading under way will tell, too.
 */
static void
meet_change(EsgWorkerState *state)
{
	TimestampTz now = GetCurrentTimestamp();
	int			moment = esg_outlook_find(state->outlook, esg_report_unix_now());
	EsgFileLook look;

	esg_file_state_look(&look);
	if (moment >= 0 && esg_file_state_same_look(&state->look, &look))
	{
		state->moment = moment;
		conclude_check(state, now);
	}
	else if (!esg_child_is_running(&reader) && !state->reload_open)
		start_full_check(state);
}

/* ---- the clients ---- */

static void
review_clients(EsgWorkerState *state)
{
	esg_client_review_run();
	esg_login_guard_review();
}

static void
load_clients(EsgWorkerState *state)
{
	esg_clients_load();
}

/* If anything has changed. */
static void
save_clients(EsgWorkerState *state)
{
	state->saved_at = GetCurrentTimestamp();
	state->save_pause = SAVE_PAUSE;
	esg_ca_usage_save();
	esg_transport_save();
	esg_resets_save();
	esg_renewals_save(false);
	if (esg_clients_save_some())
		state->save_pause = SAVE_REST_PAUSE;
}

static void
drain_handshakes(EsgWorkerState *state)
{
	esg_handshake_drain();
}

static void
serve_sessions(EsgWorkerState *state)
{
	esg_session_review_serve();
}

static void
serve_alarm_command(EsgWorkerState *state)
{
	esg_alarm_command_serve();
}

/* When it is decided what becomes of changed files, all may look at them. */
static void
serve_auto_reload(EsgWorkerState *state)
{
	bool		was_busy = esg_auto_reload_is_busy();

	esg_auto_reload_serve(!esg_child_is_running(&reader) && !state->reload_open);
	if (was_busy && !esg_auto_reload_is_busy())
		state->polled_at = 0;
}

/* ---- what is due ---- */

/* Did a login see another certificate than the last check knew? */
static bool
is_served_news(const EsgWorkerState *state)
{
	EsgServedState served;

	esg_server_state_served(&served);
	return (served.seen_by == ESG_SEEN_NOT) != (state->served.seen_by == ESG_SEEN_NOT) ||
		memcmp(served.fingerprint, state->served.fingerprint, ESG_DIGEST_SIZE) != 0;
}

static bool
is_load_pending(void)
{
	EsgLoadState load;

	esg_server_state_load(&load);
	return load.result == ESG_LOAD_PENDING;
}

static bool
is_full_check_due(const EsgWorkerState *state, TimestampTz now)
{
	if (state->checked_at == 0 || is_load_news(state))
		return true;
	if (state->reload_open)
		return !is_load_pending() && esg_elapsed(state->signalled_at, RELOAD_PATIENCE, now);
	if (state->check_failed && esg_elapsed(state->checked_at, RETRY_PAUSE, now))
		return true;
	return has_passed(state->checked_at, esg_guc_expire_check_interval, now);
}

/* Is the moment in force no longer the one that was? */
static bool
is_change_due(const EsgWorkerState *state)
{
	return state->outlook != NULL &&
		esg_outlook_find(state->outlook, esg_report_unix_now()) != state->moment;
}

static bool
is_refusal_news(const EsgWorkerState *state)
{
	return esg_server_state_refusals() != state->refusals;
}

static bool
is_poll_due(const EsgWorkerState *state, TimestampTz now)
{
	if (is_refusal_news(state) && esg_elapsed(state->polled_at, REFUSAL_PAUSE, now))
		return true;
	return has_passed(state->polled_at, esg_guc_file_poll_interval, now);
}

/* Not what is being read, loaded or renewed. */
static bool
may_judge(const EsgWorkerState *state)
{
	return !esg_child_is_running(&reader) && !state->reload_open && !esg_auto_reload_is_busy();
}

/* Does what is due now. */
static void
do_round(EsgWorkerState *state)
{
	TimestampTz now = GetCurrentTimestamp();

	do_work(drain_handshakes, state);
	do_work(serve_sessions, state);
	if (esg_client_review_is_due(now))
		do_work(review_clients, state);
	if (esg_elapsed(state->saved_at, state->save_pause, now))
		do_work(save_clients, state);
	if (esg_child_is_running(&reader) && is_reading_moot(state))
		give_up_reading(state);
	do_work(finish_reading, state);
	if (!esg_child_is_running(&reader) && is_full_check_due(state, now))
		do_work(start_full_check, state);
	if (is_change_due(state))
		do_work(meet_change, state);
	do_work(serve_probe, state);
	do_work(serve_auto_reload, state);
	/* what lies on disk is compared with what is served when it has been read */
	if (may_judge(state) && is_poll_due(state, now))
		do_work(poll_files, state);
	/* first what has been read: what is served is compared with that */
	if (may_judge(state) && state->unjudged)
		do_work(judge_outlook, state);
	if (may_judge(state) && is_served_news(state))
		do_work(run_server_check, state);
	do_work(serve_alarm_command, state);
	show_next_check(state);
}

/* Shortens a sleep, microseconds, to what is left of a span. */
static void
shorten_sleep(int64 *sleep, TimestampTz since, int64 span, TimestampTz now)
{
	*sleep = Min(*sleep, esg_elapsed_left(since, span, now));
}

/* Microseconds until the files are to be looked at, or what logins changed to be saved. */
static int64
time_to_look(const EsgWorkerState *state, TimestampTz now)
{
	int64		sleep = LONGEST_SLEEP * 1000;

	if (state->signalled_at != 0 && !esg_elapsed(state->signalled_at, RELOAD_WATCH, now))
		sleep = SHORT_SLEEP * 1000;
	shorten_sleep(&sleep, state->saved_at, state->save_pause, now);
	if (esg_guc_expire_check_interval > 0)
		shorten_sleep(&sleep, state->checked_at, seconds(esg_guc_expire_check_interval), now);
	if (esg_guc_file_poll_interval > 0)
		shorten_sleep(&sleep, state->polled_at, seconds(esg_guc_file_poll_interval), now);
	if (is_refusal_news(state))
		shorten_sleep(&sleep, state->polled_at, REFUSAL_PAUSE, now);
	if (state->check_failed)
		shorten_sleep(&sleep, state->checked_at, RETRY_PAUSE, now);
	return sleep;
}

/* Milliseconds until something can be due. */
static long
next_sleep(const EsgWorkerState *state)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz change = next_change(state);
	int64		sleep;

	if (state->reload_open)
		return SHORT_SLEEP;
	if (!esg_child_is_running(&reader))
		sleep = time_to_look(state, now);
	else if (change > now)
		sleep = READING_SLEEP * 1000;
	else
		/* what has changed comes with what the child reads */
		return SHORT_SLEEP;
	sleep = Min(sleep, change - now);
	sleep = Min(sleep, esg_client_review_time_left(now));
	sleep = Min(sleep, esg_alarm_command_time_left(now));
	sleep = Min(sleep, esg_auto_reload_time_left(now));
	sleep = Min(sleep, esg_probe_time_left(now));
	sleep = Min(sleep, esg_session_review_time_left(now));
	/* rounded up: a millisecond too early would be a round for nothing */
	return (long) (Max(sleep, 0) / 1000) + 1;
}

static void
warn_of_thresholds(void)
{
	if (!esg_guc_thresholds_crossed())
		return;
	ereport(LOG,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"ext_ssl_guard.expire_critical_threshold\" exceeds \"ext_ssl_guard.expire_alert_threshold\""),
			 errdetail("The value of \"ext_ssl_guard.expire_alert_threshold\" is used for both.")));
}

static void
review_settings(EsgWorkerState *state)
{
	esg_setting_alarms_review();
}

static void
reload_settings(EsgWorkerState *state)
{
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
	warn_of_thresholds();
	state->signalled_at = GetCurrentTimestamp();
	state->reload_open = true;
	if (esg_child_is_running(&reader) && state->interruptions < MAX_INTERRUPTIONS)
		give_up_reading(state);
	/* other thresholds, other moments */
	esg_client_review_forget();
	esg_session_review_request();
	do_work(review_settings, state);
}

static void
forget_worker(int code, Datum arg)
{
	esg_server_state_set_worker(0);
}

static void
start_worker(EsgWorkerState *state)
{
	EsgCheckState check;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGCHLD, esg_child_note_end);
	BackgroundWorkerUnblockSignals();
	work_context = AllocSetContextCreate(TopMemoryContext, "ext_ssl_guard work",
										 ALLOCSET_DEFAULT_SIZES);
	before_shmem_exit(forget_worker, (Datum) 0);
	esg_server_state_set_worker(MyProcPid);
	warn_of_thresholds();
	/* a worker before this one may have made it */
	esg_server_state_check(&check);
	state->first_logged = check.last_check_at != 0;
}

/* Until something is to be done, the child has read the files, or a handshake failed. */
static void
wait_for_work(const EsgWorkerState *state, uint32 wait_event)
{
	int			events = WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH;
	int			fd = esg_child_is_running(&reader) ? esg_child_fd(&reader) : esg_handshake_fd();

	if (fd >= 0)
		(void) WaitLatchOrSocket(MyLatch, events | WL_SOCKET_READABLE, fd,
								 next_sleep(state), wait_event);
	else
		(void) WaitLatch(MyLatch, events, next_sleep(state), wait_event);
	ResetLatch(MyLatch);
}

void
esg_worker_main(Datum main_arg)
{
	EsgWorkerState state;
	uint32		wait_event = WaitEventExtensionNew("ExtSslGuardMain");

	memset(&state, 0, sizeof(state));
	state.reading_limit = READING_LIMIT;
	start_worker(&state);
	do_work(review_settings, &state);
	do_work(load_clients, &state);
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		if (ShutdownRequestPending)
			stop_worker();
		if (ConfigReloadPending)
			reload_settings(&state);
		do_round(&state);
		wait_for_work(&state, wait_event);
	}
}

void
esg_worker_init(void)
{
	BackgroundWorker worker;

	memset(&worker, 0, sizeof(worker));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS;
	worker.bgw_start_time = BgWorkerStart_PostmasterStart;
	worker.bgw_restart_time = RESTART_DELAY;
	strlcpy(worker.bgw_library_name, "ext_ssl_guard", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "esg_worker_main", sizeof(worker.bgw_function_name));
	strlcpy(worker.bgw_name, WORKER_NAME, sizeof(worker.bgw_name));
	strlcpy(worker.bgw_type, WORKER_NAME, sizeof(worker.bgw_type));
	RegisterBackgroundWorker(&worker);
}
