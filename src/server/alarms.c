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
#include "server/alarms.h"
#include "server/guc.h"
#include "server/shmem.h"

/* cleared alarms that are carried out of the lock in one go */
#define CLEAR_BATCH 32

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
	int64		dropped;
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

static EsgAlarmArea *area = NULL;
static LWLock *area_lock = NULL;

static Size
area_size(void)
{
	return sizeof(EsgAlarmArea);
}

static void
attach_area(void *memory, LWLock *lock, bool found)
{
	area = memory;
	area_lock = lock;
}

void
esg_alarms_init(void)
{
	esg_shmem_register("alarms", area_size, attach_area);
}

static uint32
hash_key(EsgCode code, const char *object)
{
	return hash_combine(hash_bytes_uint32((uint32) code),
						hash_bytes((const unsigned char *) object, (int) strlen(object)));
}

static EsgAlarmEntry *
find_entry(uint32 hash, EsgCode code, const char *object)
{
	for (int i = 0; i < area->used; i++)
	{
		EsgAlarmEntry *entry = &area->entries[i];

		if (entry->hash == hash && entry->code == code &&
			strcmp(entry->object, object) == 0)
			return entry;
	}
	return NULL;
}

/*
 * A place for a new alarm: a free one, else that of the least severe alarm,
 * provided that it is less severe than the new one.
 */
static EsgAlarmEntry *
find_place(EsgSeverity severity)
{
	EsgAlarmEntry *least = NULL;

	for (int i = 0; i < area->used; i++)
	{
		EsgAlarmEntry *entry = &area->entries[i];

		if (entry->code == ESG_NO_FINDING)
			return entry;
		if (least == NULL || entry->severity < least->severity)
			least = entry;
	}
	if (area->used < ESG_MAX_ALARMS)
		return &area->entries[area->used++];
	if (least->severity >= severity)
		return NULL;
	area->dropped++;
	return least;
}

/* The clock may have been set back: any distance that large makes it due. */
static bool
is_repetition_due(const EsgAlarmEntry *entry, TimestampTz now)
{
	int64		interval = (int64) esg_guc_alarm_repeat_interval * USECS_PER_SEC;
	int64		distance = now - entry->last_logged_at;

	return distance >= interval || distance <= -interval;
}

/* Notes one reported alarm.  The lock is held. */
static EsgOutcome
note_alarm(EsgAlarmScope scope, const EsgAlarm *alarm, uint32 hash, TimestampTz now)
{
	EsgAlarmEntry *entry = find_entry(hash, alarm->code, alarm->object);
	bool		log;

	if (entry == NULL)
	{
		entry = find_place(alarm->severity);
		if (entry == NULL)
		{
			area->dropped++;
			return OUTCOME_DROPPED;
		}
		memset(entry, 0, sizeof(*entry));
		entry->hash = hash;
		entry->code = (uint16) alarm->code;
		entry->raised_at = now;
		strlcpy(entry->object, alarm->object, sizeof(entry->object));
		log = true;
	}
	else
		log = alarm->severity > entry->severity || is_repetition_due(entry, now);

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

static void
forget_seen(void)
{
	for (int i = 0; i < area->used; i++)
		area->entries[i].seen = false;
}

/* Marks the entries that a report has.  The lock is held. */
static void
mark_reported(const EsgAlarm *alarms, const uint32 *hashes, int count)
{
	forget_seen();
	for (int i = 0; i < count; i++)
	{
		EsgAlarmEntry *entry = find_entry(hashes[i], alarms[i].code, alarms[i].object);

		if (entry != NULL && alarms[i].severity != ESG_OK)
			entry->seen = true;
	}
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
 * not all do.  The lock is held.
 */
static int
note_report(EsgAlarmScope scope, const EsgAlarm *alarms, const uint32 *hashes,
			int count, TimestampTz now, EsgOutcome *outcomes)
{
	int			dropped = 0;

	forget_seen();
	for (int severity = ESG_CRITICAL; severity > ESG_OK; severity--)
	{
		for (int i = 0; i < count; i++)
		{
			if ((int) alarms[i].severity != severity || is_duplicate(&alarms[i], hashes[i]))
				continue;
			outcomes[i] = note_alarm(scope, &alarms[i], hashes[i], now);
			if (outcomes[i] == OUTCOME_DROPPED)
				dropped++;
		}
	}
	return dropped;
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

/*
 * Was the alarm seen after the report began?  Then somebody knows better than
 * the report.  What lies further ahead than a report can take is left over from
 * before the clock was set back.
 */
static bool
is_newer(const EsgAlarmEntry *entry, TimestampTz began)
{
	return entry->last_seen_at > began &&
		entry->last_seen_at - began < 10 * SECS_PER_MINUTE * USECS_PER_SEC;
}

/* Clears what the report did not have, at most CLEAR_BATCH.  The lock is held. */
static int
clear_unseen(EsgAlarmScope scope, TimestampTz began, EsgAlarm *gone)
{
	int			count = 0;

	for (int i = 0; i < area->used && count < CLEAR_BATCH; i++)
	{
		EsgAlarmEntry *entry = &area->entries[i];

		if (entry->code == ESG_NO_FINDING || entry->seen ||
			(entry->scopes & (1 << scope)) == 0 || is_newer(entry, began))
			continue;
		if (release_entry(entry, scope, &gone[count]))
			count++;
	}
	return count;
}

/* Clears what was not seen for long, at most CLEAR_BATCH.  The lock is held. */
static int
clear_old(EsgAlarmScope scope, EsgCode code, TimestampTz before, EsgAlarm *gone)
{
	int			count = 0;

	for (int i = 0; i < area->used && count < CLEAR_BATCH; i++)
	{
		EsgAlarmEntry *entry = &area->entries[i];

		if (entry->code == code && (entry->scopes & (1 << scope)) != 0 &&
			entry->last_seen_at < before && release_entry(entry, scope, &gone[count]))
			count++;
	}
	return count;
}

static bool
has_room(void)
{
	if (area->used < ESG_MAX_ALARMS)
		return true;
	for (int i = 0; i < area->used; i++)
	{
		if (area->entries[i].code == ESG_NO_FINDING)
			return true;
	}
	return false;
}

/*
 * Is there news about the registry being full?  A report that drops nothing
 * ends the episode only if there is room: it may be a small one of another
 * scope.  The lock is held.
 */
static bool
note_overflow(int dropped)
{
	bool		news = dropped > 0 && !area->full;

	if (dropped > 0)
		area->full = true;
	else if (area->full && has_room())
		area->full = false;
	return news;
}

static void
log_overflow(int dropped)
{
	ereport(LOG,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("too many alarms: %d found no place in the registry of %d",
					dropped, ESG_MAX_ALARMS),
			 errhint("Mend the most severe ones first, or switch findings off with \"ext_ssl_guard.finding_overrides\"."),
			 errhidestmt(true), errhidecontext(true)));
}

static void
log_report(const EsgAlarm *alarms, const EsgOutcome *outcomes, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (outcomes[i] == OUTCOME_LOG)
			esg_report_log_alarm(&alarms[i], false);
	}
}

static void
log_cleared(const EsgAlarm *gone, int count)
{
	for (int i = 0; i < count; i++)
		esg_report_log_alarm(&gone[i], true);
}

/*
 * Clears what the scope holds and the report does not have.  This comes before
 * anything new is noted, so that a full registry has room for it.
 */
static void
clear_others(EsgAlarmScope scope, const EsgAlarm *alarms, const uint32 *hashes, int count,
			 TimestampTz began)
{
	EsgAlarm   *gone = palloc(sizeof(EsgAlarm) * CLEAR_BATCH);
	int			cleared;

	do
	{
		LWLockAcquire(area_lock, LW_EXCLUSIVE);
		mark_reported(alarms, hashes, count);
		cleared = clear_unseen(scope, began, gone);
		LWLockRelease(area_lock);
		log_cleared(gone, cleared);
	} while (cleared == CLEAR_BATCH);
	pfree(gone);
}

void
esg_alarms_reconcile(EsgAlarmScope scope, const EsgAlarm *alarms, int count, TimestampTz now)
{
	EsgOutcome *outcomes = palloc0(sizeof(EsgOutcome) * Max(count, 1));
	uint32	   *hashes = palloc(sizeof(uint32) * Max(count, 1));
	int			dropped;
	bool		overflow;

	esg_shmem_require("the alarm registry");
	for (int i = 0; i < count; i++)
		hashes[i] = hash_key(alarms[i].code, alarms[i].object);

	clear_others(scope, alarms, hashes, count, now);

	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	dropped = note_report(scope, alarms, hashes, count, now, outcomes);
	overflow = note_overflow(dropped);
	LWLockRelease(area_lock);

	log_report(alarms, outcomes, count);
	if (overflow)
		log_overflow(dropped);
	pfree(outcomes);
	pfree(hashes);
}

bool
esg_alarms_raise(EsgAlarmScope scope, const EsgAlarm *alarm, TimestampTz now)
{
	uint32		hash = hash_key(alarm->code, alarm->object);
	EsgOutcome	outcome;
	bool		overflow = false;

	esg_shmem_require("the alarm registry");
	if (alarm->severity == ESG_OK)
		return false;
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	outcome = note_alarm(scope, alarm, hash, now);
	if (outcome == OUTCOME_DROPPED)
		overflow = note_overflow(1);
	LWLockRelease(area_lock);

	if (outcome == OUTCOME_LOG)
		esg_report_log_alarm(alarm, false);
	if (overflow)
		log_overflow(1);
	return outcome == OUTCOME_LOG;
}

/* Most calls are made by good logins, which should not wait for each other. */
static bool
is_standing(EsgAlarmScope scope, uint32 hash, EsgCode code, const char *object)
{
	const EsgAlarmEntry *entry;
	bool		standing;

	LWLockAcquire(area_lock, LW_SHARED);
	entry = find_entry(hash, code, object);
	standing = entry != NULL && (entry->scopes & (1 << scope)) != 0;
	LWLockRelease(area_lock);
	return standing;
}

bool
esg_alarms_clear(EsgAlarmScope scope, EsgCode code, const char *object, TimestampTz now)
{
	uint32		hash = hash_key(code, object);
	EsgAlarm   *gone;
	EsgAlarmEntry *entry;
	bool		cleared;

	esg_shmem_require("the alarm registry");
	if (!is_standing(scope, hash, code, object))
		return false;
	gone = palloc(sizeof(EsgAlarm));
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	entry = find_entry(hash, code, object);
	cleared = entry != NULL && (entry->scopes & (1 << scope)) != 0 &&
		release_entry(entry, scope, gone);
	LWLockRelease(area_lock);

	if (cleared)
		esg_report_log_alarm(gone, true);
	pfree(gone);
	return cleared;
}

void
esg_alarms_expire(EsgAlarmScope scope, EsgCode code, TimestampTz before)
{
	EsgAlarm   *gone = palloc(sizeof(EsgAlarm) * CLEAR_BATCH);
	int			cleared;

	esg_shmem_require("the alarm registry");
	do
	{
		LWLockAcquire(area_lock, LW_EXCLUSIVE);
		cleared = clear_old(scope, code, before, gone);
		LWLockRelease(area_lock);
		log_cleared(gone, cleared);
	} while (cleared == CLEAR_BATCH);
	pfree(gone);
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
