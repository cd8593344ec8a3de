/*
 * server/alarm_list.c
 *		Alarms collected worst first.
 */
#include "postgres.h"

#include "server/alarm_list.h"

void
esg_alarm_list_fill(EsgAlarmList *list, int room, EsgAlarmCollectFn collect, void *arg)
{
	list->items = palloc0(Max(room, 1) * sizeof(EsgAlarm));
	list->count = 0;
	list->room = room;
	for (list->severity = ESG_CRITICAL; list->severity > ESG_OK; list->severity--)
		collect(list, arg);
}

EsgAlarm *
esg_alarm_list_next(EsgAlarmList *list, const EsgFinding *finding)
{
	if (finding->severity != list->severity || list->count == list->room)
		return NULL;
	return &list->items[list->count++];
}
