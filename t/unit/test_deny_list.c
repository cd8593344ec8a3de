/*
 * test_deny_list.c
 *		Deny-lists: what parses, where it fails, what they match.
 */
#include <stdlib.h>

#include "esg_test.h"
#include "policy/deny_list.h"

#define F64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define COLONS "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:" \
	"01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF"
#define N47 "12345678901234567890123456789012345678901234567"

#define MANY 10000

static const unsigned char f_digest[ESG_DIGEST_SIZE] = {
	0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
	0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef
};

/* want: the entries as they are kept */
static const struct
{
	const char *text;
	const char *want;
}			good[] = {
	{F64, F64},
	{" \t" COLONS "\n", F64},
	{A64 "," F64, F64 " " A64},
	{F64 " , " A64 "," COLONS, F64 " " A64},
	{"0a1b@" F64, "A1B@" F64},
	{"00:0A:1b@" COLONS, "A1B@" F64},
	{"-0A@" F64, "-A@" F64},
	{"00@" F64, "0@" F64},
	{"-00@" F64, "0@" F64},
	{"000" N47 "@" F64, N47 "@" F64},
	{"B@" A64 ",a@" F64 "," F64 ",0A@" F64 ",A@" A64, F64 " A@" F64 " A@" A64 " B@" A64},
};

static const struct
{
	const char *text;
	int			entry;
	int			position;
}			bad[] = {
	{",", 1, 1},
	{F64 ",", 2, 66},
	{F64 ", ," A64, 2, 67},
	{F64 "0", 1, 1},
	{"  x", 1, 3},
	{F64 ",  0123", 2, 68},
	{"@" F64, 1, 1},
	{"1@", 1, 1},
	{"-@" F64, 1, 1},
	{"1g@" F64, 1, 1},
	{":1@" F64, 1, 1},
	{"1:@" F64, 1, 1},
	{"1::2@" F64, 1, 1},
	{"1@ " F64, 1, 1},
	{"1 @" F64, 1, 1},
	{"1" N47 "@" F64, 1, 1},
	{"1@2@" F64, 1, 1},
	{F64 ";" A64, 1, 1},
};

/* NULL: it does not parse, and *error says why */
static EsgDenyList *
parse(const char *text, EsgDenyError *error)
{
	EsgDenyList *list = malloc(esg_deny_list_size(text));

	if (esg_deny_list_parse(text, list, error))
		return list;
	free(list);
	return NULL;
}

static void
test_good(void)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
	{
		EsgDenyError error;
		EsgDenyList *list = parse(good[i].text, &error);
		char		all[1024] = "";
		char		one[ESG_DENY_TEXT_SIZE];

		for (int n = 0; list != NULL && n < list->count; n++)
		{
			esg_deny_list_entry_text(&list->entries[n], one);
			strcat(all, n > 0 ? " " : "");
			strcat(all, one);
		}
		is_text(all, good[i].want, good[i].text);
		free(list);
	}
	is_int(esg_deny_list_size(""), 0, "nothing is an empty list");
	is_int(esg_deny_list_size(" \t\n"), 0, "and so are blanks");
}

static void
test_bad(void)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		EsgDenyError error;
		EsgDenyList *list = parse(bad[i].text, &error);

		ok(list == NULL && error.reason != NULL && error.entry == bad[i].entry &&
		   error.position == bad[i].position,
		   "\"%s\" is refused at %d, %d", bad[i].text, bad[i].entry, bad[i].position);
		free(list);
	}
}

static void
test_matches(void)
{
	EsgDenyError error;
	EsgDenyList *list = parse("AB@" F64 "," A64, &error);
	unsigned char a_digest[ESG_DIGEST_SIZE];
	unsigned char zero[ESG_DIGEST_SIZE] = {0};
	int			first;

	memset(a_digest, 0xaa, sizeof(a_digest));
	ok(esg_deny_list_matches(list, a_digest, "01", NULL), "by its fingerprint");
	ok(!esg_deny_list_matches(list, f_digest, "01", NULL), "an issuer's fingerprint is not its own");
	ok(esg_deny_list_matches(list, zero, "AB", f_digest), "by serial and issuer");
	ok(esg_deny_list_matches(list, zero, "00AB", f_digest), "with a zero before it");
	ok(!esg_deny_list_matches(list, zero, "AB", a_digest), "another issuer's certificate with that serial");
	ok(!esg_deny_list_matches(list, zero, "-AB", f_digest), "another sign");
	ok(!esg_deny_list_matches(list, zero, "AC", f_digest), "another serial");
	ok(!esg_deny_list_matches(list, zero, "", f_digest), "no serial");
	ok(!esg_deny_list_matches(list, zero, "AB", NULL), "the issuer is not known");
	ok(!esg_deny_list_matches(NULL, a_digest, "AB", f_digest), "no list");
	ok(esg_deny_list_has_serial(list, "AB"), "there is an entry with that serial");
	ok(!esg_deny_list_has_serial(list, "ABC"), "and none with another");
	ok(!esg_deny_list_has_serial(list, "12" N47), "nor with a longer one than there can be");
	free(list);
	list = parse("1@" A64 ",2@" A64 ",2@" F64 ",3@" A64, &error);
	is_int(esg_deny_list_serial_range(list, "02", &first), 3, "all with one serial: the last");
	is_int(first, 1, "and the first");
	is_int(esg_deny_list_serial_range(list, "04", &first), 0, "none");
	free(list);
	list = parse(A64, &error);
	ok(!esg_deny_list_has_serial(list, ""), "a fingerprint is no entry with an empty serial");
	free(list);
}

/* All of many are found, and none beside them. */
static void
test_many(void)
{
	char	   *text = malloc(MANY * 65 + 1);
	EsgDenyError error;
	EsgDenyList *list;
	int			found = 0;
	int			wrong = 0;

	for (int i = 0; i < MANY; i++)
		snprintf(text + i * 65, 66, "%064x,", (unsigned) (i * 7919 % MANY * 2));
	text[MANY * 65 - 1] = '\0';
	list = parse(text, &error);
	for (int i = 0; i < 2 * MANY; i++)
	{
		unsigned char digest[ESG_DIGEST_SIZE] = {0};
		bool		has;

		digest[30] = (unsigned char) (i >> 8);
		digest[31] = (unsigned char) i;
		has = esg_deny_list_find(list, NULL, digest) != NULL;
		found += has && i % 2 == 0;
		wrong += has && i % 2 != 0;
	}
	is_int(list->count, MANY, "all are kept");
	is_int(found, MANY, "all are found");
	is_int(wrong, 0, "and no others");
	free(list);
	free(text);
}

/* Where the list begins with the serial number that is asked for. */
static void
test_first(void)
{
	static const char text[] = "A@" F64 ",a@" A64 ",B@" F64;
	EsgDenyList *list = malloc(esg_deny_list_size(text));
	EsgDenyError error;
	int			first = -1;

	ok(esg_deny_list_parse(text, list, &error), "a list of serial numbers alone");
	is_int(esg_deny_list_serial_range(list, "0a", &first), 2, "the range ends");
	is_int(first, 0, "and begins at the first entry");
	is_int(esg_deny_list_serial_range(list, "B", &first), 3, "the next one ends with the list");
	is_int(first, 2, "and begins behind it");
	is_int(esg_deny_list_serial_range(NULL, "A", &first), 0, "no list has none");
	ok(!esg_deny_list_has_serial(NULL, "A"), "at all");
	free(list);
}

int
main(void)
{
	test_good();
	test_bad();
	test_matches();
	test_many();
	test_first();
	return done();
}
