/*
 * ctl/pair_check.c
 *		ssl_guard_ctl check of a passphrase pair: is it whole, protected, and the key's?
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/pair_check.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/acl.h"
#include "ctl/message.h"
#include "ctl/pair_case.h"

static void
tell_to_tidy(const EsgPairCase *c)
{
	if (strcmp(c->rules.key_name, ESG_SERVER_KEY) == 0)
		esg_rules_tell_command(&c->rules, "ssl_guard_ctl tidy -D");
	else if (strcmp(c->rules.key_name, ESG_CLIENT_KEY) == 0)
		esg_rules_tell_command(&c->rules, "ssl_guard_ctl tidy -M client -D");
	else
		esg_rules_tell_key_command(&c->rules, "ssl_guard_ctl tidy --key");
}

/* Whatever the state of the pair. */
static void
tell_leftovers(const EsgPairCase *c)
{
	static const char *const suffixes[] = {ESG_PENDING_SUFFIX, ESG_UNFINISHED_SUFFIX};
	bool		found = false;
	size_t		i;

	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
	{
		if (!esg_secret_pair_is_leftover(c->directory, c->rules.key_name, suffixes[i]))
			continue;
		found = true;
		esg_message_warning("\"%s/%s%s\" was left behind when an \"encrypt\" was interrupted",
							c->directory, c->rules.key_name, suffixes[i]);
	}
	if (found)
		tell_to_tidy(c);
}

static bool
check_directory(const EsgPairCase *c)
{
	struct stat st;

	return stat(c->directory, &st) != 0 || esg_rules_check_directory(&c->rules, &st);
}

/* As the server's user. */
static bool
check_pair(const EsgPairOptions *options, const EsgPairCase *c, EsgPassphrase *passphrase)
{
	EsgKeyRule	rule = {c->user.reader.uid, c->rules.max_mode};
	EsgPairStatus status;

	tell_leftovers(c);
	if (!esg_pair_case_read(c->directory, options, &rule, passphrase, &status))
	{
		esg_rules_tell_remedy(&c->rules, status.error);
		return false;
	}
	return esg_rules_check_file(&c->rules, "") && esg_pair_case_try_key(options, passphrase, false) &&
		check_directory(c);
}

/* Only where the group may read does a list say what the mode does not. */
static void
warn_of_list(const EsgPairOptions *options)
{
	static const char *const suffixes[] = {"", ESG_CIPHER_SUFFIX, ESG_RANDOM_SUFFIX, ESG_PENDING_SUFFIX};
	char		path[ESG_PAIR_PATH_SIZE];
	size_t		i;

	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
	{
		snprintf(path, sizeof(path), "%s/%s%s", options->directory, options->key_name, suffixes[i]);
		if (esg_acl_names_reader(path))
			esg_message_warning("by its access control list, others may read file \"%s\"; "
								"\"setfacl -b\" takes the list away", path);
	}
}

static bool
run_check(const EsgPairOptions *options, EsgPassphrase *passphrase)
{
	EsgPairCase c;
	EsgPairOptions absolute = *options;
	bool		good;

	if (!esg_pair_case_begin(&c, options))
		return false;
	absolute.directory = c.directory;
	esg_rules_find_remedy(&c.rules, true);
	good = esg_server_user_become(&c.user) && check_pair(&absolute, &c, passphrase);
	/* by the absolute path: the user may not pass our working directory */
	warn_of_list(&absolute);
	if (good)
	{
		printf("the pair is usable");
		esg_pair_case_print_user(&c.user);
	}
	esg_pair_case_end(&c);
	return good;
}

static const EsgPairCommand command = {
	.name = "check",
	.judges = true,
	.compares_modes = true,
	.run = run_check,
	.help =
	"ssl_guard_ctl check says whether a passphrase pair is whole, protected, and opens\n"
	"the key in DIR.\n"
	"\n"
	"Usage:\n"
	"  ssl_guard_ctl check -D DIR [-M server|client] [--user USER] [--max-mode MODE]\n"
	"\n"
	"Options:\n"
	ESG_PAIR_HELP_WHERE
	ESG_PAIR_HELP_USER
	"      --max-mode MODE       as ext_ssl_guard.max_key_file_mode: what key and pair may\n"
	"                            have at most, in octal [0600]\n"
	ESG_PAIR_HELP_END
};

int
esg_pair_check_run(int argc, char **argv)
{
	return esg_pair_case_run(&command, argc, argv);
}
