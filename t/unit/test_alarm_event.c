/* sources: policy/alarm_event */
/*
 * test_alarm_event.c
 *		What of an alarm is told, and how often that is tried.
 */
#include "esg_test.h"
#include "policy/alarm_event.h"

#define NONE ESG_EVENT_NONE
#define RAISED ESG_EVENT_RAISED
#define REPEATED ESG_EVENT_REPEATED
#define ESCALATED ESG_EVENT_ESCALATED
#define CLEARED ESG_EVENT_CLEARED
#define UNTRACKED ESG_EVENT_UNTRACKED
#define LACKING ESG_EVENT_LACKING

static void
test_merge(void)
{
	static const struct
	{
		const char *what;
		EsgAlarmEvent waiting;
		EsgAlarmEvent event;
		bool		told;
		EsgAlarmEvent merged;
	}			cases[] = {
		{"new", NONE, RAISED, false, RAISED},
		{"worse, after it was told", NONE, ESCALATED, true, ESCALATED},
		{"worse, before it was told", RAISED, ESCALATED, false, RAISED},
		{"worse, while it is being told", RAISED, ESCALATED, true, RAISED},
		{"worse again", ESCALATED, ESCALATED, true, ESCALATED},
		{"repeated: no news", NONE, REPEATED, true, NONE},
		{"repeated before it was told", RAISED, REPEATED, false, RAISED},
		{"silent", ESCALATED, NONE, true, ESCALATED},
		{"no place", NONE, LACKING, false, NONE},
		{"cleared", NONE, CLEARED, true, CLEARED},
		{"cleared before it was told", RAISED, CLEARED, false, NONE},
		{"cleared while it is being told", RAISED, CLEARED, true, CLEARED},
		{"cleared before the worse is told", ESCALATED, CLEARED, true, CLEARED},
		{"untracked", NONE, UNTRACKED, true, UNTRACKED},
		{"untracked before it was told", RAISED, UNTRACKED, false, NONE},
		{"raised again before the end is told", CLEARED, RAISED, true, RAISED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_int(esg_alarm_event_merge(cases[i].waiting, cases[i].event, cases[i].told),
			   cases[i].merged, cases[i].what);
}

static void
test_names(void)
{
	is_text(esg_alarm_event_name(RAISED), "raised", "raised");
	is_text(esg_alarm_event_name(REPEATED), "repeated", "repeated");
	is_text(esg_alarm_event_name(ESCALATED), "escalated", "escalated");
	is_text(esg_alarm_event_name(CLEARED), "cleared", "cleared");
	is_text(esg_alarm_event_name(UNTRACKED), "untracked", "untracked");
	is_text(esg_alarm_event_name((EsgAlarmEvent) 99), "none", "anything else");
	for (int event = NONE; event <= LACKING; event++)
		is_int(esg_alarm_event_is_end((EsgAlarmEvent) event), event == CLEARED || event == UNTRACKED,
			   esg_alarm_event_name((EsgAlarmEvent) event));
}

static void
test_pauses(void)
{
	int64_t		sum = 0;
	int			failures = 1;

	is_int(esg_alarm_event_pause(1), 2, "after the first failure");
	is_int(esg_alarm_event_pause(2), 4, "after the second");
	is_int(esg_alarm_event_pause(11), 2048, "they double");
	is_int(esg_alarm_event_pause(12), 3600, "up to an hour");
	is_int(esg_alarm_event_pause(13), 3600, "and stay there");
	is_int(esg_alarm_event_pause(14), -1, "then it is given up");
	is_int(esg_alarm_event_pause(2000000000), -1, "for good");
	while (esg_alarm_event_pause(failures) > 0)
		sum += esg_alarm_event_pause(failures++);
	is_int(failures, 14, "so many tries");
	ok(sum > 3 * 3600 && sum < 4 * 3600, "in three hours");
}

int
main(void)
{
	test_merge();
	test_names();
	test_pauses();
	return done();
}
