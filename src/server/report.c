/*
 * server/report.c
 *		Every text about certificates that a user sees.
 *
 * What an alarm says is put together in policy/alarm_text; roles' names and
 * settings come from here.  All of it is UTF-8 until it leaves.
 */
#include "postgres.h"

#include <time.h>

#include "access/xact.h"
#include "catalog/namespace.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "server/report.h"
#include "x509/cut_text.h"

#define ELLIPSIS "..."

/* before the fingerprint, in the object of an alarm about a client's certificate */
#define CLIENT_PREFIX "client:"

/* seconds between 1970 and 2000 */
#define EPOCH_SHIFT ((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

/*
 * The logs of many servers are read in one place: which of them is it?  Last, so
 * that what finds a line by its first keys goes on doing so.
 */
char *
esg_report_with_cluster(const char *pairs)
{
	size_t		size = strlen(pairs) + 2 * strlen(cluster_name) + 64;
	char	   *all = palloc(size);

	strlcpy(all, pairs, size);
	if (*cluster_name != '\0')
		esg_alarm_text_append_pair(all, size, "cluster", cluster_name);
	return all;
}

char *
esg_report_quoted(const char *printable)
{
	size_t		size = 2 * strlen(printable) + sizeof(ELLIPSIS "\"\"");
	char	   *quoted = palloc(size);

	esg_cut_text_quote(quoted, size, printable);
	return quoted;
}

/* Makes a text of OpenSSL's ours. */
static char *
take(char *str)
{
	char	   *copy = pstrdup(str ? str : "?");

	OPENSSL_free(str);
	return copy;
}

char *
esg_report_printable(const char *bytes)
{
	return take(esg_x509_name_escape((const unsigned char *) bytes, strlen(bytes)));
}

char *
esg_report_command(const char *bytes)
{
	return take(esg_x509_name_escape_hidden(bytes));
}

/* Asked about many certificates: most differ in the first digit. */
void
esg_report_client_alarm(const EsgFinding *finding, const EsgShownCert *cert,
						EsgAlarm *out)
{
	char		fingerprint[ESG_FINGERPRINT_TEXT_SIZE];
	char	   *role = esg_report_printable(cert->role_name);
	char		subject[ESG_MESSAGE_SIZE] = "";

	esg_alarm_text_begin(finding->code, finding->severity, out);
	esg_cut_text_copy(out->hint, sizeof(out->hint), esg_findings_client_hint(finding->code));
	esg_x509_info_fingerprint_text(cert->fingerprint, fingerprint);
	snprintf(out->object, sizeof(out->object), CLIENT_PREFIX "%s", fingerprint);
	esg_alarm_text_append_pair(out->detail, sizeof(out->detail), "role", role);
	esg_alarm_text_add_time(out, "not_after", cert->not_after);
	esg_alarm_text_add_fingerprint(out, cert->fingerprint);
	esg_alarm_text_append_pair(out->detail, sizeof(out->detail), "serial", cert->serial_number);
	esg_alarm_text_name(subject, sizeof(subject), "client certificate", cert->subject,
						ESG_MAX_NAME_IN_MESSAGE);
	if (finding->place == ESG_PLACE_CLIENT_CHAIN)
		strlcat(subject, " comes with an intermediate certificate that", sizeof(subject));
	esg_alarm_text_say(out, subject, finding->detail);
	pfree(role);
}

static void
append_pairs(EsgAlarm *out, const char *pairs)
{
	char	   *all;

	if (pairs == NULL || *pairs == '\0')
		return;
	all = psprintf("%s %s", out->detail, pairs);
	esg_cut_text_copy(out->detail, sizeof(out->detail), all);
	pfree(all);
}

void
esg_report_server_alarm(EsgCode code, EsgSeverity severity, const char *detail,
						const char *detail_pairs, EsgAlarm *out)
{
	esg_alarm_text_begin(code, severity, out);
	strlcpy(out->object, "server", sizeof(out->object));
	esg_alarm_text_say(out, "", detail);
	append_pairs(out, detail_pairs);
}

void
esg_report_loaded_alarm(const EsgFinding *finding, const EsgLocation *location,
						const char *pairs, EsgAlarm *out)
{
	char		subject[ESG_MESSAGE_SIZE] = "";

	esg_alarm_text_begin(finding->code, finding->severity, out);
	esg_alarm_text_locate(out, location);
	append_pairs(out, pairs);
	if (location->host != NULL)
	{
		char	   *host = esg_report_printable(location->host);

		esg_alarm_text_name(subject, sizeof(subject), "host", host, ESG_MAX_NAME_IN_MESSAGE);
		strlcat(subject, ":", sizeof(subject));
		pfree(host);
	}
	esg_alarm_text_say(out, subject, finding->detail);
}

/* DETAIL of the line that says an alarm is gone. */
static void
gone_detail(const EsgAlarm *alarm, bool mended, char *buf, size_t size)
{
	buf[0] = '\0';
	esg_alarm_text_append_pair(buf, size, "code", esg_findings_def(alarm->code)->name);
	esg_alarm_text_append_pair(buf, size, "severity", esg_findings_severity_name(alarm->severity));
	esg_alarm_text_append_pair(buf, size, mended ? "cleared" : "tracked", mended ? "yes" : "no");
	esg_alarm_text_append_pair(buf, size, "object", alarm->object);
}

/*
 * The line is for the server log: a client that happens to run the check, or
 * to log in, is not told by way of a warning.  lead is put before the message.
 */
static void
write_log_line(const EsgAlarm *alarm, int level, const char *lead, const char *detail,
			   const char *hint)
{
	const char *state = esg_findings_def(alarm->code)->sqlstate;
	int			saved = client_min_messages;
	char	   *message = esg_report_text(alarm->message);
	char	   *text = esg_report_text(detail);
	char	   *pairs = esg_report_with_cluster(text);
	char	   *advice = esg_report_text(hint);

	client_min_messages = ERROR;
	PG_TRY();
	{
		ereport(level,
				(errcode(MAKE_SQLSTATE(state[0], state[1], state[2], state[3], state[4])),
				 errmsg_internal("%s%s", lead, message),
				 errdetail_internal("%s", pairs),
				 *advice == '\0' ? 0 : errhint("%s", advice),
				 errhidestmt(true), errhidecontext(true)));
	}
	PG_FINALLY();
	{
		client_min_messages = saved;
	}
	PG_END_TRY();
	pfree(message);
	pfree(text);
	pfree(pairs);
	pfree(advice);
}

static void
log_gone(const EsgAlarm *alarm, bool mended)
{
	char		detail[ESG_DETAIL_SIZE];

	gone_detail(alarm, mended, detail, sizeof(detail));
	write_log_line(alarm, LOG, mended ? "alarm cleared: " : "alarm no longer tracked: ",
				   detail, "");
}

void
esg_report_log_event(EsgAlarmEvent event, const EsgAlarm *alarm)
{
	if (esg_alarm_event_is_end(event))
		log_gone(alarm, event == ESG_EVENT_CLEARED);
	else
		write_log_line(alarm, alarm->severity < ESG_WARNING ? LOG : WARNING, "", alarm->detail,
					   alarm->hint);
}

static bool
is_ascii_text(const char *str)
{
	for (; *str != '\0'; str++)
	{
		if (IS_HIGHBIT_SET(*str))
			return false;
	}
	return true;
}

/*
 * Converts as much of text as fits the server's encoding; returns how many
 * bytes that was.  proc invalid: there is no conversion, only ASCII fits.
 */
static int
convert_run(StringInfo out, Oid proc, const char *str, int len)
{
	int			done = 0;
	char	   *converted;

	if (!OidIsValid(proc))
	{
		while (done < len && !IS_HIGHBIT_SET(str[done]))
			done++;
		appendBinaryStringInfo(out, str, done);
		return done;
	}
	converted = palloc((Size) len * MAX_CONVERSION_GROWTH + 1);
	converted[0] = '\0';
	done = pg_do_encoding_conversion_buf(proc, PG_UTF8, GetDatabaseEncoding(),
										 (unsigned char *) unconstify(char *, str), len,
										 (unsigned char *) converted,
										 len * MAX_CONVERSION_GROWTH + 1, true);
	appendStringInfoString(out, converted);
	pfree(converted);
	return done;
}

/* Writes the character at text as \uHHHH or \UHHHHHHHH; returns its length. */
static int
escape_character(StringInfo out, const char *str, int len)
{
	int			step = pg_encoding_mblen(PG_UTF8, str);
	pg_wchar	c;

	if (step > len || !pg_utf8_islegal((const unsigned char *) str, step))
	{
		appendStringInfo(out, "\\x%02x", (unsigned char) *str);
		return 1;
	}
	c = utf8_to_unicode((const unsigned char *) str);
	appendStringInfo(out, c > 0xFFFF ? "\\U%08x" : "\\u%04x", (unsigned) c);
	return step;
}

static char *
convert_text(const char *utf8)
{
	Oid			proc = FindDefaultConversionProc(PG_UTF8, GetDatabaseEncoding());
	int			len = (int) strlen(utf8);
	StringInfoData out;

	initStringInfo(&out);
	while (len > 0)
	{
		int			step = convert_run(&out, proc, utf8, len);

		if (step < len)
			step += escape_character(&out, utf8 + step, len - step);
		utf8 += step;
		len -= step;
	}
	return out.data;
}

/*
 * Where no database says what the encoding is, or its catalogs cannot be
 * asked, the text stays UTF-8.
 */
char *
esg_report_text(const char *utf8)
{
	if (is_ascii_text(utf8) ||
		GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII ||
		!OidIsValid(MyDatabaseId) || !IsTransactionState())
		return pstrdup(utf8);
	return convert_text(utf8);
}

char *
esg_report_take(char *utf8)
{
	char	   *copy = pstrdup(utf8 ? utf8 : "");
	char	   *str = copy;

	OPENSSL_free(utf8);
	if (!is_ascii_text(copy))
	{
		str = esg_report_text(copy);
		pfree(copy);
	}
	return str;
}

TimestampTz
esg_report_timestamp(EsgTime t, bool *is_null)
{
	*is_null = t.state != ESG_TIME_VALID && t.state != ESG_TIME_FOREVER;
	if (*is_null)
		return 0;
	if (t.state == ESG_TIME_FOREVER)
		return DT_NOEND;
	/* years 0 to 9999 are well inside timestamptz */
	return (t.unix_seconds - EPOCH_SHIFT) * USECS_PER_SEC;
}

EsgTime
esg_report_time(TimestampTz at)
{
	EsgTime		t = {ESG_TIME_VALID, at / USECS_PER_SEC + EPOCH_SHIFT, false};

	return t;
}

int64
esg_report_unix_now(void)
{
	return (int64) time(NULL);
}
