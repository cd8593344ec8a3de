/*
 * server/loaded_files.c
 *		Which content of the TLS files the server has loaded.
 *
 * Locking: the area's lock guards everything.  No login comes here.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "storage/lwlock.h"

#include "server/loaded_files.h"
#include "server/shmem.h"
#include "server/state.h"

/* One file as of the load with that number; 0: no look has been taken. */
typedef struct LoadedFile
{
	uint64		name;			/* hash of setting and path */
	uint32		sequence;		/* of EsgLoadState */
	unsigned char sha256[ESG_DIGEST_SIZE];
} LoadedFile;

typedef struct LoadedArea
{
	LoadedFile	files[ESG_MAX_LOADED_FILES];
} LoadedArea;

static LoadedArea *loaded = NULL;

/* the area has nothing but its lock */
static char *area = NULL;
static LWLock *area_lock = NULL;

/* What a crash may have left half written is forgotten. */
static void
begin_area(void)
{
	if (loaded != NULL)
		memset(loaded, 0, sizeof(*loaded));
}

void
esg_loaded_files_init(void)
{
	esg_shmem_map("loads", sizeof(LoadedArea), (void **) &loaded, NULL);
	esg_shmem_register("loaded files", sizeof(*area), (void **) &area, &area_lock, begin_area);
}

uint64
esg_loaded_files_name(const char *setting, const char *path)
{
	uint64		seed = hash_bytes_extended((const unsigned char *) setting, (int) strlen(setting), 0);

	return hash_bytes_extended((const unsigned char *) path, (int) strlen(path), seed);
}

/* The file's entry, or one that says nothing about the load; NULL if there is none. */
static LoadedFile *
find_file(uint64 name, uint32 sequence)
{
	LoadedFile *unused = NULL;

	for (int i = 0; i < ESG_MAX_LOADED_FILES; i++)
	{
		LoadedFile *file = &loaded->files[i];

		if (file->sequence == sequence && file->name == name)
			return file;
		if (file->sequence != sequence && unused == NULL)
			unused = file;
	}
	return unused;
}

static bool
differs(uint64 name, const unsigned char *sha256, uint32 sequence)
{
	LoadedFile *file = find_file(name, sequence);

	if (file == NULL)
		return false;
	if (file->sequence != sequence)
	{
		file->name = name;
		file->sequence = sequence;
		memcpy(file->sha256, sha256, ESG_DIGEST_SIZE);
	}
	return memcmp(file->sha256, sha256, ESG_DIGEST_SIZE) != 0;
}

/* While a load has failed, that is the news: to reload again would not help. */
bool
esg_loaded_files_differ(const char *setting, const char *path, const unsigned char *sha256,
						uint32 as_of)
{
	EsgLoadState load;
	uint64		name = esg_loaded_files_name(setting, path);
	bool		differ;

	if (area == NULL || loaded == NULL)
		return false;
	esg_server_state_load(&load);
	if (load.result != ESG_LOAD_OK || load.sequence != as_of)
		return false;
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	differ = differs(name, sha256, load.sequence);
	LWLockRelease(area_lock);
	return differ;
}
