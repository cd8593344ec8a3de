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
#include "server/guc.h"
#include "server/shmem.h"

typedef struct FailureArea
{
	int			used;
	EsgFailure	entries[ESG_MAX_FAILURES];
} FailureArea;

static FailureArea *area = NULL;
static LWLock *area_lock = NULL;

static Size
area_size(void)
{
	return sizeof(FailureArea);
}

static void
attach(void *memory, LWLock *lock, bool found)
{
	area = memory;
	area_lock = lock;
}

void
esg_failures_init(void)
{
	esg_shmem_register("failures", area_size, attach);
}

static EsgFailure *
find_entry(const EsgFailure *failure)
{
	for (int i = 0; i < area->used; i++)
	{
		EsgFailure *entry = &area->entries[i];

		if (memcmp(entry->fingerprint, failure->fingerprint, ESG_DIGEST_SIZE) == 0 &&
			strcmp(entry->reason, failure->reason) == 0)
			return entry;
	}
	return NULL;
}

/* A place for a new entry: a free one, else the one not seen for longest. */
static EsgFailure *
take_entry(void)
{
	EsgFailure *oldest = &area->entries[0];

	if (area->used < ESG_MAX_FAILURES)
		return &area->entries[area->used++];
	for (int i = 1; i < area->used; i++)
	{
		if (area->entries[i].last_seen < oldest->last_seen)
			oldest = &area->entries[i];
	}
	return oldest;
}

/* The clock may have been set back: any distance that large makes it due. */
static bool
is_line_due(const EsgFailure *entry, TimestampTz now)
{
	int64		interval = (int64) esg_guc_alarm_repeat_interval * USECS_PER_SEC;
	int64		distance = now - entry->last_logged;

	return entry->last_logged == 0 || distance >= interval || distance <= -interval;
}

bool
esg_failures_note(EsgFailure *failure)
{
	EsgFailure *entry;
	bool		due;

	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	entry = find_entry(failure);
	if (entry == NULL)
	{
		entry = take_entry();
		*entry = *failure;
		entry->first_seen = failure->last_seen;
		entry->last_logged = 0;
		entry->failures = 0;
	}
	entry->failures++;
	entry->last_seen = failure->last_seen;
	entry->last_address = failure->last_address;
	due = is_line_due(entry, failure->last_seen);
	if (due)
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
