/*
 * server/setting_alarms.c
 *		Settings that do not do what they seem to.
 */
#include "postgres.h"

#include "libpq/hba.h"
#include "storage/fd.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "server/alarms.h"
#include "server/guc.h"
#include "server/guc_strict.h"
#include "server/setting_alarms.h"
#include "x509/cut_text.h"

/* the outermost file */
#define OUTERMOST 0

typedef struct Found
{
	EsgPolicy	policy;
	EsgAlarm   *alarms;			/* palloc'd, with room for all */
	int			count;
} Found;

/* A further alarm, its DETAIL to be completed; NULL: regraded to "off". */
static EsgAlarm *
add_alarm(Found *found, EsgCode code, const char *detail)
{
	EsgSeverity severity = esg_findings_severity(code, ESG_PLACE_SERVER, found->policy.overrides);
	char	   *printable;
	EsgAlarm   *alarm;

	if (severity == ESG_OK || found->count == ESG_MAX_REPORTED)
		return NULL;
	printable = esg_report_printable(detail);
	alarm = &found->alarms[found->count++];
	esg_report_server_alarm(code, severity, printable, NULL, alarm);
	esg_cut_text_copy(alarm->object, sizeof(alarm->object), printable);
	pfree(printable);
	return alarm;
}

static void
add_pair(EsgAlarm *alarm, const char *key, const char *value)
{
	char	   *printable = esg_report_printable(value);

	esg_alarm_text_append_pair(alarm->detail, sizeof(alarm->detail), key, printable);
	pfree(printable);
}

static void
add_rejected(Found *found, const EsgRejectedSetting *rejected)
{
	EsgAlarm   *alarm = add_alarm(found, ESG_SETTING_REJECTED, rejected->name);
	char		line[16];

	if (alarm == NULL)
		return;
	snprintf(line, sizeof(line), "%d", rejected->line);
	add_pair(alarm, "line", line);
	add_pair(alarm, "reason", rejected->reason);
	add_pair(alarm, "file", rejected->file);
}

/* Does a line of that map stand there?  Core compares the names as they are. */
static bool
has_line(const List *lines, const char *map)
{
	ListCell   *cell;

	foreach(cell, lines)
	{
		const TokenizedAuthLine *line = lfirst(cell);
		const List *first = line->fields != NIL ? linitial(line->fields) : NIL;

		if (line->err_msg == NULL && first != NIL &&
			strcmp(((AuthToken *) linitial(first))->string, map) == 0)
			return true;
	}
	return false;
}

/* A file that cannot be read has no line either: so it is for core. */
static bool
is_map_empty(const char *map)
{
	List	   *lines = NIL;
	char	   *error = NULL;
	FILE	   *file = open_auth_file(IdentFileName, DEBUG2, OUTERMOST, &error);
	bool		found;

	if (file == NULL)
		return true;
	tokenize_auth_file(IdentFileName, file, &lines, DEBUG2, OUTERMOST);
	found = has_line(lines, map);
	free_auth_file(file, OUTERMOST);
	return !found;
}

void
esg_setting_alarms_review(void)
{
	TimestampTz now = GetCurrentTimestamp();
	Found		found = {.count = 0};
	List	   *rejected;
	ListCell   *cell;

	/* core complains of files that cannot be read; what was known stands */
	if (!esg_guc_strict_find(&rejected))
		return;
	esg_guc_policy(&found.policy);
	found.alarms = palloc0(sizeof(EsgAlarm) * Min(list_length(rejected) + 1, ESG_MAX_REPORTED));
	if (esg_guc_identity_check != ESG_MODE_OFF && esg_guc_identity_map[0] != '\0' &&
		is_map_empty(esg_guc_identity_map))
		(void) add_alarm(&found, ESG_IDENTITY_MAP_EMPTY, esg_guc_identity_map);
	foreach(cell, rejected)
		add_rejected(&found, lfirst(cell));
	esg_alarms_reconcile(ESG_SCOPE_SETTINGS, found.alarms, found.count, now);
	pfree(found.alarms);
}
