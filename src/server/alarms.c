/*
 * server/alarms.c
 *		The alarm registry: raised once, repeated, cleared.
 *
 * A fixed table in shared memory; everything in it is guarded by the area's
 * lock.  Under the lock nothing is allocated and nothing is logged: the
 * decisions go to memory obtained before, the log lines come after release.
 *
 * What happens to an alarm, its event, is decided in one place, under the lock.
 * The log line is made of it by the process that caused it, at once: it stands
 * beside that login's other lines, under its log_line_prefix, and needs no
 * worker.  For the alarm command the event is a mark on the entry, "news", with
 * a number that tells whether it has changed since the worker took it.  So the
 * queue of events is bounded by the registry and takes no memory of its own, a
 * later event takes the place of an earlier one, and a worker that ends leaves
 * to the next what it has not told.  An entry whose end is news is a ghost: it
 * stands no more, and its place may be taken.
 *
 * Clients decide how many alarms there are about them.  They cannot take the
 * places of those about the server: see "shares".
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "policy/elapsed.h"
#include "server/alarms.h"
#include "server/guc.h"
#include "server/shmem.h"
#include "server/state.h"

/* alarms that are carried out of the lock in one go */
#define BATCH_SIZE 32

/* EsgAlarmScope's, as many as "scopes" has bits */
#define MAX_SCOPES 16

#define SCOPE_BIT(scope) (1 << (scope))

/* An alarm that only these scopes hold takes one of so many places. */
typedef struct Share
{
	uint16		scopes;
	int			places;
} Share;

/* each part of the next one; 96 places are the server's own */
static const Share shares[] = {
	{SCOPE_BIT(ESG_SCOPE_LOGIN), 128},
	{SCOPE_BIT(ESG_SCOPE_LOGIN) | SCOPE_BIT(ESG_SCOPE_CLIENTS), ESG_MAX_ALARMS - 96},
	{PG_UINT16_MAX, ESG_MAX_ALARMS},
};

/*
 * Alarms that found no place, or lost it, and have not found one since, so that
 * each is counted once.  When there is no room for more it begins anew: they
 * may be counted again.
 */
#define MAX_LOST 2048

typedef struct LostAlarms
{
	uint32		hashes[MAX_LOST];
	uint16		scopes[MAX_LOST];	/* a bit for each EsgAlarmScope */
	bool		seen[MAX_LOST]; /* in the report being reconciled */
	int			count;
} LostAlarms;

typedef struct EsgAlarmEntry
{
	uint32		hash;			/* of code and object */
	uint16		code;			/* EsgCode, 0: the entry is free */
	uint8		severity;		/* EsgSeverity */
	uint16		scopes;			/* a bit for each EsgAlarmScope that holds it;
								 * 0: a ghost */
	bool		seen;			/* in the report being reconciled */
	bool		told;			/* the listener may have heard of it */
	uint8		news;			/* EsgAlarmEvent that he has not */
	uint8		end_state;		/* EsgTimeState, of "end" */
	uint32		news_number;	/* rises with each event */
	TimestampTz raised_at;
	TimestampTz last_seen_at;
	TimestampTz last_logged_at;
	int64		end;			/* seconds since 1970, see EsgAlarm */
	int64		occurrences;
	unsigned char fingerprint[ESG_DIGEST_SIZE];
	char		object[ESG_OBJECT_SIZE];
	char		message[ESG_MESSAGE_SIZE];
	char		hint[ESG_HINT_SIZE];
} EsgAlarmEntry;

/* What good logins look at comes last, see _PG_init(). */
typedef struct EsgAlarmArea
{
	int64		evicted;		/* see EsgAlarmCounts */
	int64		commands_run;
	int64		commands_failed;
	int64		events_dropped;
	uint32		listener;		/* 0: nobody is to be told of events */
	uint32		last_number;	/* of the last event */
	bool		full[MAX_SCOPES];	/* said so in the log, until there is room */
	int			used;			/* entries [0, used) have been in use */
	EsgAlarmEntry entries[ESG_MAX_ALARMS];
	LostAlarms	lost;
	int			held[MAX_SCOPES];	/* how many entries each scope holds */
} EsgAlarmArea;

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

/* Is this one of the alarms that may have to go?  Called under the lock. */
typedef bool (*PickFn) (const EsgAlarmEntry *entry, const void *arg);

/* Alarms of a scope that may have to go, and what has become of them. */
typedef struct Sweep
{
	EsgAlarmScope scope;
	PickFn		is_picked;
	const void *arg;
	EsgAlarmFate fate;			/* unless judge is there */
	EsgAlarmFateFn judge;
	const void *judge_arg;
} Sweep;

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

/* Neither free nor a ghost? */
static bool
is_standing(const EsgAlarmEntry *entry)
{
	return entry->code != ESG_NO_FINDING && entry->scopes != 0;
}

static bool
is_held(const EsgAlarmEntry *entry, EsgAlarmScope scope)
{
	Assert(scope > 0 && scope < MAX_SCOPES);
	return entry->code != ESG_NO_FINDING && (entry->scopes & SCOPE_BIT(scope)) != 0;
}

/* The lock is held. */
static void
set_scopes(EsgAlarmEntry *entry, uint16 scopes)
{
	for (int scope = 0; scope < MAX_SCOPES; scope++)
	{
		area->held[scope] += (scopes >> scope & 1) - (entry->scopes >> scope & 1);
		Assert(area->held[scope] >= 0 && area->held[scope] <= ESG_MAX_ALARMS);
	}
	entry->scopes = scopes;
}

static EsgAlarmEntry *
find_any(uint32 hash, EsgCode code, const char *object, bool standing)
{
	Assert(LWLockHeldByMe(area_lock));
	Assert(area->used >= 0 && area->used <= ESG_MAX_ALARMS);
	for (int i = 0; i < area->used; i++)
	{
		if (is_entry_of(&area->entries[i], hash, code, object) &&
			is_standing(&area->entries[i]) == standing)
			return &area->entries[i];
	}
	return NULL;
}

static EsgAlarmEntry *
find_entry(uint32 hash, EsgCode code, const char *object)
{
	return find_any(hash, code, object, true);
}

/* A free place, else the ghost that has waited longest. */
static EsgAlarmEntry *
find_free(void)
{
	EsgAlarmEntry *oldest = NULL;

	for (int i = 0; i < area->used; i++)
	{
		EsgAlarmEntry *entry = &area->entries[i];

		if (entry->code == ESG_NO_FINDING)
			return entry;
		if (!is_standing(entry) &&
			(oldest == NULL || (int32) (entry->news_number - oldest->news_number) < 0))
			oldest = entry;
	}
	return area->used < ESG_MAX_ALARMS ? &area->entries[area->used] : oldest;
}

static bool
is_in_share(const EsgAlarmEntry *entry, const Share *share)
{
	return is_standing(entry) && (entry->scopes & ~share->scopes) == 0;
}

/* The least severe alarm of a share that is full; NULL if there is room. */
static EsgAlarmEntry *
find_least(const Share *share)
{
	EsgAlarmEntry *least = NULL;
	int			count = 0;

	for (int i = 0; i < area->used; i++)
	{
		EsgAlarmEntry *entry = &area->entries[i];

		if (!is_in_share(entry, share))
			continue;
		count++;
		if (least == NULL || entry->severity < least->severity)
			least = entry;
	}
	return count < share->places ? NULL : least;
}

/* The narrowest share of the scope's that is full has this least severe alarm. */
static EsgAlarmEntry *
find_displaced(EsgAlarmScope scope)
{
	EsgAlarmEntry *least = NULL;

	for (int i = 0; i < (int) lengthof(shares) && least == NULL; i++)
	{
		if (shares[i].scopes & SCOPE_BIT(scope))
			least = find_least(&shares[i]);
	}
	return least;
}

/* -1: it is not one of them.  The lock is held. */
static int
find_lost(uint32 hash)
{
	for (int i = 0; i < area->lost.count; i++)
	{
		if (area->lost.hashes[i] == hash)
			return i;
	}
	return -1;
}

/* Counts an alarm without a place, unless that was done; returns where.  The lock is held. */
static int
count_lost(uint32 hash, uint16 scopes)
{
	LostAlarms *lost = &area->lost;
	int			at = find_lost(hash);

	if (at < 0)
	{
		area->evicted++;
		if (lost->count == MAX_LOST)
			lost->count = 0;
		at = lost->count++;
		lost->hashes[at] = hash;
		lost->scopes[at] = 0;
		lost->seen[at] = false;
	}
	lost->scopes[at] |= scopes;
	return at;
}

/* It has found a place, or is gone.  The lock is held. */
static void
forget_lost(int at)
{
	LostAlarms *lost = &area->lost;
	int			last = lost->count - 1;

	if (at < 0)
		return;
	lost->hashes[at] = lost->hashes[last];
	lost->scopes[at] = lost->scopes[last];
	lost->seen[at] = lost->seen[last];
	lost->count--;
}

/* What a scope's report did not have is not lost any more.  The lock is held. */
static void
forget_unseen(EsgAlarmScope scope)
{
	for (int i = area->lost.count - 1; i >= 0; i--)
	{
		if (area->lost.scopes[i] == SCOPE_BIT(scope) && !area->lost.seen[i])
			forget_lost(i);
	}
}

/*
 * A place for a new alarm: a free one, else that of the least severe alarm,
 * provided that it is less severe than the new one.
 */
static EsgAlarmEntry *
find_place(EsgAlarmScope scope, EsgSeverity severity)
{
	EsgAlarmEntry *place = find_displaced(scope);

	if (place == NULL)
	{
		place = find_free();
		Assert(place != NULL);
		area->used = Max(area->used, (int) (place - area->entries) + 1);
		return place;
	}
	if (place->severity >= severity)
		return NULL;
	(void) count_lost(place->hash, place->scopes);
	return place;
}

static void
free_entry(EsgAlarmEntry *entry)
{
	set_scopes(entry, 0);
	memset(entry, 0, offsetof(EsgAlarmEntry, object));
}

/* The entry of an alarm that had none; NULL: no place.  The lock is held. */
static EsgAlarmEntry *
begin_entry(EsgAlarmScope scope, const EsgAlarm *alarm, uint32 hash, TimestampTz now)
{
	EsgAlarmEntry *ghost = find_any(hash, alarm->code, alarm->object, false);
	EsgAlarmEntry *place;
	bool		told = ghost != NULL;

	if (ghost != NULL)
		free_entry(ghost);
	place = find_place(scope, alarm->severity);
	if (place == NULL)
	{
		area->events_dropped += told;
		area->lost.seen[count_lost(hash, SCOPE_BIT(scope))] = true;
		return NULL;
	}
	forget_lost(find_lost(hash));
	/* it was displaced, or is a ghost: its end will not be told */
	area->events_dropped += place->told || place->news != ESG_EVENT_NONE;
	free_entry(place);
	place->hash = hash;
	place->code = (uint16) alarm->code;
	place->told = told;
	place->raised_at = now;
	strlcpy(place->object, alarm->object, sizeof(place->object));
	return place;
}

/* What happens to an alarm that is there, or was just begun, when it is reported? */
static EsgAlarmEvent
judge_report(const EsgAlarmEntry *entry, const EsgAlarm *alarm, TimestampTz now)
{
	if (entry->last_logged_at == 0)
		return ESG_EVENT_RAISED;
	if (alarm->severity > entry->severity)
		return ESG_EVENT_ESCALATED;
	return esg_alarms_is_line_due(entry->last_logged_at, now) ? ESG_EVENT_REPEATED : ESG_EVENT_NONE;
}

/* Marks what happened for the listener, if there is one.  The lock is held. */
static void
note_event(EsgAlarmEntry *entry, EsgAlarmEvent event, TimestampTz at)
{
	Assert(LWLockHeldByMeInMode(area_lock, LW_EXCLUSIVE));
	if (event == ESG_EVENT_NONE)
		return;
	entry->last_logged_at = at;
	if (area->listener == 0)
		return;
	entry->news = (uint8) esg_alarm_event_merge(entry->news, event, entry->told);
	if (event != ESG_EVENT_REPEATED)
		entry->news_number = ++area->last_number;
}

/* Notes one reported alarm.  The lock is held. */
static EsgAlarmEvent
note_alarm(EsgAlarmScope scope, const EsgAlarm *alarm, uint32 hash, TimestampTz now)
{
	EsgAlarmEntry *entry = find_entry(hash, alarm->code, alarm->object);
	EsgAlarmEvent event;

	Assert(LWLockHeldByMeInMode(area_lock, LW_EXCLUSIVE));
	Assert(alarm->code > ESG_NO_FINDING && alarm->code < ESG_CODE_COUNT);
	Assert(alarm->severity > ESG_OK && alarm->severity <= ESG_CRITICAL);
	if (entry == NULL)
		entry = begin_entry(scope, alarm, hash, now);
	if (entry == NULL)
		return ESG_EVENT_LACKING;

	event = judge_report(entry, alarm, now);
	set_scopes(entry, entry->scopes | SCOPE_BIT(scope));
	entry->seen = true;
	entry->severity = (uint8) alarm->severity;
	entry->last_seen_at = now;
	entry->occurrences++;
	entry->end_state = (uint8) alarm->end.state;
	entry->end = alarm->end.unix_seconds;
	memcpy(entry->fingerprint, alarm->fingerprint, ESG_DIGEST_SIZE);
	strlcpy(entry->message, alarm->message, sizeof(entry->message));
	strlcpy(entry->hint, alarm->hint, sizeof(entry->hint));
	note_event(entry, event, now);
	return event;
}

/*
 * Is the alarm already noted in this report?  The worst of several was noted
 * first.
 */
static bool
is_duplicate(const EsgAlarm *alarm, uint32 hash)
{
	const EsgAlarmEntry *entry = find_entry(hash, alarm->code, alarm->object);
	int			lost = entry == NULL ? find_lost(hash) : -1;

	return entry != NULL ? entry->seen : lost >= 0 && area->lost.seen[lost];
}

/*
 * Notes a whole report, worst alarms first, so that they find a place even if
 * not all do; returns how many did not.  The lock is held.
 */
static int
note_report(const Report *report, EsgAlarmEvent *events)
{
	int			lacking = 0;

	for (int i = 0; i < area->used; i++)
		area->entries[i].seen = false;
	memset(area->lost.seen, false, sizeof(area->lost.seen));
	for (int severity = ESG_CRITICAL; severity > ESG_OK; severity--)
	{
		for (int i = 0; i < report->count; i++)
		{
			const EsgAlarm *alarm = &report->alarms[i];

			if ((int) alarm->severity != severity || is_duplicate(alarm, report->hashes[i]))
				continue;
			events[i] = note_alarm(report->scope, alarm, report->hashes[i], report->began);
			lacking += events[i] == ESG_EVENT_LACKING;
		}
	}
	if (report->count < ESG_MAX_REPORTED)
		forget_unseen(report->scope);
	return lacking;
}

/* Copies an entry out.  The lock is held. */
static void
copy_entry(const EsgAlarmEntry *entry, EsgAlarm *out)
{
	memset(out, 0, sizeof(*out));
	out->code = (EsgCode) entry->code;
	out->severity = (EsgSeverity) entry->severity;
	out->end.state = (EsgTimeState) entry->end_state;
	out->end.unix_seconds = entry->end;
	memcpy(out->fingerprint, entry->fingerprint, ESG_DIGEST_SIZE);
	strlcpy(out->object, entry->object, sizeof(out->object));
	strlcpy(out->message, entry->message, sizeof(out->message));
	strlcpy(out->hint, entry->hint, sizeof(out->hint));
}

/*
 * Takes the entry out of the scope.  If no other scope holds it, it stands no
 * more and is copied to gone; returns whether it was.  The lock is held.
 */
static bool
release_entry(EsgAlarmEntry *entry, EsgAlarmScope scope, EsgAlarmEvent end, EsgAlarm *gone)
{
	set_scopes(entry, entry->scopes & ~SCOPE_BIT(scope));
	if (entry->scopes != 0)
		return false;
	copy_entry(entry, gone);
	note_event(entry, end, GetCurrentTimestamp());
	if (entry->news == ESG_EVENT_NONE)
		free_entry(entry);
	return true;
}

/* Copies out what may have to go, from entry *next on, at most BATCH_SIZE.  The lock is held. */
static int
pick_batch(const Sweep *sweep, int *next, EsgAlarm *batch)
{
	int			count = 0;

	Assert(LWLockHeldByMe(area_lock));
	for (; *next < area->used && count < BATCH_SIZE; (*next)++)
	{
		const EsgAlarmEntry *entry = &area->entries[*next];

		if (is_held(entry, sweep->scope) && sweep->is_picked(entry, sweep->arg))
			copy_entry(entry, &batch[count++]);
	}
	return count;
}

/* The event of an alarm that has that fate. */
static EsgAlarmEvent
event_of(EsgAlarmFate fate)
{
	switch (fate)
	{
		case ESG_FATE_MENDED:
			return ESG_EVENT_CLEARED;
		case ESG_FATE_UNTRACKED:
			return ESG_EVENT_UNTRACKED;
		default:
			return ESG_EVENT_NONE;
	}
}

/*
 * Takes an alarm down that was picked, unless it was seen meanwhile; returns
 * whether it is gone, with its latest texts.  The lock is held.
 */
static bool
release_picked(const Sweep *sweep, EsgAlarmEvent end, EsgAlarm *alarm)
{
	EsgAlarmEntry *entry = find_entry(hash_key(alarm->code, alarm->object), alarm->code,
									  alarm->object);

	Assert(LWLockHeldByMeInMode(area_lock, LW_EXCLUSIVE));
	return entry != NULL && is_held(entry, sweep->scope) &&
		sweep->is_picked(entry, sweep->arg) && release_entry(entry, sweep->scope, end, alarm);
}

/*
 * The log line of an event, and a nudge for the worker, which tells the
 * listener.  No lock is held: a nudge too few only means that the worker looks
 * some seconds later.
 */
static void
announce(EsgAlarmEvent event, const EsgAlarm *alarm)
{
	if (event == ESG_EVENT_NONE || event == ESG_EVENT_LACKING)
		return;
	esg_report_log_event(event, alarm);
	if (event != ESG_EVENT_REPEATED && area->listener != 0)
		esg_server_state_wake_worker();
}

/* Takes those of a batch down that do not stand, then logs it. */
static void
release_batch(const Sweep *sweep, EsgAlarm *batch, int count)
{
	EsgAlarmEvent ends[BATCH_SIZE];

	for (int i = 0; i < count; i++)
		ends[i] = event_of(sweep->judge ? sweep->judge(&batch[i], sweep->judge_arg) : sweep->fate);

	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	for (int i = 0; i < count; i++)
	{
		if (ends[i] != ESG_EVENT_NONE && !release_picked(sweep, ends[i], &batch[i]))
			ends[i] = ESG_EVENT_NONE;
	}
	LWLockRelease(area_lock);

	for (int i = 0; i < count; i++)
		announce(ends[i], &batch[i]);
}

/* Entries do not move: what comes while we are at it is not picked, or found by the next sweep. */
static void
sweep_alarms(const Sweep *sweep)
{
	EsgAlarm   *batch = palloc(sizeof(EsgAlarm) * BATCH_SIZE);
	int			next = 0;
	int			count;

	do
	{
		LWLockAcquire(area_lock, LW_SHARED);
		count = pick_batch(sweep, &next, batch);
		LWLockRelease(area_lock);
		if (count > 0)
			release_batch(sweep, batch, count);
	} while (count == BATCH_SIZE);
	pfree(batch);
}

/*
 * Takes down that so many alarms found no place; is that news for the log?  It
 * is not until there has been room again.  The lock is held.
 */
static bool
note_lacking(EsgAlarmScope scope, int lacking)
{
	bool		news = lacking > 0 && !area->full[scope];

	if (lacking > 0)
		area->full[scope] = true;
	else if (area->full[scope])
		area->full[scope] = find_displaced(scope) != NULL;
	return news;
}

static void
log_overflow(EsgAlarmScope scope, int lacking)
{
	const Share *share = &shares[0];

	while ((share->scopes & SCOPE_BIT(scope)) == 0)
		share++;
	ereport(LOG,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("too many alarms: %d found no place in the registry of %d",
					lacking, ESG_MAX_ALARMS),
			 share->places < ESG_MAX_ALARMS ?
			 errdetail("Alarms of this kind, which clients cause, have at most %d places.",
					   share->places) : 0,
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
 * PickFn: not in a Report?  Who saw it after the report began knows better;
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

/* Before anything new is noted, so that a full registry has room for it. */
static void
sweep_missing(const Report *report, EsgAlarmFateFn judge, const void *arg)
{
	Sweep		sweep = {report->scope, is_missing, report, ESG_FATE_MENDED, judge, arg};

	if (report->count >= ESG_MAX_REPORTED)
		sweep.fate = ESG_FATE_UNTRACKED;
	sweep_alarms(&sweep);
}

/* Notes the report, then logs what is to be logged. */
static void
note_and_log(const Report *report)
{
	EsgAlarmEvent *events = palloc0(sizeof(EsgAlarmEvent) * Max(report->count, 1));
	int			lacking;
	bool		overflow;

	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	lacking = note_report(report, events);
	overflow = note_lacking(report->scope, lacking);
	LWLockRelease(area_lock);

	for (int i = 0; i < report->count; i++)
		announce(events[i], &report->alarms[i]);
	if (overflow)
		log_overflow(report->scope, lacking);
	pfree(events);
}

void
esg_alarms_reconcile_judged(EsgAlarmScope scope, const EsgAlarm *alarms, int count,
							TimestampTz now, EsgAlarmFateFn judge, const void *arg)
{
	Report		report = {scope, alarms, count, palloc(sizeof(uint32) * Max(count, 1)), now};

	esg_shmem_require("the alarm registry");
	for (int i = 0; i < count; i++)
		report.hashes[i] = hash_key(alarms[i].code, alarms[i].object);
	sweep_missing(&report, judge, arg);
	note_and_log(&report);
	pfree(report.hashes);
}

void
esg_alarms_reconcile(EsgAlarmScope scope, const EsgAlarm *alarms, int count, TimestampTz now)
{
	esg_alarms_reconcile_judged(scope, alarms, count, now, NULL, NULL);
}

void
esg_alarms_raise(EsgAlarmScope scope, const EsgAlarm *alarm, TimestampTz now)
{
	uint32		hash = hash_key(alarm->code, alarm->object);
	EsgAlarmEvent event;
	bool		overflow;

	esg_shmem_require("the alarm registry");
	if (alarm->severity == ESG_OK)
		return;
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	event = note_alarm(scope, alarm, hash, now);
	overflow = note_lacking(scope, event == ESG_EVENT_LACKING ? 1 : 0);
	LWLockRelease(area_lock);

	announce(event, alarm);
	if (overflow)
		log_overflow(scope, 1);
}

/* PickFn: is it the alarm with this code and object? */
static bool
is_same(const EsgAlarmEntry *entry, const void *arg)
{
	const Selection *alarm = arg;

	return is_entry_of(entry, alarm->hash, alarm->code, alarm->object);
}

bool
esg_alarms_may_be_cleared(EsgAlarmScope scope)
{
	bool		any;

	esg_shmem_require("the alarm registry");
	LWLockAcquire(area_lock, LW_SHARED);
	any = area->held[scope] > 0 || area->lost.count > 0;
	LWLockRelease(area_lock);
	return any;
}

/* Most calls are made by good logins, which should not wait for each other. */
void
esg_alarms_clear(EsgAlarmScope scope, EsgCode code, const char *object)
{
	Selection	alarm = {.code = code,.object = object,.hash = hash_key(code, object)};
	Sweep		sweep = {scope, is_same, &alarm, ESG_FATE_MENDED, NULL, NULL};
	const EsgAlarmEntry *entry;
	bool		stands;
	bool		lost;

	esg_shmem_require("the alarm registry");
	LWLockAcquire(area_lock, LW_SHARED);
	entry = find_entry(alarm.hash, code, object);
	stands = entry != NULL && is_held(entry, scope);
	lost = find_lost(alarm.hash) >= 0;
	LWLockRelease(area_lock);
	if (stands)
		sweep_alarms(&sweep);
	if (!lost)
		return;
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	forget_lost(find_lost(alarm.hash));
	LWLockRelease(area_lock);
}

/* PickFn: of that code, and not seen for long? */
static bool
is_old(const EsgAlarmEntry *entry, const void *arg)
{
	const Selection *old = arg;

	return entry->code == old->code && entry->last_seen_at < old->before;
}

void
esg_alarms_expire(EsgAlarmScope scope, EsgCode code, TimestampTz before, EsgAlarmFate fate)
{
	Selection	old = {.code = code,.before = before};
	Sweep		sweep = {scope, is_old, &old, fate, NULL, NULL};

	esg_shmem_require("the alarm registry");
	sweep_alarms(&sweep);
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

		if (!is_standing(entry))
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

		if (!is_standing(entry))
			continue;
		out->notices += entry->severity == ESG_NOTICE;
		out->warnings += entry->severity == ESG_WARNING;
		out->criticals += entry->severity == ESG_CRITICAL;
	}
	out->evicted = area->evicted;
	out->commands_run = area->commands_run;
	out->commands_failed = area->commands_failed;
	out->events_dropped = area->events_dropped;
	LWLockRelease(area_lock);
}

/* No alarm goes: there are no entries to remove, only numbers to begin anew. */
int64
esg_alarms_reset_counts(void)
{
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	area->evicted = 0;
	area->commands_run = area->commands_failed = 0;
	area->events_dropped = 0;
	LWLockRelease(area_lock);
	return 0;
}

/* ---- what the worker tells the listener ---- */

/* Nobody is to be told of it any more. */
static void
forget_news(EsgAlarmEntry *entry)
{
	entry->news = ESG_EVENT_NONE;
	if (!is_standing(entry))
		free_entry(entry);
}

bool
esg_alarms_set_listener(uint32 listener)
{
	bool		same;

	LWLockAcquire(area_lock, LW_SHARED);
	same = area->listener == listener;
	LWLockRelease(area_lock);
	if (same)
		return false;
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	area->listener = listener;
	for (int i = 0; i < area->used; i++)
	{
		EsgAlarmEntry *entry = &area->entries[i];

		entry->told = false;
		forget_news(entry);
		if (listener != 0 && is_standing(entry))
		{
			entry->news = ESG_EVENT_RAISED;
			entry->news_number = ++area->last_number;
		}
	}
	LWLockRelease(area_lock);
	return true;
}

/* What still stands comes first, the worst of it first, then in the order of events. */
static int
compare_news(const void *left, const void *right)
{
	const EsgAlarmNews *a = left;
	const EsgAlarmNews *b = right;

	if (esg_alarm_event_is_end(a->event) != esg_alarm_event_is_end(b->event))
		return esg_alarm_event_is_end(a->event) ? 1 : -1;
	if (a->alarm.severity != b->alarm.severity)
		return a->alarm.severity > b->alarm.severity ? -1 : 1;
	return (int32) (a->key.number - b->key.number) < 0 ? -1 : 1;
}

int
esg_alarms_count_news(void)
{
	int			count = 0;

	LWLockAcquire(area_lock, LW_SHARED);
	for (int i = 0; i < area->used; i++)
		count += area->entries[i].news != ESG_EVENT_NONE;
	LWLockRelease(area_lock);
	return count;
}

int
esg_alarms_take_news(EsgAlarmNews **out)
{
	EsgAlarmNews *news = palloc(sizeof(EsgAlarmNews) * ESG_MAX_ALARMS);
	int			count = 0;

	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	for (int i = 0; i < area->used; i++)
	{
		EsgAlarmEntry *entry = &area->entries[i];

		if (entry->news == ESG_EVENT_NONE)
			continue;
		entry->told = true;
		news[count].event = (EsgAlarmEvent) entry->news;
		news[count].at = entry->last_logged_at;
		news[count].key.place = i;
		news[count].key.number = entry->news_number;
		copy_entry(entry, &news[count++].alarm);
	}
	LWLockRelease(area_lock);
	qsort(news, count, sizeof(EsgAlarmNews), compare_news);
	*out = news;
	return count;
}

/* Nothing happened since to what was taken: it is news no more; returns of how many. */
static int
settle_news(const EsgAlarmNewsKey *keys, int count)
{
	int			settled = 0;

	Assert(LWLockHeldByMeInMode(area_lock, LW_EXCLUSIVE));
	for (int i = 0; i < count; i++)
	{
		EsgAlarmEntry *entry = &area->entries[keys[i].place];

		if (entry->news == ESG_EVENT_NONE || entry->news_number != keys[i].number)
			continue;
		forget_news(entry);
		settled++;
	}
	return settled;
}

void
esg_alarms_note_told(const EsgAlarmNewsKey *keys, int count)
{
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	(void) settle_news(keys, count);
	LWLockRelease(area_lock);
}

void
esg_alarms_note_dropped(const EsgAlarmNewsKey *keys, int count)
{
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	area->events_dropped += settle_news(keys, count);
	LWLockRelease(area_lock);
}

void
esg_alarms_note_run(bool failed)
{
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	area->commands_run++;
	area->commands_failed += failed;
	LWLockRelease(area_lock);
}
