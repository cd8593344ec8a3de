/*
 * ctl/output.h
 *		Shows what check, probe and fetch-crl have found: for people and for programs.
 */
#ifndef ESG_CTL_OUTPUT_H
#define ESG_CTL_OUTPUT_H

#include <stdbool.h>

#include "ctl/report.h"

typedef enum EsgOutputFormat
{
	ESG_FORMAT_TEXT,
	ESG_FORMAT_JSON,			/* docs/ssl_guard_ctl.schema.json */
	ESG_FORMAT_PROMETHEUS,		/* for node_exporter's textfile collector */
	ESG_FORMAT_NAGIOS			/* output of a monitoring plugin */
} EsgOutputFormat;

typedef enum EsgOutputColor
{
	ESG_COLOR_AUTO,				/* on a terminal, unless NO_COLOR is set */
	ESG_COLOR_ALWAYS,
	ESG_COLOR_NEVER
} EsgOutputColor;

/* all zero is the default */
typedef struct EsgOutputStyle
{
	EsgOutputFormat format;
	EsgOutputColor color;
	bool		quiet;			/* text: only what has a finding, nothing if
								 * all is well */
} EsgOutputStyle;

/*
 * For a command's table of long options and its help.  What getopt_long()
 * returns for them is for esg_output_option(): 1 taken, 0 not one of these, -1
 * refused with a message.
 */
#define ESG_OPTION_FORMAT 1001
#define ESG_OPTION_COLOR 1002
#define ESG_OPTION_QUIET 'q'
#define ESG_OUTPUT_LONG_OPTIONS \
	{"format", required_argument, NULL, ESG_OPTION_FORMAT}, \
	{"color", required_argument, NULL, ESG_OPTION_COLOR}, \
	{"quiet", no_argument, NULL, ESG_OPTION_QUIET}
#define ESG_OUTPUT_HELP \
	"      --format FORMAT       text [default], json, prometheus (for the textfile\n" \
	"                            collector), nagios (output of a monitoring plugin)\n" \
	"      --color WHEN          auto [default: on a terminal, unless NO_COLOR is set],\n" \
	"                            always, never\n" \
	"  -q, --quiet               text: only what has a finding; nothing if all is well\n"
#define ESG_OUTPUT_STATUS_HELP \
	"Exit status: 0 ok, 1 warning, 2 critical, 3 could not look, or wrong usage.\n"
extern int	esg_output_option(int option, const char *value, EsgOutputStyle *style);

/*
 * Prints to standard output and frees; returns the exit status.  3 with a
 * message if it could not be written.
 */
extern int	esg_output_finish(EsgReport *report, const EsgOutputStyle *style);

#endif							/* ESG_CTL_OUTPUT_H */
