/*
 * audit/passphrase_files.h
 *		The program and the files that ssl_passphrase_command names.
 */
#ifndef ESG_AUDIT_PASSPHRASE_FILES_H
#define ESG_AUDIT_PASSPHRASE_FILES_H

#include "policy/passphrase_command.h"

#define ESG_FAULT_SIZE 256

/* UTF-8, printable; "" if there is nothing to say */
typedef struct EsgPassphraseFiles
{
	bool		program_found;	/* it may be named */
	char		leak[ESG_FAULT_SIZE];
	char		fault[ESG_FAULT_SIZE];
} EsgPassphraseFiles;

/* Looks at them with stat() and the first bytes of a script; runs nothing.  Errors: out of memory. */
extern void esg_passphrase_files_look(const EsgPassphraseCommand *command, EsgPassphraseFiles *out);

#endif							/* ESG_AUDIT_PASSPHRASE_FILES_H */
