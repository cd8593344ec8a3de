/*
 * files/judgement.h
 *		What the judges of files/ go by.
 */
#ifndef ESG_FILES_JUDGEMENT_H
#define ESG_FILES_JUDGEMENT_H

#include "files/audited.h"

/* What is judged by. */
typedef struct EsgJudgement
{
	const EsgPolicy *policy;
	EsgMemo    *memo;			/* or NULL */
	int64_t		now;			/* seconds since 1970 */
	bool		suggest;		/* for files: the commands that mend them */
	const char *scratch;		/* a directory in which something may be
								 * tried, see files/crl_dir.h */
} EsgJudgement;

#endif							/* ESG_FILES_JUDGEMENT_H */
