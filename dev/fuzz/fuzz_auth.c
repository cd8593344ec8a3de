/*
 * fuzz_auth.c
 *		pg_hba.conf and pg_ident.conf as others wrote them, read and judged.
 *
 * Lines end, words are no longer than their line.  What is said of lines that never
 * match is tried with connections: by the rules of core's documentation none of them
 * takes such a line, whichever role is a member of which, and whatever a regular
 * expression means.
 */
#include <stdint.h>
#include <stdio.h>
#include <strings.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include "checks.h"
#include "policy/auth_text.h"
#include "policy/hba.h"

#define MAX_LINES 6
#define MAX_WORDS 3
#define MAX_FIELDS 6
#define WAYS 4
#define TLS_WAY 2
#define MAX_ADDRESSES (2 * MAX_LINES + 2)

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One word, and whether it was quoted: then it is no keyword. */
typedef struct Field
{
	int			count;
	EsgHbaWord	words[MAX_WORDS];
	bool		quoted[MAX_WORDS];
} Field;

typedef struct Line
{
	int			count;
	Field		fields[MAX_FIELDS];
} Line;

/* A connection; what nobody knows is the world's. */
typedef struct Connection
{
	unsigned	way;			/* 0: a socket, no encryption, TLS, GSSAPI */
	const char *database;
	const char *user;
	bool		replication;
	const EsgHbaAddress *address;
	bool		groups;			/* each is a member of each, or none */
	bool		expressions;	/* each fits, or none */
} Connection;

static Line parsed[MAX_LINES];
static EsgHbaLine lines[MAX_LINES];
static int	line_count;

/* ---- reading ---- */

/* The words of a line; false: more than fit.  pool: room for them all. */
static bool
read_line(const char *text, char *pool, Line *out)
{
	const char *rest = text;
	size_t		len = strlen(text);
	bool		more = false;

	memset(out, 0, sizeof(*out));
	for (;;)
	{
		EsgAuthToken token = {.text = pool};
		Field	   *field;

		if (!esg_auth_text_word(&rest, &token))
			return true;
		must(rest >= text && rest <= text + len && strlen(token.text) <= len);
		if (!more && out->count++ == MAX_FIELDS)
			return false;
		field = &out->fields[out->count - 1];
		if (field->count == MAX_WORDS)
			return false;
		field->quoted[field->count] = token.quoted;
		field->words[field->count++].text = pool;
		pool += strlen(pool) + 1;
		more = token.more;
	}
}

static EsgHbaKind
kind_of(const char *word, bool quoted, bool is_user)
{
	if (word[0] == '/')
		return ESG_HBA_REGEX;
	if (quoted)
		return ESG_HBA_NAME;
	if (is_user && word[0] == '+')
		return ESG_HBA_GROUP;
	if (strcmp(word, "all") == 0)
		return ESG_HBA_ALL;
	if (!is_user && strcmp(word, "sameuser") == 0)
		return ESG_HBA_SAMEUSER;
	if (!is_user && (strcmp(word, "samerole") == 0 || strcmp(word, "samegroup") == 0))
		return ESG_HBA_SAMEROLE;
	if (!is_user && strcmp(word, "replication") == 0)
		return ESG_HBA_REPLICATION;
	return ESG_HBA_NAME;
}

static EsgHbaWords
take_words(Field *field, bool is_user)
{
	EsgHbaWords words = {field->count, field->words};

	for (int i = 0; i < field->count; i++)
		field->words[i].kind = kind_of(field->words[i].text, field->quoted[i], is_user);
	return words;
}

static bool
take_range(const char *text, EsgHbaAddress *out)
{
	char		base[64];
	const char *slash = strchr(text, '/');
	int			bits;

	if (slash == NULL || (size_t) (slash - text) >= sizeof(base))
		return false;
	snprintf(base, sizeof(base), "%.*s", (int) (slash - text), text);
	out->kind = ESG_HBA_RANGE;
	out->size = strchr(base, ':') != NULL ? 16 : 4;
	bits = atoi(slash + 1);
	if (inet_pton(out->size == 16 ? AF_INET6 : AF_INET, base, out->base) != 1 || bits < 0 || bits > 8 * out->size)
		return false;
	for (int bit = 0; bit < bits; bit++)
		out->mask[bit / 8] |= 0x80 >> bit % 8;
	return true;
}

static bool
take_address(const Field *field, EsgHbaAddress *out)
{
	const char *text = field->words[0].text;

	if (strcmp(text, "all") == 0)
		out->kind = ESG_HBA_ANY_ADDRESS;
	else if (strcmp(text, "samehost") == 0)
		out->kind = ESG_HBA_SAMEHOST;
	else if (strcmp(text, "samenet") == 0)
		out->kind = ESG_HBA_SAMENET;
	else if (strchr(text, '/') != NULL)
		return take_range(text, out);
	else
	{
		out->kind = ESG_HBA_HOST_NAME;
		out->host_name = text;
	}
	return true;
}

static EsgHbaCert
take_options(const Line *line, int first, EsgHbaLine *out)
{
	for (int i = first; i < line->count; i++)
	{
		const char *option = line->fields[i].words[0].text;

		if (strncmp(option, "map=", 4) == 0)
			out->map = option + 4;
		if (strcmp(option, "clientcert=verify-ca") == 0)
			return ESG_HBA_VERIFY_CA;
		if (strcmp(option, "clientcert=verify-full") == 0)
			return ESG_HBA_VERIFY_FULL;
	}
	return ESG_HBA_NO_CERT;
}

static void
take_map(Line *line, EsgHbaLine *out)
{
	Field	   *role = &line->fields[3];

	out->type = ESG_HBA_MAP;
	out->of_ident = true;
	out->map = line->fields[1].words[0].text;
	out->system_user = line->fields[2].words[0].text;
	out->users = take_words(role, true);
	out->users.count = 1;
}

/* As core cuts it; what it does not take is broken. */
static void
take_line(Line *line, EsgHbaLine *out)
{
	static const char *const types[] = {"local", "host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc"};
	int			type = 0;
	int			method;

	out->type = ESG_HBA_BROKEN;
	while (type < 6 && strcmp(types[type], line->fields[0].words[0].text) != 0)
		type++;
	if (strcmp(line->fields[0].words[0].text, "map") == 0 && line->count >= 4)
		take_map(line, out);
	method = type == ESG_HBA_LOCAL ? 3 : 4;
	if (type == 6 || line->count <= method ||
		(type != ESG_HBA_LOCAL && !take_address(&line->fields[3], &out->address)))
		return;
	out->type = (EsgHbaType) type;
	out->databases = take_words(&line->fields[1], false);
	out->users = take_words(&line->fields[2], true);
	out->method = line->fields[method].words[0].text;
	out->cert = take_options(line, method + 1, out);
}

/* ---- connections ---- */

static bool
fits_range(const EsgHbaAddress *range, const EsgHbaAddress *from)
{
	bool		fits = range->size == from->size;

	for (int i = 0; fits && i < range->size; i++)
		fits = ((range->base[i] ^ from->base[i]) & range->mask[i]) == 0;
	return fits;
}

static bool
fits_address(const EsgHbaAddress *wanted, const Connection *c)
{
	switch (wanted->kind)
	{
		case ESG_HBA_ANY_ADDRESS:
			return true;
		case ESG_HBA_RANGE:
			return fits_range(wanted, c->address);
		default:
			/* who knows; as with expressions */
			return c->expressions;
	}
}

static bool
fits_type(EsgHbaType type, unsigned way)
{
	switch (type)
	{
		case ESG_HBA_LOCAL:
			return way == 0;
		case ESG_HBA_HOST:
			return way != 0;
		case ESG_HBA_HOSTSSL:
			return way == TLS_WAY;
		case ESG_HBA_HOSTNOSSL:
			return way == 1 || way == 3;
		case ESG_HBA_HOSTGSSENC:
			return way == 3;
		case ESG_HBA_HOSTNOGSSENC:
			return way == 1 || way == TLS_WAY;
		default:
			return false;
	}
}

static bool
fits_database(const EsgHbaWord *word, const Connection *c)
{
	/* physical replication connects to none, and only that word is for it */
	if (c->replication)
		return word->kind == ESG_HBA_REPLICATION;
	switch (word->kind)
	{
		case ESG_HBA_ALL:
			return true;
		case ESG_HBA_SAMEUSER:
			return strcmp(c->database, c->user) == 0;
		case ESG_HBA_SAMEROLE:
			return c->groups || strcmp(c->database, c->user) == 0;
		case ESG_HBA_REGEX:
			return c->expressions;
		case ESG_HBA_REPLICATION:
			return false;
		default:
			return strcmp(word->text, c->database) == 0;
	}
}

static bool
fits_user(const EsgHbaWord *word, const Connection *c)
{
	switch (word->kind)
	{
		case ESG_HBA_ALL:
			return true;
		case ESG_HBA_GROUP:
			return c->groups || strcmp(word->text + 1, c->user) == 0;
		case ESG_HBA_REGEX:
			return c->expressions;
		default:
			return strcmp(word->text, c->user) == 0;
	}
}

static bool
fits(const EsgHbaLine *line, const Connection *c)
{
	bool		database = false;
	bool		user = false;

	if (!fits_type(line->type, c->way) ||
		(line->type != ESG_HBA_LOCAL && !fits_address(&line->address, c)))
		return false;
	for (int i = 0; i < line->databases.count; i++)
		database = database || fits_database(&line->databases.items[i], c);
	for (int i = 0; i < line->users.count; i++)
		user = user || fits_user(&line->users.items[i], c);
	return database && user;
}

/* The first line that fits must be one of which it was not said that nobody comes by it. */
static void
try_connection(const Connection *c, const EsgHbaServer *server)
{
	if (c->way == TLS_WAY && !server->tls)
		return;
	for (int i = 0; i < line_count; i++)
	{
		if (fits(&lines[i], c))
		{
			must((lines[i].live & 1u << c->way) != 0);
			return;
		}
	}
}

static int
list_addresses(EsgHbaAddress *out)
{
	int			count = 0;

	memset(out, 0, sizeof(*out) * MAX_ADDRESSES);
	out[count].size = 4;
	out[count++].base[0] = 198;
	out[count].size = 16;
	out[count++].base[0] = 0x20;
	for (int i = 0; i < line_count; i++)
	{
		if (lines[i].address.kind != ESG_HBA_RANGE)
			continue;
		out[count++] = lines[i].address;
		/* the other end of the range */
		out[count] = lines[i].address;
		for (int k = 0; k < lines[i].address.size; k++)
			out[count].base[k] |= ~lines[i].address.mask[k];
		count++;
	}
	return count;
}

/* with each address, by each way, in each world */
static void
try_pair(const char *database, const char *user, const EsgHbaAddress *addresses, int count, const EsgHbaServer *server)
{
	for (int i = 0; i < count; i++)
	{
		for (unsigned bits = 0; bits < WAYS * 8; bits++)
		{
			Connection	c = {
				.way = bits % WAYS,.groups = bits / WAYS & 1,.expressions = bits / WAYS & 2,
				.replication = bits / WAYS & 4,.database = database,.user = user,.address = &addresses[i]
			};

			try_connection(&c, server);
		}
	}
}

/* The names in the file, and one that is not. */
static int
list_names(bool of_users, const char **out)
{
	int			count = 0;

	out[count++] = "nobody else";
	for (int i = 0; i < line_count; i++)
	{
		const EsgHbaWords *words = of_users ? &lines[i].users : &lines[i].databases;

		for (int k = 0; k < words->count; k++)
		{
			if (words->items[k].kind == ESG_HBA_NAME)
				out[count++] = words->items[k].text;
			else if (words->items[k].kind == ESG_HBA_GROUP)
				out[count++] = words->items[k].text + 1;
		}
	}
	return count;
}

static void
try_connections(const EsgHbaServer *server)
{
	const char *databases[MAX_LINES * MAX_WORDS + 1];
	const char *users[MAX_LINES * MAX_WORDS + 1];
	EsgHbaAddress addresses[MAX_ADDRESSES];
	int			address_count = list_addresses(addresses);
	int			database_count = list_names(false, databases);
	int			user_count = list_names(true, users);

	for (int i = 0; i < database_count; i++)
	{
		for (int k = 0; k < user_count; k++)
			try_pair(databases[i], users[k], addresses, address_count, server);
	}
}

/* ---- the whole ---- */

static void
judge(bool tls)
{
	EsgHbaServer server = {.tls = tls,.ca = true};

	esg_hba_judge(lines, line_count, &server, NULL);
	for (int i = 0; i < line_count; i++)
	{
		must(!lines[i].findings.out_of_memory);
		for (int k = 0; k < lines[i].findings.count; k++)
			check_text(OPENSSL_strdup(lines[i].findings.items[k].detail));
	}
	try_connections(&server);
	for (int i = 0; i < line_count; i++)
		esg_findings_free(&lines[i].findings);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	EsgAuthText text = {.data = (const char *) data,.len = size};
	char	   *line = malloc(size + 1);

	/* each word with its NUL, and the one that was too many */
	char	   *pool = malloc(MAX_LINES * (2 * size + 4));
	int			number;
	int			before = 0;

	must(line != NULL && pool != NULL);
	memset(lines, 0, sizeof(lines));
	line_count = 0;
	while (esg_auth_text_line(&text, line, &number))
	{
		must(number > before && strlen(line) <= size && text.at <= size);
		before = number;
		if (line_count == MAX_LINES ||
			!read_line(line, pool + (size_t) line_count * (2 * size + 4), &parsed[line_count]) ||
			parsed[line_count].count == 0)
			continue;
		lines[line_count].file = "hba";
		lines[line_count].number = number;
		take_line(&parsed[line_count], &lines[line_count]);
		line_count++;
	}
	judge(size % 2 == 0);
	free(pool);
	free(line);
	return 0;
}
