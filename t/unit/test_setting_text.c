/* sources: policy/setting_text policy/findings x509/cut_text */
/*
 * test_setting_text.c
 *		What stands in settings: spans, modes, numbers, lists.
 *
 * The values are those that a server takes, with what it makes of them
 * ("SHOW", in seconds), and such as it refuses.
 */
#include "esg_test.h"
#include "policy/setting_text.h"

static void
test_seconds(void)
{
	static const struct
	{
		const char *text;
		bool		taken;
		int64_t		seconds;
	}			cases[] = {
		{"90d", true, 90 * 86400}, {"7 d", true, 7 * 86400}, {"36h", true, 36 * 3600}, {"5min", true, 300},
		{"10", true, 10}, {"10s", true, 10}, {" 10s ", true, 10}, {"1500ms", true, 2}, {"1.5h", true, 5400},
		{"0", true, 0}, {"", false, 0}, {"d", false, 0}, {"90 days", false, 0}, {"90D", false, 0},
		{"1e300", false, 0}, {"nan", false, 0}, {"-1", false, 0}, {"1d1", false, 0}
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		int64_t		seconds = 0;

		is_int(esg_setting_text_seconds(cases[i].text, &seconds), cases[i].taken, cases[i].text);
		if (cases[i].taken)
			is_int(seconds, cases[i].seconds, cases[i].text);
	}
}

static void
test_mode(void)
{
	static const struct
	{
		const char *text;
		int			mode;		/* -1: refused */
	}			cases[] = {
		{"0644", 0644}, {"644", 0644}, {"00600", 0600}, {" 0400 ", 0400}, {"0", 0}, {"777", 0777},
		{"1777", -1}, {"0800", -1}, {"", -1}, {"rw", -1}, {"0x1ff", -1}, {"-1", -1}, {"000600", -1}
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		unsigned	mode;
		bool		taken = esg_setting_text_mode(cases[i].text, &mode);

		is_int(taken ? (int) mode : -1, cases[i].mode, cases[i].text);
	}
}

static void
test_number(void)
{
	int64_t		number;

	ok(esg_setting_text_number("112", &number) && number == 112, "a number");
	ok(esg_setting_text_number(" 0x10 ", &number) && number == 16, "as PostgreSQL takes it in hexadecimal");
	ok(!esg_setting_text_number("", &number), "nothing is none");
	ok(!esg_setting_text_number("12x", &number), "with a letter it is none");
	ok(!esg_setting_text_number("99999999999999999999", &number), "nor is one that is too large");
}

static void
test_overrides(void)
{
	EsgOverrides overrides;
	EsgSettingFault fault;

	ok(esg_setting_text_overrides("", overrides, &fault), "no overrides");
	is_int(overrides[ESG_EXPIRED], -1, "leave all as it is");
	ok(esg_setting_text_overrides(" expired = NOTICE, odd_serial=off", overrides, &fault), "two");
	is_int(overrides[ESG_EXPIRED], ESG_NOTICE, "in any case");
	is_int(overrides[ESG_ODD_SERIAL], ESG_OK, "off");
	ok(!esg_setting_text_overrides("expired", overrides, &fault), "no severity");
	is_text(fault.detail, "\"expired\" is not of the form code=severity.", "is said");
	ok(!esg_setting_text_overrides("no_such=off", overrides, &fault), "no such code");
	is_text(fault.detail, "Unknown finding code \"no_such\".", "is said");
	ok(!esg_setting_text_overrides("expired=off,expired=notice", overrides, &fault), "twice");
	ok(!esg_setting_text_overrides("expired=ok", overrides, &fault) && fault.hint != NULL, "not a severity, with a hint");
	ok(!esg_setting_text_overrides("expired=criticalcritical", overrides, &fault), "a word that is longer than any");
	is_text(fault.detail, "Unknown severity \"criticalcritical\" of finding code \"expired\".", "is said");
	ok(!esg_setting_text_overrides("expired=off,", overrides, &fault), "an empty item");
}

static void
test_paths(void)
{
	const char *rest = " /a , \"client: /b, \"\"c\"\"\",ca:/d";
	const char *path;
	char		item[64];
	char		small[4];

	ok(esg_setting_text_next_path(&rest, item, sizeof(item)), "the first");
	is_text(item, "/a", "without blanks");
	ok(esg_setting_text_next_path(&rest, item, sizeof(item)), "the second");
	path = item;
	is_int(esg_setting_text_take_kind(&path), ESG_FILE_CLIENT, "is a client's");
	is_text(path, "/b, \"c\"", "in quotes");
	ok(esg_setting_text_next_path(&rest, item, sizeof(item)) && rest == NULL, "the last");
	path = item;
	is_int(esg_setting_text_take_kind(&path), ESG_FILE_CA, "is of CAs");
	rest = "\"open";
	ok(!esg_setting_text_next_path(&rest, item, sizeof(item)), "a quote that does not end");
	rest = "/a,,/b";
	ok(esg_setting_text_next_path(&rest, item, sizeof(item)), "before an empty one");
	ok(!esg_setting_text_next_path(&rest, item, sizeof(item)), "an empty one");
	rest = "/longer";
	ok(esg_setting_text_next_path(&rest, small, sizeof(small)), "one that is too long");
	is_text(small, "/lo", "is cut");
}

int
main(void)
{
	test_seconds();
	test_mode();
	test_number();
	test_overrides();
	test_paths();
	return done();
}
