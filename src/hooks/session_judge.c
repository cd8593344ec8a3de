/*
 * hooks/session_judge.c
 *		The background worker that judges open sessions once and exits.
 */
#include "postgres.h"

#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "audit/child.h"
#include "compat.h"
#include "hooks/session_judge.h"
#include "login/session_judge.h"
#include "policy/elapsed.h"

/* who has not found out by then does not; microseconds */
#define LIMIT (60 * USECS_PER_SEC)

/* milliseconds */
#define WAIT 1000L

static EsgChild finder =
{
	.purpose = "look for revoked certificates of open sessions",
	.title = "looking for revoked certificates",
	.end_signal = SIGKILL,
	.end_patience = 20,
	.fd = -1
};

static void
wait_for_child(uint32 wait_event)
{
	(void) WaitLatchOrSocket(MyLatch,
							 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH | WL_SOCKET_READABLE,
							 esg_child_fd(&finder), WAIT, wait_event);
	ResetLatch(MyLatch);
	/* a worker that ends so is not even a line in the log */
	if (ShutdownRequestPending)
		proc_exit(0);
}

static const void *
find(EsgJudging *judging, Size *size)
{
	TimestampTz began = GetCurrentTimestamp();
	uint32		wait_event = WaitEventExtensionNew("ExtSslGuardJudge");
	const void *found;

	esg_child_start(&finder, esg_session_judge_find, judging);
	while ((found = esg_child_take(&finder, size)) == NULL)
	{
		if (esg_elapsed(began, LIMIT, GetCurrentTimestamp()))
			ereport(ERROR,
					(errcode(ERRCODE_SYSTEM_ERROR),
					 errmsg("could not look for revoked certificates of open sessions: it takes too long")));
		wait_for_child(wait_event);
	}
	return found;
}

void
esg_session_judge_main(Datum main_arg)
{
	EsgJudging	judging;
	const void *found;
	Size		size;

	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGCHLD, esg_child_note_end);
	BackgroundWorkerUnblockSignals();
	CurrentMemoryContext = AllocSetContextCreate(TopMemoryContext, "ext_ssl_guard judge",
												 ALLOCSET_DEFAULT_SIZES);
	esg_session_judge_begin(&judging);
	found = find(&judging, &size);
	esg_session_judge_conclude(&judging, found, size);
	proc_exit(0);
}
