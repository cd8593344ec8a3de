/*
 * hooks/session_judge.c
 *		The background worker that judges open sessions once and exits.
 */
#include "postgres.h"

#include "libpq/pqsignal.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"

#include "hooks/session_judge.h"
#include "login/session_judge.h"

void
esg_session_judge_main(Datum main_arg)
{
	/*
	 * the default handler would end it with a line in the log; it is done
	 * soon
	 */
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	CurrentMemoryContext = AllocSetContextCreate(TopMemoryContext, "ext_ssl_guard judge",
												 ALLOCSET_DEFAULT_SIZES);
	esg_session_judge_run();
	/* a worker that ends so is not even a line in the log */
	proc_exit(0);
}
