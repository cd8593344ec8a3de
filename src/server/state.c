/*
 * server/state.c
 *		What the running server does: TLS loads, what is served, the worker.
 *
 * Locking.  The area has two halves:
 *
 * - "load" and "shared_set" are written by the postmaster alone, which must not wait
 *	 for a lock that a crashed child may hold.  They are guarded by "changes",
 *	 which is odd while the postmaster writes; a reader copies, and copies again
 *	 if the number was odd or has moved meanwhile.  The postmaster's own truth is
 *	 in the statics "local_load" and "local_set": they exist before shared memory
 *	 does and outlive the loss of it in a crash restart.
 *
 * - "login", "check" and "worker_latch" are written by backends and the worker
 *	 under the area's lock.  "login_seen_at" alone is atomic, so that a login
 *	 that has nothing new to say takes the lock in shared mode only.
 *	 "client_change" and "refusals" are atomic, and cost a login nothing.
 *
 * Which of two pieces of news is the later one is told by the number of the load
 * they belong to, never by their times: clocks are set back.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "postmaster/postmaster.h"
#include "storage/latch.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "policy/certificate.h"
#include "policy/elapsed.h"
#include "server/probed.h"
#include "server/shmem.h"
#include "server/state.h"

/*
 * The first load after ssl was switched on has no old context whose freeing
 * could tell that it went well.  A failure shows at once, so silence for this
 * long (microseconds) is success.
 */
#define PENDING_LIMIT (INT64CONST(2) * USECS_PER_SEC)

/* A postmaster that died while writing must not hang the last readers. */
#define MAX_READ_ATTEMPTS 1000

typedef struct EsgLoadRecord
{
	bool		hook_active;
	uint32		sequence;
	EsgLoadResult result;
	bool		success_shows;	/* a pending load will not end in silence */
	bool		first_told;		/* what it has loaded is in "set" already */
	TimestampTz at;				/* of the outcome; of the start while pending */
	bool		in_service;
	int			failed_host;
	int			served_count;	/* certificates in service */
	EsgFileMark hosts_mark;		/* when the load began */
	TimestampTz config_at;
	EsgKeyAsked key_asked;
	EsgServedState served;		/* ESG_SEEN_LOAD, or ESG_SEEN_NOT since
								 * seen_at */
	uint32		served_number;	/* rises with each load that changed served */
} EsgLoadRecord;

typedef struct EsgServerStateArea
{
	pg_atomic_uint32 changes;	/* odd: the postmaster is writing "load" */
	EsgLoadRecord load;			/* by "changes" */
	pg_atomic_uint64 login_seen_at; /* TimestampTz, written with the lock held
									 * in any mode */
	EsgServedState login;		/* by lock, but for seen_at, which is above */
	uint32		login_number;	/* by lock: of the load that login is about */
	EsgCheckState check;		/* by lock */
	Latch	   *worker_latch;	/* by lock; NULL if none runs */
	pg_atomic_uint64 client_change; /* int64, see the header */
	pg_atomic_uint32 refusals;	/* connections refused for the TLS files */
} EsgServerStateArea;

static EsgServerStateArea *area = NULL;
static LWLock *area_lock = NULL;

/* by area->changes, like "load"; NULL if there is no memory for it */
static EsgServedSet *shared_set = NULL;

/*
 * The postmaster's.  Its children have the record as it was when they were
 * forked; where they inherit nothing it is empty, and they have loaded the files
 * by themselves.
 */
static EsgLoadRecord local_load;
static EsgLoadRecord earlier_load;	/* as it was when the last load began */
static EsgServedSet local_set;

static const unsigned char unknown[ESG_DIGEST_SIZE];

/* Copies what the postmaster knows to shared memory, if there is any yet. */
static void
publish_load(void)
{
	Assert(!IsUnderPostmaster);
	if (area == NULL)
		return;
	Assert(pg_atomic_read_u32(&area->changes) % 2 == 0);
	pg_atomic_write_u32(&area->changes, pg_atomic_read_u32(&area->changes) + 1);
	pg_write_barrier();
	memcpy(&area->load, &local_load, sizeof(local_load));
	if (shared_set != NULL)
		memcpy(shared_set, &local_set, sizeof(local_set));
	pg_write_barrier();
	pg_atomic_write_u32(&area->changes, pg_atomic_read_u32(&area->changes) + 1);
}

/* set: NULL if it does not matter */
static void
read_load_and_set(EsgLoadRecord *load, EsgServedSet *set)
{
	for (int attempt = 0; attempt < MAX_READ_ATTEMPTS; attempt++)
	{
		uint32		before = pg_atomic_read_u32(&area->changes);
		uint32		after;

		pg_read_barrier();
		memcpy(load, &area->load, sizeof(*load));
		if (set != NULL && shared_set != NULL)
			memcpy(set, shared_set, sizeof(*set));
		pg_read_barrier();
		after = pg_atomic_read_u32(&area->changes);
		if (before == after && before % 2 == 0)
			return;
	}
}

static void
read_load(EsgLoadRecord *out)
{
	memset(out, 0, sizeof(*out));
	if (area != NULL)
		read_load_and_set(out, NULL);
}

static void
begin_area(void)
{
	pg_atomic_init_u32(&area->changes, 0);
	pg_atomic_init_u64(&area->login_seen_at, 0);
	pg_atomic_init_u64(&area->client_change, (uint64) ESG_TIME_NEVER);
	pg_atomic_init_u32(&area->refusals, 0);
	publish_load();
}

void
esg_server_state_init(void)
{
	esg_shmem_map("served set", sizeof(EsgServedSet), (void **) &shared_set, NULL);
	esg_shmem_register("server state", sizeof(EsgServerStateArea), (void **) &area, &area_lock,
					   begin_area);
}

void
esg_server_state_load_started(bool success_shows, const EsgFileMark *hosts_mark, TimestampTz now)
{
	earlier_load = local_load;
	local_load.hook_active = true;
	local_load.sequence++;
	local_load.result = ESG_LOAD_PENDING;
	local_load.success_shows = success_shows;
	local_load.first_told = false;
	local_load.hosts_mark = *hosts_mark;
	local_load.config_at = PgReloadTime;
	local_load.key_asked = ESG_KEY_ASKED_UNKNOWN;
	local_load.at = now;
	publish_load();
}

void
esg_server_state_key_asked(EsgKeyAsked asked)
{
	if (IsUnderPostmaster || local_load.key_asked == asked)
		return;
	local_load.key_asked = asked;
	publish_load();
}

void
esg_server_state_load_withdrawn(void)
{
	uint32		sequence = local_load.sequence;

	local_load = earlier_load;
	local_load.sequence = sequence + 1;
	publish_load();
}

static void
set_served(EsgServedState *served, EsgSeenBy by, const unsigned char *fingerprint,
		   int64 not_after_unix, TimestampTz now)
{
	memset(served, 0, sizeof(*served));
	served->seen_by = by;
	served->seen_at = now;
	served->not_after_unix = not_after_unix;
	if (fingerprint != NULL)
		memcpy(served->fingerprint, fingerprint, ESG_DIGEST_SIZE);
}

/*
 * What is in service now, NULL: nothing.  Of several certificates, which one is served depends
 * on who asks.
 */
static void
set_load_served(const EsgServedSet *set, TimestampTz now)
{
	memset(&local_set, 0, sizeof(local_set));
	local_set.not_after_unix = PG_INT64_MIN;
	if (set != NULL)
		memcpy(&local_set, set, sizeof(local_set));
	local_load.served_count = local_set.count;
	if (local_set.count == 1 && memcmp(local_set.fingerprints[0], unknown, ESG_DIGEST_SIZE) != 0)
		set_served(&local_load.served, ESG_SEEN_LOAD, local_set.fingerprints[0], local_set.not_after_unix,
				   now);
	else
		set_served(&local_load.served, ESG_SEEN_NOT, NULL, PG_INT64_MIN, now);
	/* 0 is for who does not know */
	if (++local_load.served_number == 0)
		local_load.served_number = 1;
}

static void
end_load(EsgLoadResult result, bool in_service, TimestampTz now)
{
	local_load.sequence++;
	local_load.result = result;
	local_load.in_service = in_service;
	local_load.failed_host = -1;
	local_load.config_at = PgReloadTime;
	local_load.at = now;
}

void
esg_server_state_load_first(const EsgServedSet *served, TimestampTz now)
{
	set_load_served(served, now);
	local_load.first_told = true;
	publish_load();
}

void
esg_server_state_load_succeeded(const EsgServedSet *served, TimestampTz now)
{
	end_load(ESG_LOAD_OK, true, now);
	if (!local_load.first_told)
		set_load_served(served, now);
	publish_load();
}

void
esg_server_state_load_failed(int host, TimestampTz now)
{
	end_load(ESG_LOAD_FAILED, local_load.in_service, now);
	local_load.failed_host = host;
	/* what was told of a first load goes, too */
	if (!local_load.in_service)
		set_load_served(NULL, now);
	publish_load();
}

void
esg_server_state_tls_off(TimestampTz now)
{
	end_load(ESG_LOAD_NONE, false, now);
	set_load_served(NULL, now);
	publish_load();
}

/* A load that failed while there was no TLS is history when ssl is off again, of which nobody tells us. */
void
esg_server_state_load(EsgLoadState *out)
{
	EsgLoadRecord load;

	read_load(&load);
	out->hook_active = load.hook_active;
	out->sequence = load.sequence;
	out->result = load.result;
	out->at = load.at;
	out->in_service = load.in_service;
	out->failed_host = load.failed_host;
	out->served_number = load.served_number;
	out->served_count = load.served_count;
	out->hosts_mark = load.hosts_mark;
	out->config_at = load.config_at;
	out->key_asked = load.key_asked;
	if (out->result == ESG_LOAD_PENDING && !load.success_shows &&
		esg_elapsed(load.at, PENDING_LIMIT, GetCurrentTimestamp()))
	{
		out->result = ESG_LOAD_OK;
		out->in_service = true;
	}
	if (out->result == ESG_LOAD_FAILED && !EnableSSL)
		out->result = ESG_LOAD_NONE;
}

uint32
esg_server_state_inherited(void)
{
	return local_load.served_number;
}

uint32
esg_server_state_served_set(EsgServedSet *out)
{
	EsgLoadRecord load;

	memset(&load, 0, sizeof(load));
	memset(out, 0, sizeof(*out));
	if (area != NULL)
		read_load_and_set(&load, out);
	esg_probed_apply(load.served_number, out->fingerprints, Min(out->count, ESG_MAX_HOSTS));
	return load.served_number;
}

const unsigned char *
esg_server_state_set_get(const EsgServedSet *set, int index)
{
	if (index < 0 || index >= Min(set->count, ESG_MAX_HOSTS) ||
		memcmp(set->fingerprints[index], unknown, ESG_DIGEST_SIZE) == 0)
		return NULL;
	return set->fingerprints[index];
}

void
esg_server_state_served(EsgServedState *out)
{
	EsgLoadRecord load;
	uint32		login_number;

	memset(out, 0, sizeof(*out));
	out->not_after_unix = PG_INT64_MIN;
	if (area == NULL)
		return;
	LWLockAcquire(area_lock, LW_SHARED);
	*out = area->login;
	login_number = area->login_number;
	out->seen_at = (TimestampTz) pg_atomic_read_u64(&area->login_seen_at);
	LWLockRelease(area_lock);

	read_load(&load);
	if (out->seen_by == ESG_SEEN_NOT || login_number != load.served_number)
		*out = load.served;
	if (out->seen_by == ESG_SEEN_NOT)
		out->not_after_unix = PG_INT64_MIN;
}

/* Nothing but the time differs from what is known: the common case. */
static bool
touch_served(EsgSeenBy by, const unsigned char *fingerprint, uint32 number, TimestampTz now)
{
	bool		same;

	LWLockAcquire(area_lock, LW_SHARED);
	same = area->login.seen_by == by && area->login_number == number &&
		memcmp(area->login.fingerprint, fingerprint, ESG_DIGEST_SIZE) == 0;
	if (same)
		pg_atomic_write_u64(&area->login_seen_at, (uint64) now);
	LWLockRelease(area_lock);
	return same;
}

void
esg_server_state_report_served(EsgSeenBy by, const unsigned char *fingerprint,
							   int64 not_after_unix, TimestampTz now)
{
	EsgLoadRecord load;

	Assert(by == ESG_SEEN_LOGIN || by == ESG_SEEN_PROBE);
	if (area == NULL)
		return;
	/* a backend keeps the context it was forked with: old news after a reload */
	read_load(&load);
	if (by == ESG_SEEN_LOGIN && local_load.served_number != 0 &&
		local_load.served_number != load.served_number)
		return;
	/* which of several it is depends on who asks */
	if (load.served_count > 1)
		return;
	if (touch_served(by, fingerprint, load.served_number, now))
		return;
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	area->login_number = load.served_number;
	set_served(&area->login, by, fingerprint, not_after_unix, now);
	pg_atomic_write_u64(&area->login_seen_at, (uint64) now);
	LWLockRelease(area_lock);
}

void
esg_server_state_check(EsgCheckState *out)
{
	memset(out, 0, sizeof(*out));
	if (area == NULL)
		return;
	LWLockAcquire(area_lock, LW_SHARED);
	*out = area->check;
	LWLockRelease(area_lock);
}

void
esg_server_state_set_worker(int pid)
{
	if (area == NULL)
		return;
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	area->check.worker_pid = pid;
	area->worker_latch = pid != 0 ? MyLatch : NULL;
	if (pid == 0)
		area->check.next_check_at = 0;
	LWLockRelease(area_lock);
}

/* It looks for itself what there is to do. */
void
esg_server_state_wake_worker(void)
{
	if (area == NULL)
		return;
	LWLockAcquire(area_lock, LW_SHARED);
	if (area->worker_latch != NULL)
		SetLatch(area->worker_latch);
	LWLockRelease(area_lock);
}

void
esg_server_state_forget_client_change(void)
{
	if (area != NULL)
		pg_atomic_write_u64(&area->client_change, (uint64) ESG_TIME_NEVER);
}

void
esg_server_state_note_client_change(int64 at)
{
	uint64		known;

	if (area == NULL)
		return;
	known = pg_atomic_read_u64(&area->client_change);
	while (at < (int64) known)
	{
		if (!pg_atomic_compare_exchange_u64(&area->client_change, &known, (uint64) at))
			continue;
		esg_server_state_wake_worker();
		return;
	}
}

int64
esg_server_state_client_change(void)
{
	return area != NULL ? (int64) pg_atomic_read_u64(&area->client_change) : ESG_TIME_NEVER;
}

void
esg_server_state_note_refusal(void)
{
	if (area == NULL)
		return;
	pg_atomic_fetch_add_u32(&area->refusals, 1);
	esg_server_state_wake_worker();
}

uint32
esg_server_state_refusals(void)
{
	return area != NULL ? pg_atomic_read_u32(&area->refusals) : 0;
}

void
esg_server_state_set_check(TimestampTz last, const unsigned char *disk_fingerprint,
						   const EsgHostsSync *hosts)
{
	if (area == NULL)
		return;
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	area->check.last_check_at = last;
	area->check.disk_known = disk_fingerprint != NULL;
	area->check.hosts = *hosts;
	if (disk_fingerprint != NULL)
		memcpy(area->check.disk_fingerprint, disk_fingerprint, ESG_DIGEST_SIZE);
	LWLockRelease(area_lock);
}

void
esg_server_state_set_next_check(TimestampTz next)
{
	if (area == NULL)
		return;
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	area->check.next_check_at = next;
	LWLockRelease(area_lock);
}
