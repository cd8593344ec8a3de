/*
 * loaded_files.c
 *		Which content of the TLS files the server has loaded.
 *
 * Locking: the area's lock guards everything in it.  No login comes here.
 */
#include "postgres.h"

#include "storage/lwlock.h"

#include "loaded_files.h"
#include "shmem.h"

/* One file as of the load with that number; 0: no look has been taken. */
typedef struct LoadedFile
{
	uint32		sequence;		/* of EsgLoadState */
	unsigned char sha256[ESG_DIGEST_SIZE];
} LoadedFile;

typedef struct LoadedArea
{
	LoadedFile	certificate;
	LoadedFile	ca;
	LoadedFile	crl;
} LoadedArea;

static LoadedArea *area = NULL;
static LWLock *area_lock = NULL;

static Size
area_size(void)
{
	return sizeof(LoadedArea);
}

static void
attach(void *memory, LWLock *lock, bool found)
{
	area = memory;
	area_lock = lock;
}

void
esg_loaded_files_init(void)
{
	esg_shmem_register("loaded files", area_size, attach);
}

static LoadedFile *
find_file(EsgFileKind kind)
{
	switch (kind)
	{
		case ESG_FILE_CERTIFICATE:
			return &area->certificate;
		case ESG_FILE_CA:
			return &area->ca;
		case ESG_FILE_CRL:
			return &area->crl;
		default:
			return NULL;
	}
}

/* While a load has failed, that is the news: to reload again would not help. */
bool
esg_loaded_files_differ(EsgFileKind kind, const unsigned char *sha256)
{
	EsgLoadState load;
	LoadedFile *file;
	bool		differ;

	if (area == NULL || (file = find_file(kind)) == NULL)
		return false;
	esg_server_state_load(&load);
	if (load.result != ESG_LOAD_OK)
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
