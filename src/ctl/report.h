/*
 * ctl/report.h
 *		What check, probe and fetch-crl have found, for people and for programs.
 *
 * A run is a list of objects: files, certificates, CRLs, keys, servers.  Each has
 * facts, the findings of the policy code, and remarks, which are what the
 * command itself has to say.  Findings come out in the same words as the
 * server's log has (policy/alarm_text.h).  ctl/output shows it.
 *
 * Texts are copied.  "text" is printable UTF-8 as the pure layer makes it
 * (x509/name.h); "bytes" are anything up to the NUL, paths and names as they were
 * given, and are made printable here; so is, to be sure, what is hidden in a text.  There is no failure to look after: when
 * memory runs out the report says so at the end, and the status is 3.
 */
#ifndef ESG_CTL_REPORT_H
#define ESG_CTL_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/alarm_text.h"
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

typedef enum EsgObjectKind
{
	ESG_OBJECT_FILE,			/* or directory */
	ESG_OBJECT_CERTIFICATE,
	ESG_OBJECT_CRL,
	ESG_OBJECT_KEY,
	ESG_OBJECT_SERVER			/* one address of it */
} EsgObjectKind;

typedef enum EsgFactKind
{
	ESG_FACT_TEXT,
	ESG_FACT_ITEM,				/* one of a list of texts: all items of a name */
	ESG_FACT_NUMBER,
	ESG_FACT_MILLISECONDS,		/* how long a step took; in JSON its name has
								 * "_ms" behind it */
	ESG_FACT_TIME,
	ESG_FACT_BOOL
} EsgFactKind;

typedef struct EsgFact
{
	EsgFactKind kind;
	const char *name;			/* static, lower_snake: "protocol" */
	char	   *text;
	double		number;			/* also of a bool: 0 or 1 */
	EsgTime		time;
} EsgFact;

/* What the command itself says, where no finding has the words. */
typedef struct EsgRemarkLine
{
	EsgReportStatus status;
	char	   *message;
	char	   *hint;			/* "" if none */
} EsgRemarkLine;

/* Another remedy than the table's. */
typedef struct EsgAdvice
{
	EsgCode		code;
	char	   *hint;
} EsgAdvice;

typedef struct EsgReportObject
{
	EsgObjectKind kind;
	EsgFindings findings;		/* to be filled in by the policy code */
	bool		at_server;		/* name is a server's, not a path */
	char	   *path;			/* bytes, as it was given */
	char	   *name;			/* the same, printable; "db1:5432",
								 * "[::1]:5432" */
	char	   *address;		/* of the server, as numbers; NULL if none */
	const char *setting;		/* static, that names the file; "" if none */
	const char *role;			/* static: EsgPlace's name, "" if none */
	int			position;		/* in its file or chain, from 1; 0: no matter */
	char	   *subject;		/* NULL for all but certificates */
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
	char	   *suggestion;		/* bytes; NULL if none */
	int			advice_count;
	EsgAdvice  *advices;
	bool		out_of_memory;	/* something is missing */
} EsgReportObject;

typedef struct EsgReport
{
	const char *command;
	int64_t		at;				/* seconds since 1970 */
	int			count;
	EsgReportObject **objects;	/* in the order they came */
	EsgReportStatus summary_status;
	char	   *summary;		/* NULL if none */
	bool		out_of_memory;	/* something is missing */
} EsgReport;

/* command: static, "check"; at: seconds since 1970 that all is judged as of */
extern void esg_report_start(EsgReport *report, const char *command, int64_t at);

/*
 * The next object; never NULL, and good until the end.  name: bytes, a path or a
 * server as it is to be called.
 */
extern EsgReportObject *esg_report_add(EsgReport *report, EsgObjectKind kind, const char *name);

/* the same of a server: address is text, "192.0.2.1:5432" */
extern EsgReportObject *esg_report_add_server(EsgReport *report, EsgObjectKind kind,
											  const char *name, const char *address);

/* Names, times, fingerprint, key and algorithms; nothing of it is borrowed. */
extern void esg_report_set_cert(EsgReportObject *object, const EsgCertInfo *cert, EsgPlace place,
								int position);
extern void esg_report_set_crl(EsgReportObject *object, const EsgCrlInfo *crl, int position);

/* name is static */
extern void esg_report_fact_text(EsgReportObject *object, const char *name, const char *text);
extern void esg_report_fact_bytes(EsgReportObject *object, const char *name, const char *bytes);
extern void esg_report_fact_item(EsgReportObject *object, const char *name, const char *text);
extern void esg_report_fact_number(EsgReportObject *object, const char *name, double number);
extern void esg_report_fact_ms(EsgReportObject *object, const char *name, double milliseconds);
extern void esg_report_fact_time(EsgReportObject *object, const char *name, EsgTime time);
extern void esg_report_fact_bool(EsgReportObject *object, const char *name, bool value);

/* the command that mends mode or owner of a file (policy/file.h), "" if none */
extern void esg_report_suggest(EsgReportObject *object, const char *command);

/* hint is text in place of the table's */
extern void esg_report_advise(EsgReportObject *object, EsgCode code, const char *hint);

/*
 * message: text, "could not open file \"…\": …"; hint: text, NULL or "" if none.
 * ESG_STATUS_OK is for what is only told.
 */
extern void esg_report_remark(EsgReportObject *object, EsgReportStatus status, const char *hint,
							  const char *fmt,...)
			__attribute__((format(printf, 4, 5)));

/* One sentence about the whole run, "the next start or reload would succeed"; its status counts. */
extern void esg_report_summarize(EsgReport *report, EsgReportStatus status, const char *fmt,...)
			__attribute__((format(printf, 3, 4)));

/* ---- for those that show it ---- */

/* so far; findings that were added to objects since count, too */
extern EsgReportStatus esg_report_status(const EsgReport *report);
extern EsgReportStatus esg_report_object_status(const EsgReportObject *object);

/* the one that counts more */
extern EsgReportStatus esg_report_worse(EsgReportStatus a, EsgReportStatus b);

/* of a finding */
extern EsgReportStatus esg_report_severity_status(EsgSeverity severity);

/* "ok", "warning", "critical", "unknown"; "file", "certificate", "crl", "key", "server" */
extern const char *esg_report_status_name(EsgReportStatus status);
extern const char *esg_report_kind_name(EsgObjectKind kind);

/* message, DETAIL and hint of a finding of the object */
extern void esg_report_words(const EsgReportObject *object, const EsgFinding *finding,
							 EsgAlarm *out);

/* findings, worst first */
extern void esg_report_sort(EsgReport *report);

extern void esg_report_free(EsgReport *report);

#endif							/* ESG_CTL_REPORT_H */
