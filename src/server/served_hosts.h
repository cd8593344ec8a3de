/*
 * server/served_hosts.h
 *		The hosts that the server has loaded, whatever pg_hosts.conf has now.
 *
 * Core parses the file when it loads TLS, and keeps what it found to itself.  So
 * the first look at the file after a load, if it is as it was when the load
 * began and has as many lines as there are certificates in service, is kept for
 * all processes.  It outlives shared memory: after a crash the postmaster goes
 * on with the same certificates.
 */
#ifndef ESG_SERVER_SERVED_HOSTS_H
#define ESG_SERVER_SERVED_HOSTS_H

#include "server/sni_hosts.h"

/* preloading only */
extern void esg_served_hosts_init(void);

/*
 * Takes that look, if there has been none since the last load.  Takes the area's
 * lock; not for logins.  Errors: out of memory.
 */
extern void esg_served_hosts_look(void);

/*
 * What is in service, palloc'd; where nobody has looked since the last load, what
 * the file has.  exact, unless NULL: is it known to be what that load made, so
 * that its hosts are those of EsgServedSet?  Takes no lock.
 */
extern const EsgHosts *esg_served_hosts(bool *exact);

/* In a process that has let go of shared memory: the same, as its parent knew it. */
extern void esg_served_hosts_use(const EsgHosts *hosts);

/* Has the file another list of hosts than the one in service?  Not if core would refuse it. */
extern bool esg_served_hosts_edited(void);

#endif							/* ESG_SERVER_SERVED_HOSTS_H */
