/*
 * login/ident_map.c
 *		Core's user name maps, asked at a login and afterwards.
 *
 * The postmaster parses pg_ident.conf into a context below PostmasterContext,
 * which each process inherits and, when the login is over, deletes, leaving
 * hba.c's private pointers dangling: check_usermap() may not be called any
 * more, and load_ident() would free the old lines a second time.  So that a
 * session can ask the same code the login asked, the login hook moves that one
 * context to TopMemoryContext, out of the way of the deletion.
 */
#include "postgres.h"

#include "libpq/hba.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/memnodes.h"
#include "utils/memutils.h"

#include "compat.h"
#include "login/ident_map.h"

/* load_ident()'s name for it, the same in 15 to 19 */
#define IDENT_CONTEXT_NAME "ident parser context"

/* hba.c's pointers are good in this process: kept, or never set */
static bool map_is_kept = false;

static emit_log_hook_type prev_emit_log_hook = NULL;

static MemoryContext
find_ident_context(void)
{
	MemoryContext child;

	if (PostmasterContext == NULL)
		return NULL;
	for (child = PostmasterContext->firstchild; child != NULL; child = child->nextchild)
	{
		if (strcmp(child->name, IDENT_CONTEXT_NAME) == 0)
			return child;
	}
	return NULL;
}

void
esg_ident_map_keep(void)
{
	MemoryContext context = find_ident_context();

	if (context != NULL)
		MemoryContextSetParent(context, TopMemoryContext);
	map_is_kept = true;
}

/* load_ident() puts the new lines below PostmasterContext, which is gone. */
static bool
load_into_top_context(void)
{
	MemoryContext saved = PostmasterContext;
	bool		loaded = false;

	PostmasterContext = TopMemoryContext;
	PG_TRY();
	{
		loaded = load_ident();
	}
	PG_FINALLY();
	{
		PostmasterContext = saved;
	}
	PG_END_TRY();
	return loaded;
}

/*
 * At a login no database is chosen yet: identities, role names and patterns
 * are bytes.  Afterwards the answer must not depend on the database either.
 */
bool
esg_ident_map_reload(void)
{
	int			encoding = GetDatabaseEncoding();
	bool		loaded = false;

	if (!map_is_kept)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("user name maps cannot be consulted in a background process")));
	SetDatabaseEncoding(PG_SQL_ASCII);
	PG_TRY();
	{
		loaded = load_into_top_context();
	}
	PG_FINALLY();
	{
		SetDatabaseEncoding(encoding);
	}
	PG_END_TRY();
	return loaded;
}

/*
 * check_usermap() logs each mismatch, which is normal with several identities.
 * That is its only line without an SQLSTATE.
 */
static void
drop_mismatch(ErrorData *edata)
{
	if (edata->elevel == LOG && edata->sqlerrcode == ERRCODE_SUCCESSFUL_COMPLETION)
	{
		edata->output_to_server = false;
		edata->output_to_client = false;
		return;
	}
	if (prev_emit_log_hook)
		prev_emit_log_hook(edata);
}

bool
esg_ident_map_accepts(const char *map, const char *role_name, const char *identity)
{
	int			encoding = GetDatabaseEncoding();
	int			status = STATUS_ERROR;

	prev_emit_log_hook = emit_log_hook;
	emit_log_hook = drop_mismatch;
	SetDatabaseEncoding(PG_SQL_ASCII);
	PG_TRY();
	{
		status = check_usermap(map, role_name, identity, false);
	}
	PG_FINALLY();
	{
		SetDatabaseEncoding(encoding);
		emit_log_hook = prev_emit_log_hook;
	}
	PG_END_TRY();
	return status == STATUS_OK;
}
