/*
 * server/saved_file.c
 *		A file that keeps what is in shared memory over a restart.
 *
 * Plain stdio with AllocateFile(): both run in the postmaster, where nothing
 * may raise an error.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/xlog.h"
#include "miscadmin.h"
#include "port/pg_crc32c.h"
#include "storage/fd.h"
#include "storage/ipc.h"

#include "server/saved_file.h"

typedef struct SaveHeader
{
	char		magic[8];
	EsgFileOwner owner;
	uint32		entry_size;		/* of who wrote it */
	uint32		count;
	pg_crc32c	crc;			/* of the entries */
} SaveHeader;

typedef enum LoadResult
{
	LOAD_DONE,
	LOAD_DAMAGED,
	LOAD_FOREIGN
} LoadResult;

/* When was it made?  A directory keeps that when it is renamed. */
static int64
birth_time(const char *path)
{
#ifdef STATX_BTIME
	struct statx st;

	if (statx(AT_FDCWD, path, 0, STATX_BTIME, &st) == 0 && (st.stx_mask & STATX_BTIME) != 0)
		return (int64) st.stx_btime.tv_sec * INT64CONST(1000000000) + st.stx_btime.tv_nsec;
#endif
	return 0;
}

void
esg_saved_file_owner(EsgFileOwner *out)
{
	struct stat st;

	memset(out, 0, sizeof(*out));
	out->system_identifier = GetSystemIdentifier();
	if (stat(DataDir, &st) == 0)
		out->inode = (uint64) st.st_ino;
	out->born = birth_time(DataDir);
}

bool
esg_saved_file_is_ours(const EsgFileOwner *owner)
{
	EsgFileOwner we;

	esg_saved_file_owner(&we);
	return memcmp(owner, &we, sizeof(we)) == 0;
}

static bool
header_good(const EsgSavedFile *saved, const SaveHeader *header, int64 file_size)
{
	return memcmp(header->magic, saved->magic, sizeof(header->magic)) == 0 &&
		header->entry_size == saved->entry_size &&
		(int64) header->count * header->entry_size + (int64) sizeof(*header) == file_size;
}

/* entry: room for one */
static bool
checksum_good(FILE *file, const SaveHeader *header, void *entry)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	for (uint32 i = 0; i < header->count; i++)
	{
		if (fread(entry, header->entry_size, 1, file) != 1)
			return false;
		COMP_CRC32C(crc, entry, header->entry_size);
	}
	FIN_CRC32C(crc);
	return EQ_CRC32C(crc, header->crc);
}

/* The checksum holds, but no text or number is trusted without a look. */
static LoadResult
read_entries(const EsgSavedFile *saved, FILE *file, void *entry, EsgSavedEntryFn each)
{
	SaveHeader	header;
	struct stat st;

	if (fstat(fileno(file), &st) != 0 || !S_ISREG(st.st_mode) ||
		fread(&header, sizeof(header), 1, file) != 1 ||
		!header_good(saved, &header, st.st_size) || !checksum_good(file, &header, entry) ||
		fseek(file, sizeof(header), SEEK_SET) != 0)
		return LOAD_DAMAGED;
	if (!esg_saved_file_is_ours(&header.owner))
		return LOAD_FOREIGN;
	for (uint32 i = 0; i < header.count; i++)
	{
		if (fread(entry, header.entry_size, 1, file) != 1 || !saved->is_sound(entry))
			return LOAD_DAMAGED;
		each(entry);
	}
	return LOAD_DONE;
}

/* Something else than a file is not opened: a FIFO would hold up the start. */
static LoadResult
load_entries(const EsgSavedFile *saved, void *entry, EsgSavedEntryFn each)
{
	struct stat st;
	FILE	   *file;
	LoadResult	result;

	if (stat(saved->path, &st) == 0 && !S_ISREG(st.st_mode))
		return LOAD_DAMAGED;
	file = AllocateFile(saved->path, PG_BINARY_R);
	if (file == NULL)
	{
		if (errno != ENOENT)
			ereport(LOG,
					(errcode_for_file_access(),
					 errmsg("could not open file \"%s\": %m", saved->path)));
		return LOAD_DONE;
	}
	result = read_entries(saved, file, entry, each);
	FreeFile(file);
	return result;
}

void
esg_saved_file_set_aside(const EsgSavedFile *saved)
{
	char		damaged[MAXPGPATH];

	snprintf(damaged, sizeof(damaged), "%s.damaged", saved->path);
	(void) rename(saved->path, damaged);
	ereport(LOG,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("ignoring damaged file \"%s\" of %s", saved->path, saved->content),
			 errdetail("The file is kept as \"%s\".", damaged)));
}

void
esg_saved_file_remove_foreign(const EsgSavedFile *saved)
{
	(void) unlink(saved->path);
	ereport(LOG,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("removed file \"%s\" of %s, which belongs to another data directory",
					saved->path, saved->content),
			 errdetail("%s", saved->foreign)));
}

void
esg_saved_file_load(const EsgSavedFile *file, EsgSavedEntryFn each)
{
	void	   *entry = palloc_extended(file->entry_size, MCXT_ALLOC_NO_OOM);

	if (entry == NULL)
	{
		ereport(LOG,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not read file \"%s\": out of memory", file->path)));
		return;
	}
	switch (load_entries(file, entry, each))
	{
		case LOAD_DONE:
			break;
		case LOAD_DAMAGED:
			esg_saved_file_set_aside(file);
			break;
		case LOAD_FOREIGN:
			esg_saved_file_remove_foreign(file);
			break;
	}
	pfree(entry);
}

static const void *
entry_at(const void *entries, Size stride, int n)
{
	return (const char *) entries + n * stride;
}

static bool
write_entries(const EsgSavedFile *saved, FILE *file, const void *entries, Size stride, int count)
{
	SaveHeader	header;

	memset(&header, 0, sizeof(header));
	memcpy(header.magic, saved->magic, sizeof(header.magic));
	esg_saved_file_owner(&header.owner);
	header.entry_size = (uint32) saved->entry_size;
	header.count = count;
	INIT_CRC32C(header.crc);
	for (int i = 0; i < count; i++)
		COMP_CRC32C(header.crc, entry_at(entries, stride, i), saved->entry_size);
	FIN_CRC32C(header.crc);
	if (fwrite(&header, sizeof(header), 1, file) != 1)
		return false;
	for (int i = 0; i < count; i++)
		if (fwrite(entry_at(entries, stride, i), saved->entry_size, 1, file) != 1)
			return false;
	return true;
}

bool
esg_saved_file_write(const EsgSavedFile *saved, const void *entries, Size stride, int count)
{
	char		temp[MAXPGPATH];
	FILE	   *file;
	bool		written;
	int			save_errno;

	snprintf(temp, sizeof(temp), "%s.tmp", saved->path);
	/* left over from a crash, or a link that we should not write through */
	(void) unlink(temp);
	file = AllocateFile(temp, PG_BINARY_W);
	written = file != NULL && write_entries(saved, file, entries, stride, count);
	save_errno = errno;
	if (file != NULL && FreeFile(file) != 0 && written)
	{
		written = false;
		save_errno = errno;
	}
	if (written)
		return durable_rename(temp, saved->path, LOG) == 0;
	errno = save_errno;
	ereport(LOG,
			(errcode_for_file_access(),
			 errmsg("could not write file \"%s\": %m", temp)));
	(void) unlink(temp);
	return false;
}

typedef void (*SaveFn) (void);

/* pg_on_exit_callback */
static void
save_at_exit(int code, Datum save)
{
	if (code == 0)
		((SaveFn) DatumGetPointer(save)) ();
}

void
esg_saved_file_at_exit(SaveFn save)
{
	if (!IsUnderPostmaster)
		on_shmem_exit(save_at_exit, PointerGetDatum(save));
}
