/*
 * files/facts.h
 *		What the file system says of a file.
 *
 * Nothing is opened, nothing waits but for the file system.  No allocation, no
 * error: also for the postmaster and logins.
 */
#ifndef ESG_FILES_FACTS_H
#define ESG_FILES_FACTS_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "policy/file.h"

/* stat and access only, follows symbolic links */
extern void esg_facts_stat(const char *path, EsgFileFacts *out);

/* the same, and whether its file system is mounted so that nobody may write there */
extern void esg_facts_stat_directory(const char *path, EsgFileFacts *out);

/* from what stat() or fstat() has filled */
extern void esg_facts_take(const struct stat *st, EsgFileFacts *out);

/* Is a file as it was?  By all that stat() tells, but for the times of reading. */
extern bool esg_facts_same(const struct stat *st, const EsgFileFacts *facts);

/*
 * Nanoseconds since 1970 from which on a change shows in the change time; before,
 * a second one may bear the same.
 */
extern int64_t esg_facts_at_rest(const EsgFileFacts *facts);

/* realpath(3) into PATH_MAX bytes; false if it cannot be resolved */
extern bool esg_facts_resolve(const char *path, char resolved[PATH_MAX]);

/*
 * The directory of the file looked at last: the next one is often from there, and
 * what leads to it need not be followed again.  All zero is none; it holds for one pass over files, and has
 * to be left.
 */
typedef struct EsgFactsDirectory
{
	bool		is_open;
	int			fd;
	char		path[PATH_MAX];
	char		resolved[PATH_MAX];
} EsgFactsDirectory;

/* What esg_facts_resolve() and esg_facts_stat() tell; returns whether it could be resolved. */
extern bool esg_facts_look(EsgFactsDirectory *directory, const char *path, char resolved[PATH_MAX],
						   EsgFileFacts *out);
extern void esg_facts_leave(EsgFactsDirectory *directory);

#endif							/* ESG_FILES_FACTS_H */
