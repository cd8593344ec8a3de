/*
 * audit/tls_settings.h
 *		The settings that matter to TLS, as they are in this process, with what
 *		is wrong.
 */
#ifndef ESG_AUDIT_TLS_SETTINGS_H
#define ESG_AUDIT_TLS_SETTINGS_H

#include "policy/tls_settings.h"
#include "utils/palloc.h"

/* UTF-8, printable */
typedef struct EsgTlsSettingRow
{
	const char *name;			/* NULL: this version has no such setting */
	const char *value;			/* configured; of ssl_passphrase_command
								 * without what may be a secret */
	const char *effective;		/* NULL: nothing, as TLS cannot be set up so */
	const char *recommended;	/* NULL: none */
	EsgFindings findings;
} EsgTlsSettingRow;

typedef struct EsgTlsSettings
{
	MemoryContext context;
	EsgTlsSettingRow rows[ESG_SET_COUNT];
} EsgTlsSettings;

/*
 * key_asked: by the server at its last load.  No command is run, and no file
 * waited for.  Does not look at shared memory.  Errors: out of memory.
 */
extern EsgTlsSettings *esg_tls_settings_read(EsgKeyAsked key_asked);
extern void esg_tls_settings_free(EsgTlsSettings *settings);

#endif							/* ESG_AUDIT_TLS_SETTINGS_H */
