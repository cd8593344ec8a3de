/* sources: policy/auth_text policy/hosts_line */
/*
 * test_hosts_line.c
 *		Lines and words as PostgreSQL reads them, and those of pg_hosts.conf.
 */
#include <stdlib.h>

#include "esg_test.h"
#include "policy/auth_text.h"
#include "policy/hosts_line.h"

/* ---- lines ---- */

/* "1:first|3:second" */
static void
print_lines(const char *data, size_t len, char *out, size_t size)
{
	EsgAuthText text = {data, len, 0, 0};
	char		line[256];
	int			number;

	out[0] = '\0';
	while (esg_auth_text_line(&text, line, &number))
		snprintf(out + strlen(out), size - strlen(out), "%s%d:%s", out[0] != '\0' ? "|" : "", number, line);
}

static void
test_lines(void)
{
	static const struct
	{
		const char *text;
		const char *lines;
	}			cases[] = {
		{"", ""}, {"a", "1:a"}, {"a\n", "1:a"}, {"a\n\nb\n", "1:a|2:|3:b"}, {"a\r\nb", "1:a|2:b"},
		{"a\\\nb\nc", "1:ab|3:c"}, {"a\\\r\nb", "1:ab"}, {"a\\", "1:a"}, {"a\\\n", "1:a"},
		{"a\\\\\n\nb", "1:a\\|3:b"}, {"\\\n\\\nx", "1:x"}, {"a\\ \nb", "1:a\\ |2:b"}, {"# a\\\nb\nc", "1:# ab|3:c"}
	};
	char		found[1024];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		print_lines(cases[i].text, strlen(cases[i].text), found, sizeof(found));
		is_text(found, cases[i].lines, "lines");
	}
	print_lines("a\0x\nb\nc", 7, found, sizeof(found));
	is_text(found, "1:ab|2:c", "a NUL hides the rest of its line, and the end");
}

/* ---- words ---- */

/* <word>, with ' behind what was quoted and + behind what goes on */
static void
print_words(const char *line, char *out, size_t size)
{
	char		word[256];
	EsgAuthToken token = {.text = word};

	out[0] = '\0';
	while (esg_auth_text_word(&line, &token))
		snprintf(out + strlen(out), size - strlen(out), "<%s>%s%s", word, token.quoted ? "'" : "", token.more ? "+" : "");
}

static void
test_words(void)
{
	static const struct
	{
		const char *line;
		const char *words;
	}			cases[] = {
		{"", ""}, {"  \t\r", ""}, {"a b\tc", "<a><b><c>"}, {"a,b c", "<a>+<b><c>"}, {"a, b c", "<a>+<b><c>"},
		{",, a", "<a>"}, {"a,", "<a>+"}, {"a,,b", "<a>+<b>"}, {"a # b", "<a>"}, {"a#b c", "<a>"}, {"#a", ""}, {"# \"", ""},
		{"\"a b\" c", "<a b>'<c>"}, {"\"a#b\"", "<a#b>'"}, {"\"a,b\",c", "<a,b>'+<c>"}, {"\"\" b", "<>'<b>"},
		{"\"a\"\"b\"", "<a\"b>'"}, {"\"\"\"\"", "<\">'"}, {"a\"b c\"d", "<ab cd>"}, {"@\"a b\"", "<@a b>"}, {"\"@a\"", "<@a>'"},
		{"\"open b", "<open b>'"}, {"\"\"a", "<a>'"}, {"a\"", "<a>"}, {"\"a\"b\"c\"", "<abc>'"}
	};
	char		found[1024];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		print_words(cases[i].line, found, sizeof(found));
		is_text(found, cases[i].words, cases[i].line);
	}
}

/* ---- a line of hosts ---- */

#define MAX_WORDS 16

typedef struct Fields
{
	EsgAuthField fields[MAX_WORDS];
	EsgAuthWord words[MAX_WORDS];
	char		texts[MAX_WORDS][64];
} Fields;

static const EsgAuthField *
split(const char *line, Fields *f)
{
	EsgAuthField *field = NULL;
	bool		more = false;

	memset(f, 0, sizeof(*f));
	for (int n = 0; n < MAX_WORDS; n++)
	{
		EsgAuthToken token = {.text = f->texts[n]};

		if (!esg_auth_text_word(&line, &token))
			break;
		f->words[n].text = token.text;
		if (more)
			field->last = field->last->next = &f->words[n];
		else
		{
			EsgAuthField *next = field != NULL ? field + 1 : f->fields;

			if (field != NULL)
				field->next = next;
			field = next;
			field->first = field->last = &f->words[n];
		}
		more = token.more;
	}
	return f->fields;
}

static void
test_good(void)
{
	EsgHostsLine line;
	Fields		f;

	ok(esg_hosts_line_parse(split("a.test,b.test a.crt a.key", &f), &line) == NULL, "the least");
	is_text(line.names->first->next->text, "b.test", "names");
	is_text(line.cert, "a.crt", "certificate");
	is_text(line.key, "a.key", "key");
	is_text(line.ca, "", "no CA");
	is_text(line.command, "", "no command");
	ok(!line.command_at_reload, "which is not run at reload");
	ok(esg_hosts_line_parse(split("* a.crt a.key root.crt \"echo x\" on", &f), &line) == NULL, "all of it");
	is_text(line.ca, "root.crt", "CA");
	is_text(line.command, "echo x", "command");
	ok(line.command_at_reload, "at reload, too");
}

static void
test_boolean(void)
{
	static const struct
	{
		const char *word;
		int			value;		/* -1: none */
	}			cases[] = {
		{"on", 1}, {"off", 0}, {"of", 0}, {"o", -1}, {"true", 1}, {"T", 1}, {"tru", 1}, {"truex", -1}, {"false", 0},
		{"yes", 1}, {"n", 0}, {"1", 1}, {"0", 0}, {"10", -1}, {"\"\"", -1}, {"on,on", -1}, {"maybe", -1}
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		char		text[64];
		EsgHostsLine line;
		Fields		f;
		bool		good;

		snprintf(text, sizeof(text), "a b c d e %s", cases[i].word);
		good = esg_hosts_line_parse(split(text, &f), &line) == NULL;
		is_int(good ? line.command_at_reload : -1, cases[i].value, cases[i].word);
	}
}

static void
test_bad(void)
{
	static const struct
	{
		const char *line;
		const char *fault;
	}			cases[] = {
		{"a", "missing entry at end of line"},
		{"a b", "missing entry at end of line"},
		{"a b,c d", "multiple values specified for SSL certificate"},
		{"a b c,d", "multiple values specified for SSL key"},
		{"a b c d,e", "multiple values specified for SSL CA"},
		{"a b c d e,f", "multiple values specified for SSL passphrase command"},
		{"a b c d e on x", "extra fields at end of line"},
		{"a b c d e maybe", "incorrect syntax for boolean value SSL_passphrase_cmd_reload"},
		{"a,* b c", "default and non-SNI entries cannot be mixed with other entries"},
		{"/no_sni/,* b c", "default and non-SNI entries cannot be mixed with other entries"}
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		EsgHostsLine line;
		Fields		f;

		is_text(esg_hosts_line_parse(split(cases[i].line, &f), &line), cases[i].fault, cases[i].line);
	}
}

static void
test_double(void)
{
	EsgHostName names[] = {{"b.test", "f", 1}, {"a.test", "f", 1}, {"c.test", "f", 2}, {"A.Test", "f", 3}};
	EsgHostName any = {"*", "f", 1};
	EsgHostName unnamed = {"/no_sni/", "f", 1};
	const EsgHostName *twice = esg_hosts_line_find_double(names, 4);
	char		fault[64];

	ok(twice != NULL && twice->line == 3, "the second one of two");
	esg_hosts_line_say_double(twice, fault, sizeof(fault));
	is_text(fault, "multiple entries for host \"A.Test\" specified", "in core's words");
	ok(esg_hosts_line_find_double(names, 1) == NULL, "one is not two");
	ok(esg_hosts_line_find_double(NULL, 0) == NULL, "nor is none");
	esg_hosts_line_say_double(&any, fault, sizeof(fault));
	is_text(fault, "multiple default hosts specified", "the default");
	esg_hosts_line_say_double(&unnamed, fault, sizeof(fault));
	is_text(fault, "multiple no_sni hosts specified", "no name");
}

static void
test_list(void)
{
	char		list[ESG_HOST_LIST_SIZE + 8];

	memset(list, 'a', sizeof(list));
	list[ESG_HOST_LIST_SIZE] = '\0';
	is_text(esg_hosts_line_list_more("a.test", "b.test"), "b.test", "a short list");
	is_text(esg_hosts_line_list_more(list, "b.test"), "...", "a long one");
	memcpy(list + ESG_HOST_LIST_SIZE, ",...", 5);
	ok(esg_hosts_line_list_more(list, "b.test") == NULL, "which ends");
}

int
main(void)
{
	test_lines();
	test_words();
	test_good();
	test_boolean();
	test_bad();
	test_double();
	test_list();
	return done();
}
