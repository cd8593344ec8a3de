/*
 * files/accounts.c
 *		Whose a file is: a stranger's name, and whether it is the system's.
 *
 * Programs that renew certificates often have accounts of their own, which the
 * distribution made: with numbers up to SYS_UID_MAX of login.defs(5).
 */
#include "files/accounts.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "files/content.h"

#define LOGIN_DEFS "/etc/login.defs"
#define LOGIN_DEFS_LIMIT (1 << 20)
#define USUAL_SYS_UID_MAX 999

/* Is the line "word number"?  Comments are not. */
static bool
parse_line(const char *line, size_t len, const char *word, unsigned long *number)
{
	char		copy[128];
	char		name[32];

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, line, len);
	copy[len] = '\0';
	return sscanf(copy, " %31s %lu", name, number) == 2 && strcmp(name, word) == 0;
}

/* The last of several counts, as it does for useradd. */
static bool
find_number(const EsgContent *content, const char *word, unsigned long *number)
{
	const char *line = content->data;
	const char *end = content->data + content->len;
	bool		found = false;
	unsigned long value;

	while (line < end)
	{
		const char *newline = memchr(line, '\n', end - line);
		size_t		len = (newline != NULL ? newline : end) - line;

		if (parse_line(line, len, word, &value))
		{
			*number = value;
			found = true;
		}
		line += len + 1;
	}
	return found;
}

static unsigned long
read_sys_uid_max(void)
{
	unsigned long number = USUAL_SYS_UID_MAX;
	EsgFileFacts facts;
	EsgContent	content;

	if (!esg_content_read(LOGIN_DEFS, LOGIN_DEFS_LIMIT, &facts, &content))
		return number;
	/* without a word about them they end where users begin */
	if (!find_number(&content, "SYS_UID_MAX", &number) &&
		find_number(&content, "UID_MIN", &number) && number > 0)
		number--;
	esg_content_release(&content);
	return number;
}

/* Of a stranger, who is never root.  Read once per process. */
static bool
is_system(uid_t uid)
{
	static bool known = false;
	static unsigned long sys_uid_max;

	if (!known)
		sys_uid_max = read_sys_uid_max();
	known = true;
	return uid <= sys_uid_max;
}

void
esg_accounts_know_owner(EsgFileFacts *facts, const EsgPolicy *policy)
{
	const struct passwd *found;

	if (!facts->exists || !esg_policy_file_is_strange(facts, policy))
		return;
	facts->system_owner = is_system(facts->uid);
	found = getpwuid(facts->uid);
	if (found != NULL && strlen(found->pw_name) < sizeof(facts->owner_name))
		OPENSSL_strlcpy(facts->owner_name, found->pw_name, sizeof(facts->owner_name));
}

/* The number, where there is no name. */
static const char *
show_number(unsigned long number)
{
	static char text[24];

	snprintf(text, sizeof(text), "%lu", number);
	return text;
}

const char *
esg_accounts_owner_name(uid_t uid)
{
	const struct passwd *found = getpwuid(uid);

	return found != NULL ? found->pw_name : show_number(uid);
}

const char *
esg_accounts_group_name(gid_t gid)
{
	const struct group *found = getgrgid(gid);

	return found != NULL ? found->gr_name : show_number(gid);
}
