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

#include "audit/read.h"

/* of what an audit with ESG_AUDIT_ALL has read */
extern void esg_file_state_of(const EsgAudit *audit, unsigned char *sha256);

/* of the files as they are now: hashes them in constant memory, parses nothing */
extern void esg_file_state_now(unsigned char *sha256);

#endif							/* ESG_AUDIT_FILE_STATE_H */
