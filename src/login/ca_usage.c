/*
 * login/ca_usage.c
 *		Which CA certificates the logins depended on, and when last.
 *
 * Locking: the area's lock guards everything in it.  A login holds it for a
 * search of at most 100 short entries and an update.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "storage/lwlock.h"

#include "login/ca_usage.h"
#include "server/guc.h"
#include "server/saved_file.h"
#include "server/shmem.h"
#include "x509/errors.h"

/* of one chain; OpenSSL verifies none that is longer than 100, and hardly one that is longer than 4 */
#define MAX_CHAIN 16

typedef struct UsageArea
{
	uint64		changes;		/* rises with every change */
	uint64		saved_changes;	/* what the file holds */
	EsgCaUses	uses;
} UsageArea;

static UsageArea *area = NULL;
static LWLock *area_lock = NULL;

/* ------------------------------------------------------------------------
 * The file
 * ------------------------------------------------------------------------ */

static bool
is_entry_sound(const void *data)
{
	return ((const EsgCaUse *) data)->logins > 0;
}

static const EsgSavedFile saved = {
	.path = PGSTAT_STAT_PERMANENT_DIRECTORY "/ext_ssl_guard.ca_usage",
	.magic = "ESGCAU01",
	.content = "logins under each CA",
	.foreign = "A copy of a data directory begins without them, as they came to another server.",
	.entry_size = sizeof(EsgCaUse),
	.is_sound = is_entry_sound
};

/* EsgSavedEntryFn */
static void
insert_loaded(const void *entry)
{
	if (area->uses.count < ESG_MAX_CA_USES)
		area->uses.items[area->uses.count++] = *(const EsgCaUse *) entry;
}

static void
begin_area(void)
{
	if (esg_guc_save_client_certificates)
		esg_saved_file_load(&saved, insert_loaded);
	area->changes = area->saved_changes = 1;
	esg_saved_file_at_exit(esg_ca_usage_save);
}

/* Also called in the postmaster at exit: raises no error. */
void
esg_ca_usage_save(void)
{
	EsgCaUses	uses;
	uint64		changes;
	bool		due;

	if (area == NULL || !esg_guc_save_client_certificates)
		return;
	esg_shmem_lock(area_lock, LW_SHARED);
	changes = area->changes;
	due = changes != area->saved_changes;
	uses = area->uses;
	esg_shmem_unlock(area_lock);
	if (!due || !esg_saved_file_write(&saved, uses.items, sizeof(EsgCaUse), uses.count))
		return;
	esg_shmem_lock(area_lock, LW_EXCLUSIVE);
	area->saved_changes = changes;
	esg_shmem_unlock(area_lock);
}

/* ------------------------------------------------------------------------
 * What it holds
 * ------------------------------------------------------------------------ */

void
esg_ca_usage_init(void)
{
	esg_shmem_register("ca_usage", sizeof(UsageArea), (void **) &area, &area_lock, begin_area);
}

/* NULL: it is not among them */
static const EsgCaUse *
find_use(const EsgCaUses *uses, const unsigned char *sha1)
{
	for (int i = 0; i < uses->count; i++)
	{
		if (memcmp(uses->items[i].sha1, sha1, ESG_SHA1_SIZE) == 0)
			return &uses->items[i];
	}
	return NULL;
}

/* A place for another CA, the least recently used one's if need be. */
static EsgCaUse *
take_place(EsgCaUses *uses, const unsigned char *sha1)
{
	EsgCaUse   *place = &uses->items[0];

	if (uses->count < ESG_MAX_CA_USES)
		place = &uses->items[uses->count++];
	else
	{
		for (int i = 1; i < uses->count; i++)
		{
			if (uses->items[i].last_used < place->last_used)
				place = &uses->items[i];
		}
	}
	memset(place, 0, sizeof(*place));
	memcpy(place->sha1, sha1, ESG_SHA1_SIZE);
	return place;
}

static void
count_login(const unsigned char *sha1, TimestampTz now)
{
	EsgCaUse   *use = unconstify(EsgCaUse *, find_use(&area->uses, sha1));

	Assert(LWLockHeldByMeInMode(area_lock, LW_EXCLUSIVE));
	if (use == NULL)
		use = take_place(&area->uses, sha1);
	use->logins++;
	use->last_used = Max(use->last_used, now);
}

/* Fills digests, of the anchor first, and returns how many. */
static int
digest_cas(const EsgPeer *peer, unsigned char digests[MAX_CHAIN][ESG_SHA1_SIZE])
{
	int			last = sk_X509_num(peer->chain) - 1;
	int			count = 0;

	if (peer->has_anchor)
		memcpy(digests[count++], peer->anchor, ESG_SHA1_SIZE);
	for (int i = 1; i < last && count < MAX_CHAIN; i++)
		count += esg_x509_info_sha1(sk_X509_value(peer->chain, i), digests[count]);
	esg_errors_forget();
	return count;
}

void
esg_ca_usage_note(const EsgPeer *peer, TimestampTz now)
{
	unsigned char digests[MAX_CHAIN][ESG_SHA1_SIZE];
	int			count;

	if (area == NULL)
		return;
	count = digest_cas(peer, digests);
	if (count == 0)
		return;
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	for (int i = 0; i < count; i++)
		count_login(digests[i], now);
	area->changes++;
	LWLockRelease(area_lock);
}

bool
esg_ca_usage_copy(EsgCaUses *out)
{
	if (area == NULL)
		return false;
	LWLockAcquire(area_lock, LW_SHARED);
	*out = area->uses;
	LWLockRelease(area_lock);
	return true;
}

int64
esg_ca_usage_find(const EsgCaUses *uses, const X509 *cert, TimestampTz *last_used)
{
	unsigned char sha1[ESG_SHA1_SIZE];
	const EsgCaUse *use;

	*last_used = 0;
	if (!esg_x509_info_sha1(cert, sha1))
		return -1;
	use = find_use(uses, sha1);
	if (use == NULL)
		return uses->count == ESG_MAX_CA_USES ? -1 : 0;
	*last_used = use->last_used;
	return use->logins;
}

int64
esg_ca_usage_reset(void)
{
	int64		removed;

	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	removed = area->uses.count;
	memset(&area->uses, 0, sizeof(area->uses));
	area->changes++;
	LWLockRelease(area_lock);
	return removed;
}
