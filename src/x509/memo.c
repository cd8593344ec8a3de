/*
 * x509/memo.c
 *		A bounded table that remembers the results of costly tests.
 *
 * Open addressing with linear probing, at most half full.  It starts small and
 * doubles, because most processes look at a handful of certificates.
 */
#include <stdint.h>
#include <string.h>

#include <openssl/crypto.h>

#include "x509/memo.h"

#define FIRST_SLOTS 64			/* a power of two */

typedef struct MemoSlot
{
	unsigned char first[ESG_DIGEST_SIZE];
	unsigned char second[ESG_DIGEST_SIZE];
	int			value;
	bool		used;
} MemoSlot;

struct EsgMemo
{
	size_t		max_entries;
	size_t		entries;
	size_t		slot_count;		/* a power of two, more than entries */
	uint64_t	multiplier;		/* odd */
	MemoSlot   *slots;
};

static uint64_t
load_word(const unsigned char *bytes)
{
	uint64_t	word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/*
 * Multiplicative hashing.  The multiplier differs from process to process, so
 * that certificates made for it cannot pile up in one place.
 */
static size_t
hash_key(const EsgMemo *memo, const unsigned char *first, const unsigned char *second)
{
	uint64_t	hash = (load_word(first) ^ (load_word(second) << 1)) * memo->multiplier;

	return (size_t) (hash >> 32) & (memo->slot_count - 1);
}

/* the slot of the key, or the free one where it would go */
static MemoSlot *
find_slot(const EsgMemo *memo, const unsigned char *first, const unsigned char *second)
{
	size_t		i = hash_key(memo, first, second);

	for (;;)
	{
		MemoSlot   *slot = &memo->slots[i];

		if (!slot->used ||
			(memcmp(slot->first, first, ESG_DIGEST_SIZE) == 0 &&
			 memcmp(slot->second, second, ESG_DIGEST_SIZE) == 0))
			return slot;
		i = (i + 1) & (memo->slot_count - 1);
	}
}

static void
empty_table(EsgMemo *memo)
{
	memset(memo->slots, 0, memo->slot_count * sizeof(MemoSlot));
	memo->entries = 0;
}

/* false if there is no memory for it; the table is as it was */
static bool
double_table(EsgMemo *memo)
{
	EsgMemo		bigger = *memo;
	size_t		i;

	bigger.slot_count *= 2;
	bigger.slots = OPENSSL_zalloc(bigger.slot_count * sizeof(MemoSlot));
	if (bigger.slots == NULL)
		return false;
	for (i = 0; i < memo->slot_count; i++)
	{
		const MemoSlot *slot = &memo->slots[i];

		if (slot->used)
			*find_slot(&bigger, slot->first, slot->second) = *slot;
	}
	OPENSSL_free(memo->slots);
	*memo = bigger;
	return true;
}

/* room for one more entry, by growing or by forgetting all */
static void
make_room(EsgMemo *memo)
{
	if (memo->entries >= memo->max_entries)
		empty_table(memo);
	else if (memo->entries >= memo->slot_count / 2 && !double_table(memo))
		empty_table(memo);
}

/*
 * An empty table for at most max_entries results; NULL, which the other
 * functions take as well, if max_entries is 0 or memory is short.
 */
EsgMemo *
esg_memo_create(size_t max_entries)
{
	EsgMemo    *memo;

	if (max_entries == 0)
		return NULL;
	memo = OPENSSL_zalloc(sizeof(EsgMemo));
	if (memo == NULL)
		return NULL;
	memo->max_entries = max_entries;
	memo->slot_count = FIRST_SLOTS;
	memo->multiplier = ((uint64_t) (uintptr_t) memo * UINT64_C(0x9E3779B97F4A7C15)) | 1;
	memo->slots = OPENSSL_zalloc(memo->slot_count * sizeof(MemoSlot));
	if (memo->slots == NULL)
	{
		OPENSSL_free(memo);
		return NULL;
	}
	return memo;
}

/* true and *value set if the key is remembered; else *value is left alone */
bool
esg_memo_get(const EsgMemo *memo, const unsigned char *first,
			 const unsigned char *second, int *value)
{
	const MemoSlot *slot;

	if (memo == NULL)
		return false;
	slot = find_slot(memo, first, second);
	if (slot->used)
		*value = slot->value;
	return slot->used;
}

/* A key that is there already gets the new value. */
void
esg_memo_put(EsgMemo *memo, const unsigned char *first,
			 const unsigned char *second, int value)
{
	MemoSlot   *slot;

	if (memo == NULL)
		return;
	slot = find_slot(memo, first, second);
	if (!slot->used)
	{
		make_room(memo);
		slot = find_slot(memo, first, second);
		memcpy(slot->first, first, ESG_DIGEST_SIZE);
		memcpy(slot->second, second, ESG_DIGEST_SIZE);
		slot->used = true;
		memo->entries++;
	}
	slot->value = value;
}

void
esg_memo_free(EsgMemo *memo)
{
	if (memo == NULL)
		return;
	OPENSSL_free(memo->slots);
	OPENSSL_free(memo);
}
