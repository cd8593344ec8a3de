/*
 * login/session_judge.h
 *		Which open sessions have a certificate that the loaded CRLs revoke?
 *
 * What the server has loaded is in the postmaster's memory, and in that of those
 * that it has forked since.  So it is asked to fork a background worker, which
 * finds all CRLs there, judges all sessions at once, and exits.
 */
#ifndef ESG_LOGIN_SESSION_JUDGE_H
#define ESG_LOGIN_SESSION_JUDGE_H

#include "postmaster/bgworker.h"

/* Has the server such a process started; false: all places for background workers are taken. */
extern bool esg_session_judge_start(BackgroundWorkerHandle **handle);

/* That process's work. */
extern void esg_session_judge_run(void);

#endif							/* ESG_LOGIN_SESSION_JUDGE_H */
