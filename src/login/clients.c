/*
 * login/clients.c
 *		The registry of client certificates in shared memory.
 *
 * Locking: the area's lock guards everything in it.  A login holds it for a
 * look-up and an update, never for analysis or output; who copies the table
 * out takes it for a few entries at a time, so that no login waits for a long
 * copy.
 *
 * Entries hang in two lists at once: their hash bucket (by fingerprint, so
 * that the roles using one certificate share its analysis) and one of two
 * orders of last use.
 */
#include "postgres.h"

#include "lib/ilist.h"
#include "miscadmin.h"
#include "storage/lwlock.h"
#include "storage/proc.h"

#include "login/clients.h"
#include "login/clients_save.h"
#include "server/guc.h"
#include "server/shmem.h"

#define COPY_CHUNK 32

typedef struct ClientSlot
{
	dlist_node	bucket;			/* among those of one hash value */
	dlist_node	use;			/* in one of ClientArea.uses */
	EsgGoodSpan good;			/* of the entry's facts */
	EsgClientEntry entry;
} ClientSlot;

typedef struct ClientArea
{
	dlist_head	uses[2];		/* all in use, the one used last first: those
								 * without and those with a standing alarm */
	int			used;			/* slots [0, used) are in use */
	int64		evicted;
	uint64		changes;		/* rises with every change */
	uint64		saved_changes;	/* what the save file holds */
	dlist_head	buckets[FLEXIBLE_ARRAY_MEMBER]; /* as many as slots, which
												 * come behind */
} ClientArea;

static ClientArea *area = NULL;
static LWLock *area_lock = NULL;

/* ext_ssl_guard.max_client_certificates as of the server's start */
static int	capacity = 0;

static Size
slots_offset(void)
{
	return MAXALIGN(offsetof(ClientArea, buckets) + mul_size(sizeof(dlist_head), capacity));
}

static ClientSlot *
slot_at(int number)
{
	Assert(number >= 0 && number < area->used && area->used <= capacity);
	return (ClientSlot *) ((char *) area + slots_offset()) + number;
}

/* A fingerprint is as good as random: its first bytes are the hash. */
static dlist_head *
bucket_of(const unsigned char *fingerprint)
{
	uint32		hash;

	memcpy(&hash, fingerprint, sizeof(hash));
	return &area->buckets[hash % capacity];
}

/* role_name NULL: any entry of that certificate */
static ClientSlot *
find_slot(const unsigned char *fingerprint, const char *role_name)
{
	dlist_iter	iter;

	Assert(MyProc == NULL || LWLockHeldByMe(area_lock));
	dlist_foreach(iter, bucket_of(fingerprint))
	{
		ClientSlot *slot = dlist_container(ClientSlot, bucket, iter.cur);

		if (memcmp(slot->entry.facts.fingerprint, fingerprint, ESG_DIGEST_SIZE) == 0 &&
			(role_name == NULL || strcmp(slot->entry.role_name, role_name) == 0))
			return slot;
	}
	return NULL;
}

static dlist_head *
uses_of(const EsgClientEntry *entry)
{
	return &area->uses[entry->alarming != 0];
}

/* A slot for a new entry, the least recently used one's if need be. */
static ClientSlot *
take_slot(void)
{
	ClientSlot *slot;

	if (area->used < capacity)
	{
		area->used++;
		return slot_at(area->used - 1);
	}
	slot = dlist_tail_element(ClientSlot, use, &area->uses[dlist_is_empty(&area->uses[0])]);
	dlist_delete(&slot->use);
	dlist_delete(&slot->bucket);
	area->evicted++;
	return slot;
}

static ClientSlot *
insert_entry(const EsgClientEntry *entry)
{
	ClientSlot *slot;

	Assert(MyProc == NULL || LWLockHeldByMeInMode(area_lock, LW_EXCLUSIVE));
	slot = take_slot();
	slot->entry = *entry;
	memset(&slot->good, 0, sizeof(slot->good));
	dlist_push_head(bucket_of(entry->facts.fingerprint), &slot->bucket);
	dlist_push_head(uses_of(entry), &slot->use);
	return slot;
}

/* Callback of esg_clients_save_load(): entries come least recently used first. */
static void
insert_loaded(const void *data)
{
	const EsgClientEntry *entry = data;

	if (find_slot(entry->facts.fingerprint, entry->role_name) == NULL)
		(void) insert_entry(entry);
}

static void
begin_area(void)
{
	dlist_init(&area->uses[0]);
	dlist_init(&area->uses[1]);
	if (esg_guc_save_client_certificates)
		esg_clients_save_load(insert_loaded);
	area->evicted = 0;
	area->changes = area->saved_changes = 1;
	esg_saved_file_at_exit(esg_clients_save);
}

void
esg_clients_init(void)
{
	capacity = esg_guc_max_client_certificates;
	esg_shmem_register("clients", add_size(slots_offset(), mul_size(sizeof(ClientSlot), capacity)),
					   (void **) &area, &area_lock, begin_area);
}

/* Same certificate, same chain, same settings: the analysis still holds. */
static bool
facts_hold(const EsgClientFacts *facts, const unsigned char *chain_digest, uint64 policy_stamp)
{
	return facts->policy_stamp == policy_stamp &&
		memcmp(facts->chain_digest, chain_digest, ESG_DIGEST_SIZE) == 0;
}

bool
esg_clients_lookup(const EsgClientKey *key, EsgClientFacts *out, EsgClientKnown *known)
{
	const ClientSlot *slot;
	bool		found;

	memset(known, 0, sizeof(*known));
	if (area == NULL)
		return false;
	esg_shmem_lock(area_lock, LW_SHARED);
	slot = find_slot(key->fingerprint, key->role_name);
	if (slot != NULL)
		known->alarmed_at = slot->entry.alarmed_at;
	else
		slot = find_slot(key->fingerprint, NULL);
	found = slot != NULL && facts_hold(&slot->entry.facts, key->chain_digest, key->policy_stamp);
	if (found)
	{
		*out = slot->entry.facts;
		known->good = slot->good;
	}
	esg_shmem_unlock(area_lock);
	return found;
}

bool
esg_clients_subject(const unsigned char *fingerprint, char *subject)
{
	const ClientSlot *slot;

	if (area == NULL)
		return false;
	esg_shmem_lock(area_lock, LW_SHARED);
	slot = find_slot(fingerprint, NULL);
	if (slot != NULL)
		memcpy(subject, slot->entry.facts.subject, ESG_CLIENT_NAME_SIZE);
	esg_shmem_unlock(area_lock);
	return slot != NULL;
}

static void
fill_entry(EsgClientEntry *entry, const EsgClientLogin *login)
{
	memset(entry, 0, sizeof(*entry));
	entry->facts = *login->facts;
	strlcpy(entry->role_name, login->role_name, sizeof(entry->role_name));
	entry->first_seen = login->at;
}

static void
update_entry(EsgClientEntry *entry, const EsgClientLogin *login)
{
	if (login->denied)
		entry->denials++;
	else
		entry->authenticated++;
	if (login->at > entry->last_seen)
		entry->last_seen = login->at;
	if (login->alarmed)
		entry->alarmed_at = login->at;
	entry->last_address = login->address;
	strlcpy(entry->last_tls_version, login->tls_version, sizeof(entry->last_tls_version));
	strlcpy(entry->last_cipher, login->cipher, sizeof(entry->last_cipher));
}

void
esg_clients_record(const EsgClientLogin *login)
{
	ClientSlot *slot;
	EsgClientEntry *entry;

	if (area == NULL)
		return;
	esg_shmem_lock(area_lock, LW_EXCLUSIVE);
	slot = find_slot(login->facts->fingerprint, login->role_name);
	if (slot == NULL)
	{
		EsgClientEntry fresh;

		fill_entry(&fresh, login);
		slot = insert_entry(&fresh);
	}
	entry = &slot->entry;
	dlist_move_head(uses_of(entry), &slot->use);
	/* facts are large and seldom change */
	if (!facts_hold(&entry->facts, login->facts->chain_digest, login->facts->policy_stamp))
		entry->facts = *login->facts;
	slot->good = login->good;
	update_entry(entry, login);
	area->changes++;
	esg_shmem_unlock(area_lock);
}

/* An entry that changes between the two orders counts as used just now. */
void
esg_clients_mark(const unsigned char *fingerprint, const char *role_name, bool alarming)
{
	ClientSlot *slot;

	if (area == NULL)
		return;
	esg_shmem_lock(area_lock, LW_EXCLUSIVE);
	slot = find_slot(fingerprint, role_name);
	if (slot != NULL && (slot->entry.alarming != 0) != alarming)
	{
		dlist_delete(&slot->use);
		slot->entry.alarming = alarming ? 1 : 0;
		dlist_push_head(uses_of(&slot->entry), &slot->use);
	}
	esg_shmem_unlock(area_lock);
}

/* Copies up to max entries from a slot on; returns how many. */
static int
copy_chunk(int next, EsgClientRow *rows, int max)
{
	int			count = 0;

	esg_shmem_lock(area_lock, LW_SHARED);
	for (; count < max && next < area->used; next++)
		rows[count++].entry = slot_at(next)->entry;
	esg_shmem_unlock(area_lock);
	return count;
}

/* same role and subject together, the certificate that began last first */
static int
compare_identity(const void *a, const void *b)
{
	const EsgClientEntry *left = &(*(EsgClientRow *const *) a)->entry;
	const EsgClientEntry *right = &(*(EsgClientRow *const *) b)->entry;
	int			order = strcmp(left->role_name, right->role_name);

	if (order == 0)
		order = memcmp(left->facts.subject_digest, right->facts.subject_digest, ESG_DIGEST_SIZE);
	if (order != 0)
		return order;
	if (left->facts.not_before.unix_seconds != right->facts.not_before.unix_seconds)
		return left->facts.not_before.unix_seconds > right->facts.not_before.unix_seconds ? -1 : 1;
	return 0;
}

static bool
same_identity(const EsgClientEntry *a, const EsgClientEntry *b)
{
	return strcmp(a->role_name, b->role_name) == 0 &&
		memcmp(a->facts.subject_digest, b->facts.subject_digest, ESG_DIGEST_SIZE) == 0;
}

/*
 * An older certificate is superseded once a newer one of the same identity was
 * used after it.  sorted is in compare_identity's order, so one pass does, with
 * the most recently used of the newer ones remembered.
 */
static void
resolve_superseded(EsgClientRow **sorted, int count)
{
	EsgClientRow *used_last = NULL;

	for (int i = 0; i < count; i++)
	{
		EsgClientRow *row = sorted[i];

		row->superseded = false;
		if (used_last == NULL || !same_identity(&used_last->entry, &row->entry))
			used_last = row;
		else if (used_last->entry.facts.not_before.unix_seconds > row->entry.facts.not_before.unix_seconds &&
				 used_last->entry.last_seen >= row->entry.last_seen)
		{
			row->superseded = true;
			memcpy(row->superseded_by, used_last->entry.facts.fingerprint, ESG_DIGEST_SIZE);
			row->superseded_since = used_last->entry.first_seen;
		}
		else if (row->entry.last_seen > used_last->entry.last_seen)
			used_last = row;
	}
}

/* Which of two newer certificates came into use first?  NULL stands for none. */
static EsgClientRow *
pick_earlier(EsgClientRow *a, EsgClientRow *b)
{
	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	return b->entry.first_seen < a->entry.first_seen ? b : a;
}

/*
 * Which have a newer one beside them, whichever is used?  sorted is in
 * compare_identity's order; those that began at one moment are not newer than
 * each other.
 */
static void
resolve_outdated(EsgClientRow **sorted, int count)
{
	EsgClientRow *newer = NULL; /* began later than those of this moment */
	EsgClientRow *equal = NULL; /* of this moment */

	for (int i = 0; i < count; i++)
	{
		EsgClientRow *row = sorted[i];

		if (i == 0 || !same_identity(&sorted[i - 1]->entry, &row->entry))
			newer = equal = NULL;
		else if (sorted[i - 1]->entry.facts.not_before.unix_seconds !=
				 row->entry.facts.not_before.unix_seconds)
		{
			newer = pick_earlier(newer, equal);
			equal = NULL;
		}
		equal = pick_earlier(equal, row);
		row->outdated = newer != NULL;
		if (newer == NULL)
			continue;
		memcpy(row->renewed_as, newer->entry.facts.fingerprint, ESG_DIGEST_SIZE);
		row->renewed_since = newer->entry.first_seen;
	}
}

/*
 * A copy of all entries, NULL if there is none.  Entries that come while the
 * copy is made may be missing.  False if there is no memory and flags allow
 * that.
 */
static bool
copy_rows(int flags, EsgClientRow **rows, int *count)
{
	int			used;
	int64		evicted;
	int			copied;

	*rows = NULL;
	*count = 0;
	esg_clients_count(&used, &evicted);
	if (used == 0)
		return true;
	*rows = palloc_extended(used * sizeof(**rows), flags | MCXT_ALLOC_HUGE);
	if (*rows == NULL)
		return false;
	while ((copied = copy_chunk(*count, *rows + *count, Min(COPY_CHUNK, used - *count))) > 0)
		*count += copied;
	return true;
}

int
esg_clients_copy(EsgClientRow **out)
{
	int			count;
	EsgClientRow *rows;
	EsgClientRow **sorted;

	(void) copy_rows(0, &rows, &count);
	sorted = palloc_extended((count + 1) * sizeof(*sorted), MCXT_ALLOC_HUGE);
	for (int i = 0; i < count; i++)
		sorted[i] = &rows[i];
	qsort(sorted, count, sizeof(*sorted), compare_identity);
	resolve_superseded(sorted, count);
	resolve_outdated(sorted, count);
	pfree(sorted);
	*out = rows;
	return count;
}

int64
esg_clients_reset(void)
{
	int64		removed;

	esg_shmem_lock(area_lock, LW_EXCLUSIVE);
	removed = area->used;
	area->used = 0;
	area->evicted = 0;
	dlist_init(&area->uses[0]);
	dlist_init(&area->uses[1]);
	memset(area->buckets, 0, sizeof(dlist_head) * capacity);
	area->changes++;
	esg_shmem_unlock(area_lock);
	return removed;
}

void
esg_clients_count(int *used, int64 *evicted)
{
	*used = 0;
	*evicted = 0;
	if (area == NULL)
		return;
	esg_shmem_lock(area_lock, LW_SHARED);
	*used = area->used;
	*evicted = area->evicted;
	esg_shmem_unlock(area_lock);
}

static int
compare_last_seen(const void *a, const void *b)
{
	TimestampTz left = ((const EsgClientRow *) a)->entry.last_seen;
	TimestampTz right = ((const EsgClientRow *) b)->entry.last_seen;

	return left < right ? -1 : left > right;
}

/* Also called in the postmaster at exit: raises no error. */
void
esg_clients_save(void)
{
	uint64		changes;
	bool		due;
	int			count;
	EsgClientRow *rows;

	if (area == NULL || !esg_guc_save_client_certificates)
		return;
	esg_shmem_lock(area_lock, LW_SHARED);
	changes = area->changes;
	due = changes != area->saved_changes;
	esg_shmem_unlock(area_lock);
	if (!due)
		return;
	if (!copy_rows(MCXT_ALLOC_NO_OOM, &rows, &count))
	{
		ereport(LOG,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not save the registry of client certificates: out of memory")));
		return;
	}
	if (rows != NULL)
		qsort(rows, count, sizeof(*rows), compare_last_seen);
	if (esg_clients_save_write(rows, count))
	{
		esg_shmem_lock(area_lock, LW_EXCLUSIVE);
		area->saved_changes = changes;
		esg_shmem_unlock(area_lock);
	}
	if (rows != NULL)
		pfree(rows);
}
