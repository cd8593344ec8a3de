/*
 * ctl/file_writer.h
 *		Files that are written beside what they replace.
 *
 * Everything goes through the descriptor of the directory, and never through a
 * symbolic link: whoever may write there cannot lead us elsewhere.  Names are
 * those of files in that directory.  All report their errors.
 */
#ifndef ESG_CTL_FILE_WRITER_H
#define ESG_CTL_FILE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

typedef struct EsgFileWriter
{
	const char *directory;		/* for messages: as it was named */
	int			fd;				/* of the directory; the lock hangs on it */
	mode_t		mode;			/* of the new files */
	uid_t		uid;			/* their owner, which only root can choose */
	gid_t		gid;
	bool		keeps_owner;	/* whoever we are, it has to be that one */
} EsgFileWriter;

/* The rest is zero.  After a failed open there is nothing to close. */
extern bool esg_file_writer_open(EsgFileWriter *writer, const char *directory);
extern void esg_file_writer_close(EsgFileWriter *writer);

/*
 * One writer at a time, waited for for so many milliseconds; where the file
 * system has no such lock, it is done without.
 */
extern bool esg_file_writer_lock(const EsgFileWriter *writer, int patience);

/* 1: a regular file is there, 0: nothing is, -1: what is there is refused with a message */
extern int	esg_file_writer_look_at(const EsgFileWriter *writer, const char *name, struct stat *st);

/* A new file with owner, mode and content, on disk; removed again if that fails. */
extern bool esg_file_writer_create(const EsgFileWriter *writer, const char *name,
								   const unsigned char *data, size_t len);

/* what is not there is as good as removed */
extern bool esg_file_writer_remove(const EsgFileWriter *writer, const char *name);

/* renames within the directory and makes that last */
extern bool esg_file_writer_rename(const EsgFileWriter *writer, const char *from, const char *to);
extern bool esg_file_writer_sync(const EsgFileWriter *writer);

/* "could not WHAT file "DIRECTORY/NAME": REASON"; false */
extern bool esg_file_writer_report(const EsgFileWriter *writer, const char *what, const char *name,
								   int error);

#endif							/* ESG_CTL_FILE_WRITER_H */
