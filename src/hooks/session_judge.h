/*
 * hooks/session_judge.h
 *		The background worker that judges open sessions once and exits.
 */
#ifndef ESG_HOOKS_SESSION_JUDGE_H
#define ESG_HOOKS_SESSION_JUDGE_H

/* found by name by the background worker machinery */
extern PGDLLEXPORT void esg_session_judge_main(Datum main_arg);

#endif							/* ESG_HOOKS_SESSION_JUDGE_H */
