/*
 * ctl/rules.c
 *		What has to hold of the files, for the server to use them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "ctl/message.h"
#include "policy/shell_text.h"
#include "secret/pair.h"

static bool
make_path(const EsgRules *rules, const char *suffix, char path[ESG_PAIR_PATH_SIZE])
{
	return snprintf(path, ESG_PAIR_PATH_SIZE, "%s/%s%s", rules->directory, rules->key_name,
					suffix) < ESG_PAIR_PATH_SIZE ||
		esg_message_error("the directory's name is too long");
}

void
esg_rules_find_remedy(EsgRules *rules, bool with_pair)
{
	static const char *const suffixes[] = {"", ESG_CIPHER_SUFFIX, ESG_RANDOM_SUFFIX};
	char		paths[3][ESG_PAIR_PATH_SIZE];
	const char *list[3];
	int			i;

	rules->remedy = NULL;
	for (i = 0; i < 3; i++)
	{
		list[i] = paths[i];
		if (!make_path(rules, suffixes[i], paths[i]))
			return;
	}
	rules->remedy = esg_access_suggestion(&rules->user->reader, list, with_pair ? 3 : 1);
}

void
esg_rules_tell_remedy(const EsgRules *rules, int error)
{
	if (error == EACCES && rules->remedy && rules->remedy[0] != '\0')
		esg_message_hint("Run as root: %s", rules->remedy);
}

static void
tell_to_run(const char *command, const char *path)
{
	EsgShellText quoted = {NULL, 0, false};
	char	   *text;

	esg_shell_text_append_quoted(&quoted, path);
	text = esg_shell_text_take(&quoted);
	if (text)
		esg_message_hint("Run: %s %s", command, text);
	OPENSSL_free(text);
}

void
esg_rules_tell_command(const EsgRules *rules, const char *command)
{
	tell_to_run(command, rules->directory);
}

void
esg_rules_tell_key_command(const EsgRules *rules, const char *command)
{
	char		path[ESG_PAIR_PATH_SIZE];

	if (make_path(rules, "", path))
		tell_to_run(command, path);
}

static void
tell_chmod(unsigned mode, const char *path)
{
	char		command[32];

	snprintf(command, sizeof(command), "chmod %04o", mode & 07777);
	tell_to_run(command, path);
}

/* Then the mode says nothing. */
static bool
is_read_only(const char *path)
{
	struct statvfs system;

	return statvfs(path, &system) == 0 && (system.f_flag & ST_RDONLY) != 0;
}

/* Root's deeds, and what root wants to know: nobody else has a say in these. */
static bool
is_trusted(const EsgRules *rules, const struct stat *st)
{
	return !(rules->user->is_other || geteuid() == 0) ||
		esg_key_mode_trusts(st->st_uid, rules->user->reader.uid);
}

bool
esg_rules_check_directory(const EsgRules *rules, const struct stat *st)
{
	unsigned	excess = esg_key_mode_directory_excess(st->st_mode);

	if (excess != 0 && !is_read_only(rules->directory))
	{
		esg_message_error("directory \"%s\" is writable by others: mode %04o", rules->directory,
						  (unsigned) st->st_mode & 07777);
		tell_chmod(st->st_mode & ~excess, rules->directory);
		return false;
	}
	return is_trusted(rules, st) ||
		esg_message_error("directory \"%s\" belongs to user ID %lu, neither root nor the "
						  "server's user \"%s\"; --user names another", rules->directory,
						  (unsigned long) st->st_uid, rules->user->name);
}

bool
esg_rules_check_owner(const EsgRules *rules, const char *suffix, const struct stat *st)
{
	return is_trusted(rules, st) ||
		esg_message_error("\"%s/%s%s\" belongs to user ID %lu, neither root nor the server's "
						  "user \"%s\"", rules->directory, rules->key_name, suffix,
						  (unsigned long) st->st_uid, rules->user->name);
}

static bool
check_mode(const EsgRules *rules, const char *path, const struct stat *st)
{
	EsgKeyRule	rule = {rules->user->reader.uid, rules->max_mode};
	unsigned	allowed = esg_key_mode_allowed(st->st_uid, &rule);

	switch (esg_secret_pair_check_mode(st->st_uid, st->st_mode, &rule))
	{
		case ESG_PAIR_WRONG_OWNER:
			return esg_message_error("\"%s\" belongs to user ID %lu, neither root nor user \"%s\"",
									 path, (unsigned long) st->st_uid, rules->user->name);
		case ESG_PAIR_TOO_OPEN:
			esg_message_error("\"%s\" has mode %04o, more than the %04o allowed", path,
							  (unsigned) st->st_mode & 07777, allowed);
			tell_chmod(st->st_mode & allowed ? st->st_mode & allowed : S_IRUSR, path);
			return false;
		default:
			return true;
	}
}

bool
esg_rules_check_file(const EsgRules *rules, const char *suffix)
{
	char		path[ESG_PAIR_PATH_SIZE];
	struct stat st;
	int			fd;
	bool		good = true;

	if (!make_path(rules, suffix, path))
		return false;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && (errno == EACCES || errno == EPERM))
	{
		int			error = errno;

		esg_message_error("user \"%s\" could not read \"%s\": %s", rules->user->name, path,
						  strerror(error));
		esg_rules_tell_remedy(rules, error);
		return false;
	}
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		good = check_mode(rules, path, &st);
	if (fd >= 0)
		close(fd);
	return good;
}
