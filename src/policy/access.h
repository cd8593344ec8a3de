/*
 * policy/access.h
 *		Why a user cannot read a file, in the form of the command that mends it.
 *
 * Goes by owner, group and mode, like the kernel without access control lists:
 * made for after the kernel has said no.
 *
 * Pure.  POSIX calls, but nothing of PostgreSQL.
 */
#ifndef ESG_POLICY_ACCESS_H
#define ESG_POLICY_ACCESS_H

#include <stdbool.h>
#include <sys/types.h>

/* more groups than these do not count */
#define ESG_READER_GROUPS 256

/* Who wants to read. */
typedef struct EsgReader
{
	uid_t		uid;
	gid_t		gid;			/* the primary group */
	gid_t		groups[ESG_READER_GROUPS];
	int			group_count;
	bool		numbers;		/* in commands, rather than names, which may
								 * have to be asked of another machine */
} EsgReader;

/* this process, as the kernel judges it */
extern void esg_access_reader_self(EsgReader *out);

extern bool esg_access_has_group(const EsgReader *reader, gid_t gid);

/*
 * The commands, for root's shell, that let the reader pass the directories of
 * these absolute paths and read the files: new text, OpenSSL's to free, "" if
 * there is nothing to mend or nothing that can be seen, NULL if memory ran out.
 * Files that are not there are passed over, and so are those behind a directory
 * that this process cannot pass.
 */
extern char *esg_access_suggestion(const EsgReader *reader, const char *const *paths, int count);

#endif							/* ESG_POLICY_ACCESS_H */
