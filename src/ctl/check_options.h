/*
 * ctl/check_options.h
 *		What "check" is told.
 */
#ifndef ESG_CTL_CHECK_OPTIONS_H
#define ESG_CTL_CHECK_OPTIONS_H

#include "ctl/output.h"
#include "policy/file.h"

/* A file to check. */
typedef struct EsgCheckFile
{
	const char *path;			/* as it was given */
	bool		said;			/* what it is: kind; else that is to be found
								 * out */
	EsgFileKind kind;
} EsgCheckFile;

typedef struct EsgCheckOptions
{
	const char *directory;		/* of a server; NULL: none */
	const char *postgres;		/* its program; NULL: to be found */
	const char *user;			/* the server's, if root said; else NULL */
	int64_t		at;				/* seconds since 1970 */
	bool		ask_passphrase;
	EsgOutputStyle style;
	int			file_count;
	EsgCheckFile *files;		/* malloc'd */
} EsgCheckOptions;

/* Returns -1, or the exit status: --help prints help, wrong usage has a message. */
extern int	esg_check_options_parse(int argc, char **argv, EsgCheckOptions *options);

/*
 * Is it about a passphrase pair?  It is with a directory that is no server's, or an
 * option that only the pair has.  Says nothing about wrong usage.
 */
extern bool esg_check_options_mean_pair(int argc, char **argv);

/* the exit status for wrong usage, after a word about --help */
extern int	esg_check_options_fail(void);

#endif							/* ESG_CTL_CHECK_OPTIONS_H */
