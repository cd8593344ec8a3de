/*
 * ctl/check_options.c
 *		What "check" is told.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/check_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "ctl/message.h"
#include "ctl/moment.h"
#include "ctl/options.h"

enum
{
	OPTION_AS = 2001,
	OPTION_AT,
	OPTION_POSTGRES,
	OPTION_USER,
	OPTION_ASK,
	OPTION_KEY,
	OPTION_MAX_MODE
};

static const struct option long_options[] = {
	{"directory", required_argument, NULL, 'D'},
	{"as", required_argument, NULL, OPTION_AS},
	{"at", required_argument, NULL, OPTION_AT},
	{"postgres", required_argument, NULL, OPTION_POSTGRES},
	{"user", required_argument, NULL, OPTION_USER},
	{"ask-passphrase", no_argument, NULL, OPTION_ASK},
	{"mode", required_argument, NULL, 'M'},
	{"key", required_argument, NULL, OPTION_KEY},
	{"max-mode", required_argument, NULL, OPTION_MAX_MODE},
	/* a pair's that "check" refuses, in its words */
	{"passphrase-file", required_argument, NULL, OPTION_MAX_MODE},
	{"force", no_argument, NULL, OPTION_MAX_MODE},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	ESG_OUTPUT_LONG_OPTIONS,
	{NULL, 0, NULL, 0}
};

/* "-": what is no option comes in its order */
static const char short_options[] = "-D:M:qVh";

static const char help[] =
"ssl_guard_ctl check looks at TLS files as the extension does in a server: what breaks,\n"
"what is weak, who may read what. Of a server's data directory it says, too, whether the\n"
"next start or reload would succeed. No server needs to run.\n"
"\n"
"Usage:\n"
"  ssl_guard_ctl check -D PGDATA [--postgres PROGRAM] [--at TIME]\n"
"  ssl_guard_ctl check [--as KIND] FILE... [--at TIME]\n"
"  ssl_guard_ctl check -D DIR [-M server|client] [--user USER] [--max-mode MODE]\n"
"\n"
"PGDATA has PG_VERSION or postgresql.conf. Any other DIR has a passphrase pair, which is\n"
"checked alone; so it is with -M, --key or --max-mode.\n"
"\n"
"Options:\n"
"  -D, --directory DIR       the data directory of a server, or where a pair is\n"
"      --postgres PROGRAM    the server's program, which is asked for its settings\n"
"                            [the one beside this program, of pg_config, or in PATH]\n"
"      --as KIND             the files behind it are server, client, ca, crl or key\n"
"                            [found out: what is no key, CRL or CA is a server's\n"
"                            certificate, unless it is good for clients alone]\n"
"      --at TIME             judge as of another day: 2027-03-01, 2027-03-01T08:00:00Z, +30d\n"
"      --ask-passphrase      ask for the passphrase of a key at the terminal\n"
"      --user USER           name or number of the server's user, whose rights count\n"
"                            when root runs this [the owner of the data directory;\n"
"                            else postgres]\n"
"  -M, --mode server|client  of a pair: the key is server.key [default] or client.key\n"
"      --key FILE            of a pair: the key, of any name, in place of -D and -M\n"
"      --max-mode MODE       of a pair: as ext_ssl_guard.max_key_file_mode [0600]\n"
ESG_OUTPUT_HELP
"  -V, --version             print the version\n"
"  -h, --help                print this help\n"
"\n"
ESG_OUTPUT_STATUS_HELP
"Of a passphrase pair: 0 usable, 1 refused or failed, 2 wrong usage.\n";

int
esg_check_options_fail(void)
{
	esg_message_hint("Try \"ssl_guard_ctl check --help\".");
	return ESG_STATUS_UNKNOWN;
}

static bool
parse_kind(const char *value, EsgCheckFile *current)
{
	static const struct
	{
		const char *name;
		EsgFileKind kind;
	}			kinds[] = {
		{"server", ESG_FILE_CERTIFICATE},
		{"client", ESG_FILE_CLIENT},
		{"ca", ESG_FILE_CA},
		{"crl", ESG_FILE_CRL},
		{"key", ESG_FILE_KEY}
	};
	size_t		i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
	{
		if (strcmp(value, kinds[i].name) != 0)
			continue;
		current->said = true;
		current->kind = kinds[i].kind;
		return true;
	}
	return esg_message_error("unknown kind \"%s\" of file: server, client, ca, crl or key is needed", value);
}

static bool
take_common(int option, EsgCheckOptions *options)
{
	int			taken = esg_output_option(option, optarg, &options->style);

	if (taken == 0 && (option == 'M' || option == OPTION_KEY || option == OPTION_MAX_MODE))
		return esg_message_error("-M, --key and --max-mode are for a passphrase pair alone, --passphrase-file and --force for \"encrypt\"");
	return taken > 0;
}

/* False with a message. */
static bool
take_option(int option, EsgCheckOptions *options, EsgCheckFile *current)
{
	switch (option)
	{
		case 'D':
			options->directory = optarg;
			return true;
		case OPTION_AS:
			return parse_kind(optarg, current);
		case OPTION_AT:
			return esg_moment_parse(optarg, &options->at);
		case OPTION_POSTGRES:
			options->postgres = optarg;
			return true;
		case OPTION_USER:
			options->user = optarg;
			return true;
		case OPTION_ASK:
			options->ask_passphrase = true;
			return true;
		case 1:
			current->path = optarg;
			options->files[options->file_count++] = *current;
			return true;
		default:
			return take_common(option, options);
	}
}

static bool
check_usage(const EsgCheckOptions *options)
{
	if (options->directory && options->file_count > 0)
		return esg_message_error("either -D or files can be checked");
	if (!options->directory && options->file_count == 0)
		return esg_message_error("nothing to check: -D or files are needed");
	if (!options->directory && options->postgres)
		return esg_message_error("--postgres is for -D alone");
	if (options->ask_passphrase && !isatty(STDIN_FILENO))
		return esg_message_error("--ask-passphrase needs a terminal");
	return true;
}

int
esg_check_options_parse(int argc, char **argv, EsgCheckOptions *options)
{
	EsgCheckFile current = {NULL, false, ESG_FILE_EXTRA};
	int			option;

	memset(options, 0, sizeof(*options));
	options->at = esg_moment_now();
	options->files = OPENSSL_zalloc((size_t) argc * sizeof(EsgCheckFile));
	if (!options->files)
	{
		esg_message_error("out of memory");
		return ESG_STATUS_UNKNOWN;
	}
	if (!esg_options_check_long(argc, argv, long_options))
		return esg_check_options_fail();
	optind = 0;
	opterr = 1;
	while ((option = getopt_long(argc, argv, short_options, long_options, NULL)) != -1)
	{
		if (option == 'h')
			return esg_options_print_help(help);
		if (option == 'V')
			return esg_options_print_version();
		if (option == '?' || !take_option(option, options, &current))
			return esg_check_options_fail();
	}
	for (; optind < argc; optind++)
	{
		current.path = argv[optind];
		options->files[options->file_count++] = current;
	}
	return check_usage(options) ? -1 : esg_check_options_fail();
}

static bool
has_file(const char *directory, const char *name)
{
	char		path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/%s", directory, name) < (int) sizeof(path) &&
		access(path, F_OK) == 0;
}

bool
esg_check_options_mean_pair(int argc, char **argv)
{
	const char *directory = NULL;
	bool		pair = false;
	bool		other = argc < 2;
	int			option;

	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, short_options, long_options, NULL)) != -1)
	{
		if (option == 'D')
			directory = optarg;
		else if (option == 'M' || option == OPTION_KEY || option == OPTION_MAX_MODE)
			pair = true;
		else if (option != OPTION_USER && option != '?')
			other = true;
	}
	optind = 0;
	opterr = 1;
	if (pair || other || !directory)
		return pair;
	return !has_file(directory, "PG_VERSION") && !has_file(directory, "postgresql.conf");
}
