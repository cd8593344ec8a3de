/*
 * files/tls_file.h
 *		One of the files that settings name.
 */
#ifndef ESG_FILES_TLS_FILE_H
#define ESG_FILES_TLS_FILE_H

#include "policy/file.h"

/* what is watched only: nothing of the server's depends on it */
#define ESG_EXTRA_SETTING "ext_ssl_guard.extra_files"

/* The pair's name, whatever ssl_key_file is called. */
#define ESG_SERVER_KEY_NAME "server.key"

typedef struct EsgTlsFile
{
	const char *setting;		/* "ssl_cert_file" …, "hosts_file",
								 * "ext_ssl_guard.extra_files" */
	EsgFileKind kind;
	char	   *path;			/* as the server opens it, absolute */
	bool		optional;		/* not being there is no fault (passphrase
								 * pair) */
	int			line;			/* of "hosts_file": the first that names it,
								 * of all files; else 0 */
	char	   *host;			/* names of the hosts that use it, separated
								 * by commas, "..." if there are more; NULL if
								 * none do */
	int			host_index;		/* of the first of them in EsgHosts */
} EsgTlsFile;

/* is it watched only, one of extra_files, whatever its kind turned out to be? */
extern bool esg_tls_file_is_extra(const EsgTlsFile *file);

#endif							/* ESG_FILES_TLS_FILE_H */
