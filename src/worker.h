/*
 * worker.h
 *		The background worker.
 *
 * Layer 4.
 */
#ifndef ESG_WORKER_H
#define ESG_WORKER_H

/* preloading only */
extern void esg_worker_init(void);

/* found by name when the worker starts */
extern PGDLLEXPORT void esg_worker_main(Datum main_arg);

#endif							/* ESG_WORKER_H */
