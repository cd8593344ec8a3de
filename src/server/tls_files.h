/*
 * server/tls_files.h
 *		Which files the TLS settings name.
 */
#ifndef ESG_SERVER_TLS_FILES_H
#define ESG_SERVER_TLS_FILES_H

#include "files/crl_dir_list.h"
#include "files/tls_file.h"

/*
 * The files in use now, palloc'd in the current context: of hosts those that the
 * server has loaded.  None but extra_files while ssl is off.
 */
extern int	esg_tls_files_list(EsgTlsFile **out);

/* The same without extra_files, which are watched only: what connections depend on. */
extern int	esg_tls_files_list_loaded(EsgTlsFile **out);

/* as the server opens it, palloc'd: its working directory is its data directory */
extern char *esg_tls_files_absolute(const char *path);

/*
 * Where server.key.cipher and server.key.rand are or would be, absolute, in
 * MAXPGPATH bytes; false if it is longer.  No allocation, no error.
 */
extern bool esg_tls_files_passphrase_directory(char *directory);

/* What files/crl_dir_list.h finds in dir, palloc'd; *error as there. */
extern int	esg_tls_files_list_crl_dir(const char *dir, char ***paths, int *error);

#endif							/* ESG_SERVER_TLS_FILES_H */
