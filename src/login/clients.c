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

#include "lib/binaryheap.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "port/pg_bitutils.h"
#include "storage/lwlock.h"
#include "storage/proc.h"

#include "login/client_renewed.h"
#include "login/clients.h"
#include "login/clients_save.h"
#include "server/guc.h"
#include "server/shmem.h"

#define COPY_CHUNK 32

/* A save file of no more bytes is read at the server's start, which it takes some milliseconds. */
#define SMALL_FILE (4 * 1024 * 1024)

/* So many entries may have lost their places to logins while the file was read. */
#define MAX_DISPLACED 1000

typedef struct ClientSlot
{
	dlist_node	bucket;			/* among those of one hash value */
	dlist_node	use;			/* in one of ClientArea.uses */
	uint32		version;		/* of certificate, role and facts: no other
								 * has had it */
	bool		watched;		/* the review waits for its next login */
	EsgGoodSpan good;			/* of the entry's facts */
	EsgClientEntry entry;
} ClientSlot;

/* What was changed since when? */
typedef enum Mark
{
	MARK_UNREVIEWED,			/* anything, since the last review */
	MARK_UNSAVED,				/* anything, since it was written */
	MARK_UNSAVED_FACTS,			/* the part that hardly ever does */
	MARK_COUNT
} Mark;

typedef struct ClientArea
{
	dlist_head	uses[2];		/* all in use, the one used last first: those
								 * without and those with a standing alarm */
	int			used;			/* slots [0, used) are in use */
	int64		evicted;
	uint32		last_version;	/* of a slot */
	uint32		resets;			/* rises with each */
	uint64		generation;		/* of the save file, 0: there is none */
	int			saved_count;	/* entries in it */
	bool		rewrite;		/* it is to be written anew */
	int			save_next;		/* where the next save begins to look */
	pg_atomic_uint32 news;		/* what the review should not wait for: 1 */
	pg_atomic_uint32 pending;	/* 1: the save file is still to be read */
	int			load_count;		/* entries in it, whose slots are kept free
								 * for them: */
	int			load_next;		/* those from here */
	int			load_end;		/* to here, where logins took no more */
	dlist_head	buckets[FLEXIBLE_ARRAY_MEMBER]; /* as many as slots; behind
												 * them the marks, a bit for
												 * each slot, then the slots */
} ClientArea;

static ClientArea *area = NULL;
static LWLock *area_lock = NULL;

/* who reads the save file holds it; there is nothing else in that area */
static uint64 *load_area_memory = NULL;
static LWLock *load_lock = NULL;

/* ext_ssl_guard.max_client_certificates as of the server's start */
static int	capacity = 0;

static int
words_per_mark(void)
{
	return (capacity + 63) / 64;
}

static Size
marks_offset(void)
{
	return MAXALIGN(offsetof(ClientArea, buckets) + mul_size(sizeof(dlist_head), capacity));
}

static Size
slots_offset(void)
{
	return marks_offset() + mul_size(sizeof(uint64) * MARK_COUNT, words_per_mark());
}

static uint64 *
marks_of(Mark mark)
{
	return (uint64 *) ((char *) area + marks_offset()) + mark * words_per_mark();
}

static ClientSlot *
slot_at(int number)
{
	Assert(number >= 0 && number < area->used && area->used <= capacity);
	return (ClientSlot *) ((char *) area + slots_offset()) + number;
}

static void
set_mark(Mark mark, int number)
{
	marks_of(mark)[number / 64] |= UINT64CONST(1) << (number % 64);
}

static void
clear_mark(Mark mark, int number)
{
	marks_of(mark)[number / 64] &= ~(UINT64CONST(1) << (number % 64));
}

static bool
has_mark(Mark mark, int number)
{
	return (marks_of(mark)[number / 64] >> (number % 64) & 1) != 0;
}

/* The first with that mark from a number on; -1: there is none. */
static int
next_mark(Mark mark, int number)
{
	const uint64 *words = marks_of(mark);

	for (int word = number / 64; word < words_per_mark(); word++)
	{
		uint64		bits = words[word];

		if (word == number / 64)
			bits &= ~UINT64CONST(0) << (number % 64);
		if (bits != 0)
			return word * 64 + pg_rightmost_one_pos64(bits);
	}
	return -1;
}

static int
number_of(const ClientSlot *slot)
{
	return (int) (slot - slot_at(0));
}

/* The lock is held. */
static void
note_change(ClientSlot *slot, bool with_facts)
{
	int			number = number_of(slot);

	set_mark(MARK_UNREVIEWED, number);
	set_mark(MARK_UNSAVED, number);
	if (with_facts)
	{
		set_mark(MARK_UNSAVED_FACTS, number);
		if (++area->last_version == 0)
			area->last_version = 1;
		slot->version = area->last_version;
	}
	if (with_facts || slot->watched)
		pg_atomic_write_u32(&area->news, 1);
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

static void
empty_slot(ClientSlot *slot)
{
	dlist_delete(&slot->use);
	dlist_delete(&slot->bucket);
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

	/*
	 * nothing is there yet to give way: what would have been finds another
	 * place
	 */
	if (area->load_next < area->load_end)
		return slot_at(--area->load_end);
	slot = dlist_tail_element(ClientSlot, use, &area->uses[dlist_is_empty(&area->uses[0])]);
	empty_slot(slot);
	area->evicted++;
	return slot;
}

/* The lock is held. */
static void
fill_slot(ClientSlot *slot, const EsgClientEntry *entry)
{
	Assert(MyProc == NULL || LWLockHeldByMeInMode(area_lock, LW_EXCLUSIVE));
	slot->entry = *entry;
	slot->watched = false;
	memset(&slot->good, 0, sizeof(slot->good));
	dlist_push_head(bucket_of(entry->facts.fingerprint), &slot->bucket);
	dlist_push_head(uses_of(entry), &slot->use);
	note_change(slot, true);
}

static void
empty_area(void)
{
	area->used = 0;
	area->evicted = 0;
	area->saved_count = 0;
	area->load_count = area->load_next = area->load_end = 0;
	dlist_init(&area->uses[0]);
	dlist_init(&area->uses[1]);
	memset(area->buckets, 0, sizeof(dlist_head) * capacity);
	memset(marks_of(0), 0, sizeof(uint64) * words_per_mark() * MARK_COUNT);
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
	bool		new_facts;

	if (area == NULL)
		return;
	esg_shmem_lock(area_lock, LW_EXCLUSIVE);
	slot = find_slot(login->facts->fingerprint, login->role_name);
	if (slot == NULL)
	{
		EsgClientEntry fresh;

		fill_entry(&fresh, login);
		slot = take_slot();
		fill_slot(slot, &fresh);
	}
	entry = &slot->entry;
	dlist_move_head(uses_of(entry), &slot->use);
	/* facts are large and seldom change */
	new_facts = !facts_hold(&entry->facts, login->facts->chain_digest, login->facts->policy_stamp);
	if (new_facts)
		entry->facts = *login->facts;
	slot->good = login->good;
	update_entry(entry, login);
	note_change(slot, new_facts);
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
		set_mark(MARK_UNSAVED, number_of(slot));
		set_mark(MARK_UNREVIEWED, number_of(slot));
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

/*
 * A copy of all entries, NULL if there is none.  Entries that come while the
 * copy is made may be missing.
 */
static void
copy_rows(EsgClientRow **rows, int *count)
{
	int			used;
	int64		evicted;
	int			copied;

	*rows = NULL;
	*count = 0;
	esg_clients_count(&used, &evicted);
	if (used == 0)
		return;
	*rows = palloc_extended(used * sizeof(**rows), MCXT_ALLOC_HUGE);
	while ((copied = copy_chunk(*count, *rows + *count, Min(COPY_CHUNK, used - *count))) > 0)
		*count += copied;
}

static void
take_life(const EsgClientLife *lives, const EsgClientRow *rows, const EsgClientLife *life,
		  EsgClientRow *out)
{
	const EsgClientLife *newer = life->superseded_by;

	out->superseded = newer != NULL;
	if (newer != NULL)
	{
		memcpy(out->superseded_by, rows[newer - lives].entry.facts.fingerprint, ESG_DIGEST_SIZE);
		out->superseded_since = newer->first_seen;
	}
	newer = life->renewed_as;
	out->outdated = newer != NULL;
	if (newer != NULL)
	{
		memcpy(out->renewed_as, rows[newer - lives].entry.facts.fingerprint, ESG_DIGEST_SIZE);
		out->renewed_since = newer->first_seen;
	}
}

int
esg_clients_copy(EsgClientRow **out)
{
	int			count;
	EsgClientRow *rows;
	EsgClientLife *lives;
	EsgClientLife **sorted;

	esg_clients_load();
	copy_rows(&rows, &count);
	lives = palloc_extended((count + 1) * sizeof(*lives), MCXT_ALLOC_HUGE);
	sorted = palloc_extended((count + 1) * sizeof(*sorted), MCXT_ALLOC_HUGE);
	for (int i = 0; i < count; i++)
	{
		esg_client_renewed_describe(&rows[i].entry, &lives[i]);
		sorted[i] = &lives[i];
	}
	esg_client_renewed_resolve(sorted, count);
	for (int i = 0; i < count; i++)
		take_life(lives, rows, &lives[i], &rows[i]);
	pfree(sorted);
	pfree(lives);
	*out = rows;
	return count;
}

int64
esg_clients_reset(void)
{
	int64		removed;

	esg_clients_load();
	esg_shmem_lock(area_lock, LW_EXCLUSIVE);
	removed = area->used;
	empty_area();
	area->resets++;
	area->rewrite = true;
	pg_atomic_write_u32(&area->news, 1);
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
	esg_clients_load();
	esg_shmem_lock(area_lock, LW_SHARED);
	*used = area->used;
	*evicted = area->evicted;
	esg_shmem_unlock(area_lock);
}

/* ------------------------------------------------------------------------
 * The worker's review
 * ------------------------------------------------------------------------ */

bool
esg_clients_have_news(void)
{
	return area != NULL && pg_atomic_read_u32(&area->news) != 0;
}

void
esg_clients_note_news(void)
{
	if (area != NULL)
		pg_atomic_write_u32(&area->news, 1);
}

int
esg_clients_take_changed(bool all, uint32 *resets, int *used, int **numbers)
{
	int			count = 0;
	uint64	   *changed;

	*resets = *used = 0;
	*numbers = NULL;
	if (area == NULL)
		return 0;
	esg_clients_load();
	*numbers = palloc(sizeof(int) * capacity);
	changed = palloc(sizeof(uint64) * words_per_mark());
	pg_atomic_write_u32(&area->news, 0);
	esg_shmem_lock(area_lock, LW_EXCLUSIVE);
	*resets = area->resets;
	*used = area->used;
	memcpy(changed, marks_of(MARK_UNREVIEWED), sizeof(uint64) * words_per_mark());
	memset(marks_of(MARK_UNREVIEWED), 0, sizeof(uint64) * words_per_mark());
	esg_shmem_unlock(area_lock);
	for (int number = 0; number < *used; number++)
	{
		if (all || (changed[number / 64] >> (number % 64) & 1) != 0)
			(*numbers)[count++] = number;
		else if (changed[number / 64] == 0)
			number |= 63;
	}
	pfree(changed);
	return count;
}

void
esg_clients_read_uses(const int *numbers, int count, EsgClientUse *out)
{
	for (int i = 0; i < count; i++)
	{
		if (i % COPY_CHUNK == 0)
			esg_shmem_lock(area_lock, LW_SHARED);
		memset(&out[i], 0, sizeof(out[i]));
		if (numbers[i] < area->used)
		{
			out[i].version = slot_at(numbers[i])->version;
			out[i].last_seen = slot_at(numbers[i])->entry.last_seen;
			out[i].alarming = slot_at(numbers[i])->entry.alarming != 0;
		}
		if (i % COPY_CHUNK == COPY_CHUNK - 1 || i == count - 1)
			esg_shmem_unlock(area_lock);
	}
}

uint32
esg_clients_read(int number, EsgClientEntry *out)
{
	uint32		version = 0;

	esg_shmem_lock(area_lock, LW_SHARED);
	if (number < area->used)
	{
		version = slot_at(number)->version;
		*out = slot_at(number)->entry;
	}
	esg_shmem_unlock(area_lock);
	return version;
}

void
esg_clients_watch(int number, uint32 version, bool watched)
{
	esg_shmem_lock(area_lock, LW_EXCLUSIVE);
	if (number < area->used && slot_at(number)->version == version)
		slot_at(number)->watched = watched;
	esg_shmem_unlock(area_lock);
}

void
esg_clients_let_go(void)
{
	if (area != NULL)
		esg_shmem_let_go((char *) area + slots_offset(), mul_size(sizeof(ClientSlot), capacity));
}

int
esg_clients_find(const unsigned char *fingerprint, int *numbers, int max)
{
	dlist_iter	iter;
	int			count = 0;

	esg_shmem_lock(area_lock, LW_SHARED);
	dlist_foreach(iter, bucket_of(fingerprint))
	{
		const ClientSlot *slot = dlist_container(ClientSlot, bucket, iter.cur);

		if (memcmp(slot->entry.facts.fingerprint, fingerprint, ESG_DIGEST_SIZE) != 0)
			continue;
		if (count < max)
			numbers[count] = number_of(slot);
		count++;
	}
	esg_shmem_unlock(area_lock);
	return count;
}

/* ------------------------------------------------------------------------
 * The file
 * ------------------------------------------------------------------------ */

/*
 * While the file is read, once there are more entries than places: the slots, the
 * least recently used one first.
 */
static binaryheap *oldest = NULL;

/* binaryheap_comparator: the first is the greatest to it */
static int
compare_age(Datum a, Datum b, void *arg)
{
	const ClientSlot *left = slot_at(DatumGetInt32(a));
	const ClientSlot *right = slot_at(DatumGetInt32(b));

	if (left->entry.last_seen != right->entry.last_seen)
		return left->entry.last_seen > right->entry.last_seen ? -1 : 1;
	/* of one moment, the one that came first */
	return left->version > right->version ? -1 : left->version < right->version;
}

static void
begin_displacing(void)
{
	oldest = binaryheap_allocate(capacity, compare_age, NULL);
	for (int number = 0; number < capacity; number++)
		binaryheap_add_unordered(oldest, Int32GetDatum(number));
	binaryheap_build(oldest);
}

/* EsgSlotEntryFn, at start: an entry has the place that it has in the file, while there are enough. */
static bool
insert_loaded(uint32 number, const void *data)
{
	const EsgClientEntry *entry = data;
	ClientSlot *slot;

	if (find_slot(entry->facts.fingerprint, entry->role_name) != NULL)
		return false;
	if (area->used < capacity)
		fill_slot(take_slot(), entry);
	else
	{
		if (oldest == NULL)
			begin_displacing();
		slot = slot_at(DatumGetInt32(binaryheap_first(oldest)));
		if (slot->entry.last_seen > entry->last_seen)
			return true;
		empty_slot(slot);
		fill_slot(slot, entry);
		binaryheap_replace_first(oldest, binaryheap_first(oldest));
	}
	return true;
}

/* When was what is in a slot used? */
typedef struct LastUse
{
	TimestampTz at;
	int			number;
} LastUse;

/* the latest first */
static int
compare_last_use(const void *a, const void *b)
{
	const LastUse *left = a;
	const LastUse *right = b;

	if (left->at != right->at)
		return left->at > right->at ? -1 : 1;
	return left->number > right->number ? -1 : left->number < right->number;
}

/* Calls each for [0, count), and lets go of the lock now and then. */
static void
each_locked(int count, LWLockMode mode, void (*each) (LastUse *use, int i), LastUse *uses)
{
	for (int i = 0; i < count; i++)
	{
		if (i % COPY_CHUNK == 0)
			esg_shmem_lock(area_lock, mode);
		each(&uses[i], i);
		if (i % COPY_CHUNK == COPY_CHUNK - 1 || i == count - 1)
			esg_shmem_unlock(area_lock);
	}
}

static void
note_last_use(LastUse *use, int i)
{
	use->at = slot_at(i)->entry.last_seen;
	use->number = i;
}

/* Behind all that were; what was used since stays in front. */
static void
put_in_order(LastUse *use, int i)
{
	ClientSlot *slot = slot_at(use->number);

	if (slot->entry.last_seen != use->at)
		return;
	dlist_delete(&slot->use);
	dlist_push_tail(uses_of(&slot->entry), &slot->use);
}

/* Slots are numbered as they were filled; what is in them was used in another order. */
static void
order_uses(void)
{
	int			count = area->used;
	LastUse    *uses = palloc_extended(sizeof(*uses) * Max(count, 1), MCXT_ALLOC_NO_OOM);

	if (uses == NULL)
		return;
	each_locked(count, LW_SHARED, note_last_use, uses);
	qsort(uses, count, sizeof(*uses), compare_last_use);
	each_locked(count, LW_EXCLUSIVE, put_in_order, uses);
	pfree(uses);
}

static void
load_area(void)
{
	uint64		generation = 0;

	if (!esg_clients_save_load(insert_loaded, &generation))
		empty_area();
	order_uses();
	area->rewrite = area->used > 0 && (generation == 0 || oldest != NULL);
	if (!area->rewrite)
	{
		area->generation = generation;
		area->saved_count = area->used;
		memset(marks_of(MARK_UNSAVED), 0, sizeof(uint64) * words_per_mark());
		memset(marks_of(MARK_UNSAVED_FACTS), 0, sizeof(uint64) * words_per_mark());
	}
	if (oldest != NULL)
		binaryheap_free(oldest);
	oldest = NULL;
}

/* ------------------------------------------------------------------------
 * A large file, beside logins
 * ------------------------------------------------------------------------ */

/* While it is read: entries whose places logins have taken. */
static EsgClientEntry *displaced = NULL;
static int	displaced_count = 0;

/* What logins since the start have counted, and what was before. */
static void
merge_slot(ClientSlot *slot, const EsgClientEntry *before)
{
	EsgClientEntry *entry = &slot->entry;

	entry->first_seen = before->first_seen;
	entry->authenticated += before->authenticated;
	entry->denials += before->denials;
	if (entry->alarmed_at < before->alarmed_at)
		entry->alarmed_at = before->alarmed_at;
	dlist_delete(&slot->use);
	entry->alarming |= before->alarming;
	dlist_push_head(uses_of(entry), &slot->use);
	note_change(slot, true);
}

static void
move_slot(ClientSlot *from, ClientSlot *to)
{
	dlist_delete(&from->bucket);
	dlist_delete(&from->use);
	*to = *from;
	dlist_push_head(bucket_of(to->entry.facts.fingerprint), &to->bucket);
	dlist_push_head(uses_of(&to->entry), &to->use);
	for (Mark mark = 0; mark < MARK_COUNT; mark++)
		clear_mark(mark, number_of(from));
	note_change(to, true);
}

/*
 * A login had the entry, in another place than the file.  It comes to the one that
 * was kept for it, and what it leaves is filled from the edge of what logins have
 * taken: behind all, or of those kept free.
 */
static void
take_home(ClientSlot *slot, int number)
{
	int			left = number_of(slot);
	int			edge = left >= area->load_count ? area->used - 1 : area->load_end;

	move_slot(slot, slot_at(number));
	if (edge != left)
		move_slot(slot_at(edge), slot_at(left));
	if (left >= area->load_count)
		area->used--;
	else
		area->load_end++;
}

/* The lock is held.  False: the file has it twice, or more than it should. */
static bool
place_late(int number, const EsgClientEntry *entry)
{
	ClientSlot *slot = find_slot(entry->facts.fingerprint, entry->role_name);
	bool		has_place = number < area->load_end;

	if (number >= area->load_count || (has_place && slot != NULL && number_of(slot) < number))
		return false;
	area->load_next = Max(area->load_next, Min(number + 1, area->load_end));
	if (slot != NULL)
	{
		merge_slot(slot, entry);
		if (has_place)
			take_home(slot, number);
	}
	else if (has_place)
	{
		fill_slot(slot_at(number), entry);
		clear_mark(MARK_UNSAVED, number);
		clear_mark(MARK_UNSAVED_FACTS, number);
	}
	else if (displaced_count < MAX_DISPLACED)
		displaced[displaced_count++] = *entry;
	return true;
}

/* EsgSlotEntryFn */
static bool
insert_late(uint32 number, const void *entry)
{
	bool		placed;

	esg_shmem_lock(area_lock, LW_EXCLUSIVE);
	placed = place_late((int) Min(number, (uint32) INT_MAX), entry);
	esg_shmem_unlock(area_lock);
	return placed;
}

/* They are in use longest, or more is. */
static void
place_displaced(void)
{
	for (int i = 0; i < displaced_count; i++)
	{
		const EsgClientEntry *entry = &displaced[i];
		const ClientSlot *last;

		esg_shmem_lock(area_lock, LW_EXCLUSIVE);
		last = dlist_tail_element(ClientSlot, use, &area->uses[dlist_is_empty(&area->uses[0])]);
		if (area->used < capacity || last->entry.last_seen < entry->last_seen)
			fill_slot(take_slot(), entry);
		else
			area->evicted++;
		esg_shmem_unlock(area_lock);
	}
}

/* load_lock is held. */
static void
load_late(void)
{
	uint64		generation = 0;
	bool		loaded;

	displaced_count = 0;
	displaced = palloc_extended(sizeof(*displaced) * MAX_DISPLACED, MCXT_ALLOC_NO_OOM);
	/* nor if an error has ended it before */
	loaded = displaced != NULL && area->load_next == 0 &&
		esg_clients_save_load(insert_late, &generation) && generation != 0;
	esg_shmem_lock(area_lock, LW_EXCLUSIVE);
	if (!loaded || area->load_next != area->load_end)
		empty_area();
	else
	{
		area->generation = generation;
		area->saved_count = area->load_count;
	}
	area->load_next = area->load_end = 0;
	esg_shmem_unlock(area_lock);
	order_uses();
	place_displaced();
	if (displaced != NULL)
		pfree(displaced);
	displaced = NULL;
	pg_atomic_write_u32(&area->pending, 0);
}

void
esg_clients_load(void)
{
	if (area == NULL || pg_atomic_read_u32(&area->pending) == 0)
		return;
	while (MyProc != NULL && !LWLockConditionalAcquire(load_lock, LW_EXCLUSIVE))
	{
		CHECK_FOR_INTERRUPTS();
		pg_usleep(10000L);
	}
	if (pg_atomic_read_u32(&area->pending) != 0)
		load_late();
	esg_shmem_unlock(load_lock);
}

/* false: it is small, or who has lowered the limit has it read now */
static bool
leave_file_for_later(void)
{
	int64		count = esg_slot_file_count(&esg_clients_save_file);

	if (count < SMALL_FILE / (int64) sizeof(EsgClientEntry) || count > capacity)
		return false;
	area->used = area->load_count = area->load_end = (int) count;
	pg_atomic_write_u32(&area->pending, 1);
	return true;
}

static void
begin_area(void)
{
	pg_atomic_init_u32(&area->news, 0);
	pg_atomic_init_u32(&area->pending, 0);
	empty_area();
	if (esg_guc_save_client_certificates && !leave_file_for_later())
		load_area();
	esg_saved_file_at_exit(esg_clients_save);
}

void
esg_clients_init(void)
{
	capacity = esg_guc_max_client_certificates;
	esg_shmem_register("clients to be read", sizeof(*load_area_memory), (void **) &load_area_memory, &load_lock, NULL);
	/* slots are set as they come into use */
	esg_shmem_register_large("clients", add_size(slots_offset(), mul_size(sizeof(ClientSlot), capacity)),
							 slots_offset(), (void **) &area, &area_lock, begin_area);
}

/* EsgSlotReadFn */
static int
read_entries(int number, void *entries, int max)
{
	EsgClientEntry *out = entries;
	int			count = 0;

	esg_shmem_lock(area_lock, LW_SHARED);
	for (; count < max && number < area->used; number++)
		out[count++] = slot_at(number)->entry;
	esg_shmem_unlock(area_lock);
	return count;
}

/* After it, or before it if it fails, nothing is marked as saved that is not. */
static bool
rewrite_file(void)
{
	int			count;
	uint64		generation;

	esg_shmem_lock(area_lock, LW_EXCLUSIVE);
	count = area->used;
	area->rewrite = false;
	area->generation = 0;
	memset(marks_of(MARK_UNSAVED), 0, sizeof(uint64) * words_per_mark());
	memset(marks_of(MARK_UNSAVED_FACTS), 0, sizeof(uint64) * words_per_mark());
	esg_shmem_unlock(area_lock);
	generation = esg_slot_file_rewrite(&esg_clients_save_file, read_entries, count);
	esg_shmem_lock(area_lock, LW_EXCLUSIVE);
	area->generation = generation;
	area->saved_count = count;
	/* a reset meanwhile has said so, too */
	area->rewrite |= generation == 0;
	esg_shmem_unlock(area_lock);
	return generation != 0;
}

/* What one save writes. */
typedef struct Picks
{
	uint64		generation;
	int		   *numbers;		/* first those that are written whole */
	int			whole;
	int			count;
	int			saved_count;	/* entries in the file afterwards */
} Picks;

/* Entries come into the file in the order of their numbers, so that it has no holes. */
static void
pick_whole(const EsgSlotBatch *batch, Picks *picks)
{
	int			number = next_mark(MARK_UNSAVED_FACTS, 0);

	while (number >= 0 && esg_slot_batch_has_room(batch, picks->count + 1, picks->count + 1))
	{
		picks->numbers[picks->count++] = number;
		clear_mark(MARK_UNSAVED_FACTS, number);
		clear_mark(MARK_UNSAVED, number);
		number = next_mark(MARK_UNSAVED_FACTS, number + 1);
	}
	picks->whole = picks->count;
	picks->saved_count = Max(area->saved_count, number >= 0 ? Min(number, area->used) : area->used);
}

/* Not always the same ones, where there is no room for all. */
static void
pick_used(const EsgSlotBatch *batch, Picks *picks)
{
	int			number = next_mark(MARK_UNSAVED, area->save_next);

	while (esg_slot_batch_has_room(batch, picks->whole, picks->count + 1))
	{
		if (number < 0 && (number = next_mark(MARK_UNSAVED, 0)) < 0)
			return;
		if (!has_mark(MARK_UNSAVED_FACTS, number))
			picks->numbers[picks->count++] = number;
		clear_mark(MARK_UNSAVED, number);
		number = next_mark(MARK_UNSAVED, number + 1);
	}
	area->save_next = Max(number, 0);
}

/* false: out of memory, which the log says */
static bool
make_room(EsgSlotBatch *batch, Picks *picks)
{
	memset(picks, 0, sizeof(*picks));
	if (!esg_slot_batch_begin(batch, &esg_clients_save_file))
		return false;
	picks->numbers = palloc_extended(sizeof(int) * capacity, MCXT_ALLOC_NO_OOM);
	if (picks->numbers != NULL)
		return true;
	esg_slot_batch_give_up(batch);
	return false;
}

static void
pick(const EsgSlotBatch *batch, Picks *picks)
{
	esg_shmem_lock(area_lock, LW_EXCLUSIVE);
	picks->generation = area->generation;
	pick_whole(batch, picks);
	pick_used(batch, picks);
	esg_shmem_unlock(area_lock);
}

/* Both parts of an entry are of one moment.  False: out of memory, or one is gone. */
static bool
add_whole(EsgSlotBatch *batch, Picks *picks)
{
	Size		size = sizeof(EsgClientEntry) * Max(picks->whole, 1);
	EsgClientEntry *entries = palloc_extended(size, MCXT_ALLOC_NO_OOM);
	bool		complete = entries != NULL;

	for (int i = 0; complete && i < picks->whole; i++)
		complete = read_entries(picks->numbers[i], &entries[i], 1) == 1;
	for (EsgSlotPart part = ESG_SLOT_STABLE; complete && part <= ESG_SLOT_USE; part++)
	{
		for (int i = 0; i < picks->whole; i++)
			esg_slot_batch_add(batch, picks->generation, part, picks->numbers[i], &entries[i]);
	}
	if (entries != NULL)
		pfree(entries);
	return complete;
}

/* One whose slot has another certificate by now is written whole the next time. */
static void
add_used(EsgSlotBatch *batch, const Picks *picks)
{
	for (int i = picks->whole; i < picks->count; i++)
	{
		int			number = picks->numbers[i];

		if ((i - picks->whole) % COPY_CHUNK == 0)
			esg_shmem_lock(area_lock, LW_SHARED);
		if (number < area->used && !has_mark(MARK_UNSAVED_FACTS, number))
			esg_slot_batch_add(batch, picks->generation, ESG_SLOT_USE, number,
							   &slot_at(number)->entry);
		if ((i - picks->whole) % COPY_CHUNK == COPY_CHUNK - 1 || i == picks->count - 1)
			esg_shmem_unlock(area_lock);
	}
}

static void
note_saved(const Picks *picks, EsgSlotSave result)
{
	esg_shmem_lock(area_lock, LW_EXCLUSIVE);
	if (result == ESG_SLOT_SAVED && area->generation == picks->generation)
		area->saved_count = picks->saved_count;
	if (result == ESG_SLOT_GONE)
		area->rewrite = true;
	for (int i = 0; result != ESG_SLOT_SAVED && i < picks->count; i++)
	{
		if (picks->numbers[i] >= area->used)
			continue;
		set_mark(MARK_UNSAVED, picks->numbers[i]);
		if (i < picks->whole)
			set_mark(MARK_UNSAVED_FACTS, picks->numbers[i]);
	}
	esg_shmem_unlock(area_lock);
}

static bool
write_changes(void)
{
	EsgSlotBatch batch;
	Picks		picks;
	EsgSlotSave result = ESG_SLOT_FAILED;

	if (!make_room(&batch, &picks))
		return false;
	pick(&batch, &picks);
	if (add_whole(&batch, &picks))
	{
		add_used(&batch, &picks);
		result = esg_slot_batch_save(&batch, picks.generation, picks.saved_count);
	}
	esg_slot_batch_give_up(&batch);
	note_saved(&picks, result);
	pfree(picks.numbers);
	return result == ESG_SLOT_GONE ? rewrite_file() : result == ESG_SLOT_SAVED;
}

/* What is there to be written: nothing, what has changed, or all? */
static bool
is_save_due(bool *anew)
{
	bool		changed;

	esg_shmem_lock(area_lock, LW_SHARED);
	changed = next_mark(MARK_UNSAVED, 0) >= 0 || next_mark(MARK_UNSAVED_FACTS, 0) >= 0;
	*anew = area->rewrite || area->generation == 0;
	changed |= area->rewrite;
	esg_shmem_unlock(area_lock);
	return changed;
}

bool
esg_clients_save_some(void)
{
	bool		anew;

	if (area == NULL || !esg_guc_save_client_certificates)
		return false;
	esg_clients_load();
	if (!is_save_due(&anew))
		return false;
	return (anew ? rewrite_file() : write_changes()) && is_save_due(&anew);
}

/* Also called in the postmaster at exit: raises no error. */
void
esg_clients_save(void)
{
	while (esg_clients_save_some())
		;
}
