/*
 * ctl/child.c
 *		Work that is done by a child process, within limits.
 *
 * The child leads a process group, so that what it has started ends with it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#define FIRST_SIZE 4096
#define LONGEST_PAUSE (5 * 1000 * 1000) /* nanoseconds */

typedef struct Child
{
	const EsgChildWork *work;
	EsgChildResult *result;
	pid_t		pid;
	int			fd;				/* its output comes here */
	int64_t		deadline;		/* as of now() */
	size_t		capacity;		/* of the output */
} Child;

/* Milliseconds of a clock that nobody sets. */
static int64_t
now(void)
{
	struct timespec t;

	(void) clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool
fail(Child *child, EsgChildEnd end, int status)
{
	child->result->end = end;
	child->result->status = status;
	return false;
}

/* In the child; whoever has closed standard input, output or error has closed them here, too. */
static void
do_work(const EsgChildWork *work, int fd)
{
	(void) setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	if (work->user && !esg_server_user_become(work->user))
		_exit(EXIT_FAILURE);
	_exit(work->run(work->arg, fd));
}

static bool
begin(Child *child)
{
	int			fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return fail(child, ESG_CHILD_FAILED, errno);
	child->deadline = now() + child->work->time_limit;
	child->pid = fork();
	if (child->pid == 0)
	{
		close(fds[0]);
		do_work(child->work, fds[1]);
	}
	close(fds[1]);
	child->fd = fds[0];
	if (child->pid > 0)
	{
		/* as the child does: whoever comes first */
		(void) setpgid(child->pid, child->pid);
		return true;
	}
	close(fds[0]);
	return fail(child, ESG_CHILD_FAILED, errno);
}

/* Room for one byte more at least, and the NUL. */
static bool
make_room(Child *child)
{
	EsgChildResult *result = child->result;
	size_t		capacity = child->capacity > 0 ? 2 * child->capacity : FIRST_SIZE;
	char	   *grown;

	if (result->size + 2 <= child->capacity)
		return true;
	grown = OPENSSL_realloc(result->output, capacity);
	if (!grown)
		return fail(child, ESG_CHILD_FAILED, ENOMEM);
	result->output = grown;
	child->capacity = capacity;
	return true;
}

/* 1: there is something to read, or the end; 0: the time is over */
static int
wait_for_output(const Child *child)
{
	struct pollfd item = {.fd = child->fd,.events = POLLIN};
	int64_t		left = child->deadline - now();
	int			found;

	if (left <= 0)
		return 0;
	found = poll(&item, 1, left > INT_MAX ? INT_MAX : (int) left);
	return found < 0 && errno == EINTR ? wait_for_output(child) : found;
}

/* True at the end of the output; an output that is too long, or comes too late, has none. */
static bool
read_output(Child *child)
{
	EsgChildResult *result = child->result;
	ssize_t		n;

	for (;;)
	{
		if (!make_room(child))
			return false;
		if (wait_for_output(child) == 0)
			return fail(child, ESG_CHILD_LATE, 0);
		n = read(child->fd, result->output + result->size, child->capacity - result->size - 1);
		if (n < 0 && errno != EINTR)
			return fail(child, ESG_CHILD_FAILED, errno);
		if (n == 0)
			return true;
		if (n > 0)
			result->size += (size_t) n;
		if (result->size > child->work->size_limit)
			return fail(child, ESG_CHILD_WORDY, 0);
	}
}

/* It has closed its output, and may go on all the same. */
static bool
has_ended(Child *child, int *status)
{
	struct timespec pause = {0, 100 * 1000};
	pid_t		found;

	for (;;)
	{
		found = waitpid(child->pid, status, WNOHANG);
		if (found != 0 && !(found < 0 && errno == EINTR))
			return found == child->pid;
		if (now() >= child->deadline)
			return false;
		(void) nanosleep(&pause, NULL);
		/* most end at once */
		if (pause.tv_nsec < LONGEST_PAUSE)
			pause.tv_nsec *= 2;
	}
}

static void
kill_it(const Child *child)
{
	(void) kill(-child->pid, SIGKILL);
	(void) kill(child->pid, SIGKILL);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void
take_status(Child *child, int status)
{
	if (WIFEXITED(status))
		(void) fail(child, ESG_CHILD_EXITED, WEXITSTATUS(status));
	else
		(void) fail(child, ESG_CHILD_CRASHED, WTERMSIG(status));
}

bool
esg_child_run(const EsgChildWork *work, EsgChildResult *out)
{
	Child		child = {.work = work,.result = out,.fd = -1};
	int			status = 0;
	bool		whole;

	memset(out, 0, sizeof(*out));
	if (!begin(&child))
		return false;
	whole = read_output(&child);
	if (whole && has_ended(&child, &status))
		take_status(&child, status);
	else
	{
		kill_it(&child);
		if (whole)
			(void) fail(&child, ESG_CHILD_LATE, 0);
	}
	close(child.fd);
	if (out->output)
		out->output[out->size] = '\0';
	return out->end == ESG_CHILD_EXITED && out->status == 0;
}

bool
esg_child_write(int fd, const void *data, size_t size)
{
	const char *p = data;

	while (size > 0)
	{
		ssize_t		n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		size -= (size_t) n;
	}
	return true;
}
