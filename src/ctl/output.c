/*
 * ctl/output.c
 *		Shows what check, probe and fetch-crl have found.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/message.h"
#include "ctl/output_json.h"
#include "ctl/output_nagios.h"
#include "ctl/output_prometheus.h"
#include "ctl/output_text.h"

/* Which of the names is it?  -1 if none. */
static int
find_name(const char *value, const char *const *names)
{
	int			i;

	for (i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], value) == 0)
			return i;
	return -1;
}

static int
parse_format(const char *value, EsgOutputStyle *style)
{
	static const char *const names[] = {"text", "json", "prometheus", "nagios", NULL};
	int			format = find_name(value, names);

	if (format < 0)
	{
		esg_message_error("unknown format \"%s\": text, json, prometheus or nagios is needed", value);
		return -1;
	}
	style->format = (EsgOutputFormat) format;
	return 1;
}

static int
parse_color(const char *value, EsgOutputStyle *style)
{
	static const char *const names[] = {"auto", "always", "never", NULL};
	int			color = find_name(value, names);

	if (color < 0)
	{
		esg_message_error("invalid value \"%s\" of option --color: auto, always or never is needed", value);
		return -1;
	}
	style->color = (EsgOutputColor) color;
	return 1;
}

int
esg_output_option(int option, const char *value, EsgOutputStyle *style)
{
	if (option == ESG_OPTION_FORMAT)
		return parse_format(value, style);
	if (option == ESG_OPTION_COLOR)
		return parse_color(value, style);
	if (option != ESG_OPTION_QUIET)
		return 0;
	style->quiet = true;
	return 1;
}

/* https://no-color.org: set and not empty */
static bool
wants_color(EsgOutputColor color)
{
	const char *no_color = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	if (color != ESG_COLOR_AUTO)
		return color == ESG_COLOR_ALWAYS;
	return isatty(STDOUT_FILENO) && (no_color == NULL || *no_color == '\0') &&
		(terminal == NULL || strcmp(terminal, "dumb") != 0);
}

static void
print(const EsgReport *report, const EsgOutputStyle *style)
{
	switch (style->format)
	{
		case ESG_FORMAT_TEXT:
			esg_output_text_print(report, wants_color(style->color), style->quiet);
			break;
		case ESG_FORMAT_JSON:
			esg_output_json_print(report);
			break;
		case ESG_FORMAT_PROMETHEUS:
			esg_output_prometheus_print(report);
			break;
		case ESG_FORMAT_NAGIOS:
			esg_output_nagios_print(report);
			break;
	}
}

int
esg_output_finish(EsgReport *report, const EsgOutputStyle *style)
{
	EsgReportStatus status;

	esg_report_sort(report);
	status = esg_report_status(report);
	print(report, style);
	if (report->out_of_memory)
		esg_message_error("out of memory: something is missing");
	esg_report_free(report);
	if (fflush(stdout) != 0 || ferror(stdout))
	{
		esg_message_error("could not write to standard output: %s", strerror(errno));
		return ESG_STATUS_UNKNOWN;
	}
	return (int) status;
}
