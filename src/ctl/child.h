/*
 * ctl/child.h
 *		Work that is done by a child process, within limits.
 *
 * For what may take for ever, or may be hostile: however it goes wrong, this
 * process goes on.
 */
#ifndef ESG_CTL_CHILD_H
#define ESG_CTL_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/server_user.h"

typedef enum EsgChildEnd
{
	ESG_CHILD_EXITED = 0,		/* by itself: see status */
	ESG_CHILD_LATE,				/* the time was over */
	ESG_CHILD_WORDY,			/* it wrote more than is wanted */
	ESG_CHILD_CRASHED,			/* by a signal: see status */
	ESG_CHILD_FAILED			/* it could not be begun: see status, an errno */
} EsgChildEnd;

typedef struct EsgChildWork
{
	int			(*run) (const void *arg, int fd);	/* in the child; its exit
													 * status.  What it writes
													 * into fd is the output. */
	const void *arg;
	const EsgServerUser *user;	/* that the child becomes; NULL: it stays who
								 * we are */
	int			time_limit;		/* milliseconds */
	size_t		size_limit;		/* bytes of output */
} EsgChildWork;

typedef struct EsgChildResult
{
	EsgChildEnd end;
	int			status;			/* exit status, signal, or errno */
	char	   *output;			/* OpenSSL's, NUL behind it; for
								 * OPENSSL_free(), whatever the end */
	size_t		size;			/* without the NUL */
} EsgChildResult;

/* true if it exited with status 0 */
extern bool esg_child_run(const EsgChildWork *work, EsgChildResult *out);

/* in the child: all of it into fd */
extern bool esg_child_write(int fd, const void *data, size_t size);

#endif							/* ESG_CTL_CHILD_H */
