/*
 * audit/posture.c
 *		What is wrong with the server's settings and pg_hba.conf, as alarms.
 */
#include "postgres.h"

#include "access/xact.h"
#include "storage/fd.h"
#include "utils/memutils.h"

#include "audit/hba_alarms.h"
#include "audit/posture.h"
#include "audit/tls_setting_alarms.h"
#include "server/guc.h"

/* So many alarms a part has room for. */
#define MAX_ALARMS 128

/* Adds its alarms; returns how many, at most "room".  May raise an error. */
typedef int (*PosturePart) (EsgAlarm *alarms, int room);

/* Ends with NULL. */
static const PosturePart parts[] = {
	esg_tls_setting_alarms_collect,
	esg_hba_alarms_collect,
	NULL
};

void
esg_posture_prepare(void)
{
	esg_tls_setting_alarms_prepare();
}

/* Without a transaction nobody is there to be told of an error: the rest is checked all the same. */
static int
collect_part(PosturePart part, EsgAlarm *alarms, int room)
{
	MemoryContext context = CurrentMemoryContext;
	volatile int count = 0;

	if (IsTransactionState())
		return part(alarms, room);
	PG_TRY();
	{
		count = part(alarms, room);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		EmitErrorReport();
		FlushErrorState();
		/* those that core's parser had open; no transaction's end closes them */
		AtEOXact_Files(false);
	}
	PG_END_TRY();
	return count;
}

int
esg_posture_collect(EsgAlarm **out)
{
	int			count = 0;

	*out = palloc0(MAX_ALARMS * sizeof(EsgAlarm));
	for (const PosturePart *part = parts; esg_guc_posture_check && *part != NULL; part++)
		count += collect_part(*part, *out + count, MAX_ALARMS - count);
	return count;
}
