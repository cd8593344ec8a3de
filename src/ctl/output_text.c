/*
 * ctl/output_text.c
 *		A report for people.
 *
 * All that is printed has been made printable before: no control character of a
 * certificate reaches the terminal.
 */
#include "ctl/output_text.h"

#include <stdio.h>
#include <string.h>

#include "x509/time.h"

typedef struct Shape
{
	const EsgReport *report;
	bool		color;
	bool		quiet;
} Shape;

/* SGR of ECMA-48: bold green, yellow, red, magenta */
static const char *const colors[] = {"\033[1;32m", "\033[1;33m", "\033[1;31m", "\033[1;35m"};
static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

static void
print_word(const Shape *shape, EsgReportStatus status, const char *word)
{
	if (shape->color)
		printf("%s%s\033[0m", colors[status], word);
	else
		fputs(word, stdout);
}

static const char *
or_unknown(const char *str)
{
	return str != NULL ? str : "?";
}

/* "certificate CN=db1 (server), /srv/pg/server.crt:1" */
static void
print_head(const Shape *shape, const EsgReportObject *object)
{
	const char *title = object->kind == ESG_OBJECT_CRL ? object->issuer : object->subject;

	print_word(shape, esg_report_object_status(object), words[esg_report_object_status(object)]);
	printf("  %s ", object->kind == ESG_OBJECT_CRL ? "CRL" : esg_report_kind_name(object->kind));
	if (object->has_life)
		printf("%s, ", title != NULL && *title != '\0' ? title : "with an empty name");
	fputs(or_unknown(object->name), stdout);
	if (object->position > 0)
		printf(":%d", object->position);
	if (object->address != NULL && object->kind == ESG_OBJECT_SERVER)
		printf(" at %s", object->address);
	if (object->role[0] != '\0')
		printf(" (%s)", object->role);
	putchar('\n');
}

/* The end of the line is for others. */
static void
print_row(const char *name, const char *value)
{
	int			width = 0;

	fputs("    ", stdout);
	for (; *name != '\0'; name++, width++)
		putchar(*name == '_' ? ' ' : *name);
	printf(":%*s %s", width < 20 ? 20 - width : 0, "", value);
}

static void
print_line(const char *name, const char *value)
{
	print_row(name, value);
	putchar('\n');
}

static void
print_time(const char *name, EsgTime t)
{
	char		text[ESG_TIME_TEXT_SIZE];

	esg_x509_time_text(t, text, sizeof(text));
	print_line(name, text);
}

/* How much is left, or how long ago it was. */
static void
print_end(const Shape *shape, const char *name, EsgTime t)
{
	char		text[ESG_TIME_TEXT_SIZE];
	char		span[64];
	int64_t		left = t.unix_seconds - shape->report->at;

	esg_x509_time_text(t, text, sizeof(text));
	print_row(name, text);
	if (t.state == ESG_TIME_VALID)
	{
		esg_x509_time_span_text(left < 0 ? -left : left, span, sizeof(span));
		printf(left < 0 ? " (%s ago)" : " (in %s)", span);
	}
	putchar('\n');
}

static void
print_identity(const Shape *shape, const EsgReportObject *object)
{
	bool		is_crl = object->kind == ESG_OBJECT_CRL;

	if (!object->has_life)
		return;
	if (!is_crl)
		print_line("issuer", or_unknown(object->issuer));
	if (object->serial_number != NULL)
		print_line(is_crl ? "number" : "serial number", object->serial_number);
	print_line("fingerprint", object->fingerprint);
	print_time(is_crl ? "this update" : "not before", object->not_before);
	print_end(shape, is_crl ? "next update" : "not after", object->not_after);
}

static void
print_fact(const EsgFact *fact, bool continues)
{
	char		number[64];

	switch (fact->kind)
	{
		case ESG_FACT_TEXT:
			print_row(fact->name, or_unknown(fact->text));
			break;
		case ESG_FACT_ITEM:
			if (continues)
				printf(", %s", or_unknown(fact->text));
			else
				print_row(fact->name, or_unknown(fact->text));
			break;
		case ESG_FACT_NUMBER:
			(void) snprintf(number, sizeof(number), "%.15g", fact->number);
			print_row(fact->name, number);
			break;
		case ESG_FACT_MILLISECONDS:
			(void) snprintf(number, sizeof(number), "%.1f ms", fact->number);
			print_row(fact->name, number);
			break;
		case ESG_FACT_TIME:
			esg_x509_time_text(fact->time, number, sizeof(number));
			print_row(fact->name, number);
			break;
		case ESG_FACT_BOOL:
			print_row(fact->name, fact->number != 0 ? "yes" : "no");
			break;
	}
}

/* Neighbours of one name are a list. */
static bool
continues_list(const EsgReportObject *object, int i)
{
	return i > 0 && i < object->fact_count && object->facts[i].kind == ESG_FACT_ITEM &&
		object->facts[i - 1].kind == ESG_FACT_ITEM &&
		strcmp(object->facts[i].name, object->facts[i - 1].name) == 0;
}

static void
print_facts(const EsgReportObject *object)
{
	int			i;

	for (i = 0; i < object->fact_count; i++)
	{
		print_fact(&object->facts[i], continues_list(object, i));
		if (!continues_list(object, i + 1))
			putchar('\n');
	}
}

static void
print_finding(const Shape *shape, const EsgReportObject *object, const EsgFinding *finding)
{
	const EsgFindingDef *def = esg_findings_def(finding->code);
	EsgAlarm	alarm;

	esg_report_words(object, finding, &alarm);
	fputs("    ", stdout);
	print_word(shape, esg_report_severity_status(finding->severity),
			   finding->severity == ESG_NOTICE ? "NOTICE" :
			   words[esg_report_severity_status(finding->severity)]);
	printf(" %s (%s): %s\n", def->name, def->sqlstate, alarm.message);
	if (alarm.hint[0] != '\0')
		printf("        Hint: %s\n", alarm.hint);
}

static void
print_remark(const Shape *shape, const EsgRemarkLine *line)
{
	fputs("    ", stdout);
	print_word(shape, line->status, words[line->status]);
	printf(": %s\n", or_unknown(line->message));
	if (line->hint != NULL && line->hint[0] != '\0')
		printf("        Hint: %s\n", line->hint);
}

static void
print_object(const Shape *shape, const EsgReportObject *object)
{
	int			i;

	if (shape->quiet && esg_report_object_status(object) == ESG_STATUS_OK)
		return;
	print_head(shape, object);
	if (!shape->quiet)
	{
		print_identity(shape, object);
		print_facts(object);
	}
	for (i = 0; i < object->remark_count; i++)
		print_remark(shape, &object->remarks[i]);
	for (i = 0; i < object->findings.count; i++)
		print_finding(shape, object, &object->findings.items[i]);
}

/* Where nobody has made a sentence, how many of which kind. */
static void
print_counts(const EsgReport *report)
{
	int			counts[4] = {0, 0, 0, 0};
	int			i;

	for (i = 0; i < report->count; i++)
		counts[esg_report_object_status(report->objects[i])]++;
	printf("%d looked at", report->count);
	for (i = ESG_STATUS_OK; i <= ESG_STATUS_UNKNOWN; i++)
		if (counts[i] > 0)
			printf(", %d %s", counts[i], esg_report_status_name((EsgReportStatus) i));
}

void
esg_output_text_print(const EsgReport *report, bool color, bool quiet)
{
	Shape		shape = {report, color, quiet};
	EsgReportStatus status = esg_report_status(report);
	int			i;

	if (quiet && status == ESG_STATUS_OK)
		return;
	for (i = 0; i < report->count; i++)
		print_object(&shape, report->objects[i]);
	print_word(&shape, status, words[status]);
	fputs(": ", stdout);
	if (report->summary != NULL)
		fputs(report->summary, stdout);
	else
		print_counts(report);
	putchar('\n');
}
