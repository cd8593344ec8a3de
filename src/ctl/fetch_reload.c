/*
 * ctl/fetch_reload.c
 *		What is to be done when a CRL was written.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/fetch_reload.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "ctl/child.h"
#include "ctl/message.h"

#define TIME_LIMIT 60000		/* milliseconds */
#define SIZE_LIMIT 65536		/* bytes of what the command says */

/* Of a directory one mark, of a file one beside it. */
static void
name_mark(const EsgCrlTarget *target, char name[NAME_MAX + 16])
{
	snprintf(name, NAME_MAX + 16, ".%s.reload", target->is_directory ? "crl" : target->files[0].name);
}

bool
esg_fetch_reload_is_due(const EsgCrlTarget *target)
{
	char		name[NAME_MAX + 16];
	struct stat st;

	name_mark(target, name);
	return fstatat(target->writer.fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool
esg_fetch_reload_mark(EsgCrlTarget *target)
{
	char		name[NAME_MAX + 16];
	EsgFileWriter writer = target->writer;

	name_mark(target, name);
	writer.keeps_owner = false;
	writer.uid = geteuid();
	writer.gid = getegid();
	writer.mode = 0600;
	return esg_file_writer_remove(&writer, name) &&
		esg_file_writer_create(&writer, name, (const unsigned char *) "", 0);
}

void
esg_fetch_reload_unmark(const EsgCrlTarget *target)
{
	char		name[NAME_MAX + 16];

	name_mark(target, name);
	(void) esg_file_writer_remove(&target->writer, name);
}

/* In the child. */
static int
run_shell(const void *arg, int fd)
{
	const char *command = arg;
	int			null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0 ||
		dup2(fd, STDERR_FILENO) < 0)
		return EXIT_FAILURE;
	execl("/bin/sh", "sh", "-c", command, (char *) NULL);
	return EXIT_FAILURE;
}

static void
explain(const char *command, const EsgChildResult *result)
{
	const char *said = result->output && result->output[0] ? result->output : "it says nothing";

	if (result->end == ESG_CHILD_LATE)
		esg_message_error("command \"%s\" was not done within %d s", command, TIME_LIMIT / 1000);
	else if (result->end == ESG_CHILD_FAILED)
		esg_message_error("could not run command \"%s\": %s", command, strerror(result->status));
	else if (result->end == ESG_CHILD_CRASHED)
		esg_message_error("command \"%s\" was ended by signal %d", command, result->status);
	else if (result->end == ESG_CHILD_WORDY)
		esg_message_error("command \"%s\" says more than %d bytes", command, SIZE_LIMIT);
	else
		esg_message_error("command \"%s\" failed with exit status %d: %s", command, result->status, said);
}

bool
esg_fetch_reload_run(EsgCrlTarget *target, const char *command)
{
	EsgChildWork work = {
		.run = run_shell,.arg = command,.user = target->user,
		.time_limit = TIME_LIMIT,.size_limit = SIZE_LIMIT
	};
	EsgChildResult result;
	bool		good = esg_child_run(&work, &result);

	if (good)
		esg_fetch_reload_unmark(target);
	else
		explain(command, &result);
	OPENSSL_free(result.output);
	return good;
}
