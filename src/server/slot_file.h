/*
 * server/slot_file.h
 *		A file of numbered entries, of which only those that changed are written.
 *
 * As server/saved_file.h, for what is large: below pg_stat, with a header that
 * names its owner.  An entry is in two parts, the first of which hardly ever
 * changes; each has a CRC-32C of its own, and is written where it stands.  What is
 * about to be written is first put, whole, into a journal beside the file, so that
 * the file is as it was or as it should be, whenever its writer is killed: who
 * loads it carries out the journal first.
 *
 * A file that is not whole is renamed to ….damaged with a log line; one that came
 * with a copy of another data directory is removed with a log line.  Nothing here
 * raises an error: it also runs in the postmaster.
 */
#ifndef ESG_SERVER_SLOT_FILE_H
#define ESG_SERVER_SLOT_FILE_H

#include "server/saved_file.h"

typedef struct EsgSlotFile
{
	EsgSavedFile file;			/* entry_size is of both parts */
	Size		stable_size;	/* of the first */
} EsgSlotFile;

typedef enum EsgSlotPart
{
	ESG_SLOT_STABLE,			/* the first */
	ESG_SLOT_USE				/* the rest */
} EsgSlotPart;

typedef enum EsgSlotLoad
{
	ESG_SLOT_LOADED,			/* maybe without entries: there was no file */
	ESG_SLOT_OTHER,				/* its magic is another; nothing was done */
	ESG_SLOT_DROPPED			/* damaged or foreign, which the log says;
								 * what was taken of it is not to be kept */
} EsgSlotLoad;

/* false: the entry cannot be one */
typedef bool (*EsgSlotEntryFn) (uint32 number, const void *entry);

/*
 * Calls each for entry 0, 1, ...  *generation names this very file to those that
 * write to it; 0 if there is none.
 */
extern EsgSlotLoad esg_slot_file_load(const EsgSlotFile *file, EsgSlotEntryFn each,
									  uint64 *generation);

/*
 * How many entries esg_slot_file_load() is going to find, by the header; -1: not known, as
 * there is no such file of ours, or one with a journal to be carried out.
 */
extern int64 esg_slot_file_count(const EsgSlotFile *file);

/*
 * Writes a new file of count entries in place of what is there; read copies up to max
 * of them, from number on, and returns how many.  Returns the new generation; 0: not
 * written, the old file stays, the reason is in the log.
 */
typedef int (*EsgSlotReadFn) (int number, void *entries, int max);
extern uint64 esg_slot_file_rewrite(const EsgSlotFile *file, EsgSlotReadFn read, int count);

/* What one save writes, journal included, is no more than this, bytes. */
#define ESG_SLOT_FILE_MAX_SAVE 2000000

/* Parts of entries to be written together. */
typedef struct EsgSlotBatch
{
	const EsgSlotFile *file;
	char	   *image;			/* of the journal, palloc'd */
	Size		size;
	Size		room;
} EsgSlotBatch;

typedef enum EsgSlotSave
{
	ESG_SLOT_SAVED,
	ESG_SLOT_FAILED,			/* the reason is in the log */
	ESG_SLOT_GONE				/* the file is not that one any more */
} EsgSlotSave;

/* false: out of memory, which the log says */
extern bool esg_slot_batch_begin(EsgSlotBatch *batch, const EsgSlotFile *file);

/* Is there room for so many parts of each kind? */
extern bool esg_slot_batch_has_room(const EsgSlotBatch *batch, int stables, int uses);

/* Parts of one kind and of entries with following numbers are best added one after the other. */
extern void esg_slot_batch_add(EsgSlotBatch *batch, uint64 generation, EsgSlotPart part,
							   uint32 number, const void *entry);

/* count: of entries in the file afterwards */
extern EsgSlotSave esg_slot_batch_save(const EsgSlotBatch *batch, uint64 generation, uint32 count);

/* frees it; what was saved stays */
extern void esg_slot_batch_give_up(EsgSlotBatch *batch);

#endif							/* ESG_SERVER_SLOT_FILE_H */
