/*
 * x509/cut_text.c
 *		Text that must fit a buffer: cut at a character, with "...".
 */
#include "x509/cut_text.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/crypto.h>

#define ELLIPSIS "..."
#define ELLIPSIS_LENGTH (sizeof(ELLIPSIS) - 1)

/* RFC 3629: neither ASCII nor the first byte of a character */
static bool
is_continuation(char c)
{
	return ((unsigned char) c & 0xC0) == 0x80;
}

/* Bytes of the escape that str, which has len, begins with. */
static size_t
escape_length(const char *str, size_t len)
{
	if (len < 2)
		return len;
	switch (str[1])
	{
		case 'x':
			return len < 4 ? len : 4;
		case 'u':
			return len < 6 ? len : 6;
		case 'U':
			return len < 10 ? len : 10;
		default:
			return 2;
	}
}

/* Bytes of the character that str begins with, an escape being one. */
static size_t
unit_length(const char *str, size_t len)
{
	size_t		unit = str[0] == '\\' ? escape_length(str, len) : 1;

	while (unit < len && is_continuation(str[unit]))
		unit++;
	return unit;
}

size_t
esg_cut_text_length(const char *str, size_t len, size_t max)
{
	size_t		used = 0;

	if (len <= max)
		return len;
	while (used + unit_length(str + used, len - used) <= max)
		used += unit_length(str + used, len - used);
	return used;
}

/* True if there is room for all of it. */
static bool
copy_whole(char *dst, size_t size, const char *str, size_t *len)
{
	*len = strlen(str);
	if (*len < size)
		memcpy(dst, str, *len + 1);
	return *len < size;
}

void
esg_cut_text_copy(char *dst, size_t size, const char *str)
{
	size_t		len;

	if (copy_whole(dst, size, str, &len))
		return;
	len = esg_cut_text_length(str, len, size - 1 - ELLIPSIS_LENGTH);
	memcpy(dst, str, len);
	memcpy(dst + len, ELLIPSIS, sizeof(ELLIPSIS));
}

void
esg_cut_text_copy_end(char *dst, size_t size, const char *str)
{
	size_t		len;
	size_t		skip = 0;

	if (copy_whole(dst, size, str, &len))
		return;
	while (len - skip > size - 1 - ELLIPSIS_LENGTH)
		skip += unit_length(str + skip, len - skip);
	memcpy(dst, ELLIPSIS, ELLIPSIS_LENGTH);
	memcpy(dst + ELLIPSIS_LENGTH, str + skip, len - skip + 1);
}

void
esg_cut_text_take(char *dst, size_t size, char *str)
{
	esg_cut_text_copy(dst, size, str ? str : "");
	OPENSSL_free(str);
}

/* Appends str inside of quotes, as far as it fits limit; returns what it has not taken. */
static const char *
append_inside(char *dst, size_t *used, size_t limit, const char *str)
{
	size_t		len = strlen(str);

	while (len > 0)
	{
		size_t		unit = unit_length(str, len);
		size_t		escape = *str == '"' ? 1 : 0;

		if (*used + escape + unit > limit)
			break;
		if (escape)
			dst[(*used)++] = '\\';
		memcpy(dst + *used, str, unit);
		*used += unit;
		str += unit;
		len -= unit;
	}
	return str;
}

void
esg_cut_text_quote(char *dst, size_t size, const char *str)
{
	size_t		limit = size - sizeof("\"");
	size_t		used = 0;
	size_t		fits;
	const char *rest;

	dst[used++] = '"';
	rest = append_inside(dst, &used, limit, str);
	if (*rest != '\0')
	{
		/* again, with room for the dots */
		used = 1;
		fits = limit > ELLIPSIS_LENGTH ? limit - ELLIPSIS_LENGTH : 0;
		(void) append_inside(dst, &used, fits, str);
		memcpy(dst + used, ELLIPSIS, ELLIPSIS_LENGTH);
		used += ELLIPSIS_LENGTH;
	}
	memcpy(dst + used, "\"", sizeof("\""));
}
