/*
 * ctl/pair_case.c
 *		A passphrase pair, its key, and the user for whom they are there.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/pair_case.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "ctl/key_file.h"
#include "ctl/memory.h"
#include "ctl/message.h"
#include "secret/forget.h"

/* as the setting's */
#define DEFAULT_MAX_MODE 0600

bool
esg_pair_case_try_key(const EsgPairOptions *options, const EsgPassphrase *passphrase, bool plain_key_allowed)
{
	char		path[ESG_PAIR_PATH_SIZE];
	int			error;

	if (snprintf(path, sizeof(path), "%s/%s", options->directory, options->key_name) >=
		(int) sizeof(path))
		return esg_message_error("the directory's name is too long");
	switch (esg_key_file_test(path, passphrase, &error))
	{
		case ESG_KEY_FILE_OPENED:
			return true;
		case ESG_KEY_FILE_MISSING:
			esg_message_note("there is no \"%s\" to try the passphrase on", path);
			return true;
		case ESG_KEY_FILE_UNREADABLE:
			return esg_message_error("could not read private key file \"%s\": %s",
									 path, strerror(error));
		case ESG_KEY_FILE_NOT_REGULAR:
			return esg_message_error("private key file \"%s\" is not a regular file", path);
		case ESG_KEY_FILE_NO_KEY:
			return esg_message_error("file \"%s\" has no private key that OpenSSL can read", path);
		case ESG_KEY_FILE_NOT_ENCRYPTED:
			if (plain_key_allowed)
			{
				esg_message_warning("private key file \"%s\" is not encrypted: "
									"the passphrase was not tried", path);
				return true;
			}
			return esg_message_error("private key file \"%s\" is not encrypted", path);
		case ESG_KEY_FILE_REFUSED:
			break;
	}
	return esg_message_error("the passphrase does not open private key file \"%s\"", path);
}

/*
 * A path from the working directory is resolved: what it leads over, "..", the
 * server's user need not pass.  Of one from the root nothing is resolved: it may be
 * as the server has it.
 */
static bool
make_absolute(const char *path, char out[ESG_PAIR_PATH_SIZE])
{
	char	   *found = path[0] != '/' ? realpath(path, NULL) : NULL;
	char	   *current = path[0] != '/' && !found ? getcwd(NULL, 0) : NULL;
	int			n;

	if (path[0] == '/' || found)
		n = snprintf(out, ESG_PAIR_PATH_SIZE, "%s", found ? found : path);
	else if (!current)
		return esg_message_error("could not find out the working directory: %s", strerror(errno));
	else
		n = snprintf(out, ESG_PAIR_PATH_SIZE, "%s/%s", current, path);
	free(found);
	free(current);
	return n < ESG_PAIR_PATH_SIZE || esg_message_error("the directory's name is too long");
}

bool
esg_pair_case_begin(EsgPairCase *c, const EsgPairOptions *options)
{
	memset(c, 0, sizeof(*c));
	c->rules.user = &c->user;
	c->rules.directory = c->directory;
	c->rules.key_name = options->key_name;
	c->rules.max_mode = options->max_mode < 0 ? DEFAULT_MAX_MODE : (unsigned) options->max_mode;
	return make_absolute(options->directory, c->directory) &&
		esg_server_user_find(options->user, c->directory, options->key_name, &c->user);
}

void
esg_pair_case_end(EsgPairCase *c)
{
	OPENSSL_free(c->rules.remedy);
}

bool
esg_pair_case_read(const char *directory, const EsgPairOptions *options, const EsgKeyRule *rule,
				   EsgPassphrase *passphrase, EsgPairStatus *status)
{
	char		reason[ESG_PAIR_REASON_SIZE];

	if (esg_secret_pair_read(directory, options->key_name, rule, passphrase, status))
		return true;
	esg_secret_pair_reason(status, reason, sizeof(reason));
	return esg_message_error("passphrase file \"%s\" cannot be used: %s", status->path, reason);
}

void
esg_pair_case_print_user(const EsgServerUser *user)
{
	if (user->is_other)
		printf(" for user \"%s\"", user->name);
	printf("\n");
}


static bool
fits_judging(const EsgPairCommand *command, const EsgPairOptions *options)
{
	if (!command->judges && options->user)
		return esg_message_error("option --user is not for \"%s\"", command->name);
	return command->compares_modes || options->max_mode < 0 ||
		esg_message_error("option --max-mode is for \"check\" only");
}

/* Options that fit the command, and nothing but options. */
static bool
check_usage(const EsgPairCommand *command, const EsgPairOptions *options, int argc)
{
	/* the passphrase might be there by mistake: say no more about it */
	if (optind < argc)
		return esg_message_error("more than one command given");
	if (!options->directory)
		return esg_message_error("no directory given: option -D is needed");
	if (!command->writes && (options->passphrase_file || options->force))
		return esg_message_error("options --passphrase-file and --force are for \"encrypt\" only");
	return fits_judging(command, options);
}

static int
run_protected(const EsgPairCommand *command, const EsgPairOptions *options)
{
	EsgPassphrase *passphrase;
	bool		good;

	signal(SIGXFSZ, SIG_IGN);	/* a full disk is an error, not a signal */
	esg_memory_protect();
	passphrase = esg_memory_allocate();
	if (!passphrase)
	{
		esg_message_error("out of memory");
		return EXIT_FAILURE;
	}
	good = command->run(options, passphrase);
	esg_secret_format_wipe(passphrase);
	esg_secret_forget_stack();
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
esg_pair_case_run(const EsgPairCommand *command, int argc, char **argv)
{
	EsgPairOptions options;
	int			status = esg_pair_options_parse(argc, argv, command->name, command->help, &options);

	if (status >= 0)
		return status;
	if (!check_usage(command, &options, argc))
		return esg_pair_options_fail(command->name);
	return run_protected(command, &options);
}
