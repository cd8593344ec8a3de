/*
 * server/report.h
 *		Every text about certificates that a user sees.
 *
 * The pure layer's texts are UTF-8; shared memory holds UTF-8; these functions
 * are the only way out to SQL and to the log.
 */
#ifndef ESG_SERVER_REPORT_H
#define ESG_SERVER_REPORT_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

#include "policy/alarm_event.h"
#include "policy/findings.h"
#include "x509/crl_info.h"

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
	const char *setting;
	const char *path;
	int			position;		/* 1.. ; 0 for a whole file */
	int			line;			/* of "hosts_file", that names it; 0 for
								 * others */
	const char *host;			/* names of the hosts there, NULL for others */
} EsgLocation;

extern void esg_report_cert_alarm(const EsgFinding *finding, const EsgCertInfo *cert,
								  const EsgLocation *location, EsgAlarm *out);
extern void esg_report_crl_alarm(const EsgFinding *finding, const EsgCrlInfo *crl,
								 const EsgLocation *location, EsgAlarm *out);

/* suggestion: the command that mends it, or NULL for the table's hint */
extern void esg_report_file_alarm(const EsgFinding *finding, const EsgLocation *location,
								  const char *suggestion, EsgAlarm *out);

/* the same as what the server has loaded?  message: of the finding, with detail; pairs is appended to DETAIL, or NULL */
extern void esg_report_loaded_alarm(const EsgFinding *finding, const EsgLocation *location,
									const char *pairs, EsgAlarm *out);

/* A certificate that a client showed. */
typedef struct EsgShownCert
{
	const char *role_name;		/* as whom it logged in */
	const char *subject;		/* UTF-8, printable */
	const char *serial_number;
	const unsigned char *fingerprint;
	EsgTime		not_after;
} EsgShownCert;

extern void esg_report_client_alarm(const EsgFinding *finding, const EsgShownCert *cert,
									EsgAlarm *out);

/* Is the alarm's object the client certificate with this SHA-256? */
extern bool esg_report_is_about(const EsgAlarm *alarm, const unsigned char *fingerprint);

/* the running server: detail_pairs is appended to DETAIL as it is, or NULL */
extern void esg_report_server_alarm(EsgCode code, EsgSeverity severity, const char *detail,
									const char *detail_pairs, EsgAlarm *out);

/* writes the log line about what happened to the alarm; takes no lock */
extern void esg_report_log_event(EsgAlarmEvent event, const EsgAlarm *alarm);

/* appends " key=value" to DETAIL text, quoting value where it has a space, quote, backslash or '=' */
extern void esg_report_append_pair(char *buf, size_t size, const char *key, const char *value);

/* DETAIL as it is logged: with " cluster=..." behind it where cluster_name is set; palloc'd */
extern char *esg_report_with_cluster(const char *pairs);

/* the sentence of a finding without its subject, its detail filled in; palloc'd */
extern char *esg_report_predicate(EsgCode code, const char *detail);

/* a path or a role's name, bytes in no known encoding, in printable form; palloc'd */
extern char *esg_report_printable(const char *bytes);

/* the same for a shell command or a label, which have escapes of their own: \ stays */
extern char *esg_report_command(const char *bytes);

/* a printable text in quotes that it cannot close; palloc'd */
extern char *esg_report_quoted(const char *printable);

/* UTF-8 to the server encoding; what does not fit comes out as \uHHHH; palloc'd */
extern char *esg_report_text(const char *utf8);

/* the same for a string of OpenSSL's, which it frees; NULL gives "" */
extern char *esg_report_take(char *utf8);

/* seconds since 1970 to timestamptz; infinity where it is, or does not fit */
extern TimestampTz esg_report_timestamp(EsgTime t, bool *is_null);

/* the other way round */
extern EsgTime esg_report_time(TimestampTz at);
extern int64 esg_report_unix_now(void);

#endif							/* ESG_SERVER_REPORT_H */
