/*
 * policy/setting_text.c
 *		What stands in settings: lists, modes, spans of time.
 */
#include "policy/setting_text.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\n\r\f\v"

const char *
esg_setting_text_trim(const char *token, size_t *len)
{
	while (*len > 0 && isspace((unsigned char) token[0]))
	{
		token++;
		(*len)--;
	}
	while (*len > 0 && isspace((unsigned char) token[*len - 1]))
		(*len)--;
	return token;
}

bool
esg_setting_text_is_blank(const char *text)
{
	return text[strspn(text, BLANKS)] == '\0';
}

bool
esg_setting_text_next(const char **rest, const char **item, size_t *len)
{
	const char *start = *rest;
	const char *comma;

	if (start == NULL)
		return false;
	comma = strchr(start, ',');
	*len = comma ? (size_t) (comma - start) : strlen(start);
	*rest = comma ? comma + 1 : NULL;
	*item = esg_setting_text_trim(start, len);
	return true;
}

bool
esg_setting_text_lower(const char *word, size_t len, char *lower, size_t size)
{
	if (len >= size)
		return false;
	for (size_t i = 0; i < len; i++)
		lower[i] = word[i] >= 'A' && word[i] <= 'Z' ? (char) (word[i] - 'A' + 'a') : word[i];
	lower[len] = '\0';
	return true;
}

/* ---- finding_overrides ---- */

static bool refuse(EsgSettingFault *fault, const char *fmt,...)
			__attribute__((format(printf, 2, 3)));

static bool
refuse(EsgSettingFault *fault, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	(void) vsnprintf(fault->detail, sizeof(fault->detail), fmt, args);
	va_end(args);
	return false;
}

/* A severity as finding_overrides takes it, in any case; ESG_OK for "off". */
static bool
parse_severity(const char *name, size_t len, EsgSeverity *out)
{
	char		lower[16];

	if (!esg_setting_text_lower(name, len, lower, sizeof(lower)))
		return false;
	*out = ESG_OK;
	if (strcmp(lower, "off") == 0)
		return true;
	return esg_findings_severity_parse(lower, len, out) && *out != ESG_OK;
}

/* One "code=severity". */
static bool
parse_override(const char *item, size_t len, signed char *overrides, EsgSettingFault *fault)
{
	const char *equals = memchr(item, '=', len);
	size_t		name_len = equals != NULL ? (size_t) (equals - item) : 0;
	const char *name = esg_setting_text_trim(item, &name_len);
	size_t		value_len = equals != NULL ? len - (size_t) (equals + 1 - item) : 0;
	const char *value;
	const EsgFindingDef *def;
	EsgSeverity severity = ESG_OK;

	if (equals == NULL)
		return refuse(fault, "\"%.*s\" is not of the form code=severity.", (int) len, item);
	value = esg_setting_text_trim(equals + 1, &value_len);
	def = esg_findings_lookup(name, name_len);
	if (def == NULL)
		return refuse(fault, "Unknown finding code \"%.*s\".", (int) name_len, name);
	if (overrides[def->code] >= 0)
		return refuse(fault, "Finding code \"%s\" is listed more than once.", def->name);
	if (!parse_severity(value, value_len, &severity))
	{
		fault->hint = "Valid values are \"off\", \"notice\", \"warning\" and \"critical\".";
		return refuse(fault, "Unknown severity \"%.*s\" of finding code \"%s\".", (int) value_len, value, def->name);
	}
	overrides[def->code] = (signed char) severity;
	return true;
}

bool
esg_setting_text_overrides(const char *list, signed char *overrides, EsgSettingFault *fault)
{
	const char *rest = esg_setting_text_is_blank(list) ? NULL : list;
	const char *item;
	size_t		len;

	memset(fault, 0, sizeof(*fault));
	memset(overrides, -1, sizeof(EsgOverrides));
	while (esg_setting_text_next(&rest, &item, &len))
	{
		if (!parse_override(item, len, overrides, fault))
			return false;
	}
	return true;
}

/* ---- lists of files ---- */

/* What is built; what does not fit is cut. */
typedef struct Item
{
	char	   *text;
	size_t		size;
	size_t		len;			/* of all of it */
} Item;

static void
append_char(Item *item, char c)
{
	if (item->len + 1 < item->size)
		item->text[item->len] = c;
	item->len++;
}

/* From behind the first quote to behind the blanks after the last; two stand for one inside. */
static const char *
read_quoted(const char *p, Item *item, bool *valid)
{
	while (*p != '\0')
	{
		if (*p == '"' && *++p != '"')
			return p + strspn(p, BLANKS);
		append_char(item, *p++);
	}
	*valid = false;
	return p;
}

/* To the comma, without blanks at the end. */
static const char *
read_unquoted(const char *p, Item *item)
{
	size_t		rest = strcspn(p, ",");
	size_t		len = rest;

	(void) esg_setting_text_trim(p, &len);
	for (size_t i = 0; i < len; i++)
		append_char(item, p[i]);
	return p + rest;
}

EsgFileKind
esg_setting_text_take_kind(const char **path)
{
	static const struct
	{
		const char *word;
		EsgFileKind kind;
	}			words[] = {
		{"server:", ESG_FILE_CERTIFICATE},
		{"client:", ESG_FILE_CLIENT},
		{"ca:", ESG_FILE_CA},
		{"crl:", ESG_FILE_CRL},
		{"key:", ESG_FILE_KEY},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		size_t		len = strlen(words[i].word);

		if (strncmp(*path, words[i].word, len) == 0)
		{
			*path += len;
			*path += strspn(*path, BLANKS);
			return words[i].kind;
		}
	}
	return ESG_FILE_EXTRA;
}

bool
esg_setting_text_next_path(const char **rest, char *path, size_t size)
{
	const char *p = *rest + strspn(*rest, BLANKS);
	Item		item = {path, size, 0};
	bool		valid = true;

	if (*p == '"')
		p = read_quoted(p + 1, &item, &valid);
	else
		p = read_unquoted(p, &item);
	path[item.len < size ? item.len : size - 1] = '\0';
	*rest = *p == ',' ? p + 1 : NULL;
	return valid && item.len > 0 && (*p == '\0' || *p == ',');
}

/* ---- numbers ---- */

bool
esg_setting_text_mode(const char *text, unsigned *mode)
{
	size_t		len = strlen(text);
	const char *digits = esg_setting_text_trim(text, &len);

	*mode = 0;
	if (len == 0 || len > 5 || strspn(digits, "01234567") < len)
		return false;
	for (size_t i = 0; i < len; i++)
		*mode = *mode * 8 + (unsigned) (digits[i] - '0');
	return *mode <= 0777;
}

bool
esg_setting_text_number(const char *text, int64_t *number)
{
	char	   *end;

	errno = 0;
	*number = strtoll(text, &end, 0);
	return end != text && errno == 0 && esg_setting_text_is_blank(end);
}

/* Seconds of a unit; 0: there is none of that name. */
static double
unit_seconds(const char *name, size_t len)
{
	static const struct
	{
		const char *name;
		double		seconds;
	}			units[] = {{"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};

	if (len == 0)
		return 1;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
	{
		if (strlen(units[i].name) == len && strncmp(units[i].name, name, len) == 0)
			return units[i].seconds;
	}
	return 0;
}

bool
esg_setting_text_seconds(const char *text, int64_t *seconds)
{
	char	   *end;
	double		number;
	double		unit;
	size_t		len;
	const char *name;

	errno = 0;
	number = strtod(text, &end);
	len = strlen(end);
	name = esg_setting_text_trim(end, &len);
	unit = unit_seconds(name, len);
	if (end == text || errno != 0 || unit == 0 || !(number >= 0 && number * unit < 1e15))
		return false;
	*seconds = (int64_t) (number * unit + 0.5);
	return true;
}
