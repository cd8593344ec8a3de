/*
 * policy/hba_map.c
 *		Whom a line of pg_ident.conf lets be somebody else.
 */
#include <string.h>

#include "policy/hba_map.h"

/* Behind groups that are opened, and options: "(?i)((" */
static const char *
skip_opening(const char *at, const char *end)
{
	while (at < end && *at == '(')
	{
		const char *close;

		at++;
		if (at == end || *at != '?')
			continue;
		if (at + 1 < end && at[1] == ':')
		{
			at += 2;
			continue;
		}
		/* options, or a constraint, which nobody can judge here */
		close = memchr(at, ')', end - at);
		at = close != NULL ? close + 1 : end;
	}
	return at;
}

static bool
is_escaped(const char *begin, const char *at)
{
	int			backslashes = 0;

	while (at > begin && *--at == '\\')
		backslashes++;
	return backslashes % 2 == 1;
}

static bool
begins_anchored(const char *begin, const char *end)
{
	const char *at = skip_opening(begin, end);

	return at < end && (*at == '^' || (end - at >= 2 && at[0] == '\\' && at[1] == 'A'));
}

static bool
ends_anchored(const char *begin, const char *end)
{
	while (end > begin && end[-1] == ')' && !is_escaped(begin, end - 1))
		end--;
	if (end > begin && end[-1] == '$')
		return !is_escaped(begin, end - 1);
	return end - begin >= 2 && end[-1] == 'Z' && is_escaped(begin, end - 1);
}

/* The end of an alternative that no parenthesis or bracket holds. */
static const char *
find_branch_end(const char *at)
{
	int			depth = 0;
	bool		in_bracket = false;

	for (; *at != '\0'; at++)
	{
		if (*at == '\\' && at[1] != '\0')
			at++;
		else if (*at == '[' || *at == ']')
			in_bracket = *at == '[';
		else if (!in_bracket && (*at == '(' || *at == ')'))
			depth += *at == '(' ? 1 : -1;
		else if (!in_bracket && *at == '|' && depth == 0)
			break;
	}
	return at;
}

/* Of every alternative at both ends. */
static bool
is_anchored(const char *regex)
{
	/* a director, after which other rules hold */
	if (strncmp(regex, "***", 3) == 0)
		return true;
	for (const char *begin = regex;;)
	{
		const char *end = find_branch_end(begin);

		if (!begins_anchored(begin, end) || !ends_anchored(begin, end))
			return false;
		if (*end == '\0')
			return true;
		begin = end + 1;
	}
}

/* One of the ways to write "anything". */
static bool
accepts_anything(const char *regex)
{
	static const char *const wide[] = {".*", ".+", "^.*$", "^.+$", "^(.*)$", "^(.+)$", "(.*)", "(.+)"};

	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
	{
		if (strcmp(regex, wide[i]) == 0)
			return true;
	}
	return false;
}

bool
esg_hba_map_is_loose(const char *system_user, const EsgHbaMapRole *role)
{
	if (role->is_all)
		return true;
	if (role->is_regex && (accepts_anything(role->text + 1) || !is_anchored(role->text + 1)))
		return true;
	if (system_user[0] != '/')
		return false;
	if (!is_anchored(system_user + 1))
		return true;
	/* with \1 each is himself */
	return accepts_anything(system_user + 1) && strstr(role->text, "\\1") == NULL;
}
