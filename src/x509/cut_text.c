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

size_t
esg_cut_text_length(const char *str, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && is_continuation(str[max]))
		max--;
	return max;
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

	if (copy_whole(dst, size, str, &len))
		return;
	str += len - (size - 1 - ELLIPSIS_LENGTH);
	while (is_continuation(*str))
		str++;
	memcpy(dst, ELLIPSIS, ELLIPSIS_LENGTH);
	memcpy(dst + ELLIPSIS_LENGTH, str, strlen(str) + 1);
}

void
esg_cut_text_take(char *dst, size_t size, char *str)
{
	esg_cut_text_copy(dst, size, str ? str : "");
	OPENSSL_free(str);
}
