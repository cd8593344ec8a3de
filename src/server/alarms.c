/*
 * server/alarms.c
 *		The alarm registry: raised once, repeated, cleared.
 *
 * A fixed table in shared memory; everything in it is guarded by the area's
 * lock.  Under the lock nothing is allocated and nothing is logged: the
 * decisions go to memory obtained before, the log lines come after release.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "policy/elapsed.h"
#include "server/alarms.h"
#include "server/guc.h"
#include "server/shmem.h"

/* cleared alarms that are carried out of the lock in one go */
#define CLEAR_BATCH 32

/* EsgAlarmScope's, as many as "scopes" has bits */
#define MAX_SCOPES 8

typedef struct EsgAlarmEntry
{
	uint32		hash;			/* of code and object */
	uint16		code;			/* EsgCode, 0: the entry is free */
	uint8		severity;		/* EsgSeverity */
	uint8		scopes;			/* a bit for each EsgAlarmScope that holds it */
	bool		seen;			/* in the report being reconciled */
	TimestampTz raised_at;
	TimestampTz last_seen_at;
	TimestampTz last_logged_at;
	int64		occurrences;
	char		object[ESG_OBJECT_SIZE];
	char		message[ESG_MESSAGE_SIZE];
	char		hint[ESG_HINT_SIZE];
} EsgAlarmEntry;

typedef struct EsgAlarmArea
{
	int64		dropped;		/* see EsgAlarmCounts */
	int			lacking[MAX_SCOPES];	/* of each scope: how many alarms of
										 * its last report have no place */
	bool		full;			/* said so in the log, until there is room */
	int			used;			/* entries [0, used) have been in use */
	EsgAlarmEntry entries[ESG_MAX_ALARMS];
} EsgAlarmArea;

/* What became of one reported alarm. */
typedef enum EsgOutcome
{
	OUTCOME_SILENT,
	OUTCOME_LOG,
	OUTCOME_DROPPED
} EsgOutcome;

/* The complete set of a scope, as found by a look that began then. */
typedef struct Report
{
	EsgAlarmScope scope;
	const EsgAlarm *alarms;
	int			count;
	uint32	   *hashes;			/* of the alarms */
	TimestampTz began;
} Report;

/* One alarm, or all with that code that were last seen before then. */
typedef struct Selection
{
	EsgCode		code;
	const char *object;
	uint32		hash;			/* of code and object */
	TimestampTz before;
} Selection;

/* Is this one of the alarms to be cleared?  Called under the lock. */
typedef bool (*ClearFn) (const EsgAlarmEntry *entry, const void *arg);

static EsgAlarmArea *area = NULL;
static LWLock *area_lock = NULL;

void
esg_alarms_init(void)
{
	esg_shmem_register("alarms", sizeof(EsgAlarmArea), (void **) &area, &area_lock, NULL);
}

bool
esg_alarms_is_line_due(TimestampTz last_logged, TimestampTz now)
{
	return last_logged == 0 ||
		esg_elapsed(last_logged, (int64) esg_guc_alarm_repeat_interval * USECS_PER_SEC, now);
}

static uint32
hash_key(EsgCode code, const char *object)
{
	return hash_combine(hash_bytes_uint32((uint32) code),
						hash_bytes((const unsigned char *) object, (int) strlen(object)));
}

static bool
is_entry_of(const EsgAlarmEntry *entry, uint32 hash, EsgCode code, const char *object)
{
	return entry->hash == hash && entry->code == code && strcmp(entry->object, object) == 0;
}

static bool
is_held(const EsgAlarmEntry *entry, EsgAlarmScope scope)
{
	Assert(scope > 0 && scope < MAX_SCOPES);
	return entry->code != ESG_NO_FINDING && (entry->scopes & (1 << scope)) != 0;
}

static EsgAlarmEntry *
find_entry(uint32 hash, EsgCode code, const char *object)
{
	Assert(LWLockHeldByMe(area_lock));
	Assert(area->used >= 0 && area->used <= ESG_MAX_ALARMS);
	for (int i = 0; i < area->used; i++)
	{
		if (is_entry_of(&area->entries[i], hash, code, object))
			return &area->entries[i];
	}
	return NULL;
}

static EsgAlarmEntry *
find_free(void)
{
	for (int i = 0; i < area->used; i++)
	{
		if (area->entries[i].code == ESG_NO_FINDING)
			return &area->entries[i];
	}
	return area->used < ESG_MAX_ALARMS ? &area->entries[area->used] : NULL;
}

/* An alarm gives way.  That its scope will lack a place is counted with that. */
static void
count_evicted(const EsgAlarmEntry *entry)
{
	area->dropped++;
	for (int scope = 1; scope < MAX_SCOPES; scope++)
		area->lacking[scope] += is_held(entry, (EsgAlarmScope) scope);
}

/*
 * A place for a new alarm: a free one, else that of the least severe alarm,
 * provided that it is less severe than the new one.
 */
static EsgAlarmEntry *
find_place(EsgSeverity severity)
{
	EsgAlarmEntry *place = find_free();

	if (place != NULL)
	{
		area->used = Max(area->used, (int) (place - area->entries) + 1);
		return place;
	}
	place = &area->entries[0];
	for (int i = 1; i < ESG_MAX_ALARMS; i++)
	{
		if (area->entries[i].severity < place->severity)
			place = &area->entries[i];
	}
	if (place->severity >= severity)
		return NULL;
	count_evicted(place);
	return place;
}

/* Notes one reported alarm.  The lock is held. */
static EsgOutcome
note_alarm(EsgAlarmScope scope, const EsgAlarm *alarm, uint32 hash, TimestampTz now)
{
	EsgAlarmEntry *entry = find_entry(hash, alarm->code, alarm->object);
	bool		log;

	Assert(LWLockHeldByMeInMode(area_lock, LW_EXCLUSIVE));
	Assert(alarm->code > ESG_NO_FINDING && alarm->code < ESG_CODE_COUNT);
	Assert(alarm->severity > ESG_OK && alarm->severity <= ESG_CRITICAL);
	if (entry == NULL)
	{
		entry = find_place(alarm->severity);
		if (entry == NULL)
			return OUTCOME_DROPPED;
		memset(entry, 0, sizeof(*entry));
		entry->hash = hash;
		entry->code = (uint16) alarm->code;
		entry->raised_at = now;
		strlcpy(entry->object, alarm->object, sizeof(entry->object));
		log = true;
	}
	else
		log = alarm->severity > entry->severity || esg_alarms_is_line_due(entry->last_logged_at, now);

	entry->scopes |= 1 << scope;
	entry->seen = true;
	entry->severity = (uint8) alarm->severity;
	entry->last_seen_at = now;
	entry->occurrences++;
	strlcpy(entry->message, alarm->message, sizeof(entry->message));
	strlcpy(entry->hint, alarm->hint, sizeof(entry->hint));
	if (log)
		entry->last_logged_at = now;
	return log ? OUTCOME_LOG : OUTCOME_SILENT;
}

/*
 * Is the alarm already noted in this report?  The worst of several was noted
 * first.
 */
static bool
is_duplicate(const EsgAlarm *alarm, uint32 hash)
{
	const EsgAlarmEntry *entry = find_entry(hash, alarm->code, alarm->object);

	return entry != NULL && entry->seen;
}

/*
 * Notes a whole report, worst alarms first, so that they find a place even if
 * not all do; returns how many did not.  The lock is held.
 */
static int
note_report(const Report *report, EsgOutcome *outcomes)
{
	int			lacking = 0;

	for (int i = 0; i < area->used; i++)
		area->entries[i].seen = false;
	for (int severity = ESG_CRITICAL; severity > ESG_OK; severity--)
	{
		for (int i = 0; i < report->count; i++)
		{
			const EsgAlarm *alarm = &report->alarms[i];

			if ((int) alarm->severity != severity || is_duplicate(alarm, report->hashes[i]))
				continue;
			outcomes[i] = note_alarm(report->scope, alarm, report->hashes[i], report->began);
			lacking += outcomes[i] == OUTCOME_DROPPED;
		}
	}
	return lacking;
}

/* Copies an entry out.  The lock is held. */
static void
copy_entry(const EsgAlarmEntry *entry, EsgAlarm *out)
{
	memset(out, 0, sizeof(*out));
	out->code = (EsgCode) entry->code;
	out->severity = (EsgSeverity) entry->severity;
	strlcpy(out->object, entry->object, sizeof(out->object));
	strlcpy(out->message, entry->message, sizeof(out->message));
	strlcpy(out->hint, entry->hint, sizeof(out->hint));
}

/*
 * Takes the entry out of the scope.  If no other scope holds it, it is freed
 * and copied to gone; returns whether it was.  The lock is held.
 */
static bool
release_entry(EsgAlarmEntry *entry, EsgAlarmScope scope, EsgAlarm *gone)
{
	entry->scopes &= ~(1 << scope);
	if (entry->scopes != 0)
		return false;
	copy_entry(entry, gone);
	entry->code = ESG_NO_FINDING;
	entry->hash = 0;
	return true;
}

/* Clears what a scope holds and is to go, at most CLEAR_BATCH.  The lock is held. */
static int
clear_batch(EsgAlarmScope scope, ClearFn is_gone, const void *arg, EsgAlarm *gone)
{
	int			count = 0;

	Assert(LWLockHeldByMeInMode(area_lock, LW_EXCLUSIVE));
	for (int i = 0; i < area->used && count < CLEAR_BATCH; i++)
	{
		EsgAlarmEntry *entry = &area->entries[i];

		if (is_held(entry, scope) && is_gone(entry, arg) &&
			release_entry(entry, scope, &gone[count]))
			count++;
	}
	return count;
}

/* Clears what a scope holds and is to go, then logs it. */
static void
clear_alarms(EsgAlarmScope scope, ClearFn is_gone, const void *arg)
{
	EsgAlarm   *gone = palloc(sizeof(EsgAlarm) * CLEAR_BATCH);
	int			cleared;

	do
	{
		LWLockAcquire(area_lock, LW_EXCLUSIVE);
		cleared = clear_batch(scope, is_gone, arg, gone);
		LWLockRelease(area_lock);
		for (int i = 0; i < cleared; i++)
			esg_report_log_alarm(&gone[i], true);
	} while (cleared == CLEAR_BATCH);
	pfree(gone);
}

/*
 * Takes down that so many alarms found no place; is that news for the log?  It
 * is not until there has been room again: a report that lacks nothing may be a
 * small one of another scope.  The lock is held.
 */
static bool
note_lacking(int lacking)
{
	bool		news = lacking > 0 && !area->full;

	if (lacking > 0)
		area->full = true;
	else if (find_free() != NULL)
		area->full = false;
	return news;
}

static void
log_overflow(int lacking)
{
	ereport(LOG,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("too many alarms: %d found no place in the registry of %d",
					lacking, ESG_MAX_ALARMS),
			 errhint("Mend the most severe ones first, or switch findings off with \"ext_ssl_guard.finding_overrides\"."),
			 errhidestmt(true), errhidecontext(true)));
}

static bool
is_reported(const EsgAlarmEntry *entry, const Report *report)
{
	for (int i = 0; i < report->count; i++)
	{
		const EsgAlarm *alarm = &report->alarms[i];

		if (alarm->severity != ESG_OK &&
			is_entry_of(entry, report->hashes[i], alarm->code, alarm->object))
			return true;
	}
	return false;
}

/*
 * ClearFn: not in a Report?  Who saw it after the report began knows better;
 * but what lies further ahead than a report can take is left over from before
 * the clock was set back.
 */
static bool
is_missing(const EsgAlarmEntry *entry, const void *arg)
{
	const Report *report = arg;
	int64		ahead = entry->last_seen_at - report->began;

	return !(ahead > 0 && ahead < 10 * SECS_PER_MINUTE * USECS_PER_SEC) &&
		!is_reported(entry, report);
}

void
esg_alarms_reconcile(EsgAlarmScope scope, const EsgAlarm *alarms, int count, TimestampTz now)
{
	Report		report = {scope, alarms, count, palloc(sizeof(uint32) * Max(count, 1)), now};
	EsgOutcome *outcomes = palloc0(sizeof(EsgOutcome) * Max(count, 1));
	int			lacking;
	bool		overflow;

	esg_shmem_require("the alarm registry");
	for (int i = 0; i < count; i++)
		report.hashes[i] = hash_key(alarms[i].code, alarms[i].object);

	/* before anything new is noted, so that a full registry has room for it */
	clear_alarms(scope, is_missing, &report);

	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	lacking = note_report(&report, outcomes);
	/* a scope that lacks the same places in each report counts them once */
	area->dropped += Max(lacking - area->lacking[scope], 0);
	area->lacking[scope] = lacking;
	overflow = note_lacking(lacking);
	LWLockRelease(area_lock);

	for (int i = 0; i < count; i++)
	{
		if (outcomes[i] == OUTCOME_LOG)
			esg_report_log_alarm(&alarms[i], false);
	}
	if (overflow)
		log_overflow(lacking);
	pfree(outcomes);
	pfree(report.hashes);
}

void
esg_alarms_raise(EsgAlarmScope scope, const EsgAlarm *alarm, TimestampTz now)
{
	uint32		hash = hash_key(alarm->code, alarm->object);
	EsgOutcome	outcome;
	bool		overflow = false;

	esg_shmem_require("the alarm registry");
	if (alarm->severity == ESG_OK)
		return;
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	outcome = note_alarm(scope, alarm, hash, now);
	if (outcome == OUTCOME_DROPPED)
	{
		area->dropped++;
		overflow = note_lacking(1);
	}
	LWLockRelease(area_lock);

	if (outcome == OUTCOME_LOG)
		esg_report_log_alarm(alarm, false);
	if (overflow)
		log_overflow(1);
}

/* ClearFn: is it the alarm with this code and object? */
static bool
is_same(const EsgAlarmEntry *entry, const void *arg)
{
	const Selection *alarm = arg;

	return is_entry_of(entry, alarm->hash, alarm->code, alarm->object);
}

/* Most calls are made by good logins, which should not wait for each other. */
void
esg_alarms_clear(EsgAlarmScope scope, EsgCode code, const char *object)
{
	Selection	alarm = {.code = code,.object = object,.hash = hash_key(code, object)};
	const EsgAlarmEntry *entry;
	bool		stands;

	esg_shmem_require("the alarm registry");
	LWLockAcquire(area_lock, LW_SHARED);
	entry = find_entry(alarm.hash, code, object);
	stands = entry != NULL && is_held(entry, scope);
	LWLockRelease(area_lock);
	if (stands)
		clear_alarms(scope, is_same, &alarm);
}

/* ClearFn: of that code, and not seen for long? */
static bool
is_old(const EsgAlarmEntry *entry, const void *arg)
{
	const Selection *old = arg;

	return entry->code == old->code && entry->last_seen_at < old->before;
}

void
esg_alarms_expire(EsgAlarmScope scope, EsgCode code, TimestampTz before)
{
	Selection	old = {.code = code,.before = before};

	esg_shmem_require("the alarm registry");
	clear_alarms(scope, is_old, &old);
}

/* worst first, then oldest first, then in a fixed order */
static int
compare_rows(const void *left, const void *right)
{
	const EsgAlarmRow *a = left;
	const EsgAlarmRow *b = right;

	if (a->alarm.severity != b->alarm.severity)
		return a->alarm.severity > b->alarm.severity ? -1 : 1;
	if (a->raised_at != b->raised_at)
		return a->raised_at < b->raised_at ? -1 : 1;
	if (a->alarm.code != b->alarm.code)
		return a->alarm.code < b->alarm.code ? -1 : 1;
	return strcmp(a->alarm.object, b->alarm.object);
}

/* Copies the standing alarms to rows.  The lock is held. */
static int
copy_rows(EsgAlarmRow *rows)
{
	int			count = 0;

	for (int i = 0; i < area->used; i++)
	{
		const EsgAlarmEntry *entry = &area->entries[i];
		EsgAlarmRow *row = &rows[count];

		if (entry->code == ESG_NO_FINDING)
			continue;
		copy_entry(entry, &row->alarm);
		row->raised_at = entry->raised_at;
		row->last_seen_at = entry->last_seen_at;
		row->last_logged_at = entry->last_logged_at;
		row->occurrences = entry->occurrences;
		count++;
	}
	return count;
}

int
esg_alarms_copy(EsgAlarmRow **out)
{
	EsgAlarmRow *rows;
	int			count;

	esg_shmem_require("the alarm registry");
	rows = palloc(sizeof(EsgAlarmRow) * ESG_MAX_ALARMS);
	LWLockAcquire(area_lock, LW_SHARED);
	count = copy_rows(rows);
	LWLockRelease(area_lock);
	qsort(rows, count, sizeof(EsgAlarmRow), compare_rows);
	*out = rows;
	return count;
}

void
esg_alarms_count(EsgAlarmCounts *out)
{
	memset(out, 0, sizeof(*out));
	if (area == NULL)
		return;
	LWLockAcquire(area_lock, LW_SHARED);
	for (int i = 0; i < area->used; i++)
	{
		const EsgAlarmEntry *entry = &area->entries[i];

		if (entry->code == ESG_NO_FINDING)
			continue;
		out->notices += entry->severity == ESG_NOTICE;
		out->warnings += entry->severity == ESG_WARNING;
		out->criticals += entry->severity == ESG_CRITICAL;
	}
	out->dropped = area->dropped;
	LWLockRelease(area_lock);
}
