/*
 * login/clients_save.c
 *		The file that keeps the client registry over a restart.
 *
 * Plain stdio with AllocateFile(): both run in the postmaster, where nothing
 * may raise an error.
 */
#include "postgres.h"

#include <sys/stat.h>
#include <unistd.h>

#include "pgstat.h"
#include "port/pg_crc32c.h"
#include "storage/fd.h"

#include "login/clients_save.h"

#define SAVE_FILE PGSTAT_STAT_PERMANENT_DIRECTORY "/ext_ssl_guard.clients"
#define DAMAGED_FILE SAVE_FILE ".damaged"
#define TEMP_FILE SAVE_FILE ".tmp"
#define SAVE_MAGIC "ESGCLI02"

typedef struct SaveHeader
{
	char		magic[8];
	uint32		entry_size;		/* sizeof(EsgClientEntry) of who wrote it */
	uint32		count;
	pg_crc32c	crc;			/* of the entries */
} SaveHeader;

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

static bool
read_entries(FILE *file, EsgClientLoadFn each)
{
	SaveHeader	header;
	EsgClientEntry entry;
	struct stat st;

	if (fstat(fileno(file), &st) != 0 || !S_ISREG(st.st_mode) ||
		fread(&header, sizeof(header), 1, file) != 1 ||
		!header_good(&header, st.st_size) || !checksum_good(file, &header) ||
		fseek(file, sizeof(header), SEEK_SET) != 0)
		return false;
	for (uint32 i = 0; i < header.count; i++)
	{
		if (fread(&entry, sizeof(entry), 1, file) != 1 || !entry_good(&entry))
			return false;
		each(&entry);
	}
	return true;
}

/* Something else than a file is not opened: a FIFO would hold up the start. */
static bool
load_entries(EsgClientLoadFn each)
{
	struct stat st;
	FILE	   *file;
	bool		good;

	if (stat(SAVE_FILE, &st) == 0 && !S_ISREG(st.st_mode))
		return false;
	file = AllocateFile(SAVE_FILE, PG_BINARY_R);
	if (file == NULL)
	{
		if (errno != ENOENT)
			ereport(LOG,
					(errcode_for_file_access(),
					 errmsg("could not open file \"%s\": %m", SAVE_FILE)));
		return true;
	}
	good = read_entries(file, each);
	FreeFile(file);
	return good;
}

void
esg_clients_save_load(EsgClientLoadFn each)
{
	if (load_entries(each))
		return;
	(void) rename(SAVE_FILE, DAMAGED_FILE);
	ereport(LOG,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("ignoring damaged file \"%s\" of client certificates", SAVE_FILE),
			 errdetail("The file is kept as \"%s\".", DAMAGED_FILE)));
}

static bool
write_entries(FILE *file, const EsgClientRow *rows, int count)
{
	SaveHeader	header;

	memset(&header, 0, sizeof(header));
	memcpy(header.magic, SAVE_MAGIC, sizeof(header.magic));
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
