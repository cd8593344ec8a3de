/*
 * ctl/ssl_guard_ctl.c
 *		The program: finds the command, which does the rest.
 *
 * Each command has a file of its own, with its options and its help.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/check.h"
#include "ctl/decrypt.h"
#include "ctl/encrypt.h"
#include "ctl/fetch_crl.h"
#include "ctl/message.h"
#include "ctl/pair_options.h"
#include "ctl/probe.h"
#include "ctl/tidy.h"

typedef struct Command
{
	const char *name;
	int			(*run) (int argc, char **argv);
} Command;

static const Command commands[] = {
	{"encrypt", esg_encrypt_run},
	{"decrypt", esg_decrypt_run},
	{"tidy", esg_tidy_run},
	{"check", esg_check_run},
	{"probe", esg_probe_run},
	{"fetch-crl", esg_fetch_crl_run}
};

static const char help[] =
"ssl_guard_ctl is the part of ext_ssl_guard that needs neither a server nor\n"
"PostgreSQL: it keeps the passphrase of a private key, and looks at certificates\n"
"as the extension does.\n"
"\n"
"Usage:\n"
"  ssl_guard_ctl COMMAND [OPTION]...\n"
"  ssl_guard_ctl COMMAND --help\n"
"\n"
"Commands:\n"
"  encrypt    ask for a key's passphrase, try it, write it to a pair of files\n"
"  decrypt    print the passphrase\n"
"  tidy       take away what an interrupted \"encrypt\" has left\n"
"  check      look at TLS files: is anything wrong, would the server start\n"
"  probe      ask servers for their certificates, and judge these\n"
"  fetch-crl  fetch the CRLs of a server's CAs over HTTP\n"
"\n"
"Options:\n"
"  -V, --version             print the version\n"
"  -h, --help                print this help, or the command's\n";

static const Command *
find_command(const char *name)
{
	size_t		i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* The command comes first; argv gets the program's name in its place. */
static int
run_first(const Command *command, int argc, char **argv)
{
	argv[1] = argv[0];
	return command->run(argc - 1, argv + 1);
}

static const Command *
take_word(int argc, char **argv)
{
	const Command *command;

	if (optind + 1 < argc)
	{
		/* the passphrase might be there by mistake: say no more about it */
		esg_message_error("more than one command given");
		return NULL;
	}
	command = find_command(argv[optind]);
	if (!command)
		esg_message_error("unknown command \"%s\"", argv[optind]);
	return command;
}

/*
 * Those that keep a pair take their options before the command, too.  What is no
 * option has come to be the end of argv.
 */
static int
run_late(int argc, char **argv)
{
	EsgPairOptions options;
	const Command *command = NULL;
	int			status = esg_pair_options_parse(argc, argv, NULL, help, &options);

	if (status >= 0)
		return status;
	if (optind == argc)
		esg_message_error("no command given");
	else
		command = take_word(argc, argv);
	if (!command)
		return esg_pair_options_fail(NULL);
	argv[optind] = NULL;
	return command->run(optind, argv);
}

/*
 * Whoever closed standard input, output or error must not find there a file
 * that we open: messages would go into it.  Using them fails as if they were
 * closed still.
 */
static bool
occupy_standard_files(void)
{
	int			fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return false;
	return true;
}

int
main(int argc, char **argv)
{
	const Command *command = argc > 1 ? find_command(argv[1]) : NULL;
	int			status;

	if (!occupy_standard_files())
		return EXIT_FAILURE;
	status = command ? run_first(command, argc, argv) : run_late(argc, argv);
	if (fflush(stdout) != 0 && status == EXIT_SUCCESS)
	{
		esg_message_error("could not write to standard output: %s", strerror(errno));
		status = EXIT_FAILURE;
	}
	return status;
}
