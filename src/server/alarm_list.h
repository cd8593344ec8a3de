/*
 * server/alarm_list.h
 *		Alarms collected worst first, as there may be more than find a place.
 */
#ifndef ESG_SERVER_ALARM_LIST_H
#define ESG_SERVER_ALARM_LIST_H

#include "server/report.h"

typedef struct EsgAlarmList
{
	EsgAlarm   *items;			/* palloc'd */
	int			count;
	int			room;
	EsgSeverity severity;		/* the one being collected */
} EsgAlarmList;

/* goes through the findings, and fills what esg_alarm_list_next() gives for them */
typedef void (*EsgAlarmCollectFn) (EsgAlarmList *list, void *arg);

/* Calls collect for each severity, the worst first. */
extern void esg_alarm_list_fill(EsgAlarmList *list, int room, EsgAlarmCollectFn collect, void *arg);

/* a new alarm at the end; NULL: it is not this finding's turn, or the list is full */
extern EsgAlarm *esg_alarm_list_next(EsgAlarmList *list, const EsgFinding *finding);

#endif							/* ESG_SERVER_ALARM_LIST_H */
