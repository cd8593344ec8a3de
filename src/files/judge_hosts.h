/*
 * files/judge_hosts.h
 *		Do the hosts of pg_hosts.conf have certificates for their names?
 */
#ifndef ESG_FILES_JUDGE_HOSTS_H
#define ESG_FILES_JUDGE_HOSTS_H

#include "files/audited.h"

/* Adds to the findings of the certificates that hosts are served with, and of the list itself. */
extern void esg_judge_hosts(EsgAudit *audit, const EsgPolicy *policy);

#endif							/* ESG_FILES_JUDGE_HOSTS_H */
