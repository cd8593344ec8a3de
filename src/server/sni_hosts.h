/*
 * server/sni_hosts.h
 *		pg_hosts.conf: certificates by the name that the client asks for.
 *
 * With ssl_sni = on.  While the file has lines, they stand in for ssl_cert_file,
 * ssl_key_file and ssl_ca_file.
 */
#ifndef ESG_SERVER_SNI_HOSTS_H
#define ESG_SERVER_SNI_HOSTS_H

#include "nodes/pg_list.h"

/*
 * HostsLine's, as core parses them; NIL if there are none or ssl_sni is off.
 * Good until the next call.  Not in the postmaster: allocates and logs.
 */
extern const List *esg_sni_hosts_lines(void);

#endif							/* ESG_SERVER_SNI_HOSTS_H */
