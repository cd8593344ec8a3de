/*
 * hooks/worker.h
 *		The background worker.
 */
#ifndef ESG_HOOKS_WORKER_H
#define ESG_HOOKS_WORKER_H

/* preloading only */
extern void esg_worker_init(void);

/* found by name when the worker starts */
extern PGDLLEXPORT void esg_worker_main(Datum main_arg);

#endif							/* ESG_HOOKS_WORKER_H */
