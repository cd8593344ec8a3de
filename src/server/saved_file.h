/*
 * server/saved_file.h
 *		A file that keeps what is in shared memory over a restart.
 *
 * Below pg_stat in the data directory: a header with magic, owner, sizes, count
 * and CRC-32C, then entries as they are in memory.  Replaced atomically.  A file
 * that is not whole is renamed to ….damaged with a log line; one that came with
 * a copy of another data directory is removed with a log line.  Nothing here
 * raises an error: it also runs in the postmaster.
 */
#ifndef ESG_SERVER_SAVED_FILE_H
#define ESG_SERVER_SAVED_FILE_H

typedef struct EsgSavedFile
{
	const char *path;
	char		magic[9];		/* and version, eight characters */
	const char *content;		/* what its entries are, "client certificates" */
	const char *foreign;		/* a sentence: why those of a copy do not
								 * count */
	Size		entry_size;
	bool		(*is_sound) (const void *entry);	/* can it be one? */
} EsgSavedFile;

/*
 * Which data directory wrote the file?  A copy of it, as pg_basebackup makes
 * for a standby, is another directory, of what never came to us.  The
 * inode number alone may be the same on a host that was set up in the same way;
 * the number of a device is not the same after each boot.
 */
typedef struct EsgFileOwner
{
	uint64		system_identifier;
	uint64		inode;			/* of the data directory */
	int64		born;			/* nanoseconds; 0: the file system does not
								 * say */
} EsgFileOwner;

typedef void (*EsgSavedEntryFn) (const void *entry);

extern void esg_saved_file_load(const EsgSavedFile *file, EsgSavedEntryFn each);

/*
 * The entries are stride bytes apart.  False: not written, the old file stays;
 * the reason is in the log.
 */
extern bool esg_saved_file_write(const EsgSavedFile *file, const void *entries, Size stride,
								 int count);

/*
 * Has the postmaster save at a regular exit; elsewhere it does nothing.  After a
 * crash the memory is not to be trusted.  To be called by an area's begin.
 */
extern void esg_saved_file_at_exit(void (*save) (void));

/* For files of other kinds, see server/slot_file.h. */
extern void esg_saved_file_owner(EsgFileOwner *out);
extern bool esg_saved_file_is_ours(const EsgFileOwner *owner);

/* renames it, or removes it, with a log line */
extern void esg_saved_file_set_aside(const EsgSavedFile *file);
extern void esg_saved_file_remove_foreign(const EsgSavedFile *file);

#endif							/* ESG_SERVER_SAVED_FILE_H */
