/*
 * login/ident_map.c
 *		Core's user name maps, asked at a login and afterwards.
 *
 * The postmaster parses pg_hba.conf and pg_ident.conf into memory below
 * PostmasterContext, which each backend inherits and deletes when its login is
 * over, leaving hba.c's private pointers dangling: check_usermap() may not be
 * called any more, and load_ident() would free the old lines a second time.  So
 * that a session can ask the same code the login asked, the login hook gives
 * core another PostmasterContext to delete and keeps the old one, but for the
 * lines of pg_hba.conf: they may be many, and hold secrets.
 *
 * Where core keeps the lines of pg_ident.conf is its own business, as long as it
 * is below PostmasterContext and not among the lines of pg_hba.conf.  The latter
 * are known by the one that this login matched; if they are not in a context of
 * their own directly below PostmasterContext, core has changed, all is left as
 * it is, and the map cannot be asked after the login.
 */
#include "postgres.h"

#include "libpq/hba.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/memnodes.h"
#include "utils/memutils.h"

#include "compat.h"
#include "login/ident_map.h"

/*
 * Marks the context that was kept.  A variable would do, and cost each login a
 * page of its own.
 */
static const char kept_mark[] = "kept by ext_ssl_guard";

static emit_log_hook_type prev_emit_log_hook = NULL;

/* What is the same as in the postmaster is not written again, at the cost of a page. */
static void
remember_log_hook(void)
{
	if (prev_emit_log_hook != emit_log_hook)
		prev_emit_log_hook = emit_log_hook;
}

void
esg_ident_map_init(void)
{
	remember_log_hook();
}

void
esg_ident_map_keep(const HbaLine *matched)
{
	MemoryContext kept = PostmasterContext;
	MemoryContext hba_lines = matched != NULL ? GetMemoryChunkContext((void *) matched) : NULL;

	if (kept == NULL || hba_lines == NULL || MemoryContextGetParent(hba_lines) != kept)
		return;
	PostmasterContext = AllocSetContextCreate(TopMemoryContext, "ext_ssl_guard after login",
											  ALLOCSET_SMALL_SIZES);
	/* alone, they could have the others among them */
	if (hba_lines->prevchild != NULL || hba_lines->nextchild != NULL)
		MemoryContextSetParent(hba_lines, PostmasterContext);
	MemoryContextSetIdentifier(kept, kept_mark);
}

/* Are hba.c's pointers to the map good in this process, also after the login? */
static bool
is_map_kept(void)
{
	for (MemoryContext context = TopMemoryContext->firstchild; context != NULL; context = context->nextchild)
	{
		if (context->ident == kept_mark)
			return true;
	}
	return false;
}

/*
 * load_ident() puts the new lines below PostmasterContext, which is gone.
 *
 * At a login no database is chosen yet: identities, role names and patterns
 * are bytes.  Afterwards the answer must not depend on the database either.
 */
bool
esg_ident_map_reload(void)
{
	int			encoding = GetDatabaseEncoding();
	bool		loaded = false;

	if (!is_map_kept())
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("user name maps cannot be consulted in this session"),
				 errdetail("What the server had read of \"pg_ident.conf\" was not kept when the session began.")));
	Assert(PostmasterContext == NULL);
	PostmasterContext = TopMemoryContext;
	SetDatabaseEncoding(PG_SQL_ASCII);
	PG_TRY();
	{
		loaded = load_ident();
	}
	PG_FINALLY();
	{
		SetDatabaseEncoding(encoding);
		PostmasterContext = NULL;
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

	remember_log_hook();
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
