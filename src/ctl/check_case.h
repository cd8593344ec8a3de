/*
 * ctl/check_case.h
 *		What "check" judges: the audit, and by what.
 */
#ifndef ESG_CTL_CHECK_CASE_H
#define ESG_CTL_CHECK_CASE_H

#include "files/audited.h"
#include "policy/hosts_line.h"

typedef struct EsgCheckCase
{
	EsgPolicy	policy;
	bool		no_permissions; /* mode and owner are not judged */
	int64_t		at;				/* seconds since 1970 */
	const char *hosts_file;		/* NULL, or the list of hosts, which may have
								 * a fault */
	const EsgHostsFault *hosts_fault;
	EsgAudit   *audit;			/* NULL: not yet */
	EsgMemo    *memo;
} EsgCheckCase;

/*
 * Reads and judges; pair_directory: where a passphrase pair is, or NULL.  False if
 * memory ran out.  Whatever is there is for esg_check_case_free().
 */
extern bool esg_check_case_judge(EsgCheckCase *c, const EsgTlsFile *files, int count,
								 const char *pair_directory);
extern void esg_check_case_free(EsgCheckCase *c);

#endif							/* ESG_CTL_CHECK_CASE_H */
