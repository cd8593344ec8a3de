/*
 * policy/alarm_text.c
 *		A finding in words: what the server's log and ssl_guard_ctl both say.
 *
 * Put together from the table of findings and from names that the pure layer has
 * made printable.
 */
#include "policy/alarm_text.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "x509/cut_text.h"

#define ELLIPSIS "..."

/* what is put together for a message, before it is cut */
#define SUBJECT_SIZE 1024

/* Appends what fits; buf has room for its own NUL. */
static void
append(char *buf, size_t size, const char *str)
{
	size_t		used = strlen(buf);

	(void) snprintf(buf + used, size - used, "%s", str);
}

/* ---- key=value ---- */

static bool
needs_quotes(const char *value)
{
	return *value == '\0' || strpbrk(value, " \"\\=") != NULL;
}

/* Of a character in UTF-8; the text is whole. */
static size_t
character_length(const char *str)
{
	size_t		len = 1;

	while (((unsigned char) str[len] & 0xC0) == 0x80)
		len++;
	return len;
}

/* Appends value, quoted, cut with "..." when there is no room; the quotes always close. */
static void
append_quoted(char *buf, size_t size, const char *value)
{
	size_t		used = strlen(buf);
	size_t		limit = size - sizeof(ELLIPSIS "\"");

	buf[used++] = '"';
	while (*value != '\0')
	{
		size_t		step = character_length(value);
		bool		escape = *value == '"' || *value == '\\';

		if (used + step + (escape ? 1 : 0) > limit)
			break;
		if (escape)
			buf[used++] = '\\';
		memcpy(buf + used, value, step);
		used += step;
		value += step;
	}
	buf[used] = '\0';
	append(buf, size, *value ? ELLIPSIS "\"" : "\"");
}

void
esg_alarm_text_append_pair(char *buf, size_t size, const char *key, const char *value)
{
	size_t		used = strlen(buf);
	size_t		head = strlen(key) + 2;

	/* no pair at all rather than a key without a telling value */
	if (used + head + sizeof("\"" ELLIPSIS "\"") + 8 > size)
		return;
	if (used > 0)
		append(buf, size, " ");
	append(buf, size, key);
	append(buf, size, "=");
	used = strlen(buf);
	if (needs_quotes(value) || used + strlen(value) >= size)
		append_quoted(buf, size, value);
	else
		append(buf, size, value);
}

void
esg_alarm_text_add_time(EsgAlarm *out, const char *key, EsgTime t)
{
	char		str[ESG_TIME_TEXT_SIZE];

	out->end = t;
	esg_x509_time_text(t, str, sizeof(str));
	esg_alarm_text_append_pair(out->detail, sizeof(out->detail), key, str);
}

void
esg_alarm_text_add_fingerprint(EsgAlarm *out, const unsigned char *digest)
{
	char		str[ESG_FINGERPRINT_TEXT_SIZE];

	memcpy(out->fingerprint, digest, ESG_DIGEST_SIZE);
	esg_x509_info_fingerprint_text(digest, str);
	esg_alarm_text_append_pair(out->detail, sizeof(out->detail), "fingerprint", str);
}

/* ---- sentences ---- */

/* Bytes in printable form; OPENSSL_free(), if it is not NULL. */
static char *
escape(const char *bytes)
{
	return esg_x509_name_escape((const unsigned char *) bytes, strlen(bytes));
}

static const char *
or_unknown(const char *str)
{
	return str != NULL ? str : "?";
}

/*
 * Puts detail into the predicate's "%s"; without one the place for it goes.
 * Quotes around the place are detail's.
 */
void
esg_alarm_text_predicate(EsgCode code, const char *detail, char *buf, size_t size)
{
	const char *predicate = esg_findings_def(code)->message;
	const char *slot = strstr(predicate, "%s");
	char		quoted[2 * ESG_MAX_DETAIL + sizeof(ELLIPSIS "\"\"")];
	size_t		before;
	const char *after;

	if (slot == NULL)
	{
		(void) snprintf(buf, size, "%s", predicate);
		return;
	}
	before = (size_t) (slot - predicate);
	after = slot + 2;
	if (detail == NULL || *detail == '\0')
	{
		while (before > 0 && strchr(" (", predicate[before - 1]) != NULL)
			before--;
		after += *after == ')' ? 1 : 0;
	}
	else if (*after == '"')
	{
		esg_cut_text_quote(quoted, sizeof(quoted), detail);
		detail = quoted;
		before--;
		after++;
	}
	(void) snprintf(buf, size, "%.*s%s%s", (int) before, predicate, detail ? detail : "", after);
}

void
esg_alarm_text_name(char *buf, size_t size, const char *before, const char *printable, size_t max)
{
	char		quoted[ESG_MAX_PATH_IN_MESSAGE + sizeof(ELLIPSIS "\"\"")];
	size_t		room = max + sizeof(ELLIPSIS "\"\"");

	esg_cut_text_quote(quoted, room < sizeof(quoted) ? room : sizeof(quoted), printable);
	append(buf, size, before);
	append(buf, size, " ");
	append(buf, size, quoted);
}

void
esg_alarm_text_say(EsgAlarm *out, const char *subject, const char *detail)
{
	char		predicate[ESG_PREDICATE_SIZE];
	char		sentence[SUBJECT_SIZE + ESG_PREDICATE_SIZE];

	esg_alarm_text_predicate(out->code, detail, predicate, sizeof(predicate));
	(void) snprintf(sentence, sizeof(sentence), "%s%s%s", subject, *subject != '\0' ? " " : "",
					predicate);
	esg_cut_text_copy(out->message, sizeof(out->message), sentence);
}

void
esg_alarm_text_begin(EsgCode code, EsgSeverity severity, EsgAlarm *out)
{
	const EsgFindingDef *def = esg_findings_def(code);

	memset(out, 0, sizeof(*out));
	out->code = code;
	out->severity = severity;
	esg_cut_text_copy(out->hint, sizeof(out->hint), def->hint);
	esg_alarm_text_append_pair(out->detail, sizeof(out->detail), "code", def->name);
	esg_alarm_text_append_pair(out->detail, sizeof(out->detail), "severity",
							   esg_findings_severity_name(severity));
}

/* Names of hosts are as pg_hosts.conf has them. */
static void
append_host(EsgAlarm *out, const EsgLocation *location)
{
	char		line[16];
	char		clipped[ESG_MAX_NAME_IN_MESSAGE + sizeof(ELLIPSIS)];
	char	   *host;

	if (location->host == NULL)
		return;
	host = escape(location->host);
	(void) snprintf(line, sizeof(line), "%d", location->line);
	esg_cut_text_copy(clipped, sizeof(clipped), or_unknown(host));
	esg_alarm_text_append_pair(out->detail, sizeof(out->detail), "line", line);
	esg_alarm_text_append_pair(out->detail, sizeof(out->detail), "host", clipped);
	OPENSSL_free(host);
}

/* "PATH", or "PATH:POSITION"; of what is too long the end is kept. */
static void
set_object(EsgAlarm *out, const EsgLocation *location, const char *printable)
{
	char		position[16] = "";
	size_t		len = strlen(printable);
	char	   *object = OPENSSL_malloc(len + sizeof(position));

	if (location->position > 0)
		(void) snprintf(position, sizeof(position), ":%d", location->position);
	if (object != NULL)
	{
		memcpy(object, printable, len + 1);
		memcpy(object + len, position, sizeof(position));
	}
	esg_cut_text_copy_end(out->object, sizeof(out->object), object ? object : "?");
	OPENSSL_free(object);
}

void
esg_alarm_text_locate(EsgAlarm *out, const EsgLocation *location)
{
	char	   *path = escape(location->path);
	char		position[16];

	if (location->setting[0] != '\0')
		esg_alarm_text_append_pair(out->detail, sizeof(out->detail), "setting", location->setting);
	append_host(out, location);
	esg_cut_text_copy(out->hint, sizeof(out->hint), esg_findings_hint(out->code, location->setting));
	set_object(out, location, or_unknown(path));
	OPENSSL_free(path);
	if (location->position == 0)
		return;
	(void) snprintf(position, sizeof(position), "%d", location->position);
	esg_alarm_text_append_pair(out->detail, sizeof(out->detail), "position", position);
}

/* "<what> "<name>" in file "<path>" <predicate>" */
void
esg_alarm_text_subject(const EsgFinding *finding, const EsgAlarmSubject *subject,
					   const EsgLocation *location, EsgAlarm *out)
{
	char		sentence[SUBJECT_SIZE] = "";
	char	   *path = escape(location->path);

	esg_alarm_text_begin(finding->code, finding->severity, out);
	esg_alarm_text_locate(out, location);
	esg_alarm_text_add_time(out, subject->end_key, subject->end);
	esg_alarm_text_add_fingerprint(out, subject->fingerprint);
	if (subject->name[0] != '\0')
		esg_alarm_text_name(sentence, sizeof(sentence), subject->what, subject->name,
							ESG_MAX_NAME_IN_MESSAGE);
	else
		(void) snprintf(sentence, sizeof(sentence), "%s with an empty name", subject->what);
	esg_alarm_text_name(sentence, sizeof(sentence), location->at_server ? " of server" : " in file",
						or_unknown(path), ESG_MAX_PATH_IN_MESSAGE);
	esg_alarm_text_say(out, sentence, finding->detail);
	OPENSSL_free(path);
}

void
esg_alarm_text_cert(const EsgFinding *finding, const EsgCertInfo *cert,
					const EsgLocation *location, EsgAlarm *out)
{
	char	   *name = esg_x509_name_text(X509_get_subject_name(cert->cert));
	EsgAlarmSubject subject = {
		.what = "certificate",.name = name ? name : "",
		.end_key = "not_after",.end = cert->not_after,.fingerprint = cert->fingerprint
	};

	esg_alarm_text_subject(finding, &subject, location, out);
	OPENSSL_free(name);
}

void
esg_alarm_text_crl(const EsgFinding *finding, const EsgCrlInfo *crl, const EsgLocation *location,
				   EsgAlarm *out)
{
	char	   *name = esg_x509_name_text(X509_CRL_get_issuer(crl->crl));
	EsgAlarmSubject subject = {
		.what = "CRL of",.name = name ? name : "",
		.end_key = "next_update",.end = crl->next_update,.fingerprint = crl->fingerprint
	};

	esg_alarm_text_subject(finding, &subject, location, out);
	OPENSSL_free(name);
}

/* "Run: COMMAND" */
static void
set_suggestion(EsgAlarm *out, const char *suggestion)
{
	char	   *command = esg_x509_name_escape_hidden(suggestion);
	size_t		size = strlen("Run: ") + strlen(or_unknown(command)) + 1;
	char	   *hint = OPENSSL_malloc(size);

	if (hint != NULL)
	{
		(void) snprintf(hint, size, "Run: %s", or_unknown(command));
		esg_cut_text_copy(out->hint, sizeof(out->hint), hint);
	}
	OPENSSL_free(hint);
	OPENSSL_free(command);
}

void
esg_alarm_text_file(const EsgFinding *finding, const EsgLocation *location, const char *suggestion,
					EsgAlarm *out)
{
	char	   *path = escape(location->path);
	char		sentence[SUBJECT_SIZE] = "";

	esg_alarm_text_begin(finding->code, finding->severity, out);
	esg_alarm_text_locate(out, location);
	esg_alarm_text_append_pair(out->detail, sizeof(out->detail), "path", or_unknown(path));
	esg_alarm_text_name(sentence, sizeof(sentence),
						finding->code == ESG_DIRECTORY_WRITABLE ? "path" : "file",
						or_unknown(path), ESG_MAX_PATH_IN_MESSAGE);
	esg_alarm_text_say(out, sentence, finding->detail);
	if (suggestion != NULL && *suggestion != '\0')
		set_suggestion(out, suggestion);
	OPENSSL_free(path);
}

bool
esg_alarm_text_is_mended(EsgCode code, const char *suggestion)
{
	return code == ESG_PERMISSIONS_TOO_OPEN || code == ESG_DIRECTORY_WRITABLE ||
		code == ESG_PASSPHRASE_LEFTOVER ||
		(code == ESG_WRONG_OWNER && strncmp(suggestion, "chown ", 6) == 0);
}
