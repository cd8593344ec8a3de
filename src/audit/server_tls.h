/*
 * audit/server_tls.h
 *		The settings of this server by which it makes an SSL_CTX.
 */
#ifndef ESG_AUDIT_SERVER_TLS_H
#define ESG_AUDIT_SERVER_TLS_H

#include "files/server_settings.h"

/* core's name of the setting with the groups */
extern const char *esg_server_tls_groups_name(void);

/* a setting's value; NULL: there is none of that name in this version */
extern const char *esg_server_tls_value(const char *name);

/*
 * What they are in this process; strings are guc.c's, or static.  Reads
 * ssl_dh_params_file and ssl_cert_file; waits for neither.  No error.
 */
extern void esg_server_tls_read(EsgServerSettings *out);

#endif							/* ESG_AUDIT_SERVER_TLS_H */
