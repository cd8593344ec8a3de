/*
 * login/resets.c
 *		What is counted, by name: since when, and how to begin anew.
 *
 * Locking: the area's lock guards everything in it; no login comes here.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "storage/lwlock.h"
#include "utils/timestamp.h"

#include "login/ca_usage.h"
#include "login/clients.h"
#include "login/failures.h"
#include "login/guard.h"
#include "login/resets.h"
#include "login/transport.h"
#include "server/alarms.h"
#include "server/guc.h"
#include "server/saved_file.h"
#include "server/shmem.h"

#define NAME_SIZE 32

/* Of one kind of counters. */
typedef struct CountersKind
{
	const char *name;
	int64		(*reset) (void);
	bool		kept;			/* over a restart, with
								 * save_client_certificates */
} CountersKind;

/* The alarms of logins that were warned about go, too: nobody is known any more. */
static int64
reset_clients(void)
{
	esg_login_guard_forget();
	return esg_clients_reset();
}

static const CountersKind kinds[] = {
	{"client_certificates", reset_clients, true},
	{"handshake_failures", esg_failures_reset, false},
	{"transport", esg_transport_reset, true},
	{"ca_usage", esg_ca_usage_reset, true},
	{"alarm_counts", esg_alarms_reset_counts, false},
};

/* As it is in the file. */
typedef struct Since
{
	char		name[NAME_SIZE];
	TimestampTz at;
} Since;

typedef struct ResetsArea
{
	bool		changed;		/* since the file was written */
	Since		since[lengthof(kinds)];
} ResetsArea;

static ResetsArea *area = NULL;
static LWLock *area_lock = NULL;

static bool
is_entry_sound(const void *data)
{
	const Since *since = data;

	return memchr(since->name, '\0', sizeof(since->name)) != NULL;
}

static const EsgSavedFile saved = {
	.path = PGSTAT_STAT_PERMANENT_DIRECTORY "/ext_ssl_guard.resets",
	.magic = "ESGRES01",
	.content = "times of resets",
	.foreign = "A copy of a data directory begins to count anew.",
	.entry_size = sizeof(Since),
	.is_sound = is_entry_sound
};

/* EsgSavedEntryFn */
static void
take_loaded(const void *data)
{
	const Since *since = data;

	for (int i = 0; i < (int) lengthof(kinds); i++)
	{
		if (kinds[i].kept && strcmp(kinds[i].name, since->name) == 0)
			area->since[i].at = since->at;
	}
}

static void
begin_area(void)
{
	for (int i = 0; i < (int) lengthof(kinds); i++)
	{
		strlcpy(area->since[i].name, kinds[i].name, NAME_SIZE);
		area->since[i].at = GetCurrentTimestamp();
	}
	if (esg_guc_save_client_certificates)
		esg_saved_file_load(&saved, take_loaded);
	area->changed = true;
	esg_saved_file_at_exit(esg_resets_save);
}

void
esg_resets_init(void)
{
	esg_shmem_register("resets", sizeof(ResetsArea), (void **) &area, &area_lock, begin_area);
}

int
esg_resets_count(void)
{
	return lengthof(kinds);
}

const char *
esg_resets_name(int n)
{
	return kinds[n].name;
}

TimestampTz
esg_resets_since(int n)
{
	TimestampTz at;

	LWLockAcquire(area_lock, LW_SHARED);
	at = area->since[n].at;
	LWLockRelease(area_lock);
	return at;
}

int64
esg_resets_reset(int n)
{
	int64		removed = kinds[n].reset();

	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	area->since[n].at = GetCurrentTimestamp();
	area->changed = true;
	LWLockRelease(area_lock);
	return removed;
}

/* Also called in the postmaster at exit: raises no error. */
void
esg_resets_save(void)
{
	ResetsArea	copy;

	if (area == NULL || !esg_guc_save_client_certificates)
		return;
	esg_shmem_lock(area_lock, LW_EXCLUSIVE);
	copy = *area;
	area->changed = false;
	esg_shmem_unlock(area_lock);
	if (!copy.changed ||
		esg_saved_file_write(&saved, copy.since, sizeof(Since), lengthof(kinds)))
		return;
	esg_shmem_lock(area_lock, LW_EXCLUSIVE);
	area->changed = true;
	esg_shmem_unlock(area_lock);
}
