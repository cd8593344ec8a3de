/*
 * server/shmem.c
 *		Shared memory areas and their locks.
 *
 * One named tranche holds a lock for each area, in the order of registration;
 * the tables below are written by _PG_init only and then read-only.
 *
 * A process that has inherited nothing registers the same areas again and attaches
 * to them.  Only the postmaster can ask for the tranche: its address is kept in
 * shared memory.
 */
#include "postgres.h"

#include <sys/mman.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "storage/shmem.h"

#include "compat.h"
#include "server/shmem.h"

#define TRANCHE_NAME "ext_ssl_guard"
/* of memory that is mapped at once: each mapping makes each fork of the postmaster longer */
#define MAPPED_SIZE (1024 * 1024)

typedef struct EsgArea
{
	const char *name;
	Size		size;
	Size		zeroed;			/* the first bytes of it */
	void	  **memory;
	LWLock	  **lock;
	void		(*begin) (void);
} EsgArea;

static EsgArea areas[ESG_MAX_AREAS];
static int	area_count = 0;
static bool attached = false;

static shmem_request_hook_type prev_shmem_request_hook = NULL;
static shmem_startup_hook_type prev_shmem_startup_hook = NULL;

bool
esg_shmem_preloading(void)
{
	return process_shared_preload_libraries_in_progress;
}

void
esg_shmem_register_large(const char *name, Size size, Size zeroed, void **memory, LWLock **lock,
						 void (*begin) (void))
{
	EsgArea		area = {name, size, zeroed, memory, lock, begin};

	if (area_count >= ESG_MAX_AREAS)
		ereport(FATAL,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg_internal("too many shared memory areas")));
	areas[area_count++] = area;
}

void
esg_shmem_register(const char *name, Size size, void **memory, LWLock **lock,
				   void (*begin) (void))
{
	esg_shmem_register_large(name, size, size, memory, lock, begin);
}

/* NULL: there is none */
static void *
take_mapped(Size size)
{
	static char *next = NULL;
	static Size left = 0;
	char	   *taken;

	size = CACHELINEALIGN(size);
	if (size > left)
	{
		left = Max(size, MAPPED_SIZE);
		next = mmap(NULL, left, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (next == MAP_FAILED)
		{
			left = 0;
			return NULL;
		}
	}
	taken = next;
	next += size;
	left -= size;
	return taken;
}

void
esg_shmem_map(const char *name, Size size, void **memory, void (*begin) (void))
{
	static LWLock *unused;

	if (!ESG_CHILDREN_INHERIT)
	{
		esg_shmem_register(name, size, memory, &unused, begin);
		return;
	}
	*memory = take_mapped(size);
	if (*memory == NULL)
		ereport(LOG,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not map memory: %m")));
	else if (begin)
		begin();
}

static void
esg_shmem_request(void)
{
	if (prev_shmem_request_hook)
		prev_shmem_request_hook();
	RequestAddinShmemSpace(CACHELINEALIGN(sizeof(LWLockPadded *)));
	for (int i = 0; i < area_count; i++)
		RequestAddinShmemSpace(CACHELINEALIGN(areas[i].size));
	RequestNamedLWLockTranche(TRANCHE_NAME, area_count);
}

static LWLockPadded *
find_locks(void)
{
	LWLockPadded **locks;
	bool		found;

	locks = ShmemInitStruct("ext_ssl_guard locks", sizeof(*locks), &found);
	if (!found)
		*locks = GetNamedLWLockTranche(TRANCHE_NAME);
	return *locks;
}

static void
attach_area(const EsgArea *area, LWLock *lock)
{
	char		name[48];		/* the index keeps as many characters */
	bool		found;

	snprintf(name, sizeof(name), "ext_ssl_guard %s", area->name);
	*area->memory = ShmemInitStruct(name, area->size, &found);
	*area->lock = lock;
	if (found)
		return;
	memset(*area->memory, 0, area->zeroed);
	if (area->begin)
		area->begin();
}

static void
esg_shmem_startup(void)
{
	LWLockPadded *locks;

	if (prev_shmem_startup_hook)
		prev_shmem_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	locks = find_locks();
	for (int i = 0; i < area_count; i++)
		attach_area(&areas[i], &locks[i].lock);
	LWLockRelease(AddinShmemInitLock);
	attached = true;
}

/* Only there does it leave alone what is in memory that is shared. */
void
esg_shmem_let_go(void *begin, Size size)
{
#if defined(__linux__) && defined(MADV_DONTNEED)
	uintptr_t	page = (uintptr_t) sysconf(_SC_PAGESIZE);
	uintptr_t	from = TYPEALIGN(page, (uintptr_t) begin);
	uintptr_t	to = TYPEALIGN_DOWN(page, (uintptr_t) begin + size);

	/* nothing is lost if it fails, as it may for huge pages */
	if (from < to)
		(void) madvise((void *) from, to - from, MADV_DONTNEED);
#endif
}

void
esg_shmem_lock(LWLock *lock, LWLockMode mode)
{
	if (MyProc != NULL)
		LWLockAcquire(lock, mode);
}

void
esg_shmem_unlock(LWLock *lock)
{
	if (MyProc != NULL)
		LWLockRelease(lock);
}

void
esg_shmem_init(void)
{
	prev_shmem_request_hook = shmem_request_hook;
	shmem_request_hook = esg_shmem_request;
	prev_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = esg_shmem_startup;
}

void
esg_shmem_require(const char *what)
{
	if (attached)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("%s requires ext_ssl_guard to be loaded via \"shared_preload_libraries\"", what),
			 errhint("Add \"ext_ssl_guard\" to \"shared_preload_libraries\" and restart the server.")));
}
