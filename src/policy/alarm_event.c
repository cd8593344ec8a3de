/*
 * policy/alarm_event.c
 *		What happens to an alarm, and what of it somebody is to be told.
 */
#include "policy/alarm_event.h"

/* The pauses double: 2, 4, 8 ... seconds.  All of them make three hours. */
#define LONGEST_PAUSE INT64_C(3600)
#define MAX_FAILURES 14

const char *
esg_alarm_event_name(EsgAlarmEvent event)
{
	switch (event)
	{
		case ESG_EVENT_RAISED:
			return "raised";
		case ESG_EVENT_REPEATED:
			return "repeated";
		case ESG_EVENT_ESCALATED:
			return "escalated";
		case ESG_EVENT_CLEARED:
			return "cleared";
		case ESG_EVENT_UNTRACKED:
			return "untracked";
		default:
			return "none";
	}
}

bool
esg_alarm_event_is_end(EsgAlarmEvent event)
{
	return event == ESG_EVENT_CLEARED || event == ESG_EVENT_UNTRACKED;
}

EsgAlarmEvent
esg_alarm_event_merge(EsgAlarmEvent waiting, EsgAlarmEvent event, bool told)
{
	switch (event)
	{
		case ESG_EVENT_RAISED:
			return ESG_EVENT_RAISED;
		case ESG_EVENT_ESCALATED:
			/* who has not heard of it hears of it as new */
			return waiting == ESG_EVENT_RAISED ? ESG_EVENT_RAISED : ESG_EVENT_ESCALATED;
		case ESG_EVENT_CLEARED:
		case ESG_EVENT_UNTRACKED:
			/* nor need he hear that it is gone */
			return told ? event : ESG_EVENT_NONE;
		default:
			return waiting;
	}
}

int64_t
esg_alarm_event_pause(int failures)
{
	int64_t		pause = 1;

	if (failures >= MAX_FAILURES)
		return -1;
	for (int i = 0; i < failures && pause < LONGEST_PAUSE; i++)
		pause *= 2;
	return pause < LONGEST_PAUSE ? pause : LONGEST_PAUSE;
}
