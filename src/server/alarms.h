/*
 * server/alarms.h
 *		The alarm registry: raised once, repeated, cleared.
 *
 * An alarm is (code, object).  It belongs to a scope: a check reports the
 * complete set of a scope, and what it does not report is cleared.
 */
#ifndef ESG_SERVER_ALARMS_H
#define ESG_SERVER_ALARMS_H

#include "datatype/timestamp.h"

#include "policy/alarm_event.h"
#include "server/report.h"

#define ESG_MAX_ALARMS 448

/*
 * The longest report: more alarms than have a place, so that the lack is
 * counted.  One as long as that may have been cut.
 */
#define ESG_MAX_REPORTED (2 * ESG_MAX_ALARMS)

typedef enum EsgAlarmScope
{
	ESG_SCOPE_FILES = 1,		/* the audit of the server's files */
	ESG_SCOPE_SERVER,			/* reload_failed, reload_pending … */
	ESG_SCOPE_CLIENTS,			/* the worker's look at the client registry */
	ESG_SCOPE_LOGIN,			/* raised one by one at logins */
	ESG_SCOPE_LABELS,			/* role labels that nobody can meet, roles
								 * that do not exist: what the catalog says */
	ESG_SCOPE_SETTINGS,			/* values that do not do what they seem to */
	ESG_SCOPE_RELOAD,			/* what auto_reload does not load, or could
								 * not */
	ESG_SCOPE_POSTURE			/* the server's settings and pg_hba.conf */
} EsgAlarmScope;

/* One row of ssl_guard_alarms, copied out. */
typedef struct EsgAlarmRow
{
	EsgAlarm	alarm;			/* detail is empty */
	TimestampTz raised_at;
	TimestampTz last_seen_at;
	TimestampTz last_logged_at;
	int64		occurrences;
} EsgAlarmRow;

typedef struct EsgAlarmCounts
{
	int			notices;
	int			warnings;
	int			criticals;
	int64		evicted;		/* alarms that found no place in the registry,
								 * or lost it to a worse one, each counted
								 * once while it lasts; since the start */
	int64		commands_run;	/* these since the start, too */
	int64		commands_failed;
	int64		events_dropped; /* that the listener was not told of, and
								 * never will be */
} EsgAlarmCounts;

/* What has become of an alarm that is not reported any more. */
typedef enum EsgAlarmFate
{
	ESG_FATE_MENDED,			/* cleared, which the log says */
	ESG_FATE_UNTRACKED,			/* dropped: nobody knows, says the log */
	ESG_FATE_STANDS				/* it only was not in the report */
} EsgAlarmFate;

/* Called without the lock; may raise an error. */
typedef EsgAlarmFate (*EsgAlarmFateFn) (const EsgAlarm *alarm, const void *arg);

extern void esg_alarms_init(void);

/*
 * Is it time to log the same again?  last_logged is 0 if it was not logged yet;
 * the pause is ext_ssl_guard.alarm_repeat_interval.
 */
extern bool esg_alarms_is_line_due(TimestampTz last_logged, TimestampTz now);

/*
 * The complete set of a scope, as found by a look that began at "now".  Logs
 * what is new, worse, due for repetition or cleared, after releasing the lock.
 * An alarm that was seen since "now" is not cleared.
 */
extern void esg_alarms_reconcile(EsgAlarmScope scope, const EsgAlarm *alarms, int count, TimestampTz now);

/* The same for a report that is not complete: judge says of each alarm that is missing why it is. */
extern void esg_alarms_reconcile_judged(EsgAlarmScope scope, const EsgAlarm *alarms, int count,
										TimestampTz now, EsgAlarmFateFn judge, const void *arg);

/* One alarm more in a scope, nothing cleared. */
extern void esg_alarms_raise(EsgAlarmScope scope, const EsgAlarm *alarm, TimestampTz now);
extern void esg_alarms_clear(EsgAlarmScope scope, EsgCode code, const char *object);

/* false: there is nothing in that scope to clear, and no need to say what */
extern bool esg_alarms_may_be_cleared(EsgAlarmScope scope);

/* Takes the alarms of that code in a scope down that were last seen before then. */
extern void esg_alarms_expire(EsgAlarmScope scope, EsgCode code, TimestampTz before,
							  EsgAlarmFate fate);

/* palloc'd, worst first, then oldest first */
extern int	esg_alarms_copy(EsgAlarmRow **out);
extern void esg_alarms_count(EsgAlarmCounts *out);

/* Those that only rise begin anew; returns 0, the number of alarms that go. */
extern int64 esg_alarms_reset_counts(void);

/*
 * What the alarm command, the listener, is to be told: raised, escalated and
 * ended alarms.  What follows is for the worker alone, which does the telling.
 */

/* Which event of which entry; not to be looked into. */
typedef struct EsgAlarmNewsKey
{
	int			place;
	uint32		number;
} EsgAlarmNewsKey;

typedef struct EsgAlarmNews
{
	EsgAlarmEvent event;
	TimestampTz at;
	EsgAlarmNewsKey key;
	EsgAlarm	alarm;			/* detail is empty */
} EsgAlarmNews;

/*
 * Who is to be told, 0 for nobody; a new one knows nothing, so all that stands
 * is news to him.  Returns whether he is new.
 */
extern bool esg_alarms_set_listener(uint32 listener);

extern int	esg_alarms_count_news(void);

/* palloc'd, worst first, ended ones last; it stays news until it was told */
extern int	esg_alarms_take_news(EsgAlarmNews **out);

/* he was told of these, unless something happened meanwhile that is news again */
extern void esg_alarms_note_told(const EsgAlarmNewsKey *keys, int count);

/* he cannot be told of these: they are counted as dropped, under the same condition */
extern void esg_alarms_note_dropped(const EsgAlarmNewsKey *keys, int count);

/* the command has ended */
extern void esg_alarms_note_run(bool failed);

#endif							/* ESG_SERVER_ALARMS_H */
