/*
 * policy/alarm_text.h
 *		A finding in words: what the server's log and ssl_guard_ctl both say.
 *
 * Texts are UTF-8 and printable; paths are bytes in no known encoding and are
 * made printable here.
 *
 * Pure.  Out of memory shows as "?" in place of a name.
 */
#ifndef ESG_POLICY_ALARM_TEXT_H
#define ESG_POLICY_ALARM_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/findings.h"
#include "x509/crl_info.h"
#include "x509/info.h"

/* sizes of an alarm's texts, in bytes, in shared memory */
#define ESG_OBJECT_SIZE 448
#define ESG_MESSAGE_SIZE 640
#define ESG_HINT_SIZE 384
#define ESG_DETAIL_SIZE 512

/* One alarm as a check found it.  UTF-8, printable, cut at a character with "...". */
typedef struct EsgAlarm
{
	EsgCode		code;
	EsgSeverity severity;
	char		object[ESG_OBJECT_SIZE];	/* "/srv/pg/server.crt:1", a path,
											 * "server" */
	char		message[ESG_MESSAGE_SIZE];
	char		hint[ESG_HINT_SIZE];
	char		detail[ESG_DETAIL_SIZE];	/* "code=… severity=…
											 * setting=…" */
	EsgTime		end;			/* of the certificate or CRL; state 0: none */
	unsigned char fingerprint[ESG_DIGEST_SIZE]; /* its SHA-256; zeroes: none */
} EsgAlarm;

/* Where a certificate or CRL was found. */
typedef struct EsgLocation
{
	const char *setting;		/* that names the file; "" if none does */
	const char *path;
	int			position;		/* 1.. ; 0 for a whole file */
	int			line;			/* of "hosts_file", that names it; 0 for
								 * others */
	const char *host;			/* names of the hosts there, NULL for others */
	bool		at_server;		/* path is the name of a server that shows it */
} EsgLocation;

/* What is said of a certificate or CRL. */
typedef struct EsgAlarmSubject
{
	const char *what;			/* "certificate", "CRL of" */
	const char *name;			/* printable; "" if it has none */
	const char *end_key;		/* "not_after", "next_update" */
	EsgTime		end;
	const unsigned char *fingerprint;	/* ESG_DIGEST_SIZE bytes */
} EsgAlarmSubject;

extern void esg_alarm_text_subject(const EsgFinding *finding, const EsgAlarmSubject *subject,
								   const EsgLocation *location, EsgAlarm *out);

/* the same with the facts of one */
extern void esg_alarm_text_cert(const EsgFinding *finding, const EsgCertInfo *cert,
								const EsgLocation *location, EsgAlarm *out);
extern void esg_alarm_text_crl(const EsgFinding *finding, const EsgCrlInfo *crl,
							   const EsgLocation *location, EsgAlarm *out);

/* suggestion: the command that mends it, or NULL for the table's hint */
extern void esg_alarm_text_file(const EsgFinding *finding, const EsgLocation *location,
								const char *suggestion, EsgAlarm *out);

/* does a command that mends mode or owner of a file, "chown …; chmod …", mend this? */
extern bool esg_alarm_text_is_mended(EsgCode code, const char *suggestion);

/* ---- the parts, for other alarms ---- */

/* the texts that every alarm has, and the start of DETAIL */
extern void esg_alarm_text_begin(EsgCode code, EsgSeverity severity, EsgAlarm *out);

/* object and hint, and the location's share of DETAIL */
extern void esg_alarm_text_locate(EsgAlarm *out, const EsgLocation *location);
extern void esg_alarm_text_add_time(EsgAlarm *out, const char *key, EsgTime t);
extern void esg_alarm_text_add_fingerprint(EsgAlarm *out, const unsigned char *digest);

/* the message: "SUBJECT PREDICATE"; subject may be "" */
extern void esg_alarm_text_say(EsgAlarm *out, const char *subject, const char *detail);

/* longest name and path in a message, in bytes: the sentence after it must fit, too */
#define ESG_MAX_NAME_IN_MESSAGE 200
#define ESG_MAX_PATH_IN_MESSAGE 240

/* appends BEFORE "PRINTABLE", the latter cut at max bytes, ESG_MAX_PATH_IN_MESSAGE at most */
extern void esg_alarm_text_name(char *buf, size_t size, const char *before, const char *printable,
								size_t max);

/* appends " key=value" to DETAIL text, quoting value where it has a space, quote, backslash or '=' */
extern void esg_alarm_text_append_pair(char *buf, size_t size, const char *key, const char *value);

/* the sentence of a finding without its subject, its detail filled in; enough for any finding's */
#define ESG_PREDICATE_SIZE 1024
extern void esg_alarm_text_predicate(EsgCode code, const char *detail, char *buf, size_t size);

#endif							/* ESG_POLICY_ALARM_TEXT_H */
