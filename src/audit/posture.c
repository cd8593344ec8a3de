/*
 * audit/posture.c
 *		What is wrong with the server's settings and pg_hba.conf, as alarms.
 */
#include "postgres.h"

#include "audit/hba_alarms.h"
#include "audit/posture.h"
#include "audit/tls_setting_alarms.h"
#include "server/guc.h"

/* So many alarms a part has room for. */
#define MAX_ALARMS 128

/* Adds its alarms; returns how many, at most "room". */
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

int
esg_posture_collect(EsgAlarm **out)
{
	int			count = 0;

	*out = palloc0(MAX_ALARMS * sizeof(EsgAlarm));
	for (const PosturePart *part = parts; esg_guc_posture_check && *part != NULL; part++)
		count += (*part) (*out + count, MAX_ALARMS - count);
	return count;
}
