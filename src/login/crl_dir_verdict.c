/*
 * login/crl_dir_verdict.c
 *		Are all files in ssl_crl_dir as they should be?  What was found last.
 *
 * There may be thousands, and a login under file_permission_check = enforce must not take
 * longer for each.  What comes to the directory, goes or is renamed shows in the directory's
 * own state, which each login looks at.  What changes in a file that stays, its mode or
 * its owner, does not: so the worker looks at all of them as often as it polls files, and
 * a verdict that is older than two such spans counts no more.
 *
 * Nobody waits for the worker.  Where there is no verdict, it is old, or the directory has
 * changed since, a login looks at all files itself, and what it finds is the verdict.  A bad
 * one is not kept: what is mended is mended at once.  With file_poll_interval = 0 none is.
 *
 * No lock: a verdict is a time and what it is about, which says all.  Whoever writes
 * it takes the time back first, and a reader looks at the time twice.  Two who write at
 * once have both just looked.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "utils/timestamp.h"

#include "login/crl_dir_verdict.h"
#include "policy/elapsed.h"
#include "server/guc.h"
#include "server/shmem.h"

typedef struct VerdictArea
{
	pg_atomic_uint64 judged_at; /* TimestampTz; 0: there is no verdict */
	pg_atomic_uint64 about;		/* directory, state and policy */
} VerdictArea;

static VerdictArea *area = NULL;

/* the area has nothing to lock */
static LWLock *area_lock = NULL;

static void
begin_area(void)
{
	pg_atomic_init_u64(&area->judged_at, 0);
	pg_atomic_init_u64(&area->about, 0);
}

void
esg_crl_dir_verdict_init(void)
{
	esg_shmem_register("crl_dir verdict", sizeof(VerdictArea), (void **) &area, &area_lock, begin_area);
}

static uint64
hash_case(const char *path, const EsgFileFacts *facts, const EsgPolicy *policy)
{
	const int64 state[] = {
		(int64) facts->device, (int64) facts->inode, facts->ctime_ns, facts->mtime, facts->mode
	};
	uint64		hash = hash_bytes_extended((const unsigned char *) path, (int) strlen(path), 0);

	hash = hash_bytes_extended((const unsigned char *) state, sizeof(state), hash);
	return hash_bytes_extended((const unsigned char *) policy, sizeof(*policy), hash);
}

bool
esg_crl_dir_verdict_holds(const char *path, const EsgFileFacts *facts, const EsgPolicy *policy)
{
	int64		life = 2 * (int64) esg_guc_file_poll_interval * USECS_PER_SEC;
	uint64		judged_at;
	uint64		about;

	if (area == NULL || life == 0)
		return false;
	judged_at = pg_atomic_read_u64(&area->judged_at);
	pg_read_barrier();
	about = pg_atomic_read_u64(&area->about);
	pg_read_barrier();
	return judged_at != 0 && judged_at == pg_atomic_read_u64(&area->judged_at) &&
		about == hash_case(path, facts, policy) &&
		!esg_elapsed((TimestampTz) judged_at, life, GetCurrentTimestamp());
}

void
esg_crl_dir_verdict_set(bool good, const char *path, const EsgFileFacts *facts, const EsgPolicy *policy)
{
	if (area == NULL)
		return;
	pg_atomic_write_u64(&area->judged_at, 0);
	pg_write_barrier();
	if (!good)
		return;
	pg_atomic_write_u64(&area->about, hash_case(path, facts, policy));
	pg_write_barrier();
	pg_atomic_write_u64(&area->judged_at, (uint64) GetCurrentTimestamp());
}
