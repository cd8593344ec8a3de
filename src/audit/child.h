/*
 * audit/child.h
 *		Work in a process of its own, which may be ended at any moment.
 *
 * OpenSSL parses a CRL of a gigabyte in one call, in which no signal is looked
 * at, and takes ten times as much memory for it.  In a child of the worker that
 * holds up no shutdown, and if the kernel ends it for lack of memory, or a
 * hostile file makes it crash, the postmaster does not take it for the crash of
 * a process that has its hands in shared memory: the child has let go of it.
 */
#ifndef ESG_AUDIT_CHILD_H
#define ESG_AUDIT_CHILD_H

/*
 * The work: palloc'd memory of *size bytes, without pointers.  Must not touch
 * shared memory: no locks, no alarms.  Errors are logged and end the child.
 */
typedef void *(*EsgChildWorkFn) (void *arg, Size *size);

/* Forks; one at a time.  Raises an error if it cannot. */
extern void esg_child_start(EsgChildWorkFn work, void *arg);

extern bool esg_child_is_running(void);

/* readable when there is something to take; -1 if none runs */
extern int	esg_child_fd(void);

/*
 * What the work returned, of *size bytes, to be had until the next start; NULL
 * while it goes on.  Raises an error if the child failed.  Does not wait.
 */
extern const void *esg_child_take(Size *size);

/* Ends it, if one runs, whatever it is doing. */
extern void esg_child_end(void);

#endif							/* ESG_AUDIT_CHILD_H */
