/* sources: policy/findings x509/cut_text policy/hba policy/hba_map */
/*
 * test_hba.c
 *		Lines of pg_hba.conf and pg_ident.conf judged.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "covered.h"
#include "esg_test.h"
#include "policy/hba.h"

#define MAX_LINES 8
#define MAX_WORDS 4

/*
 * A file as it is written, a line each, separated by ';'; quotes make a name of
 * a keyword.  "map NAME SYSTEM ROLE" is a line of pg_ident.conf.  wanted: codes
 * of each line, without "hba_", separated alike.
 */
typedef struct Case
{
	const char *name;
	const char *text;
	const char *wanted;
} Case;

static EsgHbaLine lines[MAX_LINES];
static EsgHbaWord words[2 * MAX_LINES][MAX_WORDS];
static char text[1024];
static EsgHbaServer server;

static EsgHbaKind
kind_of(const char *word, bool is_user)
{
	if (word[0] == '/')
		return ESG_HBA_REGEX;
	if (is_user && word[0] == '+')
		return ESG_HBA_GROUP;
	if (strcmp(word, "all") == 0)
		return ESG_HBA_ALL;
	if (!is_user && strcmp(word, "sameuser") == 0)
		return ESG_HBA_SAMEUSER;
	if (!is_user && strcmp(word, "samerole") == 0)
		return ESG_HBA_SAMEROLE;
	if (!is_user && strcmp(word, "replication") == 0)
		return ESG_HBA_REPLICATION;
	return ESG_HBA_NAME;
}

static void
read_words(EsgHbaWords *out, EsgHbaWord *items, char *list, bool is_user)
{
	char	   *rest;

	out->items = items;
	out->count = 0;
	for (char *word = strtok_r(list, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
	{
		items[out->count].kind = kind_of(word, is_user);
		items[out->count++].text = word;
	}
}

static void
read_mask(EsgHbaAddress *out, const char *mask, int family)
{
	if (strpbrk(mask, ".:") != NULL)
	{
		(void) inet_pton(family, mask, out->mask);
		return;
	}
	for (int bit = 0; bit < atoi(mask); bit++)
		out->mask[bit / 8] |= 0x80 >> bit % 8;
}

static void
read_address(EsgHbaAddress *out, char *address)
{
	char	   *slash = strchr(address, '/');
	int			family = strchr(address, ':') ? AF_INET6 : AF_INET;

	out->kind = strcmp(address, "all") == 0 ? ESG_HBA_ANY_ADDRESS :
		strcmp(address, "samehost") == 0 ? ESG_HBA_SAMEHOST :
		strcmp(address, "samenet") == 0 ? ESG_HBA_SAMENET :
		slash == NULL ? ESG_HBA_HOST_NAME : ESG_HBA_RANGE;
	out->host_name = address;
	if (slash == NULL)
		return;
	*slash = '\0';
	out->size = family == AF_INET ? 4 : 16;
	(void) inet_pton(family, address, out->base);
	read_mask(out, slash + 1, family);
}

static void
read_option(EsgHbaLine *line, const char *option)
{
	if (strcmp(option, "verify-ca") == 0)
		line->cert = ESG_HBA_VERIFY_CA;
	else if (strcmp(option, "verify-full") == 0)
		line->cert = ESG_HBA_VERIFY_FULL;
	else
		line->map = option;
}

static EsgHbaType
type_of(const char *word)
{
	static const char *const names[] = {"local", "host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc", "map"};
	int			type;

	for (type = 0; type < ESG_HBA_BROKEN && strcmp(word, names[type]) != 0;)
		type++;
	return type;
}

static void
read_line(EsgHbaLine *line, char *from, int number)
{
	char	   *rest;
	char	   *word = strtok_r(from, " ", &rest);

	memset(line, 0, sizeof(*line));
	line->file = "pg_hba.conf";
	line->number = number;
	line->type = type_of(word);
	if (line->type == ESG_HBA_BROKEN)
		return;
	if (line->type == ESG_HBA_MAP)
	{
		line->map = strtok_r(NULL, " ", &rest);
		line->system_user = strtok_r(NULL, " ", &rest);
		read_words(&line->users, words[2 * number], strtok_r(NULL, " ", &rest), true);
		return;
	}
	read_words(&line->databases, words[2 * number], strtok_r(NULL, " ", &rest), false);
	read_words(&line->users, words[2 * number + 1], strtok_r(NULL, " ", &rest), true);
	if (line->type != ESG_HBA_LOCAL)
		read_address(&line->address, strtok_r(NULL, " ", &rest));
	line->method = strtok_r(NULL, " ", &rest);
	while ((word = strtok_r(NULL, " ", &rest)) != NULL)
		read_option(line, word);
}

/* The codes, as in "wanted". */
static void
show(char *out, size_t size, int count)
{
	size_t		used = 0;

	out[0] = '\0';
	for (int i = 0; i < count; i++)
	{
		for (int k = 0; k < lines[i].findings.count; k++)
		{
			const char *name = esg_findings_def(lines[i].findings.items[k].code)->name;

			used += snprintf(out + used, size - used, "%s%s", k ? "," : "", strncmp(name, "hba_", 4) ? name : name + 4);
		}
		used += snprintf(out + used, size - used, i + 1 < count ? ";" : "");
	}
}

static void
note_seen(int count)
{
	for (int i = 0; i < count; i++)
	{
		for (EsgCode code = ESG_HBA_PLAINTEXT; code <= ESG_IDENT_UNANCHORED; code++)
			record(esg_findings_has(&lines[i].findings, code) ? "raised" : "absent", code);
		esg_findings_free(&lines[i].findings);
	}
}

static void
run(const Case *c)
{
	char		got[512];
	char	   *rest;
	int			count = 0;

	snprintf(text, sizeof(text), "%s", c->text);
	for (char *line = strtok_r(text, ";", &rest); line; line = strtok_r(NULL, ";", &rest))
	{
		read_line(&lines[count], line, count);
		count++;
	}
	esg_hba_judge(lines, count, &server, NULL);
	show(got, sizeof(got), count);
	is_text(got, c->wanted, c->name);
	note_seen(count);
}

static const Case with_tls[] = {
	{"Debian's file", "local all postgres peer;local all all peer;host all all 127.0.0.1/32 scram-sha-256;"
	"host all all ::1/128 scram-sha-256;local replication all peer;host replication all 127.0.0.1/32 scram-sha-256;"
	"host replication all ::1/128 scram-sha-256", ";;;;;;"},
	{"TLS for all", "hostssl all all all scram-sha-256", ""},
	{"certificates for all", "hostssl all all all cert verify-full", ""},
	{"plaintext from everywhere", "host all all all scram-sha-256", "plaintext"},
	{"from a network", "host all all 10.0.0.0/8 scram-sha-256", "plaintext"},
	{"hostnossl", "hostnossl all all 10.0.0.0/8 scram-sha-256", "plaintext"},
	{"hostnogssenc", "hostnogssenc all all 10.0.0.0/8 scram-sha-256", "plaintext"},
	{"hostgssenc", "hostgssenc all all 10.0.0.0/8 gss", ""},
	{"reject", "host all all all reject", ""},
	{"loopback's network", "host all all 127.0.0.0/8 trust", ""},
	{"more than loopback's network", "host all all 126.0.0.0/7 scram-sha-256", "plaintext"},
	{"localhost", "host all all localhost trust", ""},
	{"a host", "host all all db.test scram-sha-256", "plaintext"},
	{"own addresses", "host all all samehost trust", ""},
	{"neighbours", "host all all samenet scram-sha-256", "plaintext"},
	{"plaintext is rejected before", "hostnossl all all all reject;host all all all scram-sha-256", ";"},
	{"for some only", "hostnossl all alice all reject;host all all all scram-sha-256", ";plaintext"},
	{"for both families", "hostnossl all all 0.0.0.0/0 reject;hostnossl all all ::/0 reject;host all all all scram-sha-256", ";;"},
	{"for one family", "hostnossl all all 0.0.0.0/0 reject;host all all all scram-sha-256", ";plaintext"},

	{"fallback", "hostssl all all all cert verify-full;host all all 10.0.0.0/8 scram-sha-256", ";plaintext,fallback"},
	{"a rejecting line is no way in", "hostssl all bob all reject;host all all 10.0.0.0/8 scram-sha-256", ";plaintext"},
	{"other people", "hostssl all alice all scram-sha-256;host all bob all scram-sha-256", ";plaintext"},
	{"other addresses", "hostssl all all 10.0.0.0/8 scram-sha-256;host all all 11.0.0.0/8 scram-sha-256", ";plaintext"},
	{"behind, not before", "host all all 10.1.0.0/16 scram-sha-256;hostssl all all all scram-sha-256", "plaintext;"},
	{"to itself is no fallback", "hostssl all all all scram-sha-256;host all all 127.0.0.1/32 scram-sha-256", ";"},

	{"trust", "hostssl all all all trust", "trust"},
	{"trust with any certificate", "hostssl all all all trust verify-ca", "trust"},
	{"trust with the role's", "hostssl all all all trust verify-full", ""},
	{"trust for loopback", "hostssl all all 127.0.0.1/32 trust verify-ca", ""},
	{"password over TLS", "hostssl all all all password", ""},
	{"password", "host all all all password", "cleartext_password,plaintext"},
	{"ldap", "host all all all ldap", "cleartext_password,plaintext"},
	{"pam", "host all all all pam", "cleartext_password,plaintext"},
	{"radius", "host all all all radius", "cleartext_password,plaintext"},
	{"bsd", "host all all all bsd", "cleartext_password,plaintext"},
	{"password for loopback", "host all all 127.0.0.1/32 password", ""},
	{"password and any certificate", "hostssl all all all password verify-ca", "any_certificate"},
	{"password and the role's", "hostssl all all all password verify-full", ""},
	{"scram and any certificate", "hostssl all all all scram-sha-256 verify-ca", ""},
	{"md5", "local all all md5", "md5"},

	{"twice the same", "local all all peer;local all all peer", ";never_matches"},
	{"a part", "local all all peer;local all alice md5", ";never_matches"},
	{"replication is not in all", "local all all peer;local replication all peer", ";"},
	{"replication twice", "local replication all peer;local replication alice peer", ";never_matches"},
	{"each word by another line", "local a all peer;local b all peer;local a,b all peer", ";;never_matches"},
	{"one word is left", "local a all peer;local a,b all peer", ";"},
	{"all is more than names", "local a,b all peer;local all all peer", ";"},
	{"a database of a role", "local all alice peer;local sameuser alice peer", ";never_matches"},
	{"sameuser before", "local sameuser all peer;local alice alice peer", ";"},
	{"sameuser twice", "local sameuser all peer;local sameuser bob peer", ";never_matches"},
	{"samerole is not sameuser", "local samerole all peer;local sameuser all peer", ";"},
	{"a group", "local all +staff peer;local all alice peer", ";"},
	{"the same group", "local all +staff peer;local all +staff peer", ";never_matches"},
	{"a group is not its role", "local all +staff peer;local all staff peer", ";"},
	{"a regular expression", "local all /^a peer;local all alice peer", ";"},
	{"the same one", "local /^a all peer;local /^a all peer", ";never_matches"},
	{"an expression in all", "local all all peer;local /^a /^b peer", ";never_matches"},
	{"within a range", "host all all 127.0.0.0/8 scram-sha-256;host all all 127.0.0.1/32 scram-sha-256", ";never_matches"},
	{"a wider range", "host all all 127.0.0.1/32 scram-sha-256;host all all 127.0.0.0/8 scram-sha-256", ";"},
	{"another range", "host all all 127.0.0.1/32 scram-sha-256;host all all 127.0.0.2/32 scram-sha-256", ";"},
	{"two halves are not put together", "host all all 127.0.0.0/9 scram-sha-256;host all all 127.128.0.0/9 scram-sha-256;host all all 127.0.0.0/8 scram-sha-256", ";;"},
	{"another family", "host all all 0.0.0.0/0 reject;host all all ::1/128 scram-sha-256", ";"},
	{"a mask with a hole", "host all all 127.0.0.1/255.0.0.255 scram-sha-256;host all all 127.9.0.1/32 scram-sha-256;"
	"host all all 127.9.0.2/32 scram-sha-256", ";never_matches;"},
	{"a host in all", "hostssl all all all scram-sha-256;hostssl all all db.test scram-sha-256", ";never_matches"},
	{"a host is looked up", "hostssl all all db.test scram-sha-256;hostssl all all db.test scram-sha-256", ";"},
	{"neighbours are looked up", "hostssl all all samenet scram-sha-256;hostssl all all samehost scram-sha-256", ";"},
	{"host takes hostssl", "host all all 127.0.0.1/32 scram-sha-256;hostssl all all 127.0.0.1/32 scram-sha-256", ";never_matches"},
	{"hostssl leaves plaintext", "hostssl all all 127.0.0.1/32 scram-sha-256;host all all 127.0.0.1/32 scram-sha-256", ";"},
	{"hostssl and hostnossl", "hostssl all all 127.0.0.1/32 scram-sha-256;hostnossl all all 127.0.0.1/32 reject;"
	"host all all 127.0.0.1/32 trust", ";;never_matches"},
	{"local takes no host", "local all all peer;host all all 127.0.0.1/32 scram-sha-256", ";"},
	{"a dead line is nothing else", "host all all all reject;host all all all trust", ";never_matches"},

	{"no line of the map", "hostssl all all all cert verify-full users", "map_empty"},
	{"a line of the map", "hostssl all all all cert verify-full users;map users alice bob", ";"},
	{"of another map", "hostssl all all all cert verify-full users;map others alice bob", "map_empty;"},
	{"broken", "bogus", "unparsable"},

	{"anchored", "map m /^(.*)@a\\.test$ \\1", ""},
	{"not begun", "map m /(.*)@a\\.test$ \\1", "ident_unanchored"},
	{"not ended", "map m /^(.*)@a\\.test \\1", "ident_unanchored"},
	{"an escaped bar is no branch", "map m /^a\\|b$ bob", ""},
	{"an escaped parenthesis opens none", "map m /^a\\($|b bob", "ident_unanchored"},
	{"an escaped end", "map m /^alice\\$ bob", "ident_unanchored"},
	{"an escaped backslash before the end", "map m /^alice\\\\$ bob", ""},
	{"in a group", "map m /(^alice$|^bob$) bob", ""},
	{"without case", "map m /(?i)^alice$ bob", ""},
	{"half of the branches", "map m /^alice$|bob$ bob", "ident_unanchored"},
	{"all of the branches", "map m /^alice$|^bob$ bob", ""},
	{"a bar in brackets", "map m /^[a|b]$ bob", ""},
	{"with \\A and \\Z", "map m /\\Aalice\\Z bob", ""},
	{"a director", "map m /***=alice bob", ""},
	{"anybody", "map m /^.*$ bob", "ident_unanchored"},
	{"anybody as himself", "map m /^(.*)$ \\1", ""},
	{"any role", "map m alice all", "ident_unanchored"},
	{"any role of a kind", "map m alice /^app_", "ident_unanchored"},
	{"roles of a kind", "map m alice /^app_[0-9]+$", ""},
	{"no expression", "map m alice bob", ""},
	{"a parenthesis alone", "map m /( bob", "ident_unanchored"},
	{"parentheses that close alone", "map m /)) bob", "ident_unanchored"},
	{"an option that does not begin", "map m /(? bob", "ident_unanchored"},
	{"an option that does not end", "map m /(?i bob", "ident_unanchored"},
	{"a group that is not kept", "map m /(?:^alice$) bob", ""},
	{"another escape at the begin", "map m /\\d$ bob", "ident_unanchored"},
	{"a backslash alone", "map m /\\ bob", "ident_unanchored"},
	{"a backslash at the end", "map m /^a\\ bob", "ident_unanchored"},
	{"one letter", "map m /a bob", "ident_unanchored"},
	{"an escaped parenthesis at the end", "map m /^a\\) bob", "ident_unanchored"},
	{"a Z that is one", "map m /^aZ bob", "ident_unanchored"},
	{"any role of any name", "map m alice /^.*$", "ident_unanchored"},
};

static const Case without_tls[] = {
	{"hostssl, but no TLS", "hostssl all all 127.0.0.1/32 scram-sha-256", "never_matches"},
	{"host goes on", "host all all 127.0.0.1/32 scram-sha-256", ""},
	{"host takes nothing of hostssl", "hostssl all all 127.0.0.1/32 scram-sha-256;host all all 127.0.0.1/32 scram-sha-256", "never_matches;"},
	{"hostnossl takes all that is left of host", "hostgssenc all all all gss;hostnossl all all all reject;host all all all trust", ";;never_matches"},
	{"no fallback from what is not there", "hostssl all all all cert verify-full;host all all all scram-sha-256", "never_matches;plaintext"},
};

static const Case without_ca[] = {
	{"cert, but no CA", "hostssl all all all cert verify-full", "never_matches"},
	{"clientcert, but no CA", "hostssl all all 127.0.0.1/32 trust verify-ca", "never_matches"},
	{"none asked for", "hostssl all all all scram-sha-256", ""},
};

#define run_all(cases) \
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) \
		run(&cases[i])

/* A file of many lines must not take long: then lines are taken for live. */
static void
test_many(void)
{
	static EsgHbaWord database = {ESG_HBA_NAME, "a"};
	static EsgHbaWord user = {ESG_HBA_NAME, "b"};
	int			count = 20000;
	EsgHbaLine *many = calloc(count, sizeof(EsgHbaLine));

	for (int i = 0; i < count; i++)
	{
		many[i] = (EsgHbaLine) {
			.file = "pg_hba.conf",.number = i,.type = ESG_HBA_LOCAL,.method = "peer",
			.databases = {1, &database},.users = {1, &user}
		};
	}
	esg_hba_judge(many, count, &server, NULL);
	ok(esg_findings_has(&many[1].findings, ESG_HBA_NEVER_MATCHES), "many lines: the first ones are judged");
	ok(many[count - 1].findings.count == 0, "many lines: the last ones are left alone");
	for (int i = 0; i < count; i++)
		esg_findings_free(&many[i].findings);
	free(many);
}

/* Processor time to judge so many lines of one kind. */
static double
time_lines(const EsgHbaLine *line, int count)
{
	EsgHbaLine *many = calloc(count, sizeof(EsgHbaLine));
	clock_t		began;
	double		took;

	for (int i = 0; i < count; i++)
		many[i] = *line;
	began = clock();
	esg_hba_judge(many, count, &server, NULL);
	took = (double) (clock() - began) / CLOCKS_PER_SEC;
	for (int i = 0; i < count; i++)
		esg_findings_free(&many[i].findings);
	free(many);
	return took;
}

static void
test_work(const char *name, const EsgHbaLine *line)
{
	double		few = time_lines(line, 50000);
	double		many = time_lines(line, 400000);

	ok(many < 20 * few + 1, "%s: eight times the lines, %.3f and %.3f s", name, few, many);
}

/* The worst of each kind. */
static void
test_works(void)
{
	static EsgHbaWord database = {ESG_HBA_NAME, "a"};
	static EsgHbaWord other = {ESG_HBA_NAME, "b"};
	EsgHbaLine	line = {
		.file = "pg_hba.conf",.type = ESG_HBA_HOST,.method = "scram-sha-256",
		.databases = {1, &database},.users = {1, &other},.address = {.kind = ESG_HBA_ANY_ADDRESS}
	};
	EsgHbaLine	map = {
		.file = "pg_hba.conf",.type = ESG_HBA_HOSTSSL,.method = "cert",.map = "nobody",
		.databases = {1, &database},.users = {1, &other},.address = {.kind = ESG_HBA_ANY_ADDRESS}
	};
	EsgHbaWord *list = calloc(20000, sizeof(EsgHbaWord));
	EsgHbaLine	wide = line;

	for (int i = 0; i < 20000; i++)
		list[i] = (EsgHbaWord) {ESG_HBA_NAME, i % 2 == 0 ? "c" : "d"};
	test_work("lines for plaintext", &line);
	test_work("lines with a map", &map);
	wide.users = (EsgHbaWords) {20000, list};
	ok(time_lines(&wide, 100) < 20, "lines with 20000 names each");
	free(list);
}

int
main(void)
{
	server = (EsgHbaServer) {.tls = true,.ca = true};
	run_all(with_tls);
	test_many();
	test_works();
	server.tls = false;
	run_all(without_tls);
	server = (EsgHbaServer) {.tls = true};
	run_all(without_ca);
	return done();
}
