/*
 * ctl/encrypt.c
 *		ssl_guard_ctl encrypt: asks for a passphrase and writes the pair.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/encrypt.h"

#include <limits.h>
#include <stdio.h>

#include "ctl/data_directory.h"
#include "ctl/message.h"
#include "ctl/pair_case.h"
#include "ctl/pair_writer.h"
#include "ctl/prompt.h"

static bool
check_key_file(const void *arg)
{
	return esg_rules_check_file(arg, "");
}

static bool
write_pair(const EsgPairOptions *options, const EsgPairCase *c, EsgPairWriter *writer, EsgPassphrase *passphrase)
{
	return esg_server_user_try(&c->user, check_key_file, &c->rules) &&
		esg_pair_writer_prepare(writer, options->force) &&
		esg_prompt_read(options->passphrase_file, passphrase) &&
		esg_pair_case_try_key(options, passphrase, true) &&
		esg_pair_writer_write(writer, passphrase);
}

/* A copy of key and pair together is a copy of the key. */
static void
warn_of_backups(const EsgPairOptions *options)
{
	char		found[PATH_MAX];

	if (esg_data_directory_find(options->directory, found))
		esg_message_warning("directory \"%s\" is in the data directory \"%s\": backups take the pair "
							"along with the key", options->directory, found);
}

static bool
run_encrypt(const EsgPairOptions *options, EsgPassphrase *passphrase)
{
	EsgPairCase c;
	EsgPairWriter writer;
	bool		good;

	if (!esg_pair_case_begin(&c, options) ||
		!esg_pair_writer_open(&writer, options->directory, &c.rules))
		return false;
	esg_rules_find_remedy(&c.rules, false);
	good = write_pair(options, &c, &writer, passphrase);
	esg_pair_writer_close(&writer);
	if (good)
	{
		warn_of_backups(options);
		printf("wrote \"%s/%s%s\" and \"%s%s\"", options->directory,
			   options->key_name, ESG_CIPHER_SUFFIX, options->key_name, ESG_RANDOM_SUFFIX);
		esg_pair_case_print_user(&c.user);
	}
	esg_pair_case_end(&c);
	return good;
}

static const EsgPairCommand command = {
	.name = "encrypt",
	.writes = true,
	.judges = true,
	.run = run_encrypt,
	.help =
	"ssl_guard_ctl encrypt asks for the passphrase of a private key, tries it on the\n"
	"key, and writes the pair of files from which PostgreSQL with ext_ssl_guard opens\n"
	"the key at start and at reload.\n"
	"\n"
	"Usage:\n"
	"  ssl_guard_ctl encrypt -D DIR [-M server|client] [--passphrase-file FILE] [--force]\n"
	"                        [--user USER]\n"
	"\n"
	"Options:\n"
	ESG_PAIR_HELP_WHERE
	"      --passphrase-file FILE\n"
	"                            take the first line of FILE as the passphrase; without\n"
	"                            it the terminal is asked twice, or standard input is\n"
	"                            read if that is not a terminal\n"
	"      --force               replace an existing pair\n"
	ESG_PAIR_HELP_USER
	ESG_PAIR_HELP_END
};

int
esg_encrypt_run(int argc, char **argv)
{
	return esg_pair_case_run(&command, argc, argv);
}
