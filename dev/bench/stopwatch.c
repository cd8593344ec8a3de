/*
 * bench/stopwatch.c
 *		What the libraries preloaded before this one take of a login: their login
 *		hooks, and what they do when the session ends.
 *
 * Is preloaded last, so that its login hook is called by core and calls all the others, at
 * half of the logins, drawn by lot: the rest show what the same server does without.  (Every
 * other one would not do: two processors take turns, too.)  And it registers a function for the end of the session before them and another after
 * them, between which theirs are called.  The clock is the processor time of the process,
 * kernel included, which does not run while others use the processor.
 *
 * The file of the environment's STOPWATCH gets a row for each login.  It is mapped
 * before the first one, so that a row costs no system call.  With ALWAYS every login calls the hooks.
 * SLOWDOWN makes each that does so many rounds of a loop slower.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "fmgr.h"
#include "libpq/auth.h"
#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

#define ROWS 4096

typedef struct Reading
{
	int64		time;			/* nanoseconds of this process */
	int64		faults;
} Reading;

typedef struct Row
{
	int64		pid;
	int64		called;			/* whether the other libraries' hooks were */
	Reading		at[4];			/* before and after the login hooks, the end's
								 * functions */
} Row;

typedef struct Rows
{
	pg_atomic_uint64 logins;
	pg_atomic_uint64 used;
	Row			rows[ROWS];
} Rows;

static ClientAuthentication_hook_type prev_ClientAuthentication_hook = NULL;
static Rows *rows = NULL;
static Row	row;
static bool always = false;
static long slowdown = 0;

static void
read_clock(int n)
{
	struct timespec time;
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	row.at[n].faults = usage.ru_minflt;
	row.at[n].time = time.tv_sec * INT64CONST(1000000000) + time.tv_nsec;
}

static void
before_the_end(int code, Datum arg)
{
	read_clock(2);
}

static void
after_the_end(int code, Datum arg)
{
	uint64		n = pg_atomic_fetch_add_u64(&rows->used, 1);

	read_clock(3);
	if (n < ROWS)
		rows->rows[n] = row;
}

/* the same lots for each server, and as many of the one as of the other among 64 */
static bool
draw(uint64 login)
{
	return UINT64CONST(0x5A36C9A5D12E9C6A) >> (login % 64) & 1;
}

static void
stopwatch_client_auth(Port *port, int status)
{
	/* what is touched below is there before it counts */
	row.pid = getpid();
	row.called = always || draw(pg_atomic_fetch_add_u64(&rows->logins, 1));
	before_shmem_exit(after_the_end, (Datum) 0);
	read_clock(0);
	read_clock(0);
	if (prev_ClientAuthentication_hook && row.called)
		prev_ClientAuthentication_hook(port, status);
	for (volatile long i = 0; row.called && i < slowdown; i++)
		;
	read_clock(1);
	before_shmem_exit(before_the_end, (Datum) 0);
}

void
_PG_init(void)
{
	const char *path = getenv("STOPWATCH");
	int			fd = path != NULL ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;

	if (fd < 0 || ftruncate(fd, sizeof(Rows)) != 0)
		ereport(FATAL, (errmsg("could not open the stopwatch's file: %m")));
	rows = mmap(NULL, sizeof(Rows), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (rows == MAP_FAILED)
		ereport(FATAL, (errmsg("could not map the stopwatch's file: %m")));
	if (getenv("SLOWDOWN") != NULL)
		slowdown = atol(getenv("SLOWDOWN"));
	always = getenv("ALWAYS") != NULL;
	prev_ClientAuthentication_hook = ClientAuthentication_hook;
	ClientAuthentication_hook = stopwatch_client_auth;
}
