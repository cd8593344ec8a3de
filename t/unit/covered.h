/*
 * covered.h
 *		Assertions about findings, and a record of what they really saw.
 *
 * The end of the suite compares the record with the table of findings: each
 * must have been raised, and been absent from a twin (t/ESG/Findings.pm).
 */
#ifndef COVERED_H
#define COVERED_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "esg_test.h"
#include "policy/findings.h"

__attribute__((unused))
static void
print_findings(const EsgFindings *list)
{
	int			i;

	for (i = 0; i < list->count; i++)
		printf("# %s %s: %s\n", esg_findings_severity_name(list->items[i].severity),
			   esg_findings_def(list->items[i].code)->name, list->items[i].detail);
}

/* what: "raised" or "absent" */
static void
record(const char *what, EsgCode code)
{
	const char *dir = getenv("ESG_FINDINGS_SEEN");
	char		path[1024];
	FILE	   *out;

	if (dir == NULL)
		return;
	snprintf(path, sizeof(path), "%s/%ld", dir, (long) getpid());
	out = fopen(path, "a");
	if (out == NULL || fprintf(out, "%s %s\n", what, esg_findings_def(code)->name) < 0 ||
		fclose(out) != 0)
		ok(0, "could not write to %s", path);
}

/* the list has the code, with that severity */
__attribute__((unused))
static void
shows(const EsgFindings *list, EsgCode code, EsgSeverity severity, const char *name)
{
	bool		good = false;
	int			i;

	for (i = 0; i < list->count; i++)
		good |= list->items[i].code == code && list->items[i].severity == severity;
	if (good)
		record("raised", code);
	if (!ok(good, "%s: %s is there and %s", name, esg_findings_def(code)->name,
			esg_findings_severity_name(severity)))
		print_findings(list);
}

__attribute__((unused))
static void
lacks(const EsgFindings *list, EsgCode code, const char *name)
{
	bool		good = !esg_findings_has(list, code);

	if (good)
		record("absent", code);
	if (!ok(good, "%s: %s is not there", name, esg_findings_def(code)->name))
		print_findings(list);
}

/* nothing at all */
__attribute__((unused))
static void
is_clean(const EsgFindings *list, const char *name)
{
	if (!ok(list->count == 0 && !list->out_of_memory, "%s: no finding", name))
		print_findings(list);
}

#endif							/* COVERED_H */
