/*
 * login/barrier.c
 *		What goes wrong while a login is looked at need not end it.
 *
 * The login hook runs inside the transaction in which core looks up role and
 * database, and core goes on in it.  An ERROR leaves behind buffer pins, catalog
 * references, locks, an active scan: only the abort of a subtransaction gives all
 * of that back and nothing else.  It needs no database, writes nothing, takes no
 * transaction number, and works on a standby.  It is not cheap (much of it is code
 * that no login runs otherwise), so a login has one as long as nothing goes wrong.
 *
 * Not caught is what is no ERROR (the end of authentication_timeout and a
 * shutdown are FATAL), and the request to cancel.
 */
#include "postgres.h"

#include <openssl/err.h>

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "compat.h"
#include "login/barrier.h"

/* Back to the state before the subtransaction; its end moves both. */
static void
restore(MemoryContext context, ResourceOwner owner)
{
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
}

ErrorData *
esg_barrier_run(EsgBarrierFn work, void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		work(arg);
		ReleaseCurrentSubTransaction();
		restore(context, owner);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		restore(context, owner);
		ERR_clear_error();
	}
	PG_END_TRY();
	if (error != NULL && error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		ReThrowError(error);
	return error;
}
