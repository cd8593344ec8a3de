/*
 * audit/child.c
 *		Work in a process of its own, which may be ended at any moment.
 */
#include "postgres.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "lib/stringinfo.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/pg_shmem.h"
#include "storage/proc.h"
#include "utils/backend_status.h"
#include "utils/memutils.h"
#include "utils/ps_status.h"
#include "utils/wait_event.h"

#include "audit/child.h"
#include "compat.h"

/* what a child may hand over at most */
#define MAX_RESULT (256 << 20)
#define RECEIVE_CHUNK (1 << 16)
/* how long to wait for the end of a child, milliseconds: done, or killed, which may take longer than we have */
#define DONE_PATIENCE 2000
#define KILLED_PATIENCE 20
/* so many are closed where nobody says which are open */
#define FALLBACK_DESCRIPTORS 1024

/* ---- in the child ---- */

static void
die_at_once(SIGNAL_ARGS)
{
	_exit(1);
}

/*
 * The handlers of the parent would set its latch, in shared memory.  A shutdown
 * reaches the whole process group.
 */
static void
reset_signals(const sigset_t *mask)
{
	pqsignal(SIGHUP, PG_SIG_IGN);
	pqsignal(SIGINT, die_at_once);
	pqsignal(SIGTERM, die_at_once);
	pqsignal(SIGQUIT, die_at_once);
	pqsignal(SIGALRM, PG_SIG_IGN);
	pqsignal(SIGPIPE, die_at_once);
	pqsignal(SIGCHLD, PG_SIG_DFL);
	pqsignal(SIGUSR1, PG_SIG_IGN);
	pqsignal(SIGUSR2, PG_SIG_IGN);
	sigprocmask(SIG_SETMASK, mask, NULL);
}

/* An orphan would go on for nobody. */
static void
die_with_parent(pid_t parent, int signal_number)
{
#ifdef __linux__
	(void) prctl(PR_SET_PDEATHSIG, signal_number);
#endif
	if (getppid() != parent)
		_exit(1);
}

/*
 * What this process must not touch it shall not have: neither shared memory nor
 * the ways there that the logging code knows.  MyProcPid stays the parent's, by
 * which proc_exit() would tell that it is not ours to call.
 */
static void
leave_shared_memory(void)
{
	on_exit_reset();
	pgstat_reset_wait_event_storage();
	MyProc = NULL;
	MyBEEntry = NULL;
	PGSharedMemoryDetach();
}

/* Closes all descriptors but the standard ones and that one. */
static void
close_others(int kept)
{
	DIR		   *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
	{
		int			fd = atoi(entry->d_name);

		if (fd > STDERR_FILENO && fd != kept && fd != dirfd(dir))
			close(fd);
	}
	if (dir != NULL)
		closedir(dir);
	else
		for (int fd = STDERR_FILENO + 1; fd < FALLBACK_DESCRIPTORS; fd++)
			if (fd != kept)
				close(fd);
}

static bool
write_all(int fd, const char *data, Size size)
{
	while (size > 0)
	{
		ssize_t		n = write(fd, data, Min(size, 1 << 20));

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
		{
			data += n;
			size -= n;
		}
	}
	return true;
}

static void
run_child(EsgChildWorkFn work, void *arg, int fd)
{
	volatile bool good = false;

	PG_TRY();
	{
		Size		size;
		void	   *result = work(arg, &size);

		good = write_all(fd, result, size);
	}
	PG_CATCH();
	{
		EmitErrorReport();
	}
	PG_END_TRY();
	/* memory goes with the process: freeing a large CRL takes a while */
	_exit(good ? 0 : 1);
}

/* ---- in the parent ---- */

/* Waits for so many milliseconds; false if it has not ended by then. */
static bool
reap_child(pid_t pid, int patience, int *status)
{
	for (int waited = 0;; waited++)
	{
		pid_t		found = waitpid(pid, status, WNOHANG);

		if (found == pid || (found < 0 && errno != EINTR))
			return found == pid;
		if (waited >= patience)
			return false;
		pg_usleep(1000L);
	}
}

void
esg_child_end(EsgChild *child)
{
	int			status;

	if (child->fd >= 0)
		close(child->fd);
	child->fd = -1;
	if (child->pid != 0)
	{
		kill(child->pid, child->end_signal);
		if (!reap_child(child->pid, child->end_patience, &status))
		{
			kill(child->pid, SIGKILL);
			if (!reap_child(child->pid, KILLED_PATIENCE, &status))
				child->left_pid = child->pid;
		}
	}
	child->pid = 0;
}

static void
end_child_at_exit(int code, Datum arg)
{
	esg_child_end((EsgChild *) DatumGetPointer(arg));
}

static void
become_child(const EsgChild *child, const int *fds, pid_t parent, const sigset_t *mask)
{
	close(fds[0]);
	leave_shared_memory();
	if (child->bare)
		close_others(fds[1]);
	(void) fcntl(fds[1], F_SETFD, FD_CLOEXEC);
	reset_signals(mask);
	die_with_parent(parent, child->end_signal);
	set_ps_display(child->title);
}

/* All signals are blocked until the child has handlers of its own; false, with errno, if there is none. */
static bool
fork_child(EsgChild *child, EsgChildWorkFn work, void *arg, const int *fds)
{
	sigset_t	all;
	sigset_t	mask;
	pid_t		parent = getpid();
	pid_t		pid;
	int			save_errno;

	sigfillset(&all);
	fflush(NULL);
	sigprocmask(SIG_SETMASK, &all, &mask);
	pid = fork();
	if (pid == 0)
	{
		become_child(child, fds, parent, &mask);
		run_child(work, arg, fds[1]);
	}
	save_errno = errno;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	errno = save_errno;
	child->pid = Max(pid, 0);
	return pid > 0;
}

/* Memory that outlives the caller's context. */
static void
prepare_buffer(EsgChild *child)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	if (child->received.data != NULL)
		pfree(child->received.data);
	initStringInfo(&child->received);
	MemoryContextSwitchTo(old);
}

/* What does not outlive this process: the child, and the one before it. */
static void
prepare_process(EsgChild *child)
{
	int			status;

	if (!child->registered)
		before_shmem_exit(end_child_at_exit, PointerGetDatum(child));
	child->registered = true;
	esg_child_end(child);
	if (child->left_pid != 0 && reap_child(child->left_pid, 0, &status))
		child->left_pid = 0;
}

void
esg_child_start(EsgChild *child, EsgChildWorkFn work, void *arg)
{
	int			fds[2];

	prepare_process(child);
	prepare_buffer(child);
	if (pipe(fds) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not create pipe: %m")));
	if (!fork_child(child, work, arg, fds))
	{
		int			save_errno = errno;

		close(fds[0]);
		close(fds[1]);
		errno = save_errno;
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("could not fork a process to %s: %m", child->purpose)));
	}
	close(fds[1]);
	child->fd = fds[0];
	(void) fcntl(child->fd, F_SETFL, O_NONBLOCK);
	(void) fcntl(child->fd, F_SETFD, FD_CLOEXEC);
}

bool
esg_child_is_running(const EsgChild *child)
{
	return child->fd >= 0;
}

void
esg_child_note_end(SIGNAL_ARGS)
{
	int			save_errno = errno;

	SetLatch(MyLatch);
	errno = save_errno;
}

int
esg_child_fd(const EsgChild *child)
{
	return child->fd;
}

/* Takes what is in the pipe; false at its end. */
static bool
receive(EsgChild *child)
{
	StringInfo	received = &child->received;

	for (;;)
	{
		ssize_t		n;

		enlargeStringInfo(received, RECEIVE_CHUNK);
		n = read(child->fd, received->data + received->len, RECEIVE_CHUNK);
		if (n == 0 || received->len > MAX_RESULT)
			return false;
		if (n < 0 && errno != EINTR)
			return errno == EAGAIN || errno == EWOULDBLOCK;
		if (n > 0)
			received->len += n;
	}
}

const void *
esg_child_take(EsgChild *child, Size *size)
{
	int			status = -1;

	*size = 0;
	if (child->fd < 0 || receive(child))
		return NULL;
	/* it has closed its end; did it do its work? */
	if (reap_child(child->pid, DONE_PATIENCE, &status))
		child->pid = 0;
	esg_child_end(child);
	if (status != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("could not %s: %s", child->purpose,
						status == -1 ? "the process to do it does not end" : wait_result_to_str(status))));
	*size = child->received.len;
	return child->received.data;
}
