/*
 * ctl/pair_options.c
 *		What the commands that keep a passphrase pair are told.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/pair_options.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/message.h"
#include "ctl/options.h"
#include "secret/pair.h"

/* so that no name made of it is longer than a file system takes */
#define MAX_KEY_NAME (NAME_MAX - (int) strlen(ESG_UNFINISHED_SUFFIX))

static bool
parse_mode(const char *mode, EsgPairOptions *options)
{
	if (strcmp(mode, "server") == 0)
		options->key_name = ESG_SERVER_KEY;
	else if (strcmp(mode, "client") == 0)
		options->key_name = ESG_CLIENT_KEY;
	else
		return esg_message_error("unknown mode \"%s\"", mode);
	options->mode = mode;
	return true;
}

/* What --key stands for: the directory of the key, and its name there. */
static bool
settle_key(EsgPairOptions *options)
{
	static char directory[ESG_PAIR_PATH_SIZE];
	const char *slash;
	int			len;

	if (!options->key_file)
		return true;
	if (options->directory || options->mode)
		return esg_message_error("option --key stands for -D and -M");
	slash = strrchr(options->key_file, '/');
	options->key_name = slash ? slash + 1 : options->key_file;
	if (strcmp(options->key_name, "") == 0 || strcmp(options->key_name, ".") == 0 ||
		strcmp(options->key_name, "..") == 0)
		return esg_message_error("\"%s\" is not the name of a file", options->key_file);
	/* the slash itself where that is the root directory */
	len = slash ? (int) (slash - options->key_file) + (slash == options->key_file) : 0;
	if ((int) strlen(options->key_name) > MAX_KEY_NAME || len >= (int) sizeof(directory))
		return esg_message_error("the name of the key file is too long");
	snprintf(directory, sizeof(directory), "%.*s", len, options->key_file);
	options->directory = slash ? directory : ".";
	return true;
}

static bool
parse_max_mode(const char *mode, EsgPairOptions *options)
{
	char	   *end;
	unsigned long bits = strtoul(mode, &end, 8);

	if (mode[0] < '0' || mode[0] > '7' || *end != '\0' || bits > 0777)
		return esg_message_error("invalid mode \"%s\": octal digits are needed, such as 0400", mode);
	options->max_mode = (int) bits;
	return true;
}

static const struct option long_options[] = {
	{"directory", required_argument, NULL, 'D'},
	{"mode", required_argument, NULL, 'M'},
	{"key", required_argument, NULL, 'k'},
	{"passphrase-file", required_argument, NULL, 'f'},
	{"force", no_argument, NULL, 'F'},
	{"user", required_argument, NULL, 'U'},
	{"max-mode", required_argument, NULL, 'm'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0}
};

int
esg_pair_options_fail(const char *command)
{
	fprintf(stderr, "Try \"ssl_guard_ctl %s%s--help\" for more information.\n", command ? command : "",
			command ? " " : "");
	return ESG_PAIR_EXIT_USAGE;
}

/* False for what is none, or has a faulty value. */
static bool
take_option(int c, EsgPairOptions *options)
{
	switch (c)
	{
		case 'D':
			options->directory = optarg;
			return true;
		case 'M':
			return parse_mode(optarg, options);
		case 'k':
			options->key_file = optarg;
			return true;
		case 'f':
			options->passphrase_file = optarg;
			return true;
		case 'F':
			options->force = true;
			return true;
		case 'U':
			options->user = optarg;
			return true;
		case 'm':
			return parse_max_mode(optarg, options);
		default:
			return false;
	}
}

int
esg_pair_options_parse(int argc, char **argv, const char *command, const char *help,
					   EsgPairOptions *options)
{
	int			c;

	memset(options, 0, sizeof(*options));
	options->key_name = ESG_SERVER_KEY;
	options->max_mode = -1;
	if (!esg_options_check_long(argc, argv, long_options))
		return esg_pair_options_fail(command);
	optind = 0;					/* from the start, whoever has parsed before */
	while ((c = getopt_long(argc, argv, "D:M:Vh", long_options, NULL)) != -1)
	{
		if (c == 'V')
			return esg_options_print_version();
		if (c == 'h')
			return esg_options_print_help(help);
		if (!take_option(c, options))
			return esg_pair_options_fail(command);
	}
	return settle_key(options) ? -1 : esg_pair_options_fail(command);
}
