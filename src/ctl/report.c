/*
 * ctl/report.c
 *		What check, probe and fetch-crl have found.
 */
#include "ctl/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "x509/cut_text.h"

/* longest sentence of a remark, before it is cut */
#define SENTENCE_SIZE 2048

/* ---- texts and arrays ---- */

/* A new text; NULL, noted, if there is no memory. */
static char *
keep(char *str, bool *out_of_memory)
{
	if (str == NULL)
		*out_of_memory = true;
	return str;
}

static char *
keep_text(const char *str, bool *out_of_memory)
{
	return keep(esg_x509_name_escape_hidden(str), out_of_memory);
}

static char *
keep_bytes(const char *bytes, bool *out_of_memory)
{
	return keep(esg_x509_name_escape((const unsigned char *) bytes, strlen(bytes)), out_of_memory);
}

/* Room for one more in an array that has so many; it grows at powers of two. */
static bool
grow(void **items, int count, size_t size, bool *out_of_memory)
{
	void	   *more;

	if (count > 0 && (count & (count - 1)) != 0)
		return true;
	more = OPENSSL_realloc(*items, (count > 0 ? 2 * (size_t) count : 1) * size);
	if (more == NULL)
	{
		*out_of_memory = true;
		return false;
	}
	*items = more;
	return true;
}

/* ---- the run and its objects ---- */

void
esg_report_start(EsgReport *report, const char *command, int64_t at)
{
	memset(report, 0, sizeof(*report));
	report->command = command;
	report->at = at;
}

static EsgReportObject *
new_object(EsgReport *report, EsgObjectKind kind)
{
	static EsgReportObject nowhere;
	EsgReportObject *object = OPENSSL_zalloc(sizeof(*object));

	if (object == NULL || !grow((void **) &report->objects, report->count, sizeof(object),
								&report->out_of_memory))
	{
		report->out_of_memory = true;
		OPENSSL_free(object);
		object = &nowhere;
	}
	else
		report->objects[report->count++] = object;
	object->kind = kind;
	object->setting = object->role = "";
	return object;
}

EsgReportObject *
esg_report_add(EsgReport *report, EsgObjectKind kind, const char *name)
{
	EsgReportObject *object = new_object(report, kind);

	OPENSSL_free(object->path);
	OPENSSL_free(object->name);
	object->path = keep(OPENSSL_strdup(name), &report->out_of_memory);
	object->name = keep_bytes(name, &report->out_of_memory);
	return object;
}

EsgReportObject *
esg_report_add_server(EsgReport *report, EsgObjectKind kind, const char *name, const char *address)
{
	EsgReportObject *object = esg_report_add(report, kind, name);

	object->at_server = true;
	OPENSSL_free(object->address);
	object->address = keep_text(address, &report->out_of_memory);
	return object;
}

/* ---- facts ---- */

static EsgFact *
add_fact(EsgReportObject *object, EsgFactKind kind, const char *name)
{
	EsgFact    *fact;

	if (!grow((void **) &object->facts, object->fact_count, sizeof(*fact), &object->out_of_memory))
		return NULL;
	fact = &object->facts[object->fact_count++];
	memset(fact, 0, sizeof(*fact));
	fact->kind = kind;
	fact->name = name;
	return fact;
}

static void
add_text(EsgReportObject *object, EsgFactKind kind, const char *name, char *str)
{
	EsgFact    *fact = str != NULL ? add_fact(object, kind, name) : NULL;

	if (fact != NULL)
		fact->text = str;
	else
		OPENSSL_free(str);
}

static void
add_number(EsgReportObject *object, EsgFactKind kind, const char *name, double number)
{
	EsgFact    *fact = add_fact(object, kind, name);

	if (fact != NULL)
		fact->number = number;
}

void
esg_report_fact_text(EsgReportObject *object, const char *name, const char *text)
{
	add_text(object, ESG_FACT_TEXT, name, keep_text(text, &object->out_of_memory));
}

void
esg_report_fact_bytes(EsgReportObject *object, const char *name, const char *bytes)
{
	add_text(object, ESG_FACT_TEXT, name, keep_bytes(bytes, &object->out_of_memory));
}

void
esg_report_fact_item(EsgReportObject *object, const char *name, const char *text)
{
	add_text(object, ESG_FACT_ITEM, name, keep_text(text, &object->out_of_memory));
}

void
esg_report_fact_number(EsgReportObject *object, const char *name, double number)
{
	add_number(object, ESG_FACT_NUMBER, name, number);
}

void
esg_report_fact_ms(EsgReportObject *object, const char *name, double milliseconds)
{
	add_number(object, ESG_FACT_MILLISECONDS, name, milliseconds);
}

void
esg_report_fact_bool(EsgReportObject *object, const char *name, bool value)
{
	add_number(object, ESG_FACT_BOOL, name, value ? 1 : 0);
}

void
esg_report_fact_time(EsgReportObject *object, const char *name, EsgTime time)
{
	EsgFact    *fact = add_fact(object, ESG_FACT_TIME, name);

	if (fact != NULL)
		fact->time = time;
}

/* ---- certificates and CRLs ---- */

static void
set_name(EsgReportObject *object, char **out, const X509_NAME *name)
{
	OPENSSL_free(*out);
	*out = keep(esg_x509_name_text(name), &object->out_of_memory);
}

static void
set_number(EsgReportObject *object, const ASN1_INTEGER *number)
{
	OPENSSL_free(object->serial_number);
	object->serial_number = keep(esg_x509_info_serial_text(number), &object->out_of_memory);
}

static void
set_life(EsgReportObject *object, EsgTime begin, EsgTime end, const unsigned char *digest)
{
	object->has_life = true;
	object->not_before = begin;
	object->not_after = end;
	memcpy(object->digest, digest, ESG_DIGEST_SIZE);
	esg_x509_info_fingerprint_text(digest, object->fingerprint);
}

static void
add_alt_name(EsgReportObject *object, const EsgAltName *name)
{
	const char *prefix = esg_x509_name_alt_prefix(name->kind);
	size_t		size = strlen(prefix) + strlen(name->text) + 2;
	char	   *item = keep(OPENSSL_malloc(size), &object->out_of_memory);

	if (item != NULL)
		(void) snprintf(item, size, "%s:%s", prefix, name->text);
	add_text(object, ESG_FACT_ITEM, "alt_names", item);
}

static void
add_alt_names(EsgReportObject *object, X509 *cert)
{
	EsgAltNames names = {0, NULL, false};
	int			i;

	if (!esg_x509_name_alt_names(cert, &names))
		return;
	for (i = 0; i < names.count; i++)
		add_alt_name(object, &names.items[i]);
	esg_x509_name_alt_names_free(&names);
}

/* The first one, as the server takes it. */
static void
add_common_name(EsgReportObject *object, X509 *cert)
{
	bool		found;
	char	   *text = esg_x509_name_common_name(X509_get_subject_name(cert), &found);

	if (found && text != NULL)
		esg_report_fact_text(object, "common_name", text);
	object->out_of_memory |= found && text == NULL;
	OPENSSL_free(text);
}

static void
add_usages(EsgReportObject *object, const EsgCertInfo *cert)
{
	const char *names[ESG_MAX_USAGES];
	char	   *extended[ESG_MAX_EXT_KEY_USAGES];
	int			count = cert->has_key_usage ? esg_x509_info_key_usage_names(cert, names) : 0;

	for (int i = 0; i < count; i++)
		esg_report_fact_item(object, "key_usage", names[i]);
	count = cert->has_ext_key_usage ? esg_x509_info_ext_key_usage_names(cert, extended, ESG_MAX_EXT_KEY_USAGES) : 0;
	for (int i = 0; i < count; i++)
	{
		if (extended[i] != NULL)
			esg_report_fact_item(object, "extended_key_usage", extended[i]);
		OPENSSL_free(extended[i]);
	}
}

static void
add_signature(EsgReportObject *object, const EsgCertInfo *cert)
{
	EsgVerdict	self_signed = esg_x509_info_self_signed(cert);

	esg_report_fact_text(object, "signature_algorithm", cert->signature.algorithm);
	if (cert->signature.digest[0] != '\0')
		esg_report_fact_text(object, "signature_digest", cert->signature.digest);
	esg_report_fact_bool(object, "is_ca", cert->is_ca);
	if (self_signed != ESG_UNKNOWN)
		esg_report_fact_bool(object, "self_signed", self_signed == ESG_YES);
}

void
esg_report_set_cert(EsgReportObject *object, const EsgCertInfo *cert, EsgPlace place, int position)
{
	object->role = esg_findings_place_name(place == ESG_PLACE_CLIENT_CHAIN ? ESG_PLACE_CHAIN : place);
	object->position = position;
	set_name(object, &object->subject, X509_get_subject_name(cert->cert));
	set_name(object, &object->issuer, X509_get_issuer_name(cert->cert));
	set_number(object, X509_get0_serialNumber(cert->cert));
	set_life(object, cert->not_before, cert->not_after, cert->fingerprint);
	add_common_name(object, cert->cert);
	add_alt_names(object, cert->cert);
	esg_report_fact_text(object, "key_algorithm", cert->key.algorithm);
	if (cert->key.bits > 0)
		esg_report_fact_number(object, "key_bits", cert->key.bits);
	if (cert->key.security_bits >= 0)
		esg_report_fact_number(object, "security_bits", cert->key.security_bits);
	add_signature(object, cert);
	add_usages(object, cert);
}

void
esg_report_set_crl(EsgReportObject *object, const EsgCrlInfo *crl, int position)
{
	ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl->crl, NID_crl_number, NULL, NULL);

	ERR_clear_error();
	object->role = esg_findings_place_name(ESG_PLACE_CRL);
	object->position = position;
	set_name(object, &object->issuer, X509_CRL_get_issuer(crl->crl));
	if (number != NULL)
		set_number(object, number);
	ASN1_INTEGER_free(number);
	set_life(object, crl->this_update, crl->next_update, crl->fingerprint);
	esg_report_fact_number(object, "revoked_count", (double) crl->revoked_count);
	esg_report_fact_text(object, "signature_algorithm", crl->signature.algorithm);
}

/* ---- what is said ---- */

void
esg_report_suggest(EsgReportObject *object, const char *command)
{
	OPENSSL_free(object->suggestion);
	object->suggestion = keep(OPENSSL_strdup(command), &object->out_of_memory);
}

void
esg_report_advise(EsgReportObject *object, EsgCode code, const char *hint)
{
	char	   *str = keep_text(hint, &object->out_of_memory);

	if (str == NULL || !grow((void **) &object->advices, object->advice_count, sizeof(EsgAdvice),
							 &object->out_of_memory))
	{
		OPENSSL_free(str);
		return;
	}
	object->advices[object->advice_count].code = code;
	object->advices[object->advice_count++].hint = str;
}

void
esg_report_remark(EsgReportObject *object, EsgReportStatus status, const char *hint,
				  const char *fmt,...)
{
	char		sentence[SENTENCE_SIZE];
	EsgRemarkLine *line;
	va_list		args;

	va_start(args, fmt);
	(void) vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	if (!grow((void **) &object->remarks, object->remark_count, sizeof(*line),
			  &object->out_of_memory))
		return;
	line = &object->remarks[object->remark_count++];
	line->status = status;
	line->message = keep_text(sentence, &object->out_of_memory);
	line->hint = keep_text(hint != NULL ? hint : "", &object->out_of_memory);
}

void
esg_report_summarize(EsgReport *report, EsgReportStatus status, const char *fmt,...)
{
	char		sentence[SENTENCE_SIZE];
	va_list		args;

	va_start(args, fmt);
	(void) vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	OPENSSL_free(report->summary);
	report->summary = keep_text(sentence, &report->out_of_memory);
	report->summary_status = status;
}

/* Name of what has the finding: its subject, or of a CRL the issuer. */
static const char *
subject_of(const EsgReportObject *object)
{
	const char *name = object->kind == ESG_OBJECT_CRL ? object->issuer : object->subject;

	return name != NULL ? name : "?";
}

static void
say_subject(const EsgReportObject *object, const EsgFinding *finding, const EsgLocation *location,
			EsgAlarm *out)
{
	bool		is_crl = object->kind == ESG_OBJECT_CRL;
	EsgAlarmSubject subject = {
		.what = is_crl ? "CRL of" : "certificate",
		.name = subject_of(object),
		.end_key = is_crl ? "next_update" : "not_after",
		.end = object->not_after,
		.fingerprint = object->digest
	};

	esg_alarm_text_subject(finding, &subject, location, out);
}

static void
say_server(const EsgReportObject *object, const EsgFinding *finding, EsgAlarm *out)
{
	char		sentence[ESG_MESSAGE_SIZE] = "";

	esg_alarm_text_begin(finding->code, finding->severity, out);
	esg_alarm_text_name(sentence, sizeof(sentence), "server", object->name ? object->name : "?",
						ESG_MAX_NAME_IN_MESSAGE);
	(void) snprintf(sentence + strlen(sentence), sizeof(sentence) - strlen(sentence), ":");
	esg_alarm_text_say(out, sentence, finding->detail);
}

static void
say_file(const EsgReportObject *object, const EsgFinding *finding, const EsgLocation *location,
		 EsgAlarm *out)
{
	const char *suggestion = object->suggestion;

	if (suggestion != NULL && !esg_alarm_text_is_mended(finding->code, suggestion))
		suggestion = NULL;
	esg_alarm_text_file(finding, location, suggestion, out);
}

static const char *
find_advice(const EsgReportObject *object, EsgCode code)
{
	int			i;

	for (i = 0; i < object->advice_count; i++)
		if (object->advices[i].code == code)
			return object->advices[i].hint;
	return NULL;
}

void
esg_report_words(const EsgReportObject *object, const EsgFinding *finding, EsgAlarm *out)
{
	EsgLocation location = {
		.setting = object->setting,.path = object->path != NULL ? object->path : "?",
		.position = object->position,.at_server = object->at_server
	};
	const char *advice = find_advice(object, finding->code);

	if (object->has_life)
		say_subject(object, finding, &location, out);
	else if (object->kind == ESG_OBJECT_SERVER)
		say_server(object, finding, out);
	else
		say_file(object, finding, &location, out);
	if (advice != NULL)
		esg_cut_text_copy(out->hint, sizeof(out->hint), advice);
}

/* ---- the outcome ---- */

EsgReportStatus
esg_report_worse(EsgReportStatus a, EsgReportStatus b)
{
	/* what could not be looked at may be critical */
	static const int weight[] = {0, 1, 3, 2};

	return weight[a] >= weight[b] ? a : b;
}

EsgReportStatus
esg_report_severity_status(EsgSeverity severity)
{
	if (severity == ESG_CRITICAL)
		return ESG_STATUS_CRITICAL;
	return severity == ESG_WARNING ? ESG_STATUS_WARNING : ESG_STATUS_OK;
}

EsgReportStatus
esg_report_object_status(const EsgReportObject *object)
{
	EsgReportStatus status = esg_report_severity_status(esg_findings_worst(&object->findings));
	int			i;

	for (i = 0; i < object->remark_count; i++)
		status = esg_report_worse(status, object->remarks[i].status);
	if (object->out_of_memory || object->findings.out_of_memory)
		status = esg_report_worse(status, ESG_STATUS_UNKNOWN);
	return status;
}

EsgReportStatus
esg_report_status(const EsgReport *report)
{
	EsgReportStatus status = report->summary_status;
	int			i;

	for (i = 0; i < report->count; i++)
		status = esg_report_worse(status, esg_report_object_status(report->objects[i]));
	if (report->out_of_memory)
		status = esg_report_worse(status, ESG_STATUS_UNKNOWN);
	return status;
}

const char *
esg_report_status_name(EsgReportStatus status)
{
	static const char *const names[] = {"ok", "warning", "critical", "unknown"};

	return names[status];
}

const char *
esg_report_kind_name(EsgObjectKind kind)
{
	static const char *const names[] = {"file", "certificate", "crl", "key", "server"};

	return names[kind];
}

/* ---- the end ---- */

void
esg_report_sort(EsgReport *report)
{
	int			i;

	for (i = 0; i < report->count; i++)
	{
		esg_findings_sort(&report->objects[i]->findings);
		report->out_of_memory |= report->objects[i]->out_of_memory ||
			report->objects[i]->findings.out_of_memory;
	}
}

static void
free_object(EsgReportObject *object)
{
	int			i;

	for (i = 0; i < object->fact_count; i++)
		OPENSSL_free(object->facts[i].text);
	for (i = 0; i < object->remark_count; i++)
	{
		OPENSSL_free(object->remarks[i].message);
		OPENSSL_free(object->remarks[i].hint);
	}
	for (i = 0; i < object->advice_count; i++)
		OPENSSL_free(object->advices[i].hint);
	OPENSSL_free(object->facts);
	OPENSSL_free(object->remarks);
	OPENSSL_free(object->advices);
	OPENSSL_free(object->path);
	OPENSSL_free(object->name);
	OPENSSL_free(object->address);
	OPENSSL_free(object->subject);
	OPENSSL_free(object->issuer);
	OPENSSL_free(object->serial_number);
	OPENSSL_free(object->suggestion);
	esg_findings_free(&object->findings);
	OPENSSL_free(object);
}

void
esg_report_free(EsgReport *report)
{
	int			i;

	for (i = 0; i < report->count; i++)
		free_object(report->objects[i]);
	OPENSSL_free(report->objects);
	OPENSSL_free(report->summary);
	memset(report, 0, sizeof(*report));
}
