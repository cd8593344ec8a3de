/*
 * ctl/crl_target.h
 *		Where CRLs lie: a file, or a directory with names as "openssl rehash" has
 *		them.
 *
 * A file is replaced in one step; a directory file by file.  All report their
 * errors.
 */
#ifndef ESG_CTL_CRL_TARGET_H
#define ESG_CTL_CRL_TARGET_H

#include <limits.h>

#include <openssl/x509.h>

#include "ctl/file_writer.h"
#include "ctl/server_user.h"

typedef struct EsgCrlFile
{
	char		name[NAME_MAX + 1]; /* in the directory; of a link there, what
									 * it leads to */
	bool		exists;
	struct stat st;
	STACK_OF(X509_CRL) *crls;	/* NULL if it could not be read */
} EsgCrlFile;

typedef struct EsgCrlTarget
{
	const char *path;			/* as it was named */
	char		directory[PATH_MAX];
	bool		is_directory;	/* of files with hashes as names */
	EsgFileWriter writer;
	const EsgServerUser *user;	/* has to be able to read what is written */
	int			new_mode;		/* of new files; -1: 0644 without the umask */
	int			count;
	EsgCrlFile *files;
} EsgCrlTarget;

/*
 * A directory if path ends with a slash or is one.  Locks it, and refuses one in
 * which others may write.  After a failed open there is nothing to close.
 */
extern bool esg_crl_target_open(EsgCrlTarget *target, const char *path, const EsgServerUser *user);
extern bool esg_crl_target_read(EsgCrlTarget *target);

/*
 * Puts for each file (as many as there are) the CRLs of contents[i] in place of
 * what it has; NULL leaves it alone, none takes it away.  added: of CRLs that go
 * into a file of their own, in a directory only.  Nothing is changed if a file
 * cannot be written or is not the one that was read.
 */
extern bool esg_crl_target_write(EsgCrlTarget *target, STACK_OF(X509_CRL) *const *contents,
								 STACK_OF(X509_CRL) *added);
extern void esg_crl_target_close(EsgCrlTarget *target);

#endif							/* ESG_CTL_CRL_TARGET_H */
