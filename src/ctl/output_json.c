/*
 * ctl/output_json.c
 *		A report as JSON (RFC 8259), as docs/ssl_guard_ctl.schema.json has it.
 *
 * Texts are printable UTF-8 already, so that two characters have to be escaped.
 * Moments are ISO 8601 text in UTC, or "infinity", "invalid", "absent".
 */
#include "ctl/output_json.h"

#include <stdio.h>
#include <string.h>

#include "x509/time.h"

/* the line of a member that follows another */
#define NEXT ",\n"

static void
print_string(const char *str)
{
	putchar('"');
	for (; *str != '\0'; str++)
	{
		if (*str == '"' || *str == '\\')
			putchar('\\');
		putchar(*str);
	}
	putchar('"');
}

/* A member after others; indent is the one of its line. */
static void
print_member(const char *indent, const char *name, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	printf(NEXT "%s\"%s\": ", indent, name);
	print_string(value);
}

static void
print_time(const char *indent, const char *name, EsgTime t)
{
	char		text[ESG_TIME_TEXT_SIZE];

	esg_x509_time_text(t, text, sizeof(text));
	print_member(indent, name, text);
}

static void
print_value(const EsgFact *fact)
{
	char		text[ESG_TIME_TEXT_SIZE];

	switch (fact->kind)
	{
		case ESG_FACT_TEXT:
		case ESG_FACT_ITEM:
			print_string(fact->text);
			break;
		case ESG_FACT_NUMBER:
			printf("%.15g", fact->number);
			break;
		case ESG_FACT_MILLISECONDS:
			printf("%.3f", fact->number);
			break;
		case ESG_FACT_TIME:
			esg_x509_time_text(fact->time, text, sizeof(text));
			print_string(text);
			break;
		case ESG_FACT_BOOL:
			fputs(fact->number != 0 ? "true" : "false", stdout);
			break;
	}
}

static bool
is_same_list(const EsgFact *a, const EsgFact *b)
{
	return a->kind == ESG_FACT_ITEM && b->kind == ESG_FACT_ITEM && strcmp(a->name, b->name) == 0;
}

static void
print_facts(const EsgReportObject *object)
{
	const EsgFact *facts = object->facts;
	int			count = object->fact_count;
	int			i;

	fputs(NEXT "      \"facts\": {", stdout);
	for (i = 0; i < count; i++)
	{
		bool		continues = i > 0 && is_same_list(&facts[i - 1], &facts[i]);

		if (continues)
			fputs(", ", stdout);
		else
			printf("%s\n        \"%s%s\": %s", i > 0 ? "," : "", facts[i].name,
				   facts[i].kind == ESG_FACT_MILLISECONDS ? "_ms" : "",
				   facts[i].kind == ESG_FACT_ITEM ? "[" : "");
		print_value(&facts[i]);
		if (facts[i].kind == ESG_FACT_ITEM && (i + 1 == count || !is_same_list(&facts[i], &facts[i + 1])))
			putchar(']');
	}
	fputs(count > 0 ? "\n      }" : "}", stdout);
}

static void
print_finding(const EsgReportObject *object, const EsgFinding *finding)
{
	static const char indent[] = "          ";
	const EsgFindingDef *def = esg_findings_def(finding->code);
	EsgAlarm	alarm;

	esg_report_words(object, finding, &alarm);
	printf("        {\n%s\"code\": \"%s\"", indent, def->name);
	print_member(indent, "sqlstate", def->sqlstate);
	print_member(indent, "severity", esg_findings_severity_name(finding->severity));
	print_member(indent, "message", alarm.message);
	print_member(indent, "detail", alarm.detail);
	print_member(indent, "hint", alarm.hint);
	fputs("\n        }", stdout);
}

static void
print_findings(const EsgReportObject *object)
{
	const EsgFindings *findings = &object->findings;
	int			i;

	fputs(NEXT "      \"findings\": [", stdout);
	for (i = 0; i < findings->count; i++)
	{
		fputs(i > 0 ? ",\n" : "\n", stdout);
		print_finding(object, &findings->items[i]);
	}
	fputs(findings->count > 0 ? "\n      ]" : "]", stdout);
}

static void
print_remarks(const EsgReportObject *object)
{
	static const char indent[] = "          ";
	int			i;

	fputs(NEXT "      \"remarks\": [", stdout);
	for (i = 0; i < object->remark_count; i++)
	{
		const EsgRemarkLine *line = &object->remarks[i];

		printf("%s        {\n%s\"status\": \"%s\"", i > 0 ? ",\n" : "\n", indent,
			   esg_report_status_name(line->status));
		print_member(indent, "message", line->message);
		print_member(indent, "hint", line->hint);
		fputs("\n        }", stdout);
	}
	fputs(object->remark_count > 0 ? "\n      ]" : "]", stdout);
}

static void
print_identity(const EsgReportObject *object)
{
	static const char indent[] = "      ";
	char		position[16];

	print_member(indent, "name", object->name);
	print_member(indent, "address", object->address);
	print_member(indent, "setting", object->setting);
	print_member(indent, "role", object->role);
	if (object->position > 0)
	{
		(void) snprintf(position, sizeof(position), "%d", object->position);
		printf(NEXT "%s\"position\": %s", indent, position);
	}
	print_member(indent, "subject", object->subject);
	print_member(indent, "issuer", object->issuer);
	print_member(indent, "serial_number", object->serial_number);
	print_member(indent, "fingerprint", object->fingerprint);
	if (object->has_life)
	{
		bool		is_crl = object->kind == ESG_OBJECT_CRL;

		print_time(indent, is_crl ? "this_update" : "not_before", object->not_before);
		print_time(indent, is_crl ? "next_update" : "not_after", object->not_after);
	}
}

static void
print_object(const EsgReportObject *object)
{
	printf("    {\n      \"kind\": \"%s\"", esg_report_kind_name(object->kind));
	print_identity(object);
	print_member("      ", "status", esg_report_status_name(esg_report_object_status(object)));
	print_facts(object);
	print_findings(object);
	print_remarks(object);
	fputs("\n    }", stdout);
}

void
esg_output_json_print(const EsgReport *report)
{
	EsgTime		at = {ESG_TIME_VALID, report->at, false};
	int			i;

	printf("{\n  \"command\": \"%s\"", report->command);
	print_member("  ", "version", ESG_VERSION);
	print_time("  ", "at", at);
	print_member("  ", "status", esg_report_status_name(esg_report_status(report)));
	print_member("  ", "summary", report->summary);
	fputs(NEXT "  \"objects\": [", stdout);
	for (i = 0; i < report->count; i++)
	{
		fputs(i > 0 ? ",\n" : "\n", stdout);
		print_object(report->objects[i]);
	}
	fputs(report->count > 0 ? "\n  ]\n}\n" : "]\n}\n", stdout);
}
