/*
 * login/sessions.c
 *		The open sessions over TCP, in shared memory.
 *
 * Locking: the area's lock guards everything in it, and is held for copies only.
 *
 * A backend clears its place with the lock held exclusively, and exits after
 * that.  So as long as somebody holds the lock and sees the session in its place,
 * its process is there, and its number is no other's: that is how a session is
 * told to end, and no process that got its number after it.
 */
#include "postgres.h"

#include <signal.h>

#include "miscadmin.h"
#include "replication/walsender.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "login/sessions.h"
#include "policy/policy.h"
#include "server/guc.h"
#include "server/shmem.h"
#include "server/state.h"

/* copied with the lock held once */
#define COPY_CHUNK 64

typedef struct SessionArea
{
	uint64		seed;
	int			free;			/* a free place, -1: none */
	int			used;			/* places [0, used) have been in use */
	EsgSessionEvents events;
	EsgSession	sessions[FLEXIBLE_ARRAY_MEMBER];
} SessionArea;

static SessionArea *area = NULL;
static LWLock *area_lock = NULL;

/* as many as there can be connections */
static int	capacity = 0;

static void
begin_area(void)
{
	area->free = -1;
	area->events.next_end = ESG_TIME_NEVER;
	if (!pg_strong_random(&area->seed, sizeof(area->seed)))
		area->seed = (uint64) GetCurrentTimestamp();
}

void
esg_sessions_init(void)
{
	capacity = MaxConnections + max_wal_senders;
	esg_shmem_register("sessions",
					   add_size(offsetof(SessionArea, sessions), mul_size(sizeof(EsgSession), capacity)),
					   (void **) &area, &area_lock, begin_area);
}

uint64
esg_sessions_seed(void)
{
	return area != NULL ? area->seed : 0;
}

uint64
esg_sessions_hash_issue(const char *serial, const unsigned char *issuer)
{
	while (*serial == '0')
		serial++;
	return esg_revocation_hash(esg_revocation_hash(area != NULL ? area->seed : 0, serial, strlen(serial)),
							   issuer, ESG_DIGEST_SIZE);
}

/* before_shmem_exit callback; arg: int *, the place of this backend, -1: it has none */
static void
close_session(int code, Datum arg)
{
	int			own_place = *(int *) DatumGetPointer(arg);
	EsgSession *session;
	bool		alarmed;

	if (own_place < 0)
		return;
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	session = &area->sessions[own_place];
	alarmed = session->alarmed;
	memset(session, 0, sizeof(*session));
	session->place = area->free;
	area->free = own_place;
	if (alarmed)
		area->events.gone++;
	LWLockRelease(area_lock);
	if (alarmed)
		esg_server_state_wake_worker();
}

/* A place that nobody has, -1 if there is none.  The lock is held. */
static int
take_place(void)
{
	int			place = area->free;

	if (place >= 0)
		area->free = area->sessions[place].place;
	else if (area->used < capacity)
		place = area->used++;
	return place;
}

static int64
end_of(const EsgPeer *peer, const EsgClientFacts *facts)
{
	EsgTime		end = facts != NULL ? facts->not_after :
	esg_x509_time_read(X509_get0_notAfter(peer->cert));

	/* one that cannot be read has not let anybody in */
	return end.state == ESG_TIME_VALID ? end.unix_seconds : ESG_TIME_NEVER;
}

/* Who issued it under which number, for the deny-list. */
static void
describe_issue(const EsgClientFacts *facts, EsgSession *out)
{
	if (facts == NULL)
		return;
	out->has_issue = true;
	out->issue = esg_sessions_hash_issue(facts->serial_number, facts->issuer_fingerprint);
}

static void
describe_certificate(const EsgPeer *peer, const EsgClientFacts *facts, EsgSession *out)
{
	out->has_cert = true;
	memcpy(out->fingerprint, peer->fingerprint, ESG_DIGEST_SIZE);
	out->not_after = end_of(peer, facts);
	out->key_count = (uint8) esg_revocation_keys(peer->chain, area->seed, out->keys);
	describe_issue(facts, out);
}

static void
describe_session(const EsgPeer *peer, const EsgClientFacts *facts, EsgSession *out)
{
	memset(out, 0, sizeof(*out));
	out->pid = MyProcPid;
	out->started_at = MyStartTimestamp;
	out->login_at = GetCurrentTimestamp();
	out->not_after = ESG_TIME_NEVER;
	out->transport = (uint8) esg_login_peer_transport(peer);
	out->replication = am_walsender;
	esg_client_entry_set_address(peer->address, &out->address);
	strlcpy(out->role_name, peer->role_name, sizeof(out->role_name));
	if (peer->cert != NULL)
		describe_certificate(peer, facts, out);
}

/* What was loaded since this process was forked was not asked about its certificate. */
static bool
is_late(void)
{
	EsgLoadState load;

	if (esg_server_state_inherited() == 0)
		return false;
	esg_server_state_load(&load);
	return load.served_number != esg_server_state_inherited();
}

/*
 * Has the place, of which there is none yet, given back when this backend ends.  A
 * variable of the library's would be the only one that each login changes, at the cost
 * of a page.
 */
static int *
promise_to_close(void)
{
	int		   *own_place = MemoryContextAlloc(TopMemoryContext, sizeof(int));

	*own_place = -1;
	before_shmem_exit(close_session, PointerGetDatum(own_place));
	return own_place;
}

void
esg_sessions_open(const EsgPeer *peer, const EsgClientFacts *facts)
{
	EsgSession	session;
	int		   *own_place;
	bool		late;
	bool		sooner;

	if (area == NULL)
		return;
	describe_session(peer, facts, &session);
	own_place = promise_to_close();
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	*own_place = take_place();
	if (*own_place >= 0)
	{
		session.place = *own_place;
		area->sessions[session.place] = session;
	}
	sooner = session.not_after < area->events.next_end;
	area->events.next_end = Min(area->events.next_end, session.not_after);
	LWLockRelease(area_lock);
	/* asked when it can be seen: who judges now, sees it, or is late, too */
	late = session.has_cert && is_late();
	if (late)
	{
		LWLockAcquire(area_lock, LW_EXCLUSIVE);
		area->events.late++;
		LWLockRelease(area_lock);
	}
	if (esg_guc_session_check != ESG_MODE_OFF && (late || sooner))
		esg_server_state_wake_worker();
}

/* Copies up to max sessions from a place on, which it moves. */
static int
copy_chunk(int *next, EsgSession *out, int max)
{
	int			count = 0;

	LWLockAcquire(area_lock, LW_SHARED);
	for (int seen = 0; seen < COPY_CHUNK && *next < area->used && count < max; seen++, (*next)++)
	{
		if (area->sessions[*next].pid != 0)
			out[count++] = area->sessions[*next];
	}
	if (*next >= area->used)
		*next = -1;
	LWLockRelease(area_lock);
	return count;
}

int
esg_sessions_copy(EsgSession **out)
{
	int			count = 0;
	int			next = 0;

	*out = NULL;
	if (area == NULL)
		return 0;
	*out = palloc_extended((Size) Max(capacity, 1) * sizeof(EsgSession), MCXT_ALLOC_HUGE);
	while (next >= 0 && count < capacity)
		count += copy_chunk(&next, *out + count, capacity - count);
	return count;
}

void
esg_sessions_events(EsgSessionEvents *out)
{
	memset(out, 0, sizeof(*out));
	out->next_end = ESG_TIME_NEVER;
	if (area == NULL)
		return;
	LWLockAcquire(area_lock, LW_SHARED);
	*out = area->events;
	LWLockRelease(area_lock);
}

void
esg_sessions_forget_end(void)
{
	if (area == NULL)
		return;
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	area->events.next_end = ESG_TIME_NEVER;
	LWLockRelease(area_lock);
}

/* Where it is now; NULL: it has ended.  The lock is held. */
static EsgSession *
find_session(const EsgSession *copy)
{
	EsgSession *session = &area->sessions[copy->place];

	Assert(LWLockHeldByMe(area_lock));
	Assert(copy->place >= 0 && copy->place < capacity);
	if (session->pid != copy->pid || session->started_at != copy->started_at)
		return NULL;
	return session;
}

void
esg_sessions_keep(const EsgSession *copy)
{
	EsgSession *session;

	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	session = find_session(copy);
	if (session != NULL)
	{
		session->bad_since = copy->bad_since;
		session->ended_at = copy->ended_at;
		session->denied = copy->denied;
		session->alarmed = copy->alarmed;
	}
	LWLockRelease(area_lock);
}

bool
esg_sessions_is_open(const EsgSession *copy)
{
	bool		open;

	LWLockAcquire(area_lock, LW_SHARED);
	open = find_session(copy) != NULL;
	LWLockRelease(area_lock);
	return open;
}

bool
esg_sessions_end(const EsgSession *copy)
{
	bool		told;

	LWLockAcquire(area_lock, LW_SHARED);
	told = find_session(copy) != NULL && kill(copy->pid, SIGTERM) == 0;
	LWLockRelease(area_lock);
	return told;
}

/* The lock is held. */
static void
set_revoked(EsgSession *session, bool revoked, TimestampTz now)
{
	session->revoked = revoked;
	if (revoked && session->bad_since == 0)
		session->bad_since = now;
	else if (!revoked && !session->denied)
		session->bad_since = 0;
}

void
esg_sessions_judged(const EsgSession *sessions, const bool *revoked, const bool *listed,
					int count, uint32 load, uint32 late)
{
	TimestampTz now = GetCurrentTimestamp();

	for (int first = 0; first < count; first += COPY_CHUNK)
	{
		LWLockAcquire(area_lock, LW_EXCLUSIVE);
		for (int i = first; i < Min(first + COPY_CHUNK, count); i++)
		{
			EsgSession *session = find_session(&sessions[i]);

			if (session == NULL)
				continue;
			set_revoked(session, revoked[i], now);
			session->listed = listed[i];
		}
		LWLockRelease(area_lock);
	}
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	area->events.judged++;
	area->events.judged_load = load;
	area->events.judged_late = late;
	LWLockRelease(area_lock);
}
