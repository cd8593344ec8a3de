/*
 * policy/hba.c
 *		Who gets in by pg_hba.conf, and how: its lines and those of pg_ident.conf
 *		judged.
 *
 * The server takes the first line that fits a connection's way, database, role
 * and address.  A line is cut into pieces, of one way, one family of addresses,
 * one word for databases and one for users: it never matches if each piece lies
 * whole within one earlier line.  What is not certain without asking the
 * catalog, the network or a regular expression counts as not covered, so that a
 * line is never called dead while somebody can come by it.
 */
#include <stdint.h>
#include <string.h>

#include "policy/hba.h"
#include "policy/hba_map.h"

/* The ways in which a client can come. */
#define BY_SOCKET (1u << 0)
#define BY_PLAIN (1u << 1)
#define BY_TLS (1u << 2)
#define BY_GSS (1u << 3)
#define BY_TCP (BY_PLAIN | BY_TLS | BY_GSS)
#define LAST_WAY BY_GSS

#define IPV4_SIZE 4
#define IPV6_SIZE 16

/* ---- who is meant ---- */

static unsigned
ways_of(EsgHbaType type)
{
	switch (type)
	{
		case ESG_HBA_LOCAL:
			return BY_SOCKET;
		case ESG_HBA_HOST:
			return BY_TCP;
		case ESG_HBA_HOSTSSL:
			return BY_TLS;
		case ESG_HBA_HOSTNOSSL:
			return BY_PLAIN | BY_GSS;
		case ESG_HBA_HOSTGSSENC:
			return BY_GSS;
		case ESG_HBA_HOSTNOGSSENC:
			return BY_PLAIN | BY_TLS;
		default:
			return 0;
	}
}

/* Is everybody whom "inner" means meant by "outer", too? */
static bool
word_covers(const EsgHbaWord *outer, const EsgHbaWord *inner)
{
	/* "all" databases are not what physical replication connects to */
	if (outer->kind == ESG_HBA_ALL)
		return inner->kind != ESG_HBA_REPLICATION;
	if (outer->kind != inner->kind)
		return false;
	return (outer->kind != ESG_HBA_NAME && outer->kind != ESG_HBA_GROUP && outer->kind != ESG_HBA_REGEX) ||
		strcmp(outer->text, inner->text) == 0;
}

static bool
words_cover(const EsgHbaWords *outer, const EsgHbaWord *inner)
{
	for (int i = 0; i < outer->count; i++)
	{
		if (word_covers(&outer->items[i], inner))
			return true;
	}
	return false;
}

/* Is there somebody whom both mean, for certain? */
static bool
words_overlap(const EsgHbaWords *a, const EsgHbaWords *b)
{
	for (int i = 0; i < a->count; i++)
	{
		if (words_cover(b, &a->items[i]))
			return true;
	}
	for (int i = 0; i < b->count; i++)
	{
		if (words_cover(a, &b->items[i]))
			return true;
	}
	return false;
}

static bool
range_covers(const EsgHbaAddress *outer, const EsgHbaAddress *inner)
{
	if (outer->size != inner->size)
		return false;
	for (int i = 0; i < outer->size; i++)
	{
		if ((outer->mask[i] & ~inner->mask[i]) != 0 ||
			((outer->base[i] ^ inner->base[i]) & outer->mask[i]) != 0)
			return false;
	}
	return true;
}

static bool
is_whole_family(const EsgHbaAddress *address, int size)
{
	static const unsigned char zeroes[ESG_HBA_ADDRESS_SIZE];

	return address->kind == ESG_HBA_RANGE && address->size == size &&
		memcmp(address->mask, zeroes, size) == 0;
}

/*
 * Of the addresses of that family.  Which ones samehost, samenet and a host's
 * name stand for changes; the first two are looked up anew for each line.
 */
static bool
address_covers(const EsgHbaAddress *outer, const EsgHbaAddress *inner, int size)
{
	if (inner->kind == ESG_HBA_RANGE && inner->size != size)
		return true;			/* it has none */
	if (outer->kind == ESG_HBA_ANY_ADDRESS || is_whole_family(outer, size))
		return true;
	return outer->kind == ESG_HBA_RANGE && inner->kind == ESG_HBA_RANGE && range_covers(outer, inner);
}

static bool
covers_both_families(const EsgHbaAddress *outer, const EsgHbaAddress *inner)
{
	return address_covers(outer, inner, IPV4_SIZE) && address_covers(outer, inner, IPV6_SIZE);
}

/* Is there an address that both mean, for certain?  Prefixes overlap where one holds the other. */
static bool
addresses_overlap(const EsgHbaAddress *a, const EsgHbaAddress *b)
{
	if (covers_both_families(a, b) || covers_both_families(b, a))
		return true;
	if (a->kind != b->kind || a->kind == ESG_HBA_RANGE)
		return false;
	return a->kind != ESG_HBA_HOST_NAME || strcmp(a->host_name, b->host_name) == 0;
}

bool
esg_hba_reaches_others(const EsgHbaAddress *address)
{
	static const EsgHbaAddress loopback4 = {.kind = ESG_HBA_RANGE,.size = IPV4_SIZE,.base = {127},.mask = {255}};
	EsgHbaAddress loopback6 = {.kind = ESG_HBA_RANGE,.size = IPV6_SIZE};

	memset(loopback6.mask, 255, sizeof(loopback6.mask));
	loopback6.base[IPV6_SIZE - 1] = 1;
	switch (address->kind)
	{
		case ESG_HBA_RANGE:
			return !range_covers(&loopback4, address) && !range_covers(&loopback6, address);
		case ESG_HBA_SAMEHOST:
			return false;
		case ESG_HBA_HOST_NAME:
			return strcmp(address->host_name, "localhost") != 0;
		default:
			return true;
	}
}

/* ---- which lines are dead ---- */

/* A part of a line: see above. */
typedef struct Piece
{
	const EsgHbaLine *line;
	unsigned	way;
	int			family;
	const EsgHbaWord *database;
	const EsgHbaWord *user;
} Piece;

/* The earlier line that takes all of it; NULL if none does for certain. */
static const EsgHbaLine *
find_taker(const EsgHbaLine *lines, const Piece *piece)
{
	for (const EsgHbaLine *line = lines; line < piece->line; line++)
	{
		if ((ways_of(line->type) & piece->way) == 0)
			continue;
		if (piece->way != BY_SOCKET &&
			!address_covers(&line->address, &piece->line->address, piece->family))
			continue;
		if (words_cover(&line->databases, piece->database) && words_cover(&line->users, piece->user))
			return line;
	}
	return NULL;
}

/* Do earlier lines take all that comes that way?  taker: the last one that is needed for it. */
static bool
is_way_taken(const EsgHbaLine *lines, const EsgHbaLine *line, unsigned way, const EsgHbaLine **taker)
{
	static const int families[] = {IPV4_SIZE, IPV6_SIZE};
	int			pieces = 2 * line->databases.count * line->users.count;

	for (int i = 0; i < pieces; i++)
	{
		Piece		piece = {
			.line = line,.way = way,.family = families[i % 2],
			.database = &line->databases.items[i / 2 / line->users.count],
			.user = &line->users.items[i / 2 % line->users.count]
		};
		const EsgHbaLine *found = find_taker(lines, &piece);

		if (found == NULL)
			return false;
		if (*taker == NULL || found > *taker)
			*taker = found;
	}
	return true;
}

/*
 * The work that all lines may be: beyond, lines are taken for live.  A file of
 * tens of thousands of lines must not keep anybody waiting.
 */
#define MAX_WORK (INT64_C(1) << 25)
/* the same for pairs that are compared for other findings: beyond, nothing is found */
#define MAX_PAIRS (INT64_C(1) << 27)

typedef struct Judge
{
	EsgHbaLine *lines;
	int			count;
	const EsgHbaServer *server;
	const signed char *overrides;
	int64_t		words;			/* of the lines before the one judged */
	int64_t		work;
	int64_t		pairs;
} Judge;

static bool
is_affordable(Judge *judge, const EsgHbaLine *line)
{
	if (judge->work <= MAX_WORK)
		judge->work += judge->words * (1 + (int64_t) line->databases.count * line->users.count);
	judge->words += 1 + line->databases.count + line->users.count;
	return judge->work <= MAX_WORK;
}

/* So many pairs more. */
static bool
may_compare(Judge *judge, int64_t pairs)
{
	judge->pairs += pairs;
	return judge->pairs <= MAX_PAIRS;
}

/* Sets line->live. */
static void
find_live_ways(Judge *judge, EsgHbaLine *line, const EsgHbaLine **taker)
{
	line->live = ways_of(line->type);
	if (!judge->server->tls)
		line->live &= ~BY_TLS;
	/* counted in the order of the lines */
	if (!is_affordable(judge, line))
		return;
	for (unsigned way = BY_SOCKET; way <= LAST_WAY; way <<= 1)
	{
		if ((line->live & way) != 0 && is_way_taken(judge->lines, line, way, taker))
			line->live &= ~way;
	}
}

/* ---- findings ---- */

static void
add_remark(const Judge *judge, EsgHbaLine *line, EsgRemark *remark)
{
	(void) esg_findings_add(&line->findings, remark, (const signed char *) judge->overrides);
}

static void
add_finding(const Judge *judge, EsgHbaLine *line, EsgCode code)
{
	EsgRemark	remark;

	if (esg_remark_start(&remark, code, ESG_PLACE_FILE))
		add_remark(judge, line, &remark);
}

static bool
has_method(const EsgHbaLine *line, const char *method)
{
	return strcmp(line->method, method) == 0;
}

/* The server has the client send it its password as it is. */
static bool
takes_password(const EsgHbaLine *line)
{
	static const char *const methods[] = {"password", "ldap", "pam", "radius", "bsd"};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
	{
		if (has_method(line, methods[i]))
			return true;
	}
	return false;
}

static int64_t
pair_words(const EsgHbaWords *a, const EsgHbaWords *b)
{
	return (int64_t) a->count * b->count;
}

/* Is there a line before for TLS, with which people can fall back to this one? */
static bool
is_fallback(Judge *judge, const EsgHbaLine *line)
{
	for (const EsgHbaLine *earlier = judge->lines; earlier < line; earlier++)
	{
		if (!may_compare(judge, 1 + pair_words(&earlier->databases, &line->databases) +
						 pair_words(&earlier->users, &line->users)))
			return false;
		if (earlier->type == ESG_HBA_HOSTSSL && earlier->live != 0 && !has_method(earlier, "reject") &&
			words_overlap(&earlier->databases, &line->databases) &&
			words_overlap(&earlier->users, &line->users) &&
			addresses_overlap(&earlier->address, &line->address))
			return true;
	}
	return false;
}

/* Of a line by which clients on other machines come. */
static void
judge_remote(Judge *judge, EsgHbaLine *line)
{
	if ((line->live & BY_PLAIN) != 0)
	{
		add_finding(judge, line, ESG_HBA_PLAINTEXT);
		if (judge->server->tls && is_fallback(judge, line))
			add_finding(judge, line, ESG_HBA_FALLBACK);
		if (takes_password(line))
			add_finding(judge, line, ESG_HBA_CLEARTEXT_PASSWORD);
	}
	/* with verify-full the certificate has to have the role's name */
	if (has_method(line, "trust") && line->cert != ESG_HBA_VERIFY_FULL)
		add_finding(judge, line, ESG_HBA_TRUST);
	if (takes_password(line) && line->cert == ESG_HBA_VERIFY_CA)
		add_finding(judge, line, ESG_HBA_ANY_CERTIFICATE);
}

/* Or nobody knows. */
static bool
has_map(Judge *judge, const char *map)
{
	if (!may_compare(judge, judge->count))
		return true;
	for (int i = 0; i < judge->count; i++)
	{
		const EsgHbaLine *line = &judge->lines[i];

		if (line->type == ESG_HBA_MAP && strcmp(line->map, map) == 0)
			return true;
	}
	return false;
}

/* Why nobody gets in by it; false: somebody may. */
static bool
is_dead(const Judge *judge, const EsgHbaLine *line, const EsgHbaLine *taker, EsgRemark *remark)
{
	if (!esg_remark_start(remark, ESG_HBA_NEVER_MATCHES, ESG_PLACE_FILE))
		return false;
	if (line->type == ESG_HBA_HOSTSSL && !judge->server->tls)
		esg_remark_say(remark, "ssl is off");
	else if (line->live == 0 && taker != NULL && strcmp(taker->file, line->file) == 0)
		esg_remark_say(remark, "line %d takes everything", taker->number);
	else if (line->live == 0)
		esg_remark_say(remark, "earlier lines take everything");
	else if (line->cert != ESG_HBA_NO_CERT && !judge->server->ca)
		esg_remark_say(remark, "there is no ssl_ca_file");
	else
		return false;
	return true;
}

static void
judge_hba_line(Judge *judge, EsgHbaLine *line)
{
	const EsgHbaLine *taker = NULL;
	EsgRemark	remark;

	find_live_ways(judge, line, &taker);
	if (is_dead(judge, line, taker, &remark))
	{
		add_remark(judge, line, &remark);
		return;
	}
	if (has_method(line, "reject"))
		return;
	if (line->type != ESG_HBA_LOCAL && esg_hba_reaches_others(&line->address))
		judge_remote(judge, line);
	if (has_method(line, "md5"))
		add_finding(judge, line, ESG_HBA_MD5);
	if (line->map != NULL && !has_map(judge, line->map))
		add_finding(judge, line, ESG_HBA_MAP_EMPTY);
}

static void
judge_map(const Judge *judge, EsgHbaLine *line)
{
	const EsgHbaWord *role = &line->users.items[0];
	EsgHbaMapRole target = {
		.text = role->text,.is_all = role->kind == ESG_HBA_ALL,.is_regex = role->kind == ESG_HBA_REGEX
	};

	if (esg_hba_map_is_loose(line->system_user, &target))
		add_finding(judge, line, ESG_IDENT_UNANCHORED);
}

static void
judge_line(Judge *judge, EsgHbaLine *line)
{
	if (line->type == ESG_HBA_BROKEN)
		add_finding(judge, line, ESG_HBA_UNPARSABLE);
	else if (line->type == ESG_HBA_MAP)
		judge_map(judge, line);
	else
		judge_hba_line(judge, line);
}

void
esg_hba_judge(EsgHbaLine *lines, int count, const EsgHbaServer *server, const EsgOverrides overrides)
{
	Judge		judge = {.lines = lines,.count = count,.server = server,.overrides = overrides};

	for (int i = 0; i < count; i++)
	{
		judge_line(&judge, &lines[i]);
		esg_findings_sort(&lines[i].findings);
	}
}
