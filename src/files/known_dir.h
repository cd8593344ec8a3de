/*
 * files/known_dir.h
 *		A directory of many files that is looked at again and again.
 *
 * While it is as it was, which its own times tell, it is not listed anew and no
 * link in it is followed again: each file in it costs one fstatat(), a link to one
 * of its neighbours none.  Nothing is opened but the directory.
 */
#ifndef ESG_FILES_KNOWN_DIR_H
#define ESG_FILES_KNOWN_DIR_H

#include <stdbool.h>
#include <stdint.h>

#include "files/crl_dir_list.h"
#include "policy/file.h"
#include "x509/memo.h"

typedef struct EsgKnownFile
{
	char	   *path;			/* directory/name, not resolved */
	char	   *resolved;		/* NULL: it cannot be */
	EsgFileFacts facts;
	int			target;			/* number of the file here that it is a link
								 * to; -1: of none */
	bool		is_plain;		/* a file, of which one call tells all */
	bool		is_settled;		/* who may read it was asked when it had long
								 * been as it is */
} EsgKnownFile;

/* All zero is one that was never looked at. */
typedef struct EsgKnownDir
{
	char	   *path;
	char	   *resolved;
	EsgFileFacts facts;			/* the directory's, as it was listed */
	EsgKnownFile *files;		/* sorted by path */
	int			count;
	int			error;			/* EsgCrlDirList's */
	bool		holds;			/* the list does while the directory does not
								 * change */
	unsigned char digest[ESG_DIGEST_SIZE];	/* of all that is known of the
											 * files */
	int64_t		at_rest_ns;		/* latest of the files, see
								 * esg_facts_at_rest() */
} EsgKnownDir;

/*
 * Looks at what esg_crl_dir_list_read() finds in path, as esg_facts_look() does; now_ns:
 * since 1970, before the call.  A directory that cannot be entered has no files.
 * False: out of memory, and it is empty.
 */
extern bool esg_known_dir_look(EsgKnownDir *dir, const char *path, int64_t now_ns);
extern void esg_known_dir_free(EsgKnownDir *dir);

#endif							/* ESG_FILES_KNOWN_DIR_H */
