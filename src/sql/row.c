/*
 * sql/row.c
 *		Rows of a set-returning function, column by column.
 */
#include "postgres.h"

#include <openssl/crypto.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "server/report.h"
#include "sql/row.h"

/* an attacker's certificate may list any number of usages */
#define MAX_EXT_KEY_USAGES 256

void
esg_sql_row_init(EsgSqlRow *row, FunctionCallInfo fcinfo)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	memset(row, 0, sizeof(*row));
	row->store = rsinfo->setResult;
	row->desc = rsinfo->setDesc;
	if (row->desc->natts > ESG_ROW_MAX_COLUMNS)
		elog(ERROR, "function has too many result columns");
	row->context = AllocSetContextCreate(CurrentMemoryContext, "ext_ssl_guard row",
										 ALLOCSET_DEFAULT_SIZES);
}

void
esg_sql_row_start(EsgSqlRow *row)
{
	row->caller = MemoryContextSwitchTo(row->context);
	row->next = 0;
}

void
esg_sql_row_end(EsgSqlRow *row)
{
	if (row->next != row->desc->natts)
		elog(ERROR, "function is declared with %d result columns, but has %d",
			 row->desc->natts, row->next);
	tuplestore_putvalues(row->store, row->desc, row->values, row->nulls);
	MemoryContextSwitchTo(row->caller);
	MemoryContextReset(row->context);
}

/* ------------------------------------------------------------------------
 * Columns
 * ------------------------------------------------------------------------ */

static void
set_column(EsgSqlRow *row, Datum value, bool is_null)
{
	if (row->next >= row->desc->natts)
		elog(ERROR, "function is declared with only %d result columns", row->desc->natts);
	row->values[row->next] = value;
	row->nulls[row->next] = is_null;
	row->next++;
}

void
esg_sql_row_null(EsgSqlRow *row)
{
	set_column(row, (Datum) 0, true);
}

void
esg_sql_row_text(EsgSqlRow *row, const char *utf8)
{
	if (utf8 == NULL)
		esg_sql_row_null(row);
	else
		set_column(row, CStringGetTextDatum(esg_report_text(utf8)), false);
}

void
esg_sql_row_take(EsgSqlRow *row, char *utf8)
{
	set_column(row, CStringGetTextDatum(esg_report_take(utf8)), false);
}

void
esg_sql_row_path(EsgSqlRow *row, const char *path)
{
	if (path == NULL)
		esg_sql_row_null(row);
	else
		esg_sql_row_take(row, esg_x509_name_escape((const unsigned char *) path,
												   strlen(path)));
}

void
esg_sql_row_bool(EsgSqlRow *row, bool value)
{
	set_column(row, BoolGetDatum(value), false);
}

void
esg_sql_row_int4(EsgSqlRow *row, int value)
{
	set_column(row, Int32GetDatum(value), false);
}

void
esg_sql_row_int8(EsgSqlRow *row, int64 value)
{
	set_column(row, Int64GetDatum(value), false);
}

void
esg_sql_row_address(EsgSqlRow *row, const EsgClientAddress *address)
{
	char		text[ESG_CLIENT_ADDRESS_TEXT_SIZE];

	if (address->family == 0)
	{
		esg_sql_row_null(row);
		return;
	}
	esg_client_entry_address_text(address, text, sizeof(text));
	set_column(row, DirectFunctionCall1(inet_in, CStringGetDatum(text)), false);
}

void
esg_sql_row_timestamp(EsgSqlRow *row, TimestampTz value)
{
	set_column(row, TimestampTzGetDatum(value), value == 0);
}

void
esg_sql_row_time(EsgSqlRow *row, EsgTime t)
{
	bool		is_null;
	TimestampTz value = esg_report_timestamp(t, &is_null);

	set_column(row, TimestampTzGetDatum(value), is_null);
}

void
esg_sql_row_time_left(EsgSqlRow *row, EsgTime t)
{
	bool		is_null;
	TimestampTz value = esg_report_timestamp(t, &is_null);

	if (is_null || TIMESTAMP_NOT_FINITE(value))
		esg_sql_row_null(row);
	else
		set_column(row, DirectFunctionCall2(timestamp_mi, TimestampTzGetDatum(value),
											TimestampTzGetDatum(GetCurrentTimestamp())),
				   false);
}

void
esg_sql_row_digest(EsgSqlRow *row, bool known, const unsigned char *sha256)
{
	char		text[ESG_FINGERPRINT_TEXT_SIZE];

	if (!known)
	{
		esg_sql_row_null(row);
		return;
	}
	esg_x509_info_fingerprint_text(sha256, text);
	esg_sql_row_text(row, text);
}

void
esg_sql_row_severity(EsgSqlRow *row, EsgSeverity severity)
{
	Oid			type;

	if (row->next >= row->desc->natts)
		elog(ERROR, "function is declared with only %d result columns", row->desc->natts);
	type = TupleDescAttr(row->desc, row->next)->atttypid;
	set_column(row, DirectFunctionCall2(enum_in,
										CStringGetDatum(esg_findings_severity_name(severity)),
										ObjectIdGetDatum(type)),
			   false);
}

static void
set_texts(EsgSqlRow *row, Datum *texts, int count)
{
	ArrayType  *array = construct_array(texts, count, TEXTOID, -1, false, TYPALIGN_INT);

	set_column(row, PointerGetDatum(array), false);
}

void
esg_sql_row_findings(EsgSqlRow *row, const EsgFindings *findings)
{
	Datum	   *codes = palloc(Max(findings->count, 1) * sizeof(Datum));
	int			i;

	for (i = 0; i < findings->count; i++)
		codes[i] = CStringGetTextDatum(esg_findings_def(findings->items[i].code)->name);
	set_texts(row, codes, findings->count);
	esg_sql_row_severity(row, esg_findings_worst(findings));
}

/* ------------------------------------------------------------------------
 * Certificates
 * ------------------------------------------------------------------------ */

static void
set_common_name(EsgSqlRow *row, const X509_NAME *subject)
{
	bool		found;
	bool		exact;
	char	   *text = esg_x509_name_common_name(subject, &found, &exact);

	if (found)
		esg_sql_row_take(row, text);
	else
	{
		OPENSSL_free(text);
		esg_sql_row_null(row);
	}
}

static void
put_alt_names(EsgSqlRow *row, const EsgAltNames *names)
{
	Datum	   *texts = palloc(Max(names->count, 1) * sizeof(Datum));
	int			i;

	for (i = 0; i < names->count; i++)
	{
		const EsgAltName *name = &names->items[i];

		texts[i] = CStringGetTextDatum(psprintf("%s:%s",
												esg_x509_name_alt_prefix(name->kind),
												esg_report_text(name->text)));
	}
	set_texts(row, texts, names->count);
}

/* The names are OpenSSL's memory: freed also if the text does not fit anywhere. */
static void
set_alt_names(EsgSqlRow *row, X509 *cert)
{
	EsgAltNames names = {0, NULL};

	if (!esg_x509_name_alt_names(cert, &names))
		names.count = 0;
	PG_TRY();
	{
		put_alt_names(row, &names);
	}
	PG_FINALLY();
	{
		esg_x509_name_alt_names_free(&names);
	}
	PG_END_TRY();
}

static void
set_key_usage(EsgSqlRow *row, const EsgCertInfo *cert)
{
	const char *names[ESG_MAX_USAGES];
	Datum		texts[ESG_MAX_USAGES];
	int			count;
	int			i;

	if (!cert->has_key_usage)
	{
		esg_sql_row_null(row);
		return;
	}
	count = esg_x509_info_key_usage_names(cert, names);
	for (i = 0; i < count; i++)
		texts[i] = CStringGetTextDatum(names[i]);
	set_texts(row, texts, count);
}

static void
set_ext_key_usage(EsgSqlRow *row, const EsgCertInfo *cert)
{
	char	   *names[MAX_EXT_KEY_USAGES];
	Datum		texts[MAX_EXT_KEY_USAGES];
	int			count;
	int			i;

	if (!cert->has_ext_key_usage)
	{
		esg_sql_row_null(row);
		return;
	}
	count = esg_x509_info_ext_key_usage_names(cert, names, MAX_EXT_KEY_USAGES);
	for (i = 0; i < count; i++)
		texts[i] = CStringGetTextDatum(esg_report_take(names[i]));
	set_texts(row, texts, count);
}

static void
set_key(EsgSqlRow *row, const EsgKeyInfo *key)
{
	esg_sql_row_text(row, key->algorithm);
	set_column(row, Int32GetDatum(key->bits), key->bits <= 0);
	set_column(row, Int32GetDatum(key->security_bits), key->security_bits < 0);
}

/* Unknown is NULL. */
static void
set_verdict(EsgSqlRow *row, EsgVerdict verdict)
{
	set_column(row, BoolGetDatum(verdict == ESG_YES), verdict == ESG_UNKNOWN);
}

void
esg_sql_row_cert(EsgSqlRow *row, const EsgCertInfo *cert, const EsgFindings *findings)
{
	const X509_NAME *subject = X509_get_subject_name(cert->cert);

	esg_sql_row_take(row, esg_x509_name_text(subject));
	esg_sql_row_take(row, esg_x509_name_text(X509_get_issuer_name(cert->cert)));
	set_common_name(row, subject);
	set_alt_names(row, cert->cert);
	esg_sql_row_take(row, esg_x509_info_serial_text(X509_get0_serialNumber(cert->cert)));
	esg_sql_row_time(row, cert->not_before);
	esg_sql_row_time(row, cert->not_after);
	esg_sql_row_time_left(row, cert->not_after);
	set_key(row, &cert->key);
	esg_sql_row_text(row, cert->signature.algorithm);
	esg_sql_row_text(row, cert->signature.digest[0] != '\0' ? cert->signature.digest : NULL);
	esg_sql_row_bool(row, cert->is_ca);
	set_verdict(row, esg_x509_info_self_signed(cert));
	set_key_usage(row, cert);
	set_ext_key_usage(row, cert);
	esg_sql_row_digest(row, true, cert->fingerprint);
	esg_sql_row_findings(row, findings);
}
