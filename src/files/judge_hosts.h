/*
 * files/judge_hosts.h
 *		Do the hosts of pg_hosts.conf have certificates for their names?
 */
#ifndef ESG_FILES_JUDGE_HOSTS_H
#define ESG_FILES_JUDGE_HOSTS_H

#include "files/audited.h"
#include "policy/hosts_line.h"

/*
 * Before judging: why the list of hosts at path is refused, if it is.  A fault in an
 * included file is one of the whole.
 */
extern void esg_judge_hosts_note(EsgAudit *audit, const char *path, const EsgHostsFault *fault);

/* Adds to the findings of the certificates that hosts are served with, and of the list itself. */
extern void esg_judge_hosts(EsgAudit *audit, const EsgPolicy *policy);

#endif							/* ESG_FILES_JUDGE_HOSTS_H */
