/*
 * login/session_judge.h
 *		Which open sessions have a certificate that the loaded CRLs revoke?
 *
 * What the server has loaded is in the postmaster's memory, and in that of those
 * that it has forked since.  So it is asked to fork a background worker, which
 * finds all CRLs there, judges all sessions at once, and exits.
 *
 * OpenSSL reads ssl_crl_dir meanwhile, which may take as long as it likes: what
 * looks for revoked certificates needs no shared memory, and may be ended at any
 * moment.
 */
#ifndef ESG_LOGIN_SESSION_JUDGE_H
#define ESG_LOGIN_SESSION_JUDGE_H

#include "postmaster/bgworker.h"

#include "login/sessions.h"

/* What is to be judged, and by what. */
typedef struct EsgJudging
{
	EsgSession *sessions;
	int			count;
	uint64		seed;			/* of their keys */
	uint32		load;			/* see esg_sessions_judged() */
	uint32		late;
} EsgJudging;

/* Has the server such a process started; false: all places for background workers are taken. */
extern bool esg_session_judge_start(BackgroundWorkerHandle **handle);

/* That process's work: first this, */
extern void esg_session_judge_begin(EsgJudging *out);

/* an EsgChildWorkFn whose argument that is, */
extern void *esg_session_judge_find(void *judging, Size *size);

/* and last what it has found. */
extern void esg_session_judge_conclude(const EsgJudging *judging, const void *found, Size size);

#endif							/* ESG_LOGIN_SESSION_JUDGE_H */
