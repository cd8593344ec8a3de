/*
 * audit/hosts.h
 *		Do the hosts of pg_hosts.conf have certificates for their names?
 */
#ifndef ESG_AUDIT_HOSTS_H
#define ESG_AUDIT_HOSTS_H

#include "audit/read.h"

/* Adds to the findings of the certificates that hosts are served with, and of the list itself. */
extern void esg_audit_hosts_judge(EsgAudit *audit, const EsgPolicy *policy);

#endif							/* ESG_AUDIT_HOSTS_H */
