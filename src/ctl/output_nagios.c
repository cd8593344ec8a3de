/*
 * ctl/output_nagios.c
 *		A report as the output of a monitoring plugin.
 *
 * Monitoring Plugins Development Guidelines: one line with the status, behind "|"
 * the performance data, 'label'=value[UOM]; further lines are the long text.  A
 * "|" in a text would begin performance data, so it is escaped as a control
 * character is.
 */
#include "ctl/output_nagios.h"

#include <stdio.h>
#include <string.h>

#include "x509/time.h"

static void
print_text(const char *str)
{
	for (; str != NULL && *str != '\0'; str++)
	{
		if (*str == '|')
			fputs("\\x7c", stdout);
		else
			putchar(*str);
	}
}

/* A remark by itself does not say what it is about. */
static void
print_remark(const EsgReportObject *object, const EsgRemarkLine *line)
{
	print_text(object->name);
	fputs(": ", stdout);
	print_text(line->message);
}

static bool
print_worst_of(const EsgReportObject *object, EsgReportStatus status)
{
	EsgAlarm	alarm;
	int			i;

	for (i = 0; i < object->remark_count; i++)
	{
		if (object->remarks[i].status != status)
			continue;
		print_remark(object, &object->remarks[i]);
		return true;
	}
	for (i = 0; i < object->findings.count; i++)
	{
		if (esg_report_severity_status(object->findings.items[i].severity) != status)
			continue;
		esg_report_words(object, &object->findings.items[i], &alarm);
		print_text(alarm.message);
		return true;
	}
	return false;
}

/* What is worst, the first of those; false if nothing is said of any object. */
static bool
print_worst(const EsgReport *report, EsgReportStatus status)
{
	int			i;

	for (i = 0; i < report->count; i++)
		if (print_worst_of(report->objects[i], status))
			return true;
	return false;
}

static int
count_bad(const EsgReport *report)
{
	int			bad = 0;
	int			i;
	int			j;

	for (i = 0; i < report->count; i++)
	{
		const EsgReportObject *object = report->objects[i];

		for (j = 0; j < object->remark_count; j++)
			bad += object->remarks[j].status != ESG_STATUS_OK;
		for (j = 0; j < object->findings.count; j++)
			bad += object->findings.items[j].severity >= ESG_WARNING;
	}
	return bad;
}

static void
print_status(const EsgReport *report)
{
	static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
	EsgReportStatus status = esg_report_status(report);
	int			bad = count_bad(report);

	printf("SSL_GUARD %s - ", words[status]);
	if (report->summary != NULL)
	{
		print_text(report->summary);
		if (bad > 0)
			fputs("; ", stdout);
	}
	else if (bad == 0)
		printf("%d looked at", report->count);
	if (bad > 0 && print_worst(report, status) && bad > 1)
		printf(" (and %d more)", bad - 1);
}

/* A quote in a label is doubled; neither "=" nor "|" may be in it. */
static void
print_label(const EsgReportObject *object, const char *what)
{
	const char *name = object->address != NULL ? object->address : object->name;

	putchar('\'');
	for (; name != NULL && *name != '\0'; name++)
	{
		if (*name == '\'')
			putchar('\'');
		putchar(*name == '=' || *name == '|' ? '_' : *name);
	}
	if (object->position > 0)
		printf(":%d", object->position);
	if (object->at_server && object->has_life && object->role[0] != '\0')
		printf(" %s", object->role);
	printf(" %s'=", what);
}

static void
print_performance(const EsgReport *report, const EsgReportObject *object)
{
	int			i;

	if (object->has_life && object->not_after.state == ESG_TIME_VALID)
	{
		putchar(' ');
		print_label(object, "expires_in");
		printf("%llds", (long long) (object->not_after.unix_seconds - report->at));
	}
	for (i = 0; i < object->fact_count; i++)
	{
		const EsgFact *fact = &object->facts[i];

		if (fact->kind != ESG_FACT_MILLISECONDS)
			continue;
		putchar(' ');
		print_label(object, fact->name);
		printf("%.6fs;;;0", fact->number / 1000);
	}
}

static void
print_lines(const EsgReportObject *object)
{
	EsgAlarm	alarm;
	int			i;

	for (i = 0; i < object->remark_count; i++)
	{
		print_remark(object, &object->remarks[i]);
		putchar('\n');
	}
	for (i = 0; i < object->findings.count; i++)
	{
		const EsgFinding *finding = &object->findings.items[i];

		esg_report_words(object, finding, &alarm);
		printf("%s %s: ", esg_findings_severity_name(finding->severity),
			   esg_findings_def(finding->code)->name);
		print_text(alarm.message);
		putchar('\n');
	}
}

void
esg_output_nagios_print(const EsgReport *report)
{
	int			i;

	print_status(report);
	fputs(" |", stdout);
	for (i = 0; i < report->count; i++)
		print_performance(report, report->objects[i]);
	putchar('\n');
	for (i = 0; i < report->count; i++)
		print_lines(report->objects[i]);
}
