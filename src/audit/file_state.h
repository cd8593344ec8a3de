/*
 * audit/file_state.h
 *		Are the TLS files as they were when they were audited?
 *
 * A signature is a hash over the settings, paths, targets, modes, owners and
 * content of the TLS files (of keys, which are never opened: over size, time
 * and inode).  The directories above them are left to the full check.
 */
#ifndef ESG_AUDIT_FILE_STATE_H
#define ESG_AUDIT_FILE_STATE_H

#include "files/audited.h"

typedef struct EsgFileLook
{
	bool		taken;
	unsigned char digest[ESG_DIGEST_SIZE];
	int64		at_rest_ns;		/* a change after this moment, since 1970,
								 * shows in the times of the file */
	int64		at_ns;
} EsgFileLook;

extern void esg_file_state_look(EsgFileLook *out);

/* do the files look the same? */
extern bool esg_file_state_same_look(const EsgFileLook *before, const EsgFileLook *now);

/* can nothing have been written to them between the two looks? */
extern bool esg_file_state_unchanged(const EsgFileLook *before, const EsgFileLook *now);

/* of what an audit with ESG_AUDIT_ALL has read */
extern void esg_file_state_of(const EsgAudit *audit, unsigned char *sha256);

/* of the files as they are now: hashes them in constant memory, parses nothing */
extern void esg_file_state_now(unsigned char *sha256);

#endif							/* ESG_AUDIT_FILE_STATE_H */
