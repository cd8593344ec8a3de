/*
 * login/barrier.c
 *		What goes wrong while a login is looked at need not end it.
 *
 * The login hook runs inside the transaction in which core looks up role and
 * database, and core goes on in it.  An ERROR leaves behind buffer pins, catalog
 * references, locks, an active scan: only the abort of a subtransaction gives all
 * of that back and nothing else.  It needs no database, writes nothing, takes no
 * transaction number, and works on a standby.
 *
 * To begin and end one costs more than most of what is done here, and hardly any
 * login needs it.  So what the work holds is kept apart from what core does by a
 * resource owner alone, and the subtransaction is begun when there is an ERROR: it
 * takes the owner over and is aborted.
 *
 * Not caught is what is no ERROR (the end of authentication_timeout and a
 * shutdown are FATAL), and the request to cancel.
 */
#include "postgres.h"

#include <openssl/err.h>

#include "access/xact.h"
#include "storage/lwlock.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "compat.h"
#include "login/barrier.h"

/* The work is done: what it still holds, locks maybe, is its caller's. */
static void
hand_on(ResourceOwner work_owner, ResourceOwner owner)
{
	ResourceOwnerRelease(work_owner, RESOURCE_RELEASE_BEFORE_LOCKS, true, false);
	ResourceOwnerRelease(work_owner, RESOURCE_RELEASE_LOCKS, true, false);
	ResourceOwnerRelease(work_owner, RESOURCE_RELEASE_AFTER_LOCKS, true, false);
	CurrentResourceOwner = owner;
	ResourceOwnerDelete(work_owner);
}

/* The work has failed: gives back what it held, and other code's for it. */
static void
give_back(ResourceOwner work_owner, ResourceOwner owner, MemoryContext context)
{
	CurrentResourceOwner = owner;
	/* who is told of the subtransaction shall find none of these held */
	LWLockReleaseAll();
	BeginInternalSubTransaction(NULL);
	ResourceOwnerNewParent(work_owner, CurrentResourceOwner);
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
}

ErrorData *
esg_barrier_run(EsgBarrierFn work, void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ResourceOwner work_owner = ResourceOwnerCreate(owner, "ext_ssl_guard login");
	ErrorData  *volatile error = NULL;

	CurrentResourceOwner = work_owner;
	PG_TRY();
	{
		work(arg);
		MemoryContextSwitchTo(context);
		hand_on(work_owner, owner);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		give_back(work_owner, owner, context);
		ERR_clear_error();
	}
	PG_END_TRY();
	if (error != NULL && error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		ReThrowError(error);
	return error;
}
