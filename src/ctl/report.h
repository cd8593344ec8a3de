/*
 * ctl/report.h
 *		What check, probe and fetch-crl have found, for people and for programs.
 *
 * A run is a list of objects: files, certificates, CRLs, keys, servers.  Each has
 * facts, the findings of the policy code, and remarks, which are what the
 * command itself has to say.  The formats print all of it in the same words as
 * the server's log has (policy/alarm_text.h).
 *
 * Texts are copied.  "text" is printable UTF-8 as the pure layer makes it
 * (x509/name.h); "bytes" are anything up to the NUL, paths and names as they were
 * given, and are made printable here.  There is no failure to look after: when
 * memory runs out the report says so at the end, and the status is 3.
 */
#ifndef ESG_CTL_REPORT_H
#define ESG_CTL_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "policy/findings.h"
#include "x509/crl_info.h"
#include "x509/info.h"

/* The exit statuses of monitoring plugins; of several outcomes 2 counts most, then 3, then 1. */
typedef enum EsgReportStatus
{
	ESG_STATUS_OK = 0,			/* nothing but notices */
	ESG_STATUS_WARNING = 1,
	ESG_STATUS_CRITICAL = 2,
	ESG_STATUS_UNKNOWN = 3		/* could not look; also: wrong usage */
} EsgReportStatus;

/* ---- how it is shown ---- */

typedef enum EsgReportFormat
{
	ESG_FORMAT_TEXT,
	ESG_FORMAT_JSON,			/* docs/ssl_guard_ctl.schema.json */
	ESG_FORMAT_PROMETHEUS,		/* for node_exporter's textfile collector */
	ESG_FORMAT_NAGIOS			/* output of a monitoring plugin */
}			EsgReportFormat;

typedef enum EsgReportColor
{
	ESG_COLOR_AUTO,				/* on a terminal, unless NO_COLOR is set */
	ESG_COLOR_ALWAYS,
	ESG_COLOR_NEVER
}			EsgReportColor;

/* all zero is the default */
typedef struct EsgReportStyle
{
	EsgReportFormat format;
	EsgReportColor color;
	bool		quiet;			/* text: only what has a finding, nothing if
								 * all is well */
}			EsgReportStyle;

/*
 * For a command's table of long options and its help.  What getopt_long()
 * returns for them is for esg_report_option(): 1 taken, 0 not one of these, -1
 * refused with a message.
 */
#define ESG_OPTION_FORMAT 1001
#define ESG_OPTION_COLOR 1002
#define ESG_OPTION_QUIET 'q'
#define ESG_REPORT_LONG_OPTIONS \
	{"format", required_argument, NULL, ESG_OPTION_FORMAT}, \
	{"color", required_argument, NULL, ESG_OPTION_COLOR}, \
	{"quiet", no_argument, NULL, ESG_OPTION_QUIET}
#define ESG_REPORT_HELP \
	"      --format FORMAT       text [default], json, prometheus (for the textfile\n" \
	"                            collector), nagios (output of a monitoring plugin)\n" \
	"      --color WHEN          auto [default: on a terminal, unless NO_COLOR is set],\n" \
	"                            always, never\n" \
	"  -q, --quiet               text: only what has a finding; nothing if all is well\n"
#define ESG_REPORT_STATUS_HELP \
	"Exit status: 0 ok, 1 warning, 2 critical, 3 could not look, or wrong usage.\n"
extern int	esg_report_option(int option, const char *value, EsgReportStyle * style);

/* ---- what was looked at ---- */

typedef enum EsgObjectKind
{
	ESG_OBJECT_FILE,			/* or directory */
	ESG_OBJECT_CERTIFICATE,
	ESG_OBJECT_CRL,
	ESG_OBJECT_KEY,
	ESG_OBJECT_SERVER			/* one address of it */
}			EsgObjectKind;

typedef enum EsgFactKind
{
	ESG_FACT_TEXT,
	ESG_FACT_ITEM,				/* one of a list of texts: all items of a name */
	ESG_FACT_NUMBER,
	ESG_FACT_MILLISECONDS,
	ESG_FACT_TIME,
	ESG_FACT_BOOL
}			EsgFactKind;

typedef struct EsgFact
{
	EsgFactKind kind;
	const char *name;			/* static, lower_snake: "protocol" */
	char	   *text;
	double		number;			/* also of a bool: 0 or 1 */
	EsgTime		time;
}			EsgFact;

/* What the command itself says, where no finding has the words. */
typedef struct EsgRemarkLine
{
	EsgReportStatus status;
	char	   *message;
	char	   *hint;			/* "" if none */
}			EsgRemarkLine;

/* Another remedy than the table's: a command with the file's name in it. */
typedef struct EsgAdvice
{
	EsgCode		code;
	char	   *hint;
}			EsgAdvice;

typedef struct EsgReportObject
{
	EsgObjectKind kind;
	EsgFindings findings;		/* to be filled in by the policy code */
	bool		at_server;		/* name is a server's, not a path */
	char	   *name;			/* path; "db1:5432", "[::1]:5432" */
	char	   *address;		/* of the server, as numbers; "" if none */
	const char *setting;		/* static, that names the file; "" if none */
	const char *role;			/* static: EsgPlace's name, "" if none */
	int			position;		/* in its file or chain, from 1; 0: no matter */
	char	   *subject;		/* of a CRL: NULL; NULL for other kinds */
	char	   *issuer;
	char	   *serial_number;	/* of a CRL: its number */
	char		fingerprint[ESG_FINGERPRINT_TEXT_SIZE]; /* "" if none */
	unsigned char digest[ESG_DIGEST_SIZE];
	bool		has_life;		/* the two below are of a certificate or CRL */
	EsgTime		not_before;		/* of a CRL: thisUpdate */
	EsgTime		not_after;		/* of a CRL: nextUpdate */
	int			fact_count;
	EsgFact    *facts;			/* in the order they came; items are
								 * neighbours */
	int			remark_count;
	EsgRemarkLine *remarks;
	int			advice_count;
	EsgAdvice  *advices;
}			EsgReportObject;

typedef struct EsgReport EsgReport;

/* command: static, "check"; at: seconds since 1970 that all is judged as of */
extern EsgReport * esg_report_start(const char *command, int64_t at);

/*
 * The next object; never NULL, and good until the end.  name: bytes, a path or a
 * server as it is to be called.
 */
extern EsgReportObject * esg_report_add(EsgReport * report, EsgObjectKind kind, const char *name);

/* the same of a server: address is text, "192.0.2.1:5432" */
extern EsgReportObject * esg_report_add_server(EsgReport * report, EsgObjectKind kind,
											   const char *name, const char *address);

/* Names, times, fingerprint, key and algorithms; nothing of it is borrowed. */
extern void esg_report_set_cert(EsgReportObject * object, const EsgCertInfo *cert, EsgPlace place,
								int position);
extern void esg_report_set_crl(EsgReportObject * object, const EsgCrlInfo *crl, int position);

/* name is static */
extern void esg_report_fact_text(EsgReportObject * object, const char *name, const char *text);
extern void esg_report_fact_bytes(EsgReportObject * object, const char *name, const char *bytes);
extern void esg_report_fact_item(EsgReportObject * object, const char *name, const char *text);
extern void esg_report_fact_number(EsgReportObject * object, const char *name, double number);
extern void esg_report_fact_ms(EsgReportObject * object, const char *name, double milliseconds);
extern void esg_report_fact_time(EsgReportObject * object, const char *name, EsgTime time);
extern void esg_report_fact_bool(EsgReportObject * object, const char *name, bool value);

/* hint is text in place of the table's; "Run: chmod 0600 …" */
extern void esg_report_advise(EsgReportObject * object, EsgCode code, const char *hint);

/*
 * message: text, "could not open file \"…\": …"; hint: text, NULL or "" if none.
 * ESG_STATUS_OK is for what is only told.
 */
extern void esg_report_remark(EsgReportObject * object, EsgReportStatus status, const char *hint,
							  const char *fmt,...)
			__attribute__((format(printf, 4, 5)));

/* One sentence about the whole run, "the next start or reload would succeed"; its status counts. */
extern void esg_report_summarize(EsgReport * report, EsgReportStatus status, const char *fmt,...)
			__attribute__((format(printf, 3, 4)));

/* so far; findings that were added to objects since count, too */
extern EsgReportStatus esg_report_status(const EsgReport * report);

/* Prints to standard output, frees; the exit status.  3 with a message if it could not be written. */
extern int	esg_report_finish(EsgReport * report, const EsgReportStyle * style);

#endif							/* ESG_CTL_REPORT_H */
