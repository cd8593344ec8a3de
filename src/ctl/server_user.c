/*
 * ctl/server_user.c
 *		Whose eyes count: those of the user that the server runs as.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* setresuid */
#endif

#include "ctl/server_user.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/data_directory.h"
#include "ctl/memory.h"
#include "ctl/message.h"

#define DEFAULT_USER "postgres"
#define CLIENT_KEY "client.key"

/* An account, with its groups. */
static bool
take_account(const struct passwd *account, EsgServerUser *out)
{
	EsgReader  *reader = &out->reader;

	if (strlen(account->pw_name) >= sizeof(out->name))
		return esg_message_error("the name of user %lu is too long", (unsigned long) account->pw_uid);
	snprintf(out->name, sizeof(out->name), "%s", account->pw_name);
	reader->uid = account->pw_uid;
	reader->gid = account->pw_gid;
	reader->group_count = ESG_READER_GROUPS;
	if (getgrouplist(account->pw_name, account->pw_gid, reader->groups, &reader->group_count) < 0)
		return esg_message_error("user \"%s\" is in more than %d groups", out->name, ESG_READER_GROUPS);
	return true;
}

/* Not every user has an account, in containers; the group has the same number as a rule. */
static bool
take_number(uid_t uid, EsgServerUser *out)
{
	const struct passwd *account = getpwuid(uid);

	if (account)
		return take_account(account, out);
	snprintf(out->name, sizeof(out->name), "%lu", (unsigned long) uid);
	out->reader.uid = uid;
	out->reader.gid = (gid_t) uid;
	out->reader.group_count = 0;
	return true;
}

static bool
take_wanted(const char *wanted, EsgServerUser *out)
{
	const struct passwd *account = getpwnam(wanted);
	char	   *end;
	unsigned long number;

	if (account)
		return take_account(account, out);
	errno = 0;
	number = strtoul(wanted, &end, 10);
	if (wanted[0] < '0' || wanted[0] > '9' || *end != '\0' || errno != 0 ||
		number >= (uid_t) -1)
		return esg_message_error("there is no user \"%s\"", wanted);
	return take_number((uid_t) number, out);
}

/* The owner of the data directory that path is in; PostgreSQL has none that is root's. */
static bool
find_owner_around(const char *path, uid_t *owner)
{
	char		found[PATH_MAX];
	struct stat st;

	if (!esg_data_directory_find(path, found) || stat(found, &st) != 0 || st.st_uid == 0)
		return false;
	*owner = st.st_uid;
	return true;
}

/* Where directory, or the key that a link in there leads to, belongs to a data directory. */
static bool
find_data_owner(const char *directory, const char *key_name, uid_t *owner)
{
	char		key[PATH_MAX];

	return find_owner_around(directory, owner) ||
		(snprintf(key, sizeof(key), "%s/%s", directory, key_name) < (int) sizeof(key) &&
		 find_owner_around(key, owner));
}

static bool
find_key_owner(const char *directory, const char *key_name, uid_t *owner)
{
	char		key[PATH_MAX];
	struct stat st;

	if (snprintf(key, sizeof(key), "%s/%s", directory, key_name) >= (int) sizeof(key) ||
		stat(key, &st) != 0 || st.st_uid == 0)
		return false;
	*owner = st.st_uid;
	return true;
}

/* For root, who did not say. */
static bool
guess(const char *directory, const char *key_name, EsgServerUser *out)
{
	const struct passwd *account;
	uid_t		owner;

	if ((strcmp(key_name, CLIENT_KEY) == 0 && find_key_owner(directory, key_name, &owner)) ||
		find_data_owner(directory, key_name, &owner))
		return take_number(owner, out);
	account = getpwnam(DEFAULT_USER);
	if (account)
		return take_account(account, out);
	if (find_key_owner(directory, key_name, &owner))
		return take_number(owner, out);
	return esg_message_error("nobody knows whose server \"%s\" is for: name its user with --user",
							 directory);
}

bool
esg_server_user_find(const char *wanted, const char *directory, const char *key_name,
					 EsgServerUser *out)
{
	uid_t		me = geteuid();

	memset(out, 0, sizeof(*out));
	if (!(wanted ? take_wanted(wanted, out) :
		  me == 0 ? guess(directory, key_name, out) : take_number(me, out)))
		return false;
	out->is_other = out->reader.uid != me;
	if (out->is_other && me != 0)
		return esg_message_error("only root can look with the eyes of user \"%s\"", out->name);
	/* whatever the lists of accounts say, this is what the kernel goes by */
	if (!out->is_other)
		esg_access_reader_self(&out->reader);
	return true;
}

bool
esg_server_user_become(const EsgServerUser *user)
{
	const EsgReader *reader = &user->reader;

	if (!user->is_other)
		return true;
	if (setgroups((size_t) reader->group_count, reader->groups) != 0 ||
		setresgid(reader->gid, reader->gid, reader->gid) != 0 ||
		setresuid(reader->uid, reader->uid, reader->uid) != 0)
		return esg_message_error("could not become user \"%s\": %s", user->name, strerror(errno));
	esg_memory_protect_again();
	return true;
}

bool
esg_server_user_try(const EsgServerUser *user, bool (*work) (const void *arg), const void *arg)
{
	pid_t		pid;
	int			status = 0;

	if (!user->is_other)
		return work(arg);
	pid = fork();
	if (pid < 0)
		return esg_message_error("could not fork: %s", strerror(errno));
	if (pid == 0)
		_exit(esg_server_user_become(user) && work(arg) ? EXIT_SUCCESS : EXIT_FAILURE);
	while (waitpid(pid, &status, 0) < 0)
	{
		if (errno != EINTR)
			return esg_message_error("could not wait for a process: %s", strerror(errno));
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == EXIT_SUCCESS;
	return esg_message_error("the process that looked as user \"%s\" was ended by signal %d",
							 user->name, WTERMSIG(status));
}
