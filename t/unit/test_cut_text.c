/* sources: x509/cut_text */
/*
 * test_cut_text.c
 *		Text cut to fit a buffer.
 */
#include <openssl/crypto.h>

#include "x509/cut_text.h"
#include "esg_test.h"

#define E_ACUTE "\xC3\xA9"
#define EURO "\xE2\x82\xAC"

typedef struct Case
{
	const char *text;
	const char *head;			/* of 8 bytes at most, the NUL included */
	const char *tail;
}			Case;

static const Case cases[] = {
	{"", "", ""},
	{"1234567", "1234567", "1234567"},
	{"12345678", "1234...", "...5678"},
	{"1234" E_ACUTE "5678", "1234...", "...5678"},
	{"123" E_ACUTE "4567", "123...", "...4567"},
	{"12" E_ACUTE E_ACUTE "567", "12" E_ACUTE "...", "...567"},
	{"1" EURO "4" EURO "8", "1" EURO "...", "..." EURO "8"},
	{"12" EURO "67" EURO, "12...", "...7" EURO},
	{"1234" EURO EURO, "1234...", "..." EURO},
	/* an escape is one character */
	{"12\\x0a5678", "12...", "...5678"},
	{"\\x0a\\u200b", "\\x0a...", "..."},
	{"1234\\\\\\\\", "1234...", "...\\\\\\\\"},
	{"12\\\\\\\\89", "12\\\\...", "...\\\\89"},
	{"12345678\\,\\\"", "1234...", "...\\,\\\""},
	/* no UTF-8: cut somewhere, never past the buffer */
	{"\x80\x80\x80\x80\x80\x80\x80\x80\x80", "...", "..."},
};

static void
test_copies(void)
{
	char		buf[8];
	size_t		i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		esg_cut_text_copy(buf, sizeof(buf), cases[i].text);
		is_text(buf, cases[i].head, "the beginning is kept");
		esg_cut_text_copy_end(buf, sizeof(buf), cases[i].text);
		is_text(buf, cases[i].tail, "the end is kept");
	}
}

static void
test_length(void)
{
	is_int(esg_cut_text_length(EURO EURO, 6, 6), 6, "all of it");
	is_int(esg_cut_text_length(EURO EURO, 6, 5), 3, "whole characters");
	is_int(esg_cut_text_length(EURO EURO, 6, 2), 0, "none is whole");
}

/* Quotes that the text cannot close, whatever it is. */
static void
test_quote(void)
{
	static const struct
	{
		const char *text;
		size_t		size;
		const char *want;
	}			quotes[] = {
		{"", 20, "\"\""},
		{"alice", 20, "\"alice\""},
		{"alice", 8, "\"alice\""},
		{"alice", 7, "\"a...\""},
		{"a\"b", 20, "\"a\\\"b\""},
		{"a\"b", 7, "\"a\\\"b\""},
		{"ab\"cd", 8, "\"ab...\""},
		/* escaped already, as in RFC 2253 text */
		{"a\\\"b", 20, "\"a\\\"b\""},
		{"a\\\\\"b", 20, "\"a\\\\\\\"b\""},
		{"1\\u200b\"", 20, "\"1\\u200b\\\"\""},
		{"1\\u200b\"", 10, "\"1...\""},
		{"1" EURO EURO, 10, "\"1" EURO EURO "\""},
		{"1" EURO EURO "x", 10, "\"1" EURO "...\""},
	};
	char		buf[20];
	size_t		i;

	for (i = 0; i < sizeof(quotes) / sizeof(quotes[0]); i++)
	{
		esg_cut_text_quote(buf, quotes[i].size, quotes[i].text);
		is_text(buf, quotes[i].want, quotes[i].text);
		ok(strlen(buf) < quotes[i].size, "it fits");
	}
}

static void
test_take(void)
{
	char		buf[8];

	esg_cut_text_take(buf, sizeof(buf), OPENSSL_strdup("123456789"));
	is_text(buf, "1234...", "a string of OpenSSL's");
	esg_cut_text_take(buf, sizeof(buf), NULL);
	is_text(buf, "", "NULL is empty");
}

int
main(void)
{
	test_copies();
	test_length();
	test_quote();
	test_take();
	return done();
}
