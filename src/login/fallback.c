/*
 * login/fallback.c
 *		Who was refused over TLS and then comes in plaintext.
 *
 * Each role and address has one place in a fixed table, and so strangers can
 * push out only those with whom they share one.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "storage/lwlock.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "login/client_entry.h"
#include "login/fallback.h"
#include "server/alarms.h"
#include "server/guc.h"
#include "server/shmem.h"

#define SLOTS 800
/* a client that comes later than this decided to */
#define MEMORY (10 * USECS_PER_SEC)

typedef struct Refused
{
	uint64		who;			/* of role and address */
	TimestampTz at;				/* 0: nobody */
} Refused;

/* The area's lock guards all of it. */
typedef struct FallbackArea
{
	Refused		slots[SLOTS];
} FallbackArea;

static FallbackArea *area = NULL;
static LWLock *area_lock = NULL;

void
esg_fallback_init(void)
{
	esg_shmem_register("fallbacks", sizeof(FallbackArea), (void **) &area, &area_lock, NULL);
}

static uint64
hash_peer(const EsgPeer *peer)
{
	EsgClientAddress address;
	uint64		seed;

	esg_client_entry_set_address(peer->address, &address);
	seed = hash_bytes_extended((const unsigned char *) &address, sizeof(address), 0);
	return hash_bytes_extended((const unsigned char *) peer->role_name,
							   (int) strlen(peer->role_name), seed);
}

static bool
was_refused(uint64 who, TimestampTz now)
{
	Refused		slot;

	LWLockAcquire(area_lock, LW_SHARED);
	slot = area->slots[who % SLOTS];
	LWLockRelease(area_lock);
	return slot.at != 0 && slot.who == who && slot.at <= now && now - slot.at <= MEMORY;
}

static void
put_slot(uint64 who, TimestampTz at)
{
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	area->slots[who % SLOTS].who = who;
	area->slots[who % SLOTS].at = at;
	LWLockRelease(area_lock);
}

/* size ESG_OBJECT_SIZE */
static void
name_object(const EsgPeer *peer, char *buf)
{
	char	   *role = esg_report_printable(peer->role_name);
	EsgClientAddress address;
	char		text[ESG_CLIENT_ADDRESS_TEXT_SIZE];

	esg_client_entry_set_address(peer->address, &address);
	esg_client_entry_address_text(&address, text, sizeof(text));
	snprintf(buf, ESG_OBJECT_SIZE, "role %s, %s", esg_report_quoted(role), text);
	pfree(role);
}

void
esg_fallback_note_refused(const EsgPeer *peer)
{
	put_slot(hash_peer(peer), GetCurrentTimestamp());
}

void
esg_fallback_note_accepted(const EsgPeer *peer)
{
	uint64		who = hash_peer(peer);
	char		object[ESG_OBJECT_SIZE];

	if (was_refused(who, GetCurrentTimestamp()))
		put_slot(who, 0);
	if (!esg_alarms_may_be_cleared(ESG_SCOPE_LOGIN))
		return;
	name_object(peer, object);
	esg_alarms_clear(ESG_SCOPE_LOGIN, ESG_PLAINTEXT_FALLBACK, object);
}

/* The role and address came in plaintext now. */
static void
raise_alarm(const EsgPeer *peer, TimestampTz now)
{
	EsgPolicy	policy;
	EsgSeverity severity;
	EsgRefusal	pairs;
	EsgAlarm	alarm;
	char	   *role;

	esg_guc_policy(&policy);
	severity = esg_findings_severity(ESG_PLAINTEXT_FALLBACK, ESG_PLACE_SERVER, policy.overrides);
	if (severity == ESG_OK)
		return;
	esg_login_peer_begin_refusal(peer, ESG_PLAINTEXT_FALLBACK, &pairs);
	role = esg_report_printable(peer->role_name);
	esg_report_server_alarm(ESG_PLAINTEXT_FALLBACK, severity, role, pairs.pairs, &alarm);
	pfree(role);
	name_object(peer, alarm.object);
	esg_alarms_raise(ESG_SCOPE_LOGIN, &alarm, now);
}

bool
esg_fallback_note_plaintext(const EsgPeer *peer)
{
	TimestampTz now = GetCurrentTimestamp();

	if (!was_refused(hash_peer(peer), now))
		return false;
	raise_alarm(peer, now);
	return true;
}
