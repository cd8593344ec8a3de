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
#include "policy/alarm_text.h"
#include "x509/crl_info.h"

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

/* the running server: detail_pairs is appended to DETAIL as it is, or NULL */
extern void esg_report_server_alarm(EsgCode code, EsgSeverity severity, const char *detail,
									const char *detail_pairs, EsgAlarm *out);

/* writes the log line about what happened to the alarm; takes no lock */
extern void esg_report_log_event(EsgAlarmEvent event, const EsgAlarm *alarm);

/* DETAIL as it is logged: with " cluster=..." behind it where cluster_name is set; palloc'd */
extern char *esg_report_with_cluster(const char *pairs);

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
