/*
 * audit/hba.c
 *		pg_hba.conf and pg_ident.conf as they lie on disk, with what is wrong.
 *
 * Of what core's parser returns only the parts that are judged are taken: its
 * structs hold the secrets of LDAP and RADIUS, too.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "libpq/hba.h"
#include "libpq/libpq.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "storage/fd.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "audit/hba.h"
#include "audit/hba_files.h"
#include "compat.h"
#include "server/guc.h"

/*
 * Core's messages about what it cannot parse are for those who reload.  They quote
 * the file, secrets, too: not even somebody who asks for DEBUG5 gets them.
 */
#define SILENT (DEBUG5 - 1)

/* the outermost file */
#define OUTERMOST 0

/* what is not between two names in a list of servers */
#define SERVER_NAME_CHARS \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-_%/\\"

static EsgHbaLine *
append_line(EsgHba *hba, const char *file, int number)
{
	EsgHbaLine *line;

	if (hba->count == hba->capacity)
	{
		hba->capacity *= 2;
		hba->lines = repalloc_huge(hba->lines, hba->capacity * sizeof(EsgHbaLine));
	}
	line = &hba->lines[hba->count++];
	memset(line, 0, sizeof(*line));
	line->file = pstrdup(file);
	line->number = number;
	line->type = ESG_HBA_BROKEN;
	return line;
}

static char *
copy_text(const char *text)
{
	return text != NULL ? pstrdup(text) : NULL;
}

/* ---- pg_hba.conf ---- */

static bool
is_word(const AuthToken *token, const char *word)
{
	return !token->quoted && strcmp(token->string, word) == 0;
}

static EsgHbaKind
kind_of_database(const AuthToken *token)
{
	if (is_word(token, "all"))
		return ESG_HBA_ALL;
	if (is_word(token, "sameuser"))
		return ESG_HBA_SAMEUSER;
	if (is_word(token, "samerole") || is_word(token, "samegroup"))
		return ESG_HBA_SAMEROLE;
	if (is_word(token, "replication"))
		return ESG_HBA_REPLICATION;
	return esg_auth_token_is_regex(token) ? ESG_HBA_REGEX : ESG_HBA_NAME;
}

static EsgHbaKind
kind_of_user(const AuthToken *token)
{
	if (!token->quoted && token->string[0] == '+')
		return ESG_HBA_GROUP;
	if (esg_auth_token_is_regex(token))
		return ESG_HBA_REGEX;
	return is_word(token, "all") ? ESG_HBA_ALL : ESG_HBA_NAME;
}

static void
take_words(EsgHbaWords *words, const List *tokens, EsgHbaKind (*kind_of) (const AuthToken *token))
{
	ListCell   *cell;

	words->items = palloc(Max(list_length(tokens), 1) * sizeof(EsgHbaWord));
	foreach(cell, tokens)
	{
		const AuthToken *token = lfirst(cell);
		EsgHbaWord *word = &words->items[words->count++];

		word->kind = kind_of(token);
		word->text = pstrdup(token->string);
	}
}

/* The bytes of an address; returns how many, 0 for a family that nobody knows. */
static int
take_bytes(unsigned char *out, const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
	{
		memcpy(out, &((const struct sockaddr_in *) address)->sin_addr, 4);
		return 4;
	}
	if (address->ss_family == AF_INET6)
	{
		memcpy(out, &((const struct sockaddr_in6 *) address)->sin6_addr, 16);
		return 16;
	}
	return 0;
}

static void
take_address(EsgHbaAddress *out, const HbaLine *line)
{
	switch (line->ip_cmp_method)
	{
		case ipCmpSameHost:
			out->kind = ESG_HBA_SAMEHOST;
			return;
		case ipCmpSameNet:
			out->kind = ESG_HBA_SAMENET;
			return;
		case ipCmpAll:
			out->kind = ESG_HBA_ANY_ADDRESS;
			return;
		case ipCmpMask:
			break;
	}
	out->kind = line->hostname != NULL ? ESG_HBA_HOST_NAME : ESG_HBA_RANGE;
	out->host_name = copy_text(line->hostname);
	if (line->hostname == NULL)
	{
		out->size = take_bytes(out->base, &line->addr);
		(void) take_bytes(out->mask, &line->mask);
	}
}

static EsgHbaType
type_of(ConnType type)
{
	switch (type)
	{
		case ctLocal:
			return ESG_HBA_LOCAL;
		case ctHost:
			return ESG_HBA_HOST;
		case ctHostSSL:
			return ESG_HBA_HOSTSSL;
		case ctHostNoSSL:
			return ESG_HBA_HOSTNOSSL;
		case ctHostGSS:
			return ESG_HBA_HOSTGSSENC;
		case ctHostNoGSS:
			return ESG_HBA_HOSTNOGSSENC;
	}
	return ESG_HBA_BROKEN;
}

static void
take_hba_line(EsgHbaLine *out, const HbaLine *line)
{
	out->type = type_of(line->conntype);
	take_words(&out->databases, line->databases, kind_of_database);
	take_words(&out->users, line->roles, kind_of_user);
	if (line->conntype != ctLocal)
		take_address(&out->address, line);
	out->method = pstrdup(hba_authname(line->auth_method));
	out->map = copy_text(line->usermap);
	if (line->clientcert != clientCertOff)
		out->cert = line->clientcert == clientCertFull ? ESG_HBA_VERIFY_FULL : ESG_HBA_VERIFY_CA;
}

/* Each name becomes an address: palloc'd. */
static char *
number_servers(const char *names)
{
	StringInfoData out;

	initStringInfo(&out);
	while (*names != '\0')
	{
		size_t		others = strcspn(names, SERVER_NAME_CHARS);

		appendBinaryStringInfo(&out, names, (int) others);
		names += others;
		if (*names != '\0')
			appendStringInfoString(&out, "127.0.0.1");
		names += strspn(names, SERVER_NAME_CHARS);
	}
	return out.data;
}

/* Core looks up the names of RADIUS servers while it parses: nobody waits for the network here. */
static void
spare_network(TokenizedAuthLine *tokens)
{
	static const char option[] = "radiusservers=";
	ListCell   *field;
	ListCell   *cell;

	foreach(field, tokens->fields)
	{
		foreach(cell, (List *) lfirst(field))
		{
			AuthToken  *token = lfirst(cell);

			if (strncmp(token->string, option, strlen(option)) == 0)
				token->string = psprintf("%s%s", option, number_servers(token->string + strlen(option)));
		}
	}
}

static void
parse_hba(EsgHbaLine *out, TokenizedAuthLine *tokens)
{
	HbaLine    *line;

	if (tokens->err_msg != NULL)
		return;
	spare_network(tokens);
	line = parse_hba_line(tokens, SILENT);
	if (line != NULL)
		take_hba_line(out, line);
}

/* ---- pg_ident.conf ---- */

static void
parse_ident(EsgHbaLine *out, TokenizedAuthLine *tokens)
{
	IdentLine  *line = tokens->err_msg == NULL ? parse_ident_line(tokens, SILENT) : NULL;

	out->of_ident = true;
	if (line == NULL)
		return;
	out->type = ESG_HBA_MAP;
	out->map = pstrdup(line->usermap);
	out->system_user = pstrdup(esg_ident_system_user(line));
	out->users.items = palloc(sizeof(EsgHbaWord));
	out->users.count = 1;
	out->users.items[0].kind = ESG_HBA_NAME;
	out->users.items[0].text = pstrdup(esg_ident_role(line));
	if (esg_ident_is_role_word(line))
		out->users.items[0].kind = kind_of_user(esg_ident_role_token(line));
	esg_ident_line_free(line);
}

/* ---- both ---- */

typedef void (*ParseFn) (EsgHbaLine *out, TokenizedAuthLine *tokens);

/* A file that is not there, or not fit to be read, is one line without a number. */
static void
read_auth_file(EsgHba *hba, const char *path, ParseFn parse, bool of_ident)
{
	bool		harmless = path != NULL && esg_hba_files_are_harmless(path);
	char	   *error = NULL;
	FILE	   *file = harmless ? open_auth_file(path, SILENT, OUTERMOST, &error) : NULL;
	List	   *lines = NIL;
	ListCell   *cell;

	if (file == NULL)
	{
		/* a server does without pg_ident.conf */
		if (path != NULL && (!of_ident || !harmless))
			append_line(hba, path, 0)->of_ident = of_ident;
		return;
	}
	tokenize_auth_file(path, file, &lines, SILENT, OUTERMOST);
	foreach(cell, lines)
	{
		TokenizedAuthLine *tokens = lfirst(cell);
		const char *included = esg_auth_line_file(tokens);

		CHECK_FOR_INTERRUPTS();
		parse(append_line(hba, included != NULL ? included : path, tokens->line_num), tokens);
	}
	free_auth_file(file, OUTERMOST);
}

static void
free_findings(EsgHba *hba)
{
	for (int i = 0; i < hba->count; i++)
		esg_findings_free(&hba->lines[i].findings);
}

static void
judge(EsgHba *hba)
{
	EsgHbaServer server = {.tls = EnableSSL,.ca = (ssl_ca_file != NULL && ssl_ca_file[0] != '\0') || ssl_sni};
	EsgPolicy	policy;

	esg_guc_policy(&policy);
	esg_hba_judge(hba->lines, hba->count, &server, policy.overrides);
	for (int i = 0; i < hba->count; i++)
	{
		if (hba->lines[i].findings.out_of_memory)
		{
			free_findings(hba);
			ereport(ERROR,
					(errcode(ERRCODE_OUT_OF_MEMORY),
					 errmsg("out of memory"),
					 errdetail("Failed while judging the lines of pg_hba.conf.")));
		}
	}
}

EsgHba *
esg_hba_read(void)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "ext_ssl_guard hba",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	EsgHba	   *hba = palloc0(sizeof(EsgHba));

	hba->context = context;
	hba->capacity = 64;
	hba->lines = palloc(hba->capacity * sizeof(EsgHbaLine));
	read_auth_file(hba, HbaFileName, parse_hba, false);
	read_auth_file(hba, IdentFileName, parse_ident, true);
	judge(hba);
	MemoryContextSwitchTo(old);
	return hba;
}

void
esg_hba_free(EsgHba *hba)
{
	free_findings(hba);
	MemoryContextDelete(hba->context);
}
