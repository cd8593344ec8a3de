/*
 * login/barrier.h
 *		What goes wrong while a login is looked at need not end it.
 */
#ifndef ESG_LOGIN_BARRIER_H
#define ESG_LOGIN_BARRIER_H

typedef void (*EsgBarrierFn) (void *arg);

/*
 * Calls work(arg).  NULL, or the ERROR that it ended with, palloc'd; what it
 * held of the server is given back.  FATAL passes through, and so does the
 * cancelling of the login.
 */
extern ErrorData *esg_barrier_run(EsgBarrierFn work, void *arg);

#endif							/* ESG_LOGIN_BARRIER_H */
