/*
 * server/guc_strict.c
 *		A value that cannot be accepted is not passed over.
 *
 * Core itself is asked whether it accepts a value, without setting it: the words
 * are the same as for settings of its own.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"

#include "compat.h"
#include "server/guc_strict.h"

#define PREFIX "ext_ssl_guard."

/* core's name for the outermost configuration file */
#define OUTERMOST 0

typedef struct Configured
{
	char	   *name;
	char	   *value;
} Configured;

/* what stood in the configuration before our settings were defined */
static List *configured = NIL;

static bool
is_ours(const char *name)
{
	return pg_strncasecmp(name, PREFIX, strlen(PREFIX)) == 0;
}

/* Not in a session that loads the library by itself, nor in a child that does so again. */
static bool
is_server_start(void)
{
	return process_shared_preload_libraries_in_progress && !IsUnderPostmaster;
}

void
esg_guc_strict_remember(void)
{
	struct config_generic **settings;
	int			count;

	if (!is_server_start())
		return;
	settings = get_guc_variables(&count);
	for (int i = 0; i < count; i++)
	{
		const char *value;
		Configured *one;

		if (!(settings[i]->flags & GUC_CUSTOM_PLACEHOLDER) || !is_ours(settings[i]->name))
			continue;
		value = GetConfigOption(settings[i]->name, true, false);
		if (value == NULL)
			continue;
		one = palloc(sizeof(Configured));
		one->name = pstrdup(settings[i]->name);
		one->value = pstrdup(value);
		configured = lappend(configured, one);
	}
}

/* All of ours have a value. */
static bool
is_known(const char *name)
{
	return GetConfigOption(name, true, false) != NULL;
}

/* Asks core; what it says against the value has this level. */
static void
ask(const char *name, const char *value, int elevel)
{
	if (!is_known(name))
		ereport(elevel,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("unrecognized configuration parameter \"%s\"", name)));
	/* as the postmaster, which may set any */
	(void) set_config_option(name, value, PGC_POSTMASTER, PGC_S_FILE, GUC_ACTION_SET, false,
							 elevel, false);
}

void
esg_guc_strict_insist(void)
{
	ListCell   *cell;

	foreach(cell, configured)
	{
		Configured *one = lfirst(cell);

		ask(one->name, one->value, FATAL);
		pfree(one->name);
		pfree(one->value);
	}
	list_free_deep(configured);
	configured = NIL;
}

/* Core's words in one line. */
static char *
tell_reason(const ErrorData *error)
{
	return psprintf("%s%s%s%s%s", error->message,
					error->detail ? ". " : "", error->detail ? error->detail : "",
					error->hint ? (error->detail ? " " : ". ") : "",
					error->hint ? error->hint : "");
}

/* NULL: the value is accepted. */
static char *
find_fault(const char *name, const char *value)
{
	MemoryContext context = CurrentMemoryContext;
	char	   *volatile reason = NULL;

	PG_TRY();
	{
		ask(name, value, ERROR);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		reason = tell_reason(CopyErrorData());
		FlushErrorState();
	}
	PG_END_TRY();
	return reason;
}

static EsgRejectedSetting *
make_rejected(const ConfigVariable *item, char *reason)
{
	EsgRejectedSetting *rejected = palloc(sizeof(EsgRejectedSetting));

	rejected->name = pstrdup(item->name);
	rejected->value = pstrdup(item->value);
	rejected->reason = reason;
	rejected->file = pstrdup(item->filename ? item->filename : "");
	rejected->line = item->sourceline;
	return rejected;
}

/* Of several lines for one setting the last counts. */
static bool
is_overruled(const ConfigVariable *item)
{
	for (const ConfigVariable *later = item->next; later != NULL; later = later->next)
	{
		if (later->name != NULL && pg_strcasecmp(later->name, item->name) == 0)
			return true;
	}
	return false;
}

bool
esg_guc_strict_find(List **out)
{
	ConfigVariable *first = NULL;
	ConfigVariable *last = NULL;

	*out = NIL;
	if (!ParseConfigFile(ConfigFileName, true, NULL, 0, OUTERMOST, DEBUG2, &first, &last) ||
		!ParseConfigFile(PG_AUTOCONF_FILENAME, false, NULL, 0, OUTERMOST, DEBUG2, &first, &last))
		return false;
	for (const ConfigVariable *item = first; item != NULL; item = item->next)
	{
		char	   *reason;

		if (item->name == NULL || !is_ours(item->name) || is_overruled(item))
			continue;
		reason = find_fault(item->name, item->value);
		if (reason != NULL)
			*out = lappend(*out, make_rejected(item, reason));
	}
	return true;
}
