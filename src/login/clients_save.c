/*
 * login/clients_save.c
 *		The file that keeps the client registry over a restart.
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
#include "pgstat.h"
#include "port/pg_crc32c.h"
#include "storage/fd.h"

#include "login/clients_save.h"

#define SAVE_FILE PGSTAT_STAT_PERMANENT_DIRECTORY "/ext_ssl_guard.clients"
#define DAMAGED_FILE SAVE_FILE ".damaged"
#define TEMP_FILE SAVE_FILE ".tmp"
#define SAVE_MAGIC "ESGCLI03"

/*
 * Which data directory wrote the file?  A copy of it, as pg_basebackup makes
 * for a standby, is another directory, of clients that never came to us.  The
 * inode number alone may be the same on a host that was set up in the same way;
 * the number of a device is not the same after each boot.
 */
typedef struct SaveOwner
{
	uint64		system_identifier;
	uint64		inode;			/* of the data directory */
	int64		born;			/* nanoseconds; 0: the file system does not
								 * say */
} SaveOwner;

typedef struct SaveHeader
{
	char		magic[8];
	SaveOwner	owner;
	uint32		entry_size;		/* sizeof(EsgClientEntry) of who wrote it */
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

static void
identify_owner(SaveOwner *out)
{
	struct stat st;

	memset(out, 0, sizeof(*out));
	out->system_identifier = GetSystemIdentifier();
	if (stat(DataDir, &st) == 0)
		out->inode = (uint64) st.st_ino;
	out->born = birth_time(DataDir);
}

static bool
is_ours(const SaveHeader *header)
{
	SaveOwner	owner;

	identify_owner(&owner);
	return memcmp(&header->owner, &owner, sizeof(owner)) == 0;
}

static bool
header_good(const SaveHeader *header, int64 file_size)
{
	return memcmp(header->magic, SAVE_MAGIC, sizeof(header->magic)) == 0 &&
		header->entry_size == sizeof(EsgClientEntry) &&
		(int64) header->count * header->entry_size + (int64) sizeof(*header) == file_size;
}

/* The checksum holds, but texts are trusted only if they end. */
static bool
entry_good(const EsgClientEntry *entry)
{
	const EsgClientFacts *facts = &entry->facts;

#define ENDS(text) (memchr(text, '\0', sizeof(text)) != NULL)
	return ENDS(entry->role_name) && ENDS(entry->last_tls_version) &&
		ENDS(entry->last_cipher) && ENDS(facts->subject) && ENDS(facts->issuer) &&
		ENDS(facts->common_name) && ENDS(facts->serial_number) &&
		ENDS(facts->cert.key.algorithm) && ENDS(facts->cert.signature_algorithm) &&
		ENDS(facts->texts.malformed) && ENDS(facts->texts.odd_serial) &&
		ENDS(facts->chain.key.algorithm) && ENDS(facts->chain.signature_algorithm) &&
		ENDS(facts->issuer_key.algorithm);
#undef ENDS
}

static bool
checksum_good(FILE *file, const SaveHeader *header)
{
	EsgClientEntry entry;
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	for (uint32 i = 0; i < header->count; i++)
	{
		if (fread(&entry, sizeof(entry), 1, file) != 1)
			return false;
		COMP_CRC32C(crc, &entry, sizeof(entry));
	}
	FIN_CRC32C(crc);
	return EQ_CRC32C(crc, header->crc);
}

static LoadResult
read_entries(FILE *file, EsgClientLoadFn each)
{
	SaveHeader	header;
	EsgClientEntry entry;
	struct stat st;

	if (fstat(fileno(file), &st) != 0 || !S_ISREG(st.st_mode) ||
		fread(&header, sizeof(header), 1, file) != 1 ||
		!header_good(&header, st.st_size) || !checksum_good(file, &header) ||
		fseek(file, sizeof(header), SEEK_SET) != 0)
		return LOAD_DAMAGED;
	if (!is_ours(&header))
		return LOAD_FOREIGN;
	for (uint32 i = 0; i < header.count; i++)
	{
		if (fread(&entry, sizeof(entry), 1, file) != 1 || !entry_good(&entry))
			return LOAD_DAMAGED;
		each(&entry);
	}
	return LOAD_DONE;
}

/* Something else than a file is not opened: a FIFO would hold up the start. */
static LoadResult
load_entries(EsgClientLoadFn each)
{
	struct stat st;
	FILE	   *file;
	LoadResult	result;

	if (stat(SAVE_FILE, &st) == 0 && !S_ISREG(st.st_mode))
		return LOAD_DAMAGED;
	file = AllocateFile(SAVE_FILE, PG_BINARY_R);
	if (file == NULL)
	{
		if (errno != ENOENT)
			ereport(LOG,
					(errcode_for_file_access(),
					 errmsg("could not open file \"%s\": %m", SAVE_FILE)));
		return LOAD_DONE;
	}
	result = read_entries(file, each);
	FreeFile(file);
	return result;
}

static void
set_aside_damaged(void)
{
	(void) rename(SAVE_FILE, DAMAGED_FILE);
	ereport(LOG,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("ignoring damaged file \"%s\" of client certificates", SAVE_FILE),
			 errdetail("The file is kept as \"%s\".", DAMAGED_FILE)));
}

static void
remove_foreign(void)
{
	(void) unlink(SAVE_FILE);
	ereport(LOG,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("removed file \"%s\" of client certificates, which belongs to another data directory",
					SAVE_FILE),
			 errdetail("A copy of a data directory begins without client certificates, as they came to another server.")));
}

void
esg_clients_save_load(EsgClientLoadFn each)
{
	switch (load_entries(each))
	{
		case LOAD_DONE:
			break;
		case LOAD_DAMAGED:
			set_aside_damaged();
			break;
		case LOAD_FOREIGN:
			remove_foreign();
			break;
	}
}

static bool
write_entries(FILE *file, const EsgClientRow *rows, int count)
{
	SaveHeader	header;

	memset(&header, 0, sizeof(header));
	memcpy(header.magic, SAVE_MAGIC, sizeof(header.magic));
	identify_owner(&header.owner);
	header.entry_size = sizeof(EsgClientEntry);
	header.count = count;
	INIT_CRC32C(header.crc);
	for (int i = 0; i < count; i++)
		COMP_CRC32C(header.crc, &rows[i].entry, sizeof(EsgClientEntry));
	FIN_CRC32C(header.crc);
	if (fwrite(&header, sizeof(header), 1, file) != 1)
		return false;
	for (int i = 0; i < count; i++)
		if (fwrite(&rows[i].entry, sizeof(EsgClientEntry), 1, file) != 1)
			return false;
	return true;
}

bool
esg_clients_save_write(const EsgClientRow *rows, int count)
{
	FILE	   *file;
	bool		written;
	int			save_errno;

	/* left over from a crash, or a link that we should not write through */
	(void) unlink(TEMP_FILE);
	file = AllocateFile(TEMP_FILE, PG_BINARY_W);
	written = file != NULL && write_entries(file, rows, count);
	save_errno = errno;
	if (file != NULL && FreeFile(file) != 0 && written)
	{
		written = false;
		save_errno = errno;
	}
	if (written)
		return durable_rename(TEMP_FILE, SAVE_FILE, LOG) == 0;
	errno = save_errno;
	ereport(LOG,
			(errcode_for_file_access(),
			 errmsg("could not write file \"%s\": %m", TEMP_FILE)));
	(void) unlink(TEMP_FILE);
	return false;
}
