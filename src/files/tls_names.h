/*
 * files/tls_names.h
 *		From the settings of a server to the files that they name.
 */
#ifndef ESG_FILES_TLS_NAMES_H
#define ESG_FILES_TLS_NAMES_H

#include "files/tls_file.h"

/* longest path, as the server has it, NUL included */
#define ESG_TLS_PATH_SIZE 1024

/* As the settings have them; "" or NULL is what is not set. */
typedef struct EsgTlsNames
{
	const char *data_directory; /* absolute: others are relative to it */
	const char *cert;			/* ssl_cert_file … */
	const char *key;
	const char *ca;
	const char *crl;
	const char *crl_dir;
	const char *dh_params;
	const char *passphrase_directory;	/* ext_ssl_guard.passphrase_directory */
} EsgTlsNames;

/* path as it was set, maybe "" or NULL; optional as in EsgTlsFile */
typedef void (*EsgTlsNameFn) (void *arg, const char *setting, EsgFileKind kind, const char *path, bool optional);

/* Certificate, key and CAs, where the settings alone name them. */
extern void esg_tls_names_each_own(const EsgTlsNames *names, EsgTlsNameFn visit, void *arg);

/* CRLs, DH parameters, and what there is of a passphrase pair. */
extern void esg_tls_names_each_other(const EsgTlsNames *names, EsgTlsNameFn visit, void *arg);

/*
 * What nobody said about an extra file: a key is recognised by its name, or because it is the
 * server's own key, since it must not be opened to find out.
 */
extern EsgFileKind esg_tls_names_kind_of_extra(const EsgTlsNames *names, const char *path);

/* Where server.key.cipher and server.key.rand are or would be, absolute; false if that is too long. */
extern bool esg_tls_names_pair_directory(const EsgTlsNames *names, char directory[ESG_TLS_PATH_SIZE]);

#endif							/* ESG_FILES_TLS_NAMES_H */
