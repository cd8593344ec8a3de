/*
 * server/loaded_files.c
 *		Which content of the TLS files the server has loaded.
 *
 * Locking: the area's lock guards everything in it.  No login comes here.
 */
#include "postgres.h"

#include "storage/lwlock.h"

#include "server/loaded_files.h"
#include "server/shmem.h"
#include "server/state.h"

/* One file as of the load with that number; 0: no look has been taken. */
typedef struct LoadedFile
{
	uint32		sequence;		/* of EsgLoadState */
	unsigned char sha256[ESG_DIGEST_SIZE];
} LoadedFile;

/* The settings that name one file each, which is read when TLS is loaded. */
static const char *const settings[] = {"ssl_cert_file", "ssl_ca_file", "ssl_crl_file"};

typedef struct LoadedArea
{
	LoadedFile	files[lengthof(settings)];
} LoadedArea;

static LoadedArea *area = NULL;
static LWLock *area_lock = NULL;

void
esg_loaded_files_init(void)
{
	esg_shmem_register("loaded files", sizeof(LoadedArea), (void **) &area, &area_lock, NULL);
}

static LoadedFile *
find_file(const char *setting)
{
	for (int i = 0; i < (int) lengthof(settings); i++)
	{
		if (strcmp(settings[i], setting) == 0)
			return &area->files[i];
	}
	return NULL;
}

/* While a load has failed, that is the news: to reload again would not help. */
bool
esg_loaded_files_differ(const char *setting, const unsigned char *sha256, uint32 as_of)
{
	EsgLoadState load;
	LoadedFile *file;
	bool		differ;

	if (area == NULL || (file = find_file(setting)) == NULL)
		return false;
	esg_server_state_load(&load);
	if (load.result != ESG_LOAD_OK || load.sequence != as_of)
		return false;
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	if (load.sequence != file->sequence)
	{
		file->sequence = load.sequence;
		memcpy(file->sha256, sha256, ESG_DIGEST_SIZE);
	}
	differ = memcmp(file->sha256, sha256, ESG_DIGEST_SIZE) != 0;
	LWLockRelease(area_lock);
	return differ;
}
