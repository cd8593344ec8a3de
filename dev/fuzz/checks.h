/*
 * checks.h
 *		What several fuzzers demand: a condition, and texts that can be shown.
 */
#ifndef CHECKS_H
#define CHECKS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "x509/unicode.h"

/* or the fuzzer has found something */
#define must(condition) must_at((condition) != 0, #condition, __FILE__, __LINE__)

__attribute__((unused))
static void
must_at(int holds, const char *condition, const char *file, int line)
{
	const char *name = strrchr(file, '/');

	if (holds)
		return;
	fprintf(stderr, "ERROR: %s:%d: not so: %s\n", name != NULL ? name + 1 : file, line, condition);
	abort();
}

/* what the fuzzer gave as a text that ends */
__attribute__((unused))
static char *
copy_text(const uint8_t *data, size_t size)
{
	char	   *text = malloc(size + 1);

	must(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* length of the UTF-8 character at p, which must be none that confuses */
__attribute__((unused))
static size_t
check_char(const unsigned char *p)
{
	size_t		len = p[0] < 0x80 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
	uint32_t	code = len == 1 ? p[0] : p[0] & (0x7F >> len);
	size_t		i;

	must((p[0] < 0x80 || p[0] >= 0xC2) && p[0] < 0xF5);
	for (i = 1; i < len; i++)
	{
		must((p[i] & 0xC0) == 0x80);
		code = code << 6 | (p[i] & 0x3F);
	}
	must(!esg_unicode_is_hidden(code));
	return len;
}

/* length of what the character at exact is shown as at shown; *len is its own */
__attribute__((unused))
static size_t
check_shown(const char *shown, const char *exact, size_t *len)
{
	unsigned long code = 0;
	unsigned	lead = (unsigned char) *exact;
	size_t		i;
	char		digits[9] = "";

	*len = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
	if (shown[0] != '\\')
	{
		must(memcmp(shown, exact, *len) == 0);
		return *len;
	}
	if (shown[1] == '\\')
	{
		must(lead == '\\');
		return 2;
	}
	/* what is compared has characters alone, of which \\x is none but U+007F */
	must(shown[1] == 'u' || shown[1] == 'U');
	memcpy(digits, shown + 2, shown[1] == 'u' ? 4 : 8);
	for (i = 0; i < *len; i++)
		code = i == 0 ? lead & (0x7F >> *len) : code << 6 | ((unsigned char) exact[i] & 0x3F);
	must(strtoul(digits, NULL, 16) == code);
	return 2 + strlen(digits);
}

__attribute__((unused))
static void
check_exact(const char *shown, const char *exact)
{
	size_t		len;

	must(exact[0] != '\0');
	while (*exact != '\0')
	{
		shown += check_shown(shown, exact, &len);
		exact += len;
	}
	must(*shown == '\0');
}

__attribute__((unused))
static void
check_text(char *text)
{
	const unsigned char *p = (const unsigned char *) text;

	must(text != NULL);
	while (*p)
		p += check_char(p);
	OPENSSL_free(text);
}

#endif							/* CHECKS_H */
