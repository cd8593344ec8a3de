/*
 * server/tls_files.h
 *		Files named by TLS settings: which they are, their state, their content.
 *
 * Never blocks: opens with O_NONBLOCK, reads regular files only, with a cap
 * that also holds while reading.  Never opens a private key.
 */
#ifndef ESG_SERVER_TLS_FILES_H
#define ESG_SERVER_TLS_FILES_H

#include "policy/file.h"
#include "x509/memo.h"

#define ESG_CERT_FILE_LIMIT (INT64CONST(1) << 20)
#define ESG_CA_FILE_LIMIT (INT64CONST(64) << 20)
#define ESG_CRL_FILE_LIMIT (INT64CONST(1) << 30)

/* bytes of names of hosts that share a file, more or less */
#define ESG_MAX_HOST_NAMES 1000

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

/*
 * The files in use now, palloc'd in the current context: of hosts those that the
 * server has loaded.  None but extra_files while ssl is off.
 */
extern int	esg_tls_files_list(EsgTlsFile **out);

/* The same without extra_files, which are watched only: what connections depend on. */
extern int	esg_tls_files_list_loaded(EsgTlsFile **out);

/* as the server opens it, palloc'd: its working directory is its data directory */
extern char *esg_tls_files_absolute(const char *path);

/* The pair's name, whatever ssl_key_file is called. */
#define ESG_SERVER_KEY_NAME "server.key"

/*
 * Where server.key.cipher and server.key.rand are or would be, absolute, in
 * MAXPGPATH bytes; false if it is longer.  No allocation, no error.
 */
extern bool esg_tls_files_passphrase_directory(char *directory);

/*
 * Entries of ssl_crl_dir worth looking at, sorted by name: what is named as
 * OpenSSL looks for it, whatever it is, and regular files of any other name; at
 * most ESG_MAX_CRL_DIR_FILES, and *error is EFBIG if there are more.
 */
#define ESG_MAX_CRL_DIR_FILES 4096
extern int	esg_tls_files_list_crl_dir(const char *dir, char ***paths, int *error);

/* is it watched only, one of extra_files, whatever its kind turned out to be? */
extern bool esg_tls_files_is_extra(const EsgTlsFile *file);

/* stat and access only, follows symbolic links; no allocation, no error: also for the postmaster and logins */
extern void esg_tls_files_stat(const char *path, EsgFileFacts *out);

/* the same, and whether its file system is mounted so that nobody may write there */
extern void esg_tls_files_stat_directory(const char *path, EsgFileFacts *out);

/* realpath, palloc'd; NULL if it cannot be resolved */
extern char *esg_tls_files_resolve(const char *path);

typedef struct EsgContent
{
	char	   *data;			/* malloc'd; NULL if there is none */
	size_t		len;
	bool		hashed;
	unsigned char sha256[ESG_DIGEST_SIZE];
} EsgContent;

/* Reads and hashes; false if out->data is not there, the reason is in facts */
extern bool esg_tls_files_read(const char *path, int64 limit, EsgFileFacts *facts, EsgContent *out);

/* Hashes only, in constant memory */
extern bool esg_tls_files_hash(const char *path, int64 limit, EsgFileFacts *facts, unsigned char *sha256);
extern void esg_tls_files_release(EsgContent *content); /* wipes */

extern int64 esg_tls_files_limit(EsgFileKind kind);

/* owner and group as names, or numbers where there is none; palloc'd */
extern char *esg_tls_files_owner_name(uid_t uid);
extern char *esg_tls_files_group_name(gid_t gid);

#endif							/* ESG_SERVER_TLS_FILES_H */
