/*
 * ctl/check_case.c
 *		What "check" judges: the audit, and by what.
 */
#include "ctl/check_case.h"

#include <stdlib.h>

#include "files/judge.h"
#include "files/judge_hosts.h"
#include "files/read.h"
#include "wire/system_roots.h"

#define MEMO_ENTRIES 65536

/* Where something may be tried out. */
static const char *
find_scratch(void)
{
	const char *directory = getenv("TMPDIR");

	return directory && directory[0] ? directory : "/tmp";
}

bool
esg_check_case_judge(EsgCheckCase *c, const EsgTlsFile *files, int count, const char *pair_directory)
{
	EsgReadTask task = {.files = files,.count = count,.what = ESG_AUDIT_ALL,.pair_directory = pair_directory};
	EsgJudgement by = {.policy = &c->policy,.now = c->at,.suggest = !c->no_permissions,.scratch = find_scratch()};

	(void) esg_system_roots_keep();
	/* without memory for it, nothing is remembered */
	c->memo = task.memo = by.memo = esg_memo_create(MEMO_ENTRIES);
	c->audit = esg_audited_start(NULL);
	if (!c->audit)
		return false;
	esg_read_files(c->audit, &task);
	if (c->hosts_file)
		esg_judge_hosts_note(c->audit, c->hosts_file, c->hosts_fault);
	if (!c->audit->out_of_memory)
		esg_judge_all(c->audit, &by);
	return !c->audit->out_of_memory;
}

void
esg_check_case_free(EsgCheckCase *c)
{
	if (c->audit)
		esg_audited_free(c->audit);
	esg_memo_free(c->memo);
	c->audit = NULL;
	c->memo = NULL;
}
