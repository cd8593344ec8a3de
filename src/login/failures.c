/*
 * login/failures.c
 *		The table of failed handshakes.
 *
 * Locking: the area's lock guards everything in it.  The worker writes, SQL
 * functions read; no login comes here.
 */
#include "postgres.h"

#include "storage/lwlock.h"

#include "login/failures.h"
#include "server/alarms.h"
#include "server/shmem.h"

typedef struct FailureArea
{
	int			used;
	EsgFailure	entries[ESG_MAX_FAILURES];
} FailureArea;

static FailureArea *area = NULL;
static LWLock *area_lock = NULL;

void
esg_failures_init(void)
{
	esg_shmem_register("failures", sizeof(FailureArea), (void **) &area, &area_lock, NULL);
}

static EsgFailure *
find_entry(const EsgFailure *failure)
{
	Assert(LWLockHeldByMe(area_lock));
	Assert(area->used >= 0 && area->used <= ESG_MAX_FAILURES);
	for (int i = 0; i < area->used; i++)
	{
		EsgFailure *entry = &area->entries[i];

		if (memcmp(entry->fingerprint, failure->fingerprint, ESG_DIGEST_SIZE) == 0 &&
			strcmp(entry->reason, failure->reason) == 0)
			return entry;
	}
	return NULL;
}

/* Whose entry gives way to a new one of this kind: who has more than half of the table? */
static bool
choose_kind(bool known_ca)
{
	int			same = 0;

	for (int i = 0; i < area->used; i++)
		same += area->entries[i].known_ca == known_ca;
	return same >= area->used - same ? known_ca : !known_ca;
}

/* Is a worth more than b, which should give way? */
static bool
is_dearer(const EsgFailure *a, const EsgFailure *b)
{
	bool		once = b->failures == 1;

	if ((a->failures == 1) != once)
		return once;
	return b->last_seen < a->last_seen;
}

/* A place for a new entry: a free one, else that of the one that gives way. */
static EsgFailure *
take_entry(bool known_ca)
{
	EsgFailure *victim = NULL;
	bool		kind;

	if (area->used < ESG_MAX_FAILURES)
		return &area->entries[area->used++];
	kind = choose_kind(known_ca);
	for (int i = 0; i < area->used; i++)
	{
		EsgFailure *entry = &area->entries[i];

		if (entry->known_ca == kind && (victim == NULL || is_dearer(victim, entry)))
			victim = entry;
	}
	return victim;
}

bool
esg_failures_note(EsgFailure *failure, bool will_log)
{
	EsgFailure *entry;
	bool		due;

	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	entry = find_entry(failure);
	if (entry == NULL)
	{
		entry = take_entry(failure->known_ca);
		*entry = *failure;
		entry->first_seen = failure->last_seen;
		entry->last_logged = 0;
		entry->failures = 0;
	}
	entry->failures++;
	entry->last_seen = failure->last_seen;
	entry->last_address = failure->last_address;
	due = esg_alarms_is_line_due(entry->last_logged, failure->last_seen);
	if (due && will_log)
		entry->last_logged = failure->last_seen;
	*failure = *entry;
	LWLockRelease(area_lock);
	return due;
}

static int
compare_recent(const void *a, const void *b)
{
	TimestampTz left = ((const EsgFailure *) a)->last_seen;
	TimestampTz right = ((const EsgFailure *) b)->last_seen;

	return left > right ? -1 : left < right;
}

int
esg_failures_copy(EsgFailure **out)
{
	int			count;

	*out = palloc(sizeof(EsgFailure) * ESG_MAX_FAILURES);
	LWLockAcquire(area_lock, LW_SHARED);
	count = area->used;
	memcpy(*out, area->entries, sizeof(EsgFailure) * count);
	LWLockRelease(area_lock);
	qsort(*out, count, sizeof(EsgFailure), compare_recent);
	return count;
}

int64
esg_failures_reset(void)
{
	int64		removed;

	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	removed = area->used;
	area->used = 0;
	LWLockRelease(area_lock);
	return removed;
}
