/*
 * ctl/fetch_options.c
 *		What fetch-crl is told.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/fetch_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/message.h"
#include "ctl/options.h"

#define DEFAULT_SECONDS 60
#define MAX_SECONDS 3600
#define DEFAULT_MEGABYTES 128
#define MAX_MEGABYTES 1024

static const char help[] =
"ssl_guard_ctl fetch-crl fetches the CRLs of a server's CAs over HTTP, and puts them\n"
"where the server reads them, if they are signed, current, and not older than what is\n"
"there. If anything is wrong, nothing is written.\n"
"\n"
"Usage:\n"
"  ssl_guard_ctl fetch-crl [OPTION]...\n"
"\n"
"Either -D or both of --ca and --out are needed.\n"
"\n"
"Options:\n"
"  -D, --directory DIR       data directory, or that of postgresql.conf: the CAs are\n"
"                            those of ssl_ca_file, the CRLs go to ssl_crl_file or\n"
"                            ssl_crl_dir\n"
"      --postgres PATH       the program that tells these settings [postgres beside this\n"
"                            program, or where pg_config says]\n"
"      --ca FILE             the CAs, in PEM; more of them with -D; may be repeated\n"
"      --cert FILE           a certificate of one of the CAs, such as a client's: what it\n"
"                            names is fetched, too; may be repeated\n"
"      --url URL             fetch this in place of what certificates name (their CRL\n"
"                            distribution points); may be repeated\n"
"      --out PATH            the file, or a directory with names as \"openssl rehash\" has\n"
"                            them [with -D, as the settings say]\n"
"      --mode MODE           of a new file, in octal [0644 without the umask]; one that is\n"
"                            there keeps mode and owner\n"
"      --user USER           the server's user, when root runs this: who fetches, and has\n"
"                            to be able to read what is written [the owner of the data\n"
"                            directory; else postgres]\n"
"      --reload-command COMMAND\n"
"                            run by the shell, as that user, when something was written\n"
"      --dry-run             only say what would be written\n"
"      --keep-going          write what is good although something else is wrong\n"
"      --allow-missing       begin to use CRLs although a CA has none, whose clients are\n"
"                            refused then\n"
"      --allow-revoked       write a CRL that lists one of the CAs themselves\n"
"      --timeout SECONDS     for each URL [60]\n"
"      --max-size MB         of what is fetched [128]\n"
ESG_OUTPUT_HELP
"  -V, --version             print the version\n"
"  -h, --help                print this help\n"
"\n"
ESG_OUTPUT_STATUS_HELP;

enum
{
	OPTION_POSTGRES = 1, OPTION_CA, OPTION_CERT, OPTION_URL, OPTION_OUT, OPTION_MODE,
	OPTION_USER, OPTION_RELOAD, OPTION_DRY_RUN, OPTION_KEEP_GOING, OPTION_MISSING,
	OPTION_REVOKED, OPTION_TIMEOUT, OPTION_SIZE
};

static const struct option long_options[] = {
	{"directory", required_argument, NULL, 'D'},
	{"postgres", required_argument, NULL, OPTION_POSTGRES},
	{"ca", required_argument, NULL, OPTION_CA},
	{"cert", required_argument, NULL, OPTION_CERT},
	{"url", required_argument, NULL, OPTION_URL},
	{"out", required_argument, NULL, OPTION_OUT},
	{"mode", required_argument, NULL, OPTION_MODE},
	{"user", required_argument, NULL, OPTION_USER},
	{"reload-command", required_argument, NULL, OPTION_RELOAD},
	{"dry-run", no_argument, NULL, OPTION_DRY_RUN},
	{"keep-going", no_argument, NULL, OPTION_KEEP_GOING},
	{"allow-missing", no_argument, NULL, OPTION_MISSING},
	{"allow-revoked", no_argument, NULL, OPTION_REVOKED},
	{"timeout", required_argument, NULL, OPTION_TIMEOUT},
	{"max-size", required_argument, NULL, OPTION_SIZE},
	ESG_OUTPUT_LONG_OPTIONS,
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0}
};

static int
fail_usage(void)
{
	fprintf(stderr, "Try \"ssl_guard_ctl fetch-crl --help\" for more information.\n");
	return ESG_STATUS_UNKNOWN;
}

static bool
add_word(EsgFetchWords *words, const char *word, const char *option)
{
	if (word[0] == '\0')
		return esg_message_error("option --%s needs a value", option);
	if (words->count == ESG_FETCH_WORDS)
		return esg_message_error("option --%s is given more than %d times", option, ESG_FETCH_WORDS);
	words->words[words->count++] = word;
	return true;
}

static bool
parse_mode(const char *text, int *mode)
{
	char	   *end;
	unsigned long bits = strtoul(text, &end, 8);

	if (text[0] < '0' || text[0] > '7' || *end != '\0' || bits > 0777 || (bits & 0400) == 0)
		return esg_message_error("invalid mode \"%s\": octal digits are needed, such as 0640", text);
	*mode = (int) bits;
	return true;
}

/* From 1 to max. */
static bool
parse_number(const char *text, const char *option, long max, long *number)
{
	char	   *end;

	errno = 0;
	*number = strtol(text, &end, 10);
	return (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *number >= 1 &&
			*number <= max) ||
		esg_message_error("invalid value \"%s\" of option --%s: a number from 1 to %ld is needed", text,
						  option, max);
}

static bool
take_limit(int c, const char *text, EsgFetchOptions *options)
{
	long		number;

	if (c == OPTION_TIMEOUT && parse_number(text, "timeout", MAX_SECONDS, &number))
		options->seconds = (int) number;
	else if (c == OPTION_SIZE && parse_number(text, "max-size", MAX_MEGABYTES, &number))
		options->bytes = (size_t) number << 20;
	else
		return false;
	return true;
}

static bool
take_flag(int c, EsgFetchOptions *options)
{
	switch (c)
	{
		case OPTION_DRY_RUN:
			return options->dry_run = true;
		case OPTION_KEEP_GOING:
			return options->keep_going = true;
		case OPTION_MISSING:
			return options->allow_missing = true;
		case OPTION_REVOKED:
			return options->allow_revoked = true;
		default:
			return false;
	}
}

static bool
take_text(int c, const char *text, EsgFetchOptions *options)
{
	const char **target = NULL;

	switch (c)
	{
		case 'D':
			target = &options->directory;
			break;
		case OPTION_POSTGRES:
			target = &options->program;
			break;
		case OPTION_OUT:
			target = &options->out;
			break;
		case OPTION_USER:
			target = &options->user;
			break;
		case OPTION_RELOAD:
			target = &options->reload_command;
			break;
		default:
			return false;
	}
	*target = text;
	return text[0] != '\0' || esg_message_error("an option has an empty value");
}

static bool
take_option(int c, EsgFetchOptions *options)
{
	switch (c)
	{
		case OPTION_CA:
			return add_word(&options->cas, optarg, "ca");
		case OPTION_CERT:
			return add_word(&options->certs, optarg, "cert");
		case OPTION_URL:
			return add_word(&options->urls, optarg, "url");
		case OPTION_MODE:
			return parse_mode(optarg, &options->mode);
		case OPTION_TIMEOUT:
		case OPTION_SIZE:
			return take_limit(c, optarg, options);
		default:
			return take_flag(c, options) || (optarg && take_text(c, optarg, options));
	}
}

static bool
check(const EsgFetchOptions *options)
{
	if (!options->directory && options->cas.count == 0)
		return esg_message_error("nobody said whose CRLs: option -D or --ca is needed");
	if (!options->directory && !options->out)
		return esg_message_error("nobody said where to: option -D or --out is needed");
	if (options->urls.count > 0 && options->certs.count > 0)
		return esg_message_error("option --url stands for what certificates name: --cert is of no use beside it");
	if (options->program && !options->directory)
		return esg_message_error("option --postgres is of no use without -D");
	return true;
}

int
esg_fetch_options_parse(int argc, char **argv, EsgFetchOptions *options)
{
	int			c;

	memset(options, 0, sizeof(*options));
	options->mode = -1;
	options->seconds = DEFAULT_SECONDS;
	options->bytes = (size_t) DEFAULT_MEGABYTES << 20;
	if (!esg_options_check_long(argc, argv, long_options))
		return fail_usage();
	optind = 0;					/* from the start, whoever has parsed before */
	while ((c = getopt_long(argc, argv, "D:qVh", long_options, NULL)) != -1)
	{
		int			taken = esg_output_option(c, optarg, &options->style);

		if (c == 'h')
			fputs(help, stdout);
		if (c == 'V')
			printf("ssl_guard_ctl (ext_ssl_guard) %s\n", ESG_VERSION);
		if (c == 'h' || c == 'V')
			return ESG_STATUS_OK;
		if (taken < 0 || (taken == 0 && !take_option(c, options)))
			return fail_usage();
	}
	if (optind < argc)
		esg_message_error("\"%s\" is one word too many", argv[optind]);
	return optind == argc && check(options) ? -1 : fail_usage();
}
