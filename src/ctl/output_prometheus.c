/*
 * ctl/output_prometheus.c
 *		A report as Prometheus' text format, for node_exporter's textfile collector.
 *
 * Moments are absolute, seconds since 1970: what was written an hour ago is as
 * right as it was then.  The metrics of one name stand together, as the format
 * has it, and a series is there once, even if a file was named twice.
 */
#include "ctl/output_prometheus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "x509/time.h"

#define PREFIX "ssl_guard_ctl_"

static void
print_label(const char *name, const char *value)
{
	printf(",%s=\"", name);
	for (; value != NULL && *value != '\0'; value++)
	{
		if (*value == '"' || *value == '\\')
			putchar('\\');
		putchar(*value);
	}
	putchar('"');
}

static void
print_head(const char *name, const char *help)
{
	printf("# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s gauge\n", name, help, name);
}

/* What tells one object from another; the brace stays open. */
static void
print_object_labels(const EsgReport *report, const EsgReportObject *object, const char *metric)
{
	char		position[16];

	printf(PREFIX "%s{command=\"%s\"", metric, report->command);
	print_label("kind", esg_report_kind_name(object->kind));
	print_label("name", object->name);
	if (object->address != NULL)
		print_label("address", object->address);
	if (object->role[0] != '\0')
		print_label("role", object->role);
	if (object->position > 0)
	{
		(void) snprintf(position, sizeof(position), "%d", object->position);
		print_label("position", position);
	}
}

/* ---- a file that was named twice ---- */

static int
compare_texts(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

static int
compare_objects(const void *left, const void *right)
{
	const EsgReportObject *a = *(EsgReportObject *const *) left;
	const EsgReportObject *b = *(EsgReportObject *const *) right;
	int			order = (int) a->kind - (int) b->kind;

	if (order == 0)
		order = compare_texts(a->name, b->name);
	if (order == 0)
		order = compare_texts(a->address, b->address);
	if (order == 0)
		order = strcmp(a->role, b->role);
	return order != 0 ? order : a->position - b->position;
}

/* The objects without twins; OPENSSL_free(). */
static EsgReportObject **
find_single(const EsgReport *report, int *count)
{
	EsgReportObject **objects = OPENSSL_malloc(((size_t) report->count + 1) * sizeof(*objects));
	int			i;

	*count = 0;
	if (objects == NULL || report->count == 0)
		return objects;
	memcpy(objects, report->objects, (size_t) report->count * sizeof(*objects));
	qsort(objects, (size_t) report->count, sizeof(*objects), compare_objects);
	for (i = 0; i < report->count; i++)
		if (*count == 0 || compare_objects(&objects[*count - 1], &objects[i]) != 0)
			objects[(*count)++] = objects[i];
	return objects;
}

/* ---- one family of metrics for each ---- */

typedef void (*PrintFn) (const EsgReport *report, const EsgReportObject *object);

static void
print_moment(const EsgReport *report, const EsgReportObject *object, const char *metric, EsgTime t)
{
	if (!object->has_life || (t.state != ESG_TIME_VALID && t.state != ESG_TIME_FOREVER))
		return;
	print_object_labels(report, object, metric);
	print_label("subject", object->kind == ESG_OBJECT_CRL ? object->issuer : object->subject);
	print_label("fingerprint", object->fingerprint);
	if (t.state == ESG_TIME_FOREVER)
		fputs("} +Inf\n", stdout);
	else
		printf("} %lld\n", (long long) t.unix_seconds);
}

static void
print_not_after(const EsgReport *report, const EsgReportObject *object)
{
	print_moment(report, object, "not_after_timestamp_seconds", object->not_after);
}

static void
print_not_before(const EsgReport *report, const EsgReportObject *object)
{
	print_moment(report, object, "not_before_timestamp_seconds", object->not_before);
}

static void
print_status(const EsgReport *report, const EsgReportObject *object)
{
	print_object_labels(report, object, "object_status");
	printf("} %d\n", (int) esg_report_object_status(object));
}

static void
print_findings(const EsgReport *report, const EsgReportObject *object)
{
	int			i;

	for (i = 0; i < object->findings.count; i++)
	{
		const EsgFinding *finding = &object->findings.items[i];

		print_object_labels(report, object, "finding");
		print_label("code", esg_findings_def(finding->code)->name);
		print_label("severity", esg_findings_severity_name(finding->severity));
		fputs("} 1\n", stdout);
	}
}

/* of several facts with one name the first: they would be one series */
static bool
is_first(const EsgReportObject *object, int fact)
{
	int			i;

	for (i = 0; i < fact; i++)
		if (strcmp(object->facts[i].name, object->facts[fact].name) == 0)
			return false;
	return true;
}

static void
print_numbers(const EsgReport *report, const EsgReportObject *object)
{
	int			i;

	for (i = 0; i < object->fact_count; i++)
	{
		const EsgFact *fact = &object->facts[i];

		if ((fact->kind != ESG_FACT_NUMBER && fact->kind != ESG_FACT_BOOL) || !is_first(object, i))
			continue;
		print_object_labels(report, object, "fact");
		print_label("fact", fact->name);
		printf("} %.15g\n", fact->number);
	}
}

static void
print_times(const EsgReport *report, const EsgReportObject *object)
{
	int			i;

	for (i = 0; i < object->fact_count; i++)
	{
		const EsgFact *fact = &object->facts[i];

		if (fact->kind != ESG_FACT_TIME || fact->time.state != ESG_TIME_VALID || !is_first(object, i))
			continue;
		print_object_labels(report, object, "fact_timestamp_seconds");
		print_label("fact", fact->name);
		printf("} %lld\n", (long long) fact->time.unix_seconds);
	}
}

static void
print_steps(const EsgReport *report, const EsgReportObject *object)
{
	int			i;

	for (i = 0; i < object->fact_count; i++)
	{
		const EsgFact *fact = &object->facts[i];

		if (fact->kind != ESG_FACT_MILLISECONDS || !is_first(object, i))
			continue;
		print_object_labels(report, object, "step_duration_seconds");
		print_label("step", fact->name);
		printf("} %.6f\n", fact->number / 1000);
	}
}

static void
print_texts(const EsgReport *report, const EsgReportObject *object)
{
	int			i;

	for (i = 0; i < object->fact_count; i++)
	{
		const EsgFact *fact = &object->facts[i];

		if (fact->kind != ESG_FACT_TEXT || !is_first(object, i))
			continue;
		print_object_labels(report, object, "fact_info");
		print_label("fact", fact->name);
		print_label("value", fact->text);
		fputs("} 1\n", stdout);
	}
}

static const struct Family
{
	const char *name;
	const char *help;
	PrintFn		print;
}			families[] = {
	{"object_status", "Outcome for what was looked at: 0 ok, 1 warning, 2 critical, 3 could not look.", print_status},
	{"not_after_timestamp_seconds", "End of a certificate, or of a CRL (nextUpdate), since 1970.", print_not_after},
	{"not_before_timestamp_seconds", "Begin of a certificate, or of a CRL (thisUpdate), since 1970.", print_not_before},
	{"finding", "A finding that is there, by its code.", print_findings},
	{"step_duration_seconds", "How long a step has taken.", print_steps},
	{"fact", "A number that was found.", print_numbers},
	{"fact_timestamp_seconds", "A moment that was found, since 1970.", print_times},
	{"fact_info", "A text that was found.", print_texts}
};

static void
print_run(const EsgReport *report)
{
	print_head("status", "Outcome of the run: 0 ok, 1 warning, 2 critical, 3 could not look.");
	printf(PREFIX "status{command=\"%s\"} %d\n", report->command, (int) esg_report_status(report));
	print_head("judged_timestamp_seconds", "The moment that all was judged as of, since 1970.");
	printf(PREFIX "judged_timestamp_seconds{command=\"%s\"} %lld\n", report->command,
		   (long long) report->at);
}

void
esg_output_prometheus_print(const EsgReport *report)
{
	int			count;
	EsgReportObject **objects = find_single(report, &count);
	size_t		i;
	int			j;

	print_run(report);
	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++)
	{
		print_head(families[i].name, families[i].help);
		for (j = 0; j < count; j++)
			families[i].print(report, objects[j]);
	}
	OPENSSL_free(objects);
}
