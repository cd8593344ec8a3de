/*
 * files/server_settings.h
 *		What a server's settings make of an SSL_CTX, with the files that they name.
 */
#ifndef ESG_FILES_SERVER_SETTINGS_H
#define ESG_FILES_SERVER_SETTINGS_H

#include "policy/tls_settings.h"
#include "wire/server_context.h"

/* As the server shows them. */
typedef struct EsgServerValues
{
	const char *min_version;	/* "TLSv1.2", "" */
	const char *max_version;
	const char *ciphers;
	const char *ciphersuites;	/* NULL: this version of the server has no
								 * such setting */
	const char *groups;
	bool		groups_are_list;	/* else it is the name of one curve */
	const char *dh_file;		/* "" or NULL: none */
	const char *cert_file;		/* NULL: there are several */
} EsgServerValues;

typedef struct EsgServerSettings
{
	EsgServerTls tls;			/* strings are those of the values */
	EsgDhFacts	dh;
	EVP_PKEY   *own_dh;			/* of the file, NULL if there is none */
} EsgServerSettings;

/* Reads dh_file and cert_file; waits for neither. */
extern void esg_server_settings_read(const EsgServerValues *values, EsgServerSettings *out);
extern void esg_server_settings_forget(EsgServerSettings *settings);

#endif							/* ESG_FILES_SERVER_SETTINGS_H */
