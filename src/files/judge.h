/*
 * files/judge.h
 *		Judging what was read: certificates, chains, CRLs, files and hosts.
 *
 * The findings of every object come out worst first.  audit->out_of_memory says
 * that something is missing.
 */
#ifndef ESG_FILES_JUDGE_H
#define ESG_FILES_JUDGE_H

#include "files/judgement.h"

/* All that was read.  Interrupts happen. */
extern void esg_judge_all(EsgAudit *audit, const EsgJudgement *by);

/* Certificates alone, and those that are together as a chain. */
extern void esg_judge_certs(EsgAudit *audit, const EsgJudgement *by);

/* The first moment after the one judged at which a verdict is another; ESG_TIME_NEVER if none is to come. */
extern int64_t esg_judge_next_change(const EsgAudit *audit, const EsgPolicy *policy);

#endif							/* ESG_FILES_JUDGE_H */
