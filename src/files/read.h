/*
 * files/read.h
 *		Reading TLS files: files, certificates and CRLs as facts.
 */
#ifndef ESG_FILES_READ_H
#define ESG_FILES_READ_H

#include "files/audited.h"

/* what a caller wants to see; each file is read at most once */
#define ESG_AUDIT_CERTS	(1 << 0)	/* CRLs above 1 MB are not read for it */
#define ESG_AUDIT_CRLS	(1 << 1)
#define ESG_AUDIT_FILES	(1 << 2)	/* look at the directories, too */
#define ESG_AUDIT_ALL	(ESG_AUDIT_CERTS | ESG_AUDIT_CRLS | ESG_AUDIT_FILES)

/* What is to be read. */
typedef struct EsgReadTask
{
	const EsgTlsFile *files;	/* copied, but for the names of settings */
	int			count;
	unsigned	what;			/* ESG_AUDIT_* */
	const char *pair_directory; /* where the passphrase pair is; NULL: it is
								 * not looked at */
	EsgMemo    *memo;			/* must outlive the audit; or NULL */
} EsgReadTask;

/* Interrupts happen.  audit->out_of_memory says that something is missing. */
extern void esg_read_files(EsgAudit *audit, const EsgReadTask *task);

/*
 * The certificates of a PEM text, or one in DER; file is NULL.  place is the
 * first one's; those after a server's or client's are its intermediates.
 */
extern void esg_read_text(EsgAudit *audit, const char *data, size_t len, EsgPlace place,
						  EsgMemo *memo, EsgPemResult *result);

#endif							/* ESG_FILES_READ_H */
