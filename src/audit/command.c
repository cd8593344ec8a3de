/*
 * audit/command.c
 *		A shell command with a time limit, run by a child of the worker.
 */
#include "postgres.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "portability/instr_time.h"

#include "audit/command.h"
#include "compat.h"

/* milliseconds from SIGTERM to SIGKILL: when time is up, and when the worker ends */
#define LATE_GRACE 2000
#define END_GRACE 200
/* and how long to wait for the end of what was killed */
#define KILLED_GRACE 500

typedef struct Run
{
	pid_t		pid;			/* also of its process group */
	int			in;				/* to its standard input, -1 when all was fed */
	int			out;			/* from its output, -1 at the end of it */
	const char *rest;			/* of the input */
	Size		left;
	int			time_limit;		/* seconds */
	instr_time	began;
	int			limit;			/* milliseconds since then, to the next step */
	int			last_signal;	/* sent to end it, 0 if none */
	EsgCommandResult *result;
} Run;

/* What handlers leave to the loop. */
static volatile sig_atomic_t end_requested = false;

static void
request_end(int number)
{
	end_requested = true;
}

/* Only interrupts pselect(). */
static void
note_child(int number)
{
}

/* Not by pqsignal(), whose handlers since 17 work for MyProcPid alone, which is our parent. */
static void
set_handler(int number, void (*handler) (int))
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	(void) sigaction(number, &action, NULL);
}

/* Those that matter here come during pselect() only. */
static void
prepare_signals(void)
{
	sigset_t	blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGQUIT);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	set_handler(SIGCHLD, note_child);
	set_handler(SIGTERM, request_end);
	set_handler(SIGINT, request_end);
	set_handler(SIGQUIT, request_end);
	set_handler(SIGPIPE, SIG_IGN);
}

/* A process group of its own, no signal ignored or blocked, and no descriptor but the standard ones. */
static void
exec_command(const EsgCommand *command, int in, int out)
{
	sigset_t	none;

	(void) setsid();
#ifdef __linux__
	/* who would end it in time if not its parent? */
	(void) prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	for (int number = 1; number < NSIG; number++)
		(void) signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
		dup2(out, STDERR_FILENO) < 0)
		_exit(126);
	for (int i = 0; command->environment[i] != NULL; i++)
		(void) putenv(command->environment[i]);
	(void) execl("/bin/sh", "sh", "-c", command->text, (char *) NULL);
	_exit(127);
}

/* All descriptors are closed by exec, and none is a standard one. */
static bool
open_pipe(int *fds)
{
	if (pipe(fds) != 0)
		return false;
	for (int i = 0; i < 2; i++)
	{
		int			fd = fcntl(fds[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

		close(fds[i]);
		fds[i] = fd;
		if (fd < 0)
			return false;
	}
	return true;
}

/* False: there is no such process. */
static bool
start_command(const EsgCommand *command, Run *run)
{
	int			in[2];
	int			out[2];

	if (!open_pipe(in) || !open_pipe(out))
		return false;
	INSTR_TIME_SET_CURRENT(run->began);
	run->pid = fork();
	if (run->pid == 0)
		exec_command(command, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	run->in = in[1];
	run->out = out[0];
	run->rest = command->input;
	run->left = command->input_size;
	run->time_limit = command->time_limit;
	run->limit = command->time_limit * 1000;
	(void) fcntl(run->in, F_SETFL, O_NONBLOCK);
	(void) fcntl(run->out, F_SETFL, O_NONBLOCK);
	return run->pid > 0;
}

/* Who is in the group, if the command has got as far as to have one. */
static void
signal_command(const Run *run, int number)
{
	if (kill(-run->pid, number) != 0)
		(void) kill(run->pid, number);
}

/* The group, when the command itself may be gone, and its number somebody else's. */
static void
kill_left(const Run *run)
{
	(void) kill(-run->pid, SIGKILL);
}

/* Keeps the last bytes. */
static void
keep_output(EsgCommandResult *result, const char *bytes, int size)
{
	int			skip = Max(size - ESG_COMMAND_OUTPUT, 0);
	int			old;

	size -= skip;
	old = Min(result->output_size, ESG_COMMAND_OUTPUT - size);
	memmove(result->output, result->output + result->output_size - old, old);
	memcpy(result->output + old, bytes + skip, size);
	result->output_size = old + size;
}

static bool
is_hindrance(void)
{
	return errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
}

/* Reads what there is, but not forever. */
static void
read_output(Run *run)
{
	char		bytes[8192];

	for (int i = 0; i < 16 && run->out >= 0; i++)
	{
		ssize_t		n = read(run->out, bytes, sizeof(bytes));

		if (n > 0)
			keep_output(run->result, bytes, (int) n);
		else if (n == 0 || is_hindrance())
		{
			close(run->out);
			run->out = -1;
		}
		else
			return;
	}
}

static void
feed_input(Run *run)
{
	ssize_t		n = run->left > 0 ? write(run->in, run->rest, run->left) : 0;

	if (n > 0)
	{
		run->rest += n;
		run->left -= n;
	}
	/* it need not read what it is told */
	if (run->left == 0 || (n < 0 && is_hindrance()))
	{
		close(run->in);
		run->in = -1;
	}
}

static int
elapsed(const Run *run)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, run->began);
	return (int) INSTR_TIME_GET_MILLISEC(now);
}

/* Waits until there is something to do, so many milliseconds at most, and does it. */
static void
serve_command(Run *run, int patience)
{
	struct timespec timeout = {patience / 1000, (patience % 1000) * 1000000L};
	sigset_t	none;
	fd_set		readable;
	fd_set		writable;

	sigemptyset(&none);
	FD_ZERO(&readable);
	FD_ZERO(&writable);
	if (run->out >= 0)
		FD_SET(run->out, &readable);
	if (run->in >= 0)
		FD_SET(run->in, &writable);
	if (pselect(Max(run->in, run->out) + 1, &readable, &writable, NULL, &timeout, &none) <= 0)
		return;
	if (run->out >= 0 && FD_ISSET(run->out, &readable))
		read_output(run);
	if (run->in >= 0 && FD_ISSET(run->in, &writable))
		feed_input(run);
}

/* The next step towards its end: ask, kill, give up on it, for which it returns false. */
static bool
end_command(Run *run)
{
	switch (run->last_signal)
	{
		case 0:
			run->last_signal = SIGTERM;
			run->limit = elapsed(run) + (end_requested ? END_GRACE : LATE_GRACE);
			break;
		case SIGTERM:
			run->last_signal = SIGKILL;
			run->limit = elapsed(run) + KILLED_GRACE;
			break;
		default:
			return false;
	}
	if (!end_requested)
		run->result->late = run->time_limit;
	signal_command(run, run->last_signal);
	return true;
}

/* To its end, one way or another. */
static void
watch_command(Run *run)
{
	bool		hurried = false;

	while (waitpid(run->pid, &run->result->status, WNOHANG) != run->pid)
	{
		int			left = run->limit - elapsed(run);

		run->result->status = -1;
		if (end_requested && !hurried)
			left = 0;
		hurried |= end_requested;
		if (left > 0)
			serve_command(run, left);
		else if (!end_command(run))
			break;
	}
	/* it ended in time, and what it left in the background may go on; or not */
	if (run->last_signal != 0)
		kill_left(run);
	read_output(run);
}

void *
esg_command_run(void *arg, Size *size)
{
	const EsgCommand *command = arg;
	Run			run = {.in = -1,.out = -1};

	*size = sizeof(EsgCommandResult);
	run.result = palloc0(*size);
	run.result->status = -1;
	prepare_signals();
	if (start_command(command, &run))
		watch_command(&run);
	return run.result;
}
