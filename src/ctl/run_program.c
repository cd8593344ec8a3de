/*
 * ctl/run_program.c
 *		Runs other programs side by side, with a time limit.
 *
 * What they print goes to files that nobody else can name: no program waits for us
 * to read, and we wait for none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/run_program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "ctl/message.h"

#define AT_A_TIME 8
/* nothing that we want to know is as long */
#define MAX_OUTPUT (64 * 1024)
#define LOOK_EVERY_NS 2000000

static int
open_nameless(void)
{
	FILE	   *file = tmpfile();
	int			fd = file ? fcntl(fileno(file), F_DUPFD_CLOEXEC, 3) : -1;

	if (file)
		fclose(file);
	return fd;
}

static void
become_program(const EsgRun *run)
{
	struct rlimit limit = {MAX_OUTPUT, MAX_OUTPUT};
	int			nothing = open("/dev/null", O_RDONLY);

	setrlimit(RLIMIT_FSIZE, &limit);
	setpgid(0, 0);
	setenv("LC_ALL", "C", 1);
	if (nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 &&
		dup2(run->out_fd, STDOUT_FILENO) >= 0 && dup2(run->err_fd, STDERR_FILENO) >= 0)
		execvp(run->argv[0], (char *const *) run->argv);
	fprintf(stderr, "could not run \"%s\": %s\n", run->argv[0], strerror(errno));
	fflush(stderr);
	_exit(127);
}

static bool
start(EsgRun *run)
{
	run->out_fd = open_nameless();
	run->err_fd = run->out_fd >= 0 ? open_nameless() : -1;
	if (run->err_fd < 0)
		return esg_message_error("could not create a temporary file: %s", strerror(errno));
	run->pid = fork();
	if (run->pid < 0)
		return esg_message_error("could not fork: %s", strerror(errno));
	if (run->pid == 0)
		become_program(run);
	return true;
}

static char *
read_back(int fd)
{
	char	   *text = OPENSSL_zalloc(MAX_OUTPUT + 1);
	ssize_t		len = text && fd >= 0 ? pread(fd, text, MAX_OUTPUT, 0) : 0;

	if (text)
		text[len > 0 ? len : 0] = '\0';
	if (fd >= 0)
		close(fd);
	return text;
}

static void
collect(EsgRun *run, int status)
{
	run->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	run->pid = 0;
	run->out = read_back(run->out_fd);
	run->err = read_back(run->err_fd);
	run->out_fd = run->err_fd = -1;
}

/* Those that have ended; how many still run. */
static int
collect_ended(EsgRun *runs, int count)
{
	int			running = 0;
	int			status;
	int			i;

	for (i = 0; i < count; i++)
	{
		if (runs[i].pid <= 0)
			continue;
		if (waitpid(runs[i].pid, &status, WNOHANG) == runs[i].pid)
			collect(&runs[i], status);
		else
			running++;
	}
	return running;
}

static void
end_all(EsgRun *runs, int count)
{
	int			status = 0;
	int			i;

	for (i = 0; i < count; i++)
	{
		if (runs[i].pid <= 0)
			continue;
		/* its group, if it has got so far as to have one */
		if (kill(-runs[i].pid, SIGKILL) != 0)
			kill(runs[i].pid, SIGKILL);
		while (waitpid(runs[i].pid, &status, 0) < 0 && errno == EINTR)
			;
		collect(&runs[i], status);
		runs[i].late = true;
	}
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

bool
esg_run_program_all(EsgRun *runs, int count, int seconds)
{
	const struct timespec pause = {0, LOOK_EVERY_NS};
	double		end = now() + seconds;
	int			started = 0;
	bool		good = true;
	int			running;

	while ((running = collect_ended(runs, started)) > 0 || (good && started < count))
	{
		if (now() > end)
			break;
		if (good && started < count && running < AT_A_TIME)
			good = start(&runs[started++]);
		else
			nanosleep(&pause, NULL);
	}
	end_all(runs, started);
	for (; started < count; started++)
		runs[started].late = true;
	return good;
}

void
esg_run_program_free(EsgRun *runs, int count)
{
	int			i;

	for (i = 0; i < count; i++)
	{
		OPENSSL_free(runs[i].out);
		OPENSSL_free(runs[i].err);
		runs[i].out = runs[i].err = NULL;
	}
}
