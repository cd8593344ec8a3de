/*
 * audit/hba_alarms.c
 *		What is wrong with pg_hba.conf and pg_ident.conf, as alarms.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "audit/hba.h"
#include "audit/hba_alarms.h"
#include "server/alarm_list.h"

/* lines that are named; there may be thousands */
#define MAX_NAMED 5

/* The findings of one code in one file. */
typedef struct Group
{
	EsgFinding	finding;		/* the worst one; detail is not set */
	const EsgHbaLine *first;
	StringInfoData lines;		/* "3: ssl is off, 7" */
	int			count;
} Group;

typedef struct Groups
{
	Group		items[ESG_MAX_HBA_ALARMS];
	int			count;
} Groups;

/* NULL: there are too many. */
static Group *
find_group(Groups *groups, const EsgHbaLine *line, const EsgFinding *finding)
{
	Group	   *group;

	for (int i = 0; i < groups->count; i++)
	{
		group = &groups->items[i];
		if (group->finding.code == finding->code && strcmp(group->first->file, line->file) == 0)
			return group;
	}
	if (groups->count == ESG_MAX_HBA_ALARMS)
		return NULL;
	group = &groups->items[groups->count++];
	memset(group, 0, sizeof(*group));
	group->finding = *finding;
	group->first = line;
	initStringInfo(&group->lines);
	return group;
}

static void
add_finding(Groups *groups, const EsgHbaLine *line, const EsgFinding *finding)
{
	Group	   *group = find_group(groups, line, finding);

	if (group == NULL || group->count++ >= MAX_NAMED)
		return;
	if (line->number == 0)
		appendStringInfoString(&group->lines, "the whole file");
	else
		appendStringInfo(&group->lines, "%s%d", group->count > 1 ? ", " : "line ", line->number);
	if (finding->detail[0] != '\0')
		appendStringInfo(&group->lines, ": %s", finding->detail);
}

static void
add_line(Groups *groups, const EsgHbaLine *line)
{
	for (int i = 0; i < line->findings.count; i++)
		add_finding(groups, line, &line->findings.items[i]);
}

static void
make_alarms(EsgAlarmList *list, void *arg)
{
	Groups	   *groups = arg;

	for (int i = 0; i < groups->count; i++)
	{
		Group	   *group = &groups->items[i];
		EsgLocation location = {
			.setting = group->first->of_ident ? "ident_file" : "hba_file",
			.path = group->first->file
		};
		EsgAlarm   *alarm = esg_alarm_list_next(list, &group->finding);

		if (alarm != NULL)
			esg_alarm_text_file(&group->finding, &location, NULL, alarm);
	}
}

static void
finish_groups(Groups *groups)
{
	for (int i = 0; i < groups->count; i++)
	{
		Group	   *group = &groups->items[i];

		if (group->count > MAX_NAMED)
			appendStringInfo(&group->lines, " and %d more", group->count - MAX_NAMED);
		group->finding.detail = group->lines.data;
	}
}

int
esg_hba_alarms_collect(EsgAlarm *alarms, int room)
{
	EsgHba	   *hba = esg_hba_read();
	Groups	   *groups = palloc(sizeof(Groups));
	EsgAlarmList list;

	groups->count = 0;
	for (int i = 0; i < hba->count; i++)
		add_line(groups, &hba->lines[i]);
	finish_groups(groups);
	esg_alarm_list_fill(&list, Min(groups->count, room), make_alarms, groups);
	memcpy(alarms, list.items, list.count * sizeof(EsgAlarm));
	esg_hba_free(hba);
	return list.count;
}
