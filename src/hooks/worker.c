/*
 * hooks/worker.c
 *		The background worker: looks when it is time to look.
 *
 * It has shared memory but no database, so that it runs from the start of
 * recovery and on standbys.  No login waits for it.
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

#include "audit/check.h"
#include "audit/file_state.h"
#include "compat.h"
#include "hooks/worker.h"
#include "login/client_check.h"
#include "login/clients.h"
#include "login/guard.h"
#include "login/handshake.h"
#include "server/guc.h"
#include "server/state.h"

#define WORKER_NAME "ext_ssl_guard worker"

/* seconds until the postmaster starts it again */
#define RESTART_DELAY 5

/* What logins report is looked at this often, milliseconds. */
#define LONGEST_SLEEP 10000L
/* After SIGHUP, while the outcome of the reload is not known, milliseconds. */
#define SHORT_SLEEP 200L

/*
 * The postmaster signals us before it reloads the TLS files.  A check in
 * between would take the files just replaced for a forgotten reload, so we
 * wait this long (microseconds) for the outcome; with ssl off none comes.
 */
#define RELOAD_PATIENCE USECS_PER_SEC
/* and keep looking closely for this long */
#define RELOAD_WATCH (3 * USECS_PER_SEC)

/* Clients are judged anew as often as files are polled, but at least, seconds. */
#define CLIENT_REVIEW_INTERVAL 60
/* and written to disk, if anything changed, every so many times */
#define REVIEWS_PER_SAVE 5

/* What the worker knows of its own past. */
typedef struct EsgWorkerState
{
	TimestampTz checked_at;		/* start of the last full check, 0 if none */
	TimestampTz polled_at;		/* of the last look at the files' content */
	TimestampTz reviewed_at;	/* of the last look at the client registry */
	int			reviews;		/* since it was last saved */
	TimestampTz signalled_at;	/* of the last SIGHUP, 0 if none */
	bool		reload_open;	/* that SIGHUP has had no check yet */
	EsgLoadState load;			/* as of the last check */
	EsgServedState served;		/* as of the last check of the server */
	unsigned char signature[ESG_DIGEST_SIZE];	/* of the files as checked */
} EsgWorkerState;

/* One kind of work; runs in a context that is emptied afterwards. */
typedef void (*EsgWorkFn) (EsgWorkerState *state);

static MemoryContext work_context = NULL;

/* Has interval (seconds, 0 never) passed since last?  A clock set back counts as yes. */
static bool
has_passed(TimestampTz last, int interval, TimestampTz now)
{
	if (interval <= 0)
		return false;
	return now < last || now - last >= (int64) interval * USECS_PER_SEC;
}

/* Milliseconds until interval has passed since last, at most limit. */
static long
time_left(TimestampTz last, int interval, TimestampTz now, long limit)
{
	int64		left;

	if (interval <= 0)
		return limit;
	left = ((int64) interval * USECS_PER_SEC - (now - last)) / 1000 + 1;
	return (long) Max(1, Min(left, limit));
}

static void
plan_next_check(const EsgWorkerState *state)
{
	TimestampTz next = 0;

	if (esg_guc_expire_check_interval > 0 && state->checked_at != 0)
		next = state->checked_at + (int64) esg_guc_expire_check_interval * USECS_PER_SEC;
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
		MemoryContextSwitchTo(work_context);
		recover_from_error();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(outer);
	MemoryContextReset(work_context);
}

/*
 * The past is written down before the check, so that one that fails is not
 * repeated at once, and what changes while it runs is found afterwards.
 */
static void
run_full_check(EsgWorkerState *state)
{
	state->checked_at = state->polled_at = GetCurrentTimestamp();
	state->reload_open = false;
	esg_server_state_load(&state->load);
	esg_server_state_served(&state->served);
	memset(state->signature, 0, sizeof(state->signature));
	esg_check_run(state->signature);
}

static void
run_server_check(EsgWorkerState *state)
{
	esg_server_state_served(&state->served);
	esg_check_server();
}

/* Looks whether the files are as they were when they were checked. */
static void
poll_files(EsgWorkerState *state)
{
	unsigned char signature[ESG_DIGEST_SIZE];

	state->polled_at = GetCurrentTimestamp();
	esg_file_state_now(signature);
	if (memcmp(signature, state->signature, sizeof(signature)) != 0)
		run_full_check(state);
}

static int
review_interval(void)
{
	if (esg_guc_file_poll_interval > 0)
		return Min(esg_guc_file_poll_interval, CLIENT_REVIEW_INTERVAL);
	return CLIENT_REVIEW_INTERVAL;
}

/* Certificates of idle clients grow old, too. */
static void
review_clients(EsgWorkerState *state)
{
	state->reviewed_at = GetCurrentTimestamp();
	esg_client_check_review();
	esg_login_guard_review();
	if (++state->reviews < REVIEWS_PER_SAVE)
		return;
	state->reviews = 0;
	esg_clients_save();
}

static void
drain_handshakes(EsgWorkerState *state)
{
	esg_handshake_drain();
}

/* Did a TLS load end since the last full check? */
static bool
is_load_news(const EsgWorkerState *state)
{
	EsgLoadState load;

	esg_server_state_load(&load);
	return load.result != ESG_LOAD_PENDING &&
		(load.sequence != state->load.sequence || load.result != state->load.result);
}

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
	if (state->reload_open && !is_load_pending())
		return now - state->signalled_at >= RELOAD_PATIENCE;
	return has_passed(state->checked_at, esg_guc_expire_check_interval, now);
}

/* Does what is due now. */
static void
do_round(EsgWorkerState *state)
{
	TimestampTz now = GetCurrentTimestamp();

	do_work(drain_handshakes, state);
	if (has_passed(state->reviewed_at, review_interval(), now))
		do_work(review_clients, state);
	if (is_full_check_due(state, now))
	{
		do_work(run_full_check, state);
		plan_next_check(state);
		return;
	}
	if (state->reload_open)
		return;
	if (has_passed(state->polled_at, esg_guc_file_poll_interval, now))
	{
		do_work(poll_files, state);
		plan_next_check(state);
	}
	if (is_served_news(state))
		do_work(run_server_check, state);
}

/* Milliseconds until something can be due. */
static long
next_sleep(const EsgWorkerState *state)
{
	TimestampTz now = GetCurrentTimestamp();
	long		sleep = LONGEST_SLEEP;

	if (state->reload_open)
		return SHORT_SLEEP;
	if (state->signalled_at != 0 && now - state->signalled_at < RELOAD_WATCH)
		sleep = SHORT_SLEEP;
	sleep = time_left(state->reviewed_at, review_interval(), now, sleep);
	sleep = time_left(state->checked_at, esg_guc_expire_check_interval, now, sleep);
	return time_left(state->polled_at, esg_guc_file_poll_interval, now, sleep);
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
reload_settings(EsgWorkerState *state)
{
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
	warn_of_thresholds();
	state->signalled_at = GetCurrentTimestamp();
	state->reload_open = true;
}

static void
forget_worker(int code, Datum arg)
{
	esg_server_state_set_worker(0);
}

static void
start_worker(void)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	work_context = AllocSetContextCreate(TopMemoryContext, "ext_ssl_guard work",
										 ALLOCSET_DEFAULT_SIZES);
	before_shmem_exit(forget_worker, (Datum) 0);
	esg_server_state_set_worker(MyProcPid);
	warn_of_thresholds();
}

/* Not 0: that would mean the worker need not be started again. */
static void
stop_worker(void)
{
	esg_clients_save();
	proc_exit(1);
}

/* Until something is to be done, or a handshake failed. */
static void
wait_for_work(const EsgWorkerState *state, uint32 wait_event)
{
	int			events = WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH;

	if (esg_handshake_fd() >= 0)
		(void) WaitLatchOrSocket(MyLatch, events | WL_SOCKET_READABLE, esg_handshake_fd(),
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
	start_worker();
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
