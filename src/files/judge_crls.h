/*
 * files/judge_crls.h
 *		The CRLs of an audit, judged together.
 */
#ifndef ESG_FILES_JUDGE_CRLS_H
#define ESG_FILES_JUDGE_CRLS_H

#include "files/judgement.h"

/* With the index of CAs in audit->judging.  Interrupts happen. */
extern void esg_judge_crls(EsgAudit *audit, const EsgJudgement *by);

#endif							/* ESG_FILES_JUDGE_CRLS_H */
