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

#include "lib/stringinfo.h"

/*
 * The work: palloc'd memory of *size bytes, without pointers.  Must not touch
 * shared memory: no locks, no alarms.  Errors are logged and end the child.
 */
typedef void *(*EsgChildWorkFn) (void *arg, Size *size);

/* One such process at a time: static, initialized with what is said here, and fd = -1. */
typedef struct EsgChild
{
	const char *purpose;		/* "check the TLS files" */
	const char *title;			/* for ps: "reading TLS files" */
	int			end_signal;		/* how it is ended, and if its parent dies */
	int			end_patience;	/* how long it may take to obey, milliseconds */
	bool		bare;			/* keeps no descriptors of its parent's */

	/* child.c's */
	int			fd;				/* the end of its pipe, -1 if none runs */
	pid_t		pid;			/* 0 if none runs */
	pid_t		left_pid;		/* was killed and had not ended by then: its
								 * memory was large, or it hangs in the kernel */
	bool		registered;		/* ended at exit */
	StringInfoData received;	/* what came through the pipe */
} EsgChild;

/* Forks.  Raises an error if it cannot. */
extern void esg_child_start(EsgChild *child, EsgChildWorkFn work, void *arg);

extern bool esg_child_is_running(const EsgChild *child);

/* readable when there is something to take; -1 if none runs */
extern int	esg_child_fd(const EsgChild *child);

/*
 * What the work returned, of *size bytes, to be had until the next start; NULL
 * while it goes on.  Raises an error if the child failed.  Does not wait.
 */
extern const void *esg_child_take(EsgChild *child, Size *size);

/* For pqsignal(SIGCHLD): has the process that waits for its latch look at what a child has left. */
extern void esg_child_note_end(SIGNAL_ARGS);

/* Ends it, if one runs, whatever it is doing. */
extern void esg_child_end(EsgChild *child);

#endif							/* ESG_AUDIT_CHILD_H */
