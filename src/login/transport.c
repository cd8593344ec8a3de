/*
 * login/transport.c
 *		How clients come: counters for each combination of role, transport, TLS
 *		version, cipher, certificate and authentication method.
 *
 * Locking: the area's lock guards everything in it.  A login holds it for a
 * search among numbers, which lie together, and an update.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/postmaster.h"
#include "storage/lwlock.h"

#include "login/transport.h"
#include "server/guc.h"
#include "server/saved_file.h"
#include "server/shmem.h"

typedef struct TransportArea
{
	int			count;
	int64		evicted;
	uint64		changes;		/* rises with every change */
	uint64		saved_changes;	/* what the file holds */
	uint32		hashes[FLEXIBLE_ARRAY_MEMBER];	/* of the entries' keys; the
												 * entries come after them */
} TransportArea;

static TransportArea *area = NULL;
static LWLock *area_lock = NULL;
static int	capacity = 0;

static Size
entries_offset(void)
{
	return MAXALIGN(add_size(offsetof(TransportArea, hashes), mul_size(sizeof(uint32), capacity)));
}

static EsgTransportEntry *
entry_at(int n)
{
	return (EsgTransportEntry *) ((char *) area + entries_offset()) + n;
}

static uint32
hash_key(const EsgTransportKey *key)
{
	return hash_bytes((const unsigned char *) key, sizeof(*key));
}

/* ------------------------------------------------------------------------
 * The file
 * ------------------------------------------------------------------------ */

static bool
is_entry_sound(const void *data)
{
	const EsgTransportEntry *entry = data;
	const EsgTransportKey *key = &entry->key;

#define ENDS(text) (memchr(text, '\0', sizeof(text)) != NULL)
	return ENDS(key->role_name) && ENDS(key->cipher) && ENDS(key->method) &&
		key->transport <= ESG_TRANSPORT_TLS && entry->logins > 0 && entry->fallbacks >= 0;
#undef ENDS
}

static const EsgSavedFile saved = {
	.path = PGSTAT_STAT_PERMANENT_DIRECTORY "/ext_ssl_guard.transport",
	.magic = "ESGTRA01",
	.content = "logins by transport",
	.foreign = "A copy of a data directory begins without them, as they came to another server.",
	.entry_size = sizeof(EsgTransportEntry),
	.is_sound = is_entry_sound
};

/* EsgSavedEntryFn */
static void
insert_loaded(const void *data)
{
	const EsgTransportEntry *entry = data;

	if (area->count == capacity)
		return;
	area->hashes[area->count] = hash_key(&entry->key);
	*entry_at(area->count++) = *entry;
}

static void
begin_area(void)
{
	if (esg_guc_save_client_certificates)
		esg_saved_file_load(&saved, insert_loaded);
	area->changes = area->saved_changes = 1;
	esg_saved_file_at_exit(esg_transport_save);
}

/* palloc'd; false: out of memory */
static bool
copy_entries(int flags, EsgTransportEntry **out, int *count)
{
	*count = 0;
	*out = palloc_extended((Size) capacity * sizeof(EsgTransportEntry), flags);
	if (*out == NULL)
		return false;
	esg_shmem_lock(area_lock, LW_SHARED);
	*count = area->count;
	memcpy(*out, entry_at(0), (Size) *count * sizeof(EsgTransportEntry));
	esg_shmem_unlock(area_lock);
	return true;
}

/* Also called in the postmaster at exit: raises no error. */
void
esg_transport_save(void)
{
	EsgTransportEntry *entries;
	uint64		changes;
	int			count;
	bool		due;

	if (area == NULL || !esg_guc_save_client_certificates)
		return;
	esg_shmem_lock(area_lock, LW_SHARED);
	changes = area->changes;
	due = changes != area->saved_changes;
	esg_shmem_unlock(area_lock);
	if (!due)
		return;
	if (!copy_entries(MCXT_ALLOC_NO_OOM, &entries, &count))
	{
		ereport(LOG,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not write file \"%s\": out of memory", saved.path)));
		return;
	}
	if (esg_saved_file_write(&saved, entries, sizeof(*entries), count))
	{
		esg_shmem_lock(area_lock, LW_EXCLUSIVE);
		area->saved_changes = changes;
		esg_shmem_unlock(area_lock);
	}
	pfree(entries);
}

/* ------------------------------------------------------------------------
 * One login
 * ------------------------------------------------------------------------ */

void
esg_transport_init(void)
{
	capacity = esg_guc_max_transport_entries;
	esg_shmem_register("transport",
					   add_size(entries_offset(), mul_size(sizeof(EsgTransportEntry), capacity)),
					   (void **) &area, &area_lock, begin_area);
}

/* Would a recorded session stay unreadable if the server's key were stolen later? */
static bool
has_forward_secrecy(const SSL_CIPHER *cipher)
{
	switch (SSL_CIPHER_get_kx_nid(cipher))
	{
		case NID_kx_ecdhe:
		case NID_kx_dhe:
		case NID_kx_ecdhe_psk:
		case NID_kx_dhe_psk:
		case NID_kx_any:		/* TLS 1.3 */
			return true;
		default:
			return false;
	}
}

static bool
offers_tls13(SSL *ssl)
{
	long		max = SSL_get_max_proto_version(ssl);

	/* 0: as high as the library goes */
	return (max == 0 || max >= TLS1_3_VERSION) && (SSL_get_options(ssl) & SSL_OP_NO_TLSv1_3) == 0;
}

static void
describe_tls(const EsgPeer *peer, EsgTransportEntry *out)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(peer->ssl);

	out->key.tls_version = (uint16) peer->tls_version;
	out->key.with_cert = peer->cert != NULL;
	strlcpy(out->key.cipher, SSL_CIPHER_get_name(cipher), sizeof(out->key.cipher));
	out->forward_secrecy = has_forward_secrecy(cipher);
	out->offered_tls13 = offers_tls13(peer->ssl);
	out->asked_cert = (SSL_get_verify_mode(peer->ssl) & SSL_VERIFY_PEER) != 0;
}

static void
describe(const EsgPeer *peer, bool fallback, TimestampTz now, EsgTransportEntry *out)
{
	memset(out, 0, sizeof(*out));
	strlcpy(out->key.role_name, peer->role_name, sizeof(out->key.role_name));
	strlcpy(out->key.method, peer->method, sizeof(out->key.method));
	out->key.transport = (uint8) esg_login_peer_transport(peer);
	out->offered_tls = EnableSSL;
	if (peer->tls)
		describe_tls(peer, out);
	out->first_seen = out->last_seen = now;
	out->logins = 1;
	out->fallbacks = fallback;
	esg_client_entry_set_address(peer->address, &out->last_address);
}

/* -1: it is not there.  The lock is held. */
static int
find_entry(const EsgTransportKey *key, uint32 hash)
{
	for (int i = 0; i < area->count; i++)
	{
		if (area->hashes[i] == hash && memcmp(&entry_at(i)->key, key, sizeof(*key)) == 0)
			return i;
	}
	return -1;
}

/* The place of a new entry: a free one, else that of the one not seen for longest. */
static int
take_place(void)
{
	int			oldest = 0;

	if (area->count < capacity)
		return area->count++;
	for (int i = 1; i < area->count; i++)
	{
		if (entry_at(i)->last_seen < entry_at(oldest)->last_seen)
			oldest = i;
	}
	area->evicted++;
	return oldest;
}

/* What was offered once, and not taken, would not be taken again. */
static void
add_login(EsgTransportEntry *entry, const EsgTransportEntry *login)
{
	entry->last_seen = Max(entry->last_seen, login->last_seen);
	entry->logins++;
	entry->fallbacks += login->fallbacks;
	entry->last_address = login->last_address;
	entry->offered_tls |= login->offered_tls;
	entry->offered_tls13 |= login->offered_tls13;
	entry->asked_cert |= login->asked_cert;
}

void
esg_transport_note(const EsgPeer *peer, bool fallback, TimestampTz now)
{
	EsgTransportEntry login;
	uint32		hash;
	int			place;

	if (area == NULL)
		return;
	describe(peer, fallback, now, &login);
	hash = hash_key(&login.key);
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	place = find_entry(&login.key, hash);
	if (place >= 0)
		add_login(entry_at(place), &login);
	else
	{
		place = take_place();
		area->hashes[place] = hash;
		*entry_at(place) = login;
	}
	area->changes++;
	LWLockRelease(area_lock);
}

/* ------------------------------------------------------------------------
 * All of them
 * ------------------------------------------------------------------------ */

int
esg_transport_copy(EsgTransportEntry **out)
{
	int			count;

	(void) copy_entries(0, out, &count);
	return count;
}

int64
esg_transport_evicted(void)
{
	int64		evicted;

	if (area == NULL)
		return 0;
	LWLockAcquire(area_lock, LW_SHARED);
	evicted = area->evicted;
	LWLockRelease(area_lock);
	return evicted;
}

int64
esg_transport_reset(void)
{
	int64		removed;

	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	removed = area->count;
	area->count = 0;
	area->evicted = 0;
	area->changes++;
	LWLockRelease(area_lock);
	return removed;
}

/* ------------------------------------------------------------------------
 * Who would be locked out
 * ------------------------------------------------------------------------ */

/* Such a line is for TLS alone: neither plaintext nor what GSSAPI encrypts. */
EsgLockOut
esg_transport_refused_by_hostssl(const EsgTransportEntry *entry)
{
	if (entry->key.transport == ESG_TRANSPORT_TLS)
		return ESG_LOCK_OUT_NO;
	return entry->offered_tls ? ESG_LOCK_OUT_YES : ESG_LOCK_OUT_UNKNOWN;
}

/* The setting is nothing to who comes without TLS. */
EsgLockOut
esg_transport_refused_by_tls13(const EsgTransportEntry *entry)
{
	if (entry->key.transport != ESG_TRANSPORT_TLS || entry->key.tls_version >= TLS1_3_VERSION)
		return ESG_LOCK_OUT_NO;
	return entry->offered_tls13 ? ESG_LOCK_OUT_YES : ESG_LOCK_OUT_UNKNOWN;
}

/* The option is for lines of type hostssl only. */
EsgLockOut
esg_transport_refused_by_clientcert(const EsgTransportEntry *entry)
{
	if (entry->key.transport != ESG_TRANSPORT_TLS)
		return esg_transport_refused_by_hostssl(entry);
	if (entry->key.with_cert)
		return ESG_LOCK_OUT_NO;
	return entry->asked_cert ? ESG_LOCK_OUT_YES : ESG_LOCK_OUT_UNKNOWN;
}
