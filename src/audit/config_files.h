/*
 * audit/config_files.h
 *		What a reload of the server would apply beside TLS files.
 */
#ifndef ESG_AUDIT_CONFIG_FILES_H
#define ESG_AUDIT_CONFIG_FILES_H

#include "datatype/timestamp.h"

#include "x509/memo.h"

typedef enum EsgConfigFile
{
	ESG_CONFIG_SETTINGS,		/* postgresql.conf, postgresql.auto.conf */
	ESG_CONFIG_HBA,
	ESG_CONFIG_IDENT,
	ESG_CONFIG_FILES			/* how many */
} EsgConfigFile;

/* Each with what it includes, as core parses it: comments and blanks do not count. */
typedef struct EsgConfigState
{
	bool		readable[ESG_CONFIG_FILES];
	unsigned char sha256[ESG_CONFIG_FILES][ESG_DIGEST_SIZE];
	TimestampTz changed_at[ESG_CONFIG_FILES];	/* by the times of the files */
} EsgConfigState;

/*
 * Reads them.  For a process that may be ended: a named pipe among them is waited
 * for.
 */
extern void esg_config_files_read(EsgConfigState *out);

/* as the server's settings name it */
extern const char *esg_config_files_path(EsgConfigFile file);

#endif							/* ESG_AUDIT_CONFIG_FILES_H */
