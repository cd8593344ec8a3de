/*
 * policy/hosts_line.c
 *		A line of pg_hosts.conf: its names, and what is shown to who asks for them.
 */
#include "policy/hosts_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MISSING "missing entry at end of line"
#define NOT_BOOLEAN "incorrect syntax for boolean value SSL_passphrase_cmd_reload"

bool
esg_hosts_line_is_general(const char *name)
{
	return strcmp(name, ESG_HOST_ANY) == 0 || strcmp(name, ESG_HOST_UNNAMED) == 0;
}

static bool
is_single(const EsgAuthField *field)
{
	return field->first == field->last;
}

/* Such a name stands alone. */
static const char *
check_names(const EsgAuthField *names)
{
	for (const EsgAuthWord *word = names->first; word != NULL && !is_single(names); word = word->next)
	{
		if (esg_hosts_line_is_general(word->text))
			return "default and non-SNI entries cannot be mixed with other entries";
	}
	return NULL;
}

/* The only word of the next field; *field is that one afterwards. */
static const char *
take_one(const EsgAuthField **field, const char **out, const char *fault)
{
	*field = (*field)->next;
	if (*field == NULL)
		return MISSING;
	if (!is_single(*field))
		return fault;
	*out = (*field)->first->text;
	return NULL;
}

/* As in settings: any beginning of a word that is that of no other. */
static bool
parse_boolean(const char *text, bool *value)
{
	static const struct
	{
		const char *word;
		size_t		least;
		bool		value;
	}			words[] = {
		{"true", 1, true}, {"false", 1, false}, {"yes", 1, true}, {"no", 1, false},
		{"on", 2, true}, {"off", 2, false}, {"1", 1, true}, {"0", 1, false}
	};
	size_t		len = strlen(text);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		if (len < words[i].least || strncasecmp(text, words[i].word, len) != 0)
			continue;
		*value = words[i].value;
		return true;
	}
	return false;
}

static const char *
parse_reload(const EsgAuthField *field, bool *value)
{
	if (field->next != NULL)
		return "extra fields at end of line";
	if (!is_single(field) || !parse_boolean(field->first->text, value))
		return NOT_BOOLEAN;
	return NULL;
}

/* CA, command and what is said of it; each may be left out with all that follow. */
static const char *
parse_optional(const EsgAuthField *field, EsgHostsLine *out)
{
	const char *fault = NULL;

	if (field->next != NULL)
		fault = take_one(&field, &out->ca, "multiple values specified for SSL CA");
	if (fault == NULL && field->next != NULL)
		fault = take_one(&field, &out->command, "multiple values specified for SSL passphrase command");
	if (fault == NULL && field->next != NULL)
		fault = parse_reload(field->next, &out->command_at_reload);
	return fault;
}

const char *
esg_hosts_line_parse(const EsgAuthField *first, EsgHostsLine *out)
{
	const EsgAuthField *field = first;
	const char *fault = check_names(first);

	memset(out, 0, sizeof(*out));
	out->names = first;
	out->cert = out->key = out->ca = out->command = "";
	if (fault == NULL)
		fault = take_one(&field, &out->cert, "multiple values specified for SSL certificate");
	if (fault == NULL)
		fault = take_one(&field, &out->key, "multiple values specified for SSL key");
	return fault != NULL ? fault : parse_optional(field, out);
}

/* ---- names that two lines have ---- */

static int
compare_names(const void *a, const void *b)
{
	const EsgHostName *first = a;
	const EsgHostName *second = b;
	int			order = strcasecmp(first->name, second->name);

	return order != 0 ? order : first->line - second->line;
}

const EsgHostName *
esg_hosts_line_find_double(EsgHostName *names, int count)
{
	if (count > 0)
		qsort(names, (size_t) count, sizeof(EsgHostName), compare_names);
	for (int i = 1; i < count; i++)
	{
		if (strcasecmp(names[i - 1].name, names[i].name) == 0)
			return &names[i];
	}
	return NULL;
}

void
esg_hosts_line_say_double(const EsgHostName *name, char *fault, size_t size)
{
	if (strcmp(name->name, ESG_HOST_ANY) == 0)
		snprintf(fault, size, "multiple default hosts specified");
	else if (strcmp(name->name, ESG_HOST_UNNAMED) == 0)
		snprintf(fault, size, "multiple no_sni hosts specified");
	else
		snprintf(fault, size, "multiple entries for host \"%s\" specified", name->name);
}

/* ---- lists of names ---- */

/* Thousands of hosts may share a certificate. */
const char *
esg_hosts_line_list_more(const char *list, const char *more)
{
	static const char end[] = "...";
	size_t		len = strlen(list);

	if (len < ESG_HOST_LIST_SIZE)
		return more;
	return strcmp(list + len - (sizeof(end) - 1), end) == 0 ? NULL : end;
}
