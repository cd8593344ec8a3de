/*
 * server/slot_file.c
 *		A file of numbered entries, of which only those that changed are written.
 *
 * After the header come blocks of 64 entries: their first parts, then their
 * second ones.  So the file grows with what is in it, and the small parts of many
 * entries stand together.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port/pg_crc32c.h"
#include "storage/fd.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "server/slot_file.h"

#define BLOCK_ENTRIES 64

/* A part's number has this bit if it is the first one. */
#define STABLE_BIT UINT32_C(0x80000000)

#define JOURNAL_MAGIC "ESGJNL01"

/* Where the file's owner does not change, nothing does but count and crc. */
typedef struct FileHeader
{
	char		magic[8];
	EsgFileOwner owner;
	uint64		generation;		/* random */
	uint32		stable_size;	/* of who wrote it */
	uint32		entry_size;
	uint32		count;
	pg_crc32c	crc;			/* of what is before */
} FileHeader;

/* before each part, in the file and in the journal */
typedef struct PartHeader
{
	uint32		number;			/* with STABLE_BIT */
	pg_crc32c	crc;			/* of generation, number and part */
} PartHeader;

/* Then the parts, as they are to be in the file. */
typedef struct JournalHeader
{
	char		magic[8];
	uint32		size;			/* of the parts */
	pg_crc32c	crc;			/* of the new header and the parts */
	FileHeader	target;			/* the file's header afterwards */
} JournalHeader;

/* ------------------------------------------------------------------------
 * Where is what
 * ------------------------------------------------------------------------ */

static Size
part_size(const EsgSlotFile *file, EsgSlotPart part)
{
	return part == ESG_SLOT_STABLE ? file->stable_size : file->file.entry_size - file->stable_size;
}

static Size
record_size(const EsgSlotFile *file, EsgSlotPart part)
{
	return sizeof(PartHeader) + part_size(file, part);
}

static Size
block_size(const EsgSlotFile *file)
{
	return BLOCK_ENTRIES * (record_size(file, ESG_SLOT_STABLE) + record_size(file, ESG_SLOT_USE));
}

static Size
place_in_block(const EsgSlotFile *file, EsgSlotPart part, uint32 number)
{
	Size		begin = part == ESG_SLOT_USE ? BLOCK_ENTRIES * record_size(file, ESG_SLOT_STABLE) : 0;

	return begin + (number % BLOCK_ENTRIES) * record_size(file, part);
}

static int64
place_of(const EsgSlotFile *file, EsgSlotPart part, uint32 number)
{
	return (int64) sizeof(FileHeader) + (int64) (number / BLOCK_ENTRIES) * block_size(file) +
		place_in_block(file, part, number);
}

static int64
size_of_file(const EsgSlotFile *file, uint32 count)
{
	return (int64) sizeof(FileHeader) +
		((int64) count + BLOCK_ENTRIES - 1) / BLOCK_ENTRIES * block_size(file);
}

/* ------------------------------------------------------------------------
 * What they hold
 * ------------------------------------------------------------------------ */

static pg_crc32c
checksum_part(uint64 generation, uint32 number, const void *part, Size size)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, &generation, sizeof(generation));
	COMP_CRC32C(crc, &number, sizeof(number));
	COMP_CRC32C(crc, part, size);
	FIN_CRC32C(crc);
	return crc;
}

/* out: record_size() bytes */
static void
put_record(const EsgSlotFile *file, uint64 generation, EsgSlotPart part, uint32 number,
		   const void *entry, char *out)
{
	const char *bytes = (const char *) entry + (part == ESG_SLOT_USE ? file->stable_size : 0);
	PartHeader	header;

	header.number = number | (part == ESG_SLOT_STABLE ? STABLE_BIT : 0);
	header.crc = checksum_part(generation, header.number, bytes, part_size(file, part));
	memcpy(out, &header, sizeof(header));
	memcpy(out + sizeof(header), bytes, part_size(file, part));
}

/* false: it is not that part, or not as it was written */
static bool
get_record(const EsgSlotFile *file, uint64 generation, EsgSlotPart part, uint32 number,
		   const char *record, void *entry)
{
	char	   *bytes = (char *) entry + (part == ESG_SLOT_USE ? file->stable_size : 0);
	PartHeader	header;

	memcpy(&header, record, sizeof(header));
	memcpy(bytes, record + sizeof(header), part_size(file, part));
	return header.number == (number | (part == ESG_SLOT_STABLE ? STABLE_BIT : 0)) &&
		EQ_CRC32C(header.crc, checksum_part(generation, header.number, bytes, part_size(file, part)));
}

static pg_crc32c
checksum_header(const FileHeader *header)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, header, offsetof(FileHeader, crc));
	FIN_CRC32C(crc);
	return crc;
}

static void
fill_header(const EsgSlotFile *file, uint64 generation, uint32 count, FileHeader *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->magic, file->file.magic, sizeof(out->magic));
	esg_saved_file_owner(&out->owner);
	out->generation = generation;
	out->stable_size = (uint32) file->stable_size;
	out->entry_size = (uint32) file->file.entry_size;
	out->count = count;
	out->crc = checksum_header(out);
}

static bool
has_our_sizes(const EsgSlotFile *file, const FileHeader *header)
{
	return header->stable_size == file->stable_size && header->entry_size == file->file.entry_size;
}

/* ------------------------------------------------------------------------
 * The journal
 * ------------------------------------------------------------------------ */

static void
journal_path(const EsgSlotFile *file, char *out)
{
	snprintf(out, MAXPGPATH, "%s.journal", file->file.path);
}

static void
log_write_failure(const char *path)
{
	ereport(LOG,
			(errcode_for_file_access(),
			 errmsg("could not write file \"%s\": %m", path)));
}

/* -1: it is not there, not a file, or not the one with that generation */
static int
open_for_writing(const EsgSlotFile *file, uint64 generation)
{
	int			fd = OpenTransientFile(file->file.path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | PG_BINARY);
	FileHeader	header;
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		pg_pread(fd, &header, sizeof(header), 0) == sizeof(header) &&
		memcmp(header.magic, file->file.magic, sizeof(header.magic)) == 0 &&
		header.generation == generation && has_our_sizes(file, &header) &&
		esg_saved_file_is_ours(&header.owner))
		return fd;
	CloseTransientFile(fd);
	return -1;
}

static bool
write_at(int fd, const void *bytes, Size size, int64 place)
{
	ssize_t		written;

	errno = 0;
	written = pg_pwrite(fd, bytes, size, (off_t) place);
	/* a file's limit, or the disk's, may cut it short without a word */
	if (written >= 0 && (Size) written != size && errno == 0)
		errno = ENOSPC;
	return written >= 0 && (Size) written == size;
}

/* Where does the record at *size of the parts belong?  Adds its size; -1: nowhere. */
static int64
next_place(const EsgSlotFile *file, const char *parts, Size total, Size *size)
{
	PartHeader	header;
	EsgSlotPart part;

	if (total - *size < sizeof(header))
		return -1;
	memcpy(&header, parts + *size, sizeof(header));
	part = header.number & STABLE_BIT ? ESG_SLOT_STABLE : ESG_SLOT_USE;
	if (total - *size < record_size(file, part))
		return -1;
	*size += record_size(file, part);
	return place_of(file, part, header.number & ~STABLE_BIT);
}

/* Records that stand beside each other go in one piece. */
static bool
write_parts(const EsgSlotFile *file, int fd, const char *parts, Size total)
{
	Size		begin = 0;
	Size		end = 0;
	int64		place = 0;

	while (end < total)
	{
		Size		next = end;
		int64		next_at = next_place(file, parts, total, &next);

		if (next_at < 0)
			break;
		if (begin == end)
			place = next_at;
		else if (next_at != place + (int64) (end - begin))
		{
			if (!write_at(fd, parts + begin, end - begin, place))
				return false;
			begin = end;
			place = next_at;
		}
		end = next;
	}
	return begin == end || write_at(fd, parts + begin, end - begin, place);
}

static bool
write_target(const EsgSlotFile *file, int fd, const JournalHeader *journal)
{
	struct stat st;
	int64		size = size_of_file(file, journal->target.count);

	if (!write_parts(file, fd, (const char *) (journal + 1), journal->size) ||
		fstat(fd, &st) != 0)
		return false;
	if (st.st_size != size && ftruncate(fd, (off_t) size) != 0)
		return false;
	return write_at(fd, &journal->target, sizeof(journal->target), 0) && pg_fsync(fd) == 0;
}

/* Does what the journal says, and removes it. */
static EsgSlotSave
carry_out(const EsgSlotFile *file, const JournalHeader *journal)
{
	char		path[MAXPGPATH];
	int			fd = open_for_writing(file, journal->target.generation);
	bool		written = false;

	if (fd >= 0)
	{
		written = write_target(file, fd, journal);
		if (!written)
			log_write_failure(file->file.path);
		CloseTransientFile(fd);
		if (!written)
			return ESG_SLOT_FAILED;
	}
	journal_path(file, path);
	(void) unlink(path);
	return written ? ESG_SLOT_SAVED : ESG_SLOT_GONE;
}

static pg_crc32c
checksum_journal(const JournalHeader *journal)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, &journal->target, sizeof(journal->target));
	COMP_CRC32C(crc, journal + 1, journal->size);
	FIN_CRC32C(crc);
	return crc;
}

static bool
is_journal_whole(const JournalHeader *journal, Size size)
{
	return size >= sizeof(*journal) &&
		memcmp(journal->magic, JOURNAL_MAGIC, sizeof(journal->magic)) == 0 &&
		journal->size == size - sizeof(*journal) &&
		EQ_CRC32C(journal->crc, checksum_journal(journal));
}

/* palloc'd; NULL: there is none, or it cannot be read */
static JournalHeader *
read_journal(const char *path, Size *size)
{
	int			fd = OpenTransientFile(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | PG_BINARY);
	struct stat st;
	JournalHeader *journal = NULL;

	*size = 0;
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= ESG_SLOT_FILE_MAX_SAVE)
	{
		*size = (Size) st.st_size;
		journal = palloc_extended(Max(*size, sizeof(*journal)), MCXT_ALLOC_NO_OOM);
	}
	if (journal != NULL && pg_pread(fd, journal, *size, 0) != (ssize_t) *size)
		*size = 0;
	CloseTransientFile(fd);
	return journal;
}

/*
 * What a writer that was killed has left to do.  It comes into its place whole,
 * so one that is not was damaged afterwards, or is of nobody's; the file is as it
 * was before it, or is seen not to be.  False: it could not be carried out.
 */
static bool
finish_journal(const EsgSlotFile *file)
{
	char		path[MAXPGPATH];
	struct stat st;
	JournalHeader *journal;
	Size		size;
	bool		done = true;

	journal_path(file, path);
	if (lstat(path, &st) != 0)
		return true;
	journal = read_journal(path, &size);
	if (journal != NULL && is_journal_whole(journal, size))
		done = carry_out(file, journal) != ESG_SLOT_FAILED;
	else
	{
		(void) unlink(path);
		ereport(LOG,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("ignoring damaged file \"%s\" of %s", path, file->file.content)));
	}
	if (journal != NULL)
		pfree(journal);
	return done;
}

/* ------------------------------------------------------------------------
 * Loading
 * ------------------------------------------------------------------------ */

static bool
load_block(const EsgSlotFile *file, const FileHeader *header, uint32 first, const char *block,
		   void *entry, EsgSlotEntryFn each)
{
	uint32		end = Min(first + BLOCK_ENTRIES, header->count);

	for (uint32 number = first; number < end; number++)
	{
		for (EsgSlotPart part = ESG_SLOT_STABLE; part <= ESG_SLOT_USE; part++)
		{
			if (!get_record(file, header->generation, part, number,
							block + place_in_block(file, part, number), entry))
				return false;
		}
		if (!file->file.is_sound(entry) || !each(number, entry))
			return false;
	}
	return true;
}

/* Nothing was read of the stream yet.  buffer: room for a block and an entry. */
static bool
load_entries(const EsgSlotFile *file, FILE *in, char *buffer, EsgSlotEntryFn each,
			 FileHeader *header)
{
	struct stat st;

	if (fread(header, sizeof(*header), 1, in) != 1 ||
		!EQ_CRC32C(header->crc, checksum_header(header)) ||
		fstat(fileno(in), &st) != 0 || st.st_size != size_of_file(file, header->count))
		return false;
	for (uint32 first = 0; first < header->count; first += BLOCK_ENTRIES)
	{
		if (fread(buffer, block_size(file), 1, in) != 1 ||
			!load_block(file, header, first, buffer, buffer + block_size(file), each))
			return false;
	}
	return true;
}

/* The magic is ours.  A copy may have been taken while it was written to: whose it is comes first. */
static EsgSlotLoad
load_ours(const EsgSlotFile *file, FILE *in, EsgSlotEntryFn each, FileHeader *header)
{
	char	   *buffer = NULL;
	bool		loaded = false;

	if (has_our_sizes(file, header))
	{
		if (!esg_saved_file_is_ours(&header->owner))
		{
			esg_saved_file_remove_foreign(&file->file);
			return ESG_SLOT_DROPPED;
		}
		(void) finish_journal(file);
		buffer = palloc_extended(block_size(file) + file->file.entry_size, MCXT_ALLOC_NO_OOM);
		loaded = buffer != NULL && load_entries(file, in, buffer, each, header);
		if (buffer != NULL)
			pfree(buffer);
	}
	if (loaded)
		return ESG_SLOT_LOADED;
	esg_saved_file_set_aside(&file->file);
	return ESG_SLOT_DROPPED;
}

/* Something else than a file is not opened: a FIFO would hold up the start. */
static FILE *
open_for_reading(const EsgSlotFile *file)
{
	struct stat st;
	FILE	   *in;

	if (stat(file->file.path, &st) == 0 && !S_ISREG(st.st_mode))
	{
		esg_saved_file_set_aside(&file->file);
		return NULL;
	}
	in = AllocateFile(file->file.path, PG_BINARY_R);
	if (in == NULL && errno != ENOENT)
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\": %m", file->file.path)));
	return in;
}

static void
remove_journal(const EsgSlotFile *file)
{
	char		path[MAXPGPATH];

	journal_path(file, path);
	(void) unlink(path);
}

int64
esg_slot_file_count(const EsgSlotFile *file)
{
	char		path[MAXPGPATH];
	struct stat st;
	FileHeader	header;
	int			fd;
	bool		whole;

	journal_path(file, path);
	if (lstat(path, &st) == 0 || stat(file->file.path, &st) != 0 || !S_ISREG(st.st_mode))
		return -1;
	fd = OpenTransientFile(file->file.path, O_RDONLY | PG_BINARY);
	if (fd < 0)
		return -1;
	whole = pg_pread(fd, &header, sizeof(header), 0) == sizeof(header) &&
		memcmp(header.magic, file->file.magic, sizeof(header.magic)) == 0 &&
		EQ_CRC32C(header.crc, checksum_header(&header)) && has_our_sizes(file, &header) &&
		esg_saved_file_is_ours(&header.owner);
	CloseTransientFile(fd);
	return whole ? (int64) header.count : -1;
}

EsgSlotLoad
esg_slot_file_load(const EsgSlotFile *file, EsgSlotEntryFn each, uint64 *generation)
{
	FILE	   *in = open_for_reading(file);
	FileHeader	header;
	EsgSlotLoad result;

	*generation = 0;
	if (in == NULL)
		return ESG_SLOT_LOADED;
	memset(&header, 0, sizeof(header));
	/* not through the stream, as the journal may change what it would keep */
	if (pg_pread(fileno(in), &header, sizeof(header), 0) < (ssize_t) sizeof(header.magic) ||
		memcmp(header.magic, file->file.magic, sizeof(header.magic)) != 0)
		result = ESG_SLOT_OTHER;
	else
		result = load_ours(file, in, each, &header);
	FreeFile(in);
	if (result == ESG_SLOT_LOADED)
		*generation = header.generation;
	else
		remove_journal(file);
	return result;
}

/* ------------------------------------------------------------------------
 * A new file
 * ------------------------------------------------------------------------ */

static int
fill_block(const EsgSlotFile *file, uint64 generation, EsgSlotReadFn read, int first, int max,
		   char *block)
{
	char	   *entries = block + block_size(file);
	int			count = read(first, entries, max);

	memset(block, 0, block_size(file));
	for (int i = 0; i < count; i++)
	{
		for (EsgSlotPart part = ESG_SLOT_STABLE; part <= ESG_SLOT_USE; part++)
			put_record(file, generation, part, first + i, entries + i * file->file.entry_size,
					   block + place_in_block(file, part, first + i));
	}
	return count;
}

/* buffer: room for a block and its entries.  There may be fewer entries by now. */
static bool
write_blocks(const EsgSlotFile *file, FILE *out, uint64 generation, EsgSlotReadFn read, int count,
			 char *buffer)
{
	FileHeader	header;
	int			written = 0;

	fill_header(file, generation, 0, &header);
	if (fwrite(&header, sizeof(header), 1, out) != 1)
		return false;
	while (written < count)
	{
		int			taken = fill_block(file, generation, read, written,
									   Min(BLOCK_ENTRIES, count - written), buffer);

		if (taken == 0)
			break;
		if (fwrite(buffer, block_size(file), 1, out) != 1)
			return false;
		written += taken;
		if (taken < BLOCK_ENTRIES)
			break;
	}
	fill_header(file, generation, written, &header);
	return fseeko(out, 0, SEEK_SET) == 0 && fwrite(&header, sizeof(header), 1, out) == 1;
}

/* Into its place once it is whole.  A leftover, or a link, is not written through. */
static bool
write_new(const EsgSlotFile *file, const char *path, const void *bytes, Size size,
		  uint64 generation, EsgSlotReadFn read, int count, char *buffer)
{
	char		temp[MAXPGPATH];
	FILE	   *out;
	bool		written;
	int			save_errno;

	snprintf(temp, sizeof(temp), "%s.tmp", file->file.path);
	(void) unlink(temp);
	out = AllocateFile(temp, PG_BINARY_W);
	written = out != NULL &&
		(bytes != NULL ? fwrite(bytes, size, 1, out) == 1 :
		 write_blocks(file, out, generation, read, count, buffer));
	save_errno = errno;
	if (out != NULL && FreeFile(out) != 0 && written)
	{
		written = false;
		save_errno = errno;
	}
	if (written)
		return durable_rename(temp, path, LOG) == 0;
	errno = save_errno;
	log_write_failure(temp);
	(void) unlink(temp);
	return false;
}

static void
log_no_memory(const EsgSlotFile *file)
{
	ereport(LOG,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("could not write file \"%s\": out of memory", file->file.path)));
}

uint64
esg_slot_file_rewrite(const EsgSlotFile *file, EsgSlotReadFn read, int count)
{
	Size		size = block_size(file) + BLOCK_ENTRIES * file->file.entry_size;
	char	   *buffer = palloc_extended(size, MCXT_ALLOC_NO_OOM);
	uint64		generation = 0;
	bool		written;

	if (buffer == NULL)
	{
		log_no_memory(file);
		return 0;
	}
	while (generation == 0)
	{
		if (!pg_strong_random(&generation, sizeof(generation)))
			generation = (uint64) GetCurrentTimestamp();
	}
	/* of the file that goes */
	remove_journal(file);
	written = write_new(file, file->file.path, NULL, 0, generation, read, count, buffer);
	pfree(buffer);
	return written ? generation : 0;
}

/* ------------------------------------------------------------------------
 * What has changed
 * ------------------------------------------------------------------------ */

bool
esg_slot_batch_begin(EsgSlotBatch *batch, const EsgSlotFile *file)
{
	batch->file = file;
	batch->size = sizeof(JournalHeader);
	/* what is in the journal is written once more, and the header with it */
	batch->room = (ESG_SLOT_FILE_MAX_SAVE - sizeof(FileHeader)) / 2;
	batch->image = palloc_extended(batch->room, MCXT_ALLOC_NO_OOM);
	if (batch->image == NULL)
		log_no_memory(file);
	return batch->image != NULL;
}

bool
esg_slot_batch_has_room(const EsgSlotBatch *batch, int stables, int uses)
{
	return batch->room - batch->size >= stables * record_size(batch->file, ESG_SLOT_STABLE) +
		uses * record_size(batch->file, ESG_SLOT_USE);
}

void
esg_slot_batch_add(EsgSlotBatch *batch, uint64 generation, EsgSlotPart part, uint32 number,
				   const void *entry)
{
	Assert(esg_slot_batch_has_room(batch, part == ESG_SLOT_STABLE, part == ESG_SLOT_USE));
	put_record(batch->file, generation, part, number, entry, batch->image + batch->size);
	batch->size += record_size(batch->file, part);
}

EsgSlotSave
esg_slot_batch_save(const EsgSlotBatch *batch, uint64 generation, uint32 count)
{
	JournalHeader *journal = (JournalHeader *) batch->image;
	char		path[MAXPGPATH];
	int			fd = open_for_writing(batch->file, generation);

	if (fd < 0)
		return ESG_SLOT_GONE;
	CloseTransientFile(fd);
	/* one that could not be carried out may have left the file half written */
	if (!finish_journal(batch->file))
		return ESG_SLOT_FAILED;
	memset(journal, 0, sizeof(*journal));
	memcpy(journal->magic, JOURNAL_MAGIC, sizeof(journal->magic));
	journal->size = (uint32) (batch->size - sizeof(*journal));
	fill_header(batch->file, generation, count, &journal->target);
	journal->crc = checksum_journal(journal);
	journal_path(batch->file, path);
	if (!write_new(batch->file, path, batch->image, batch->size, 0, NULL, 0, NULL))
		return ESG_SLOT_FAILED;
	return carry_out(batch->file, journal);
}

void
esg_slot_batch_give_up(EsgSlotBatch *batch)
{
	pfree(batch->image);
}
