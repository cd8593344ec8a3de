/*
 * policy/alarm_event.h
 *		What happens to an alarm, and what of it somebody is to be told.
 *
 * The one who is told, the alarm command, may be slow or out of order: what has
 * not been told yet is overtaken by what happens next.
 */
#ifndef ESG_POLICY_ALARM_EVENT_H
#define ESG_POLICY_ALARM_EVENT_H

#include <stdbool.h>
#include <stdint.h>

typedef enum EsgAlarmEvent
{
	ESG_EVENT_NONE = 0,			/* it stands, as it was known */
	ESG_EVENT_RAISED,
	ESG_EVENT_REPEATED,			/* it stands, and it is time to say so again */
	ESG_EVENT_ESCALATED,		/* its severity has risen */
	ESG_EVENT_CLEARED,			/* something was mended */
	ESG_EVENT_UNTRACKED,		/* nobody knows any longer whether it stands */
	ESG_EVENT_LACKING			/* it found no place in the registry */
} EsgAlarmEvent;

/* "raised", "repeated", "escalated", "cleared", "untracked" */
extern const char *esg_alarm_event_name(EsgAlarmEvent event);

/* Does the alarm stand no more? */
extern bool esg_alarm_event_is_end(EsgAlarmEvent event);

/*
 * What is to be told now that this happened while that was waiting to be told;
 * ESG_EVENT_NONE: nothing.  told: of the alarm something may have been heard.
 */
extern EsgAlarmEvent esg_alarm_event_merge(EsgAlarmEvent waiting, EsgAlarmEvent event, bool told);

/*
 * Seconds to wait after so many failures in a row before the next try; -1: that
 * was the last one.
 */
extern int64_t esg_alarm_event_pause(int failures);

#endif							/* ESG_POLICY_ALARM_EVENT_H */
