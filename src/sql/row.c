/*
 * sql/row.c
 *		Rows of a set-returning function, each value put by its column's name.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "server/report.h"
#include "sql/row.h"

/* ------------------------------------------------------------------------
 * The declaration
 * ------------------------------------------------------------------------ */

/* InvalidOid for those that the extension makes */
static Oid
type_oid(EsgSqlType type)
{
	switch (type)
	{
		case ESG_SQL_TEXT:
			return TEXTOID;
		case ESG_SQL_TEXTS:
			return TEXTARRAYOID;
		case ESG_SQL_BOOL:
			return BOOLOID;
		case ESG_SQL_INT4:
			return INT4OID;
		case ESG_SQL_INT8:
			return INT8OID;
		case ESG_SQL_TIMESTAMP:
			return TIMESTAMPTZOID;
		case ESG_SQL_INTERVAL:
			return INTERVALOID;
		case ESG_SQL_ADDRESS:
			return INETOID;
		default:
			return InvalidOid;
	}
}

static const char *
type_name(EsgSqlType type)
{
	if (type == ESG_SQL_SEVERITY)
		return "ssl_guard_severity";
	if (type == ESG_SQL_COMPOSITE)
		return "a composite type";
	return format_type_be(type_oid(type));
}

/*
 * The enum is known by its values: the extension can be in any schema.  Fills
 * in the OIDs that stand for them.
 */
static bool
is_severity(Oid type, Oid *severities)
{
	for (int i = ESG_OK; i <= ESG_CRITICAL; i++)
	{
		const char *name = esg_findings_severity_name((EsgSeverity) i);

		severities[i] = GetSysCacheOid2(ENUMTYPOIDNAME, Anum_pg_enum_oid, ObjectIdGetDatum(type),
										CStringGetDatum(name));
		if (!OidIsValid(severities[i]))
			return false;
	}
	return true;
}

static bool
type_fits(EsgSqlRow *row, EsgSqlType wanted, Oid type)
{
	if (wanted == ESG_SQL_SEVERITY)
		return is_severity(type, row->severities);
	if (wanted == ESG_SQL_COMPOSITE)
		return get_typtype(type) == TYPTYPE_COMPOSITE;
	return type == type_oid(wanted);
}

/* The place of a column in the declaration; ERROR if it is not there, or is something else. */
static int
find_attribute(EsgSqlRow *row, const char *name, EsgSqlType type)
{
	for (int i = 0; i < row->desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(row->desc, i);

		if (attribute->attisdropped || strcmp(NameStr(attribute->attname), name) != 0)
			continue;
		if (!type_fits(row, type, attribute->atttypid))
			esg_sql_declared_refuse(row->function,
									psprintf("Result column \"%s\" is of type %s instead of %s.", name,
											 format_type_be(attribute->atttypid), type_name(type)));
		return i;
	}
	esg_sql_declared_refuse(row->function, psprintf("There is no result column \"%s\".", name));
}

static bool
is_attribute_known(const EsgSqlRow *row, int attribute)
{
	for (int i = 0; i < row->count; i++)
	{
		if (row->attributes[i] == attribute)
			return true;
	}
	return false;
}

static void
refuse_unknown(const EsgSqlRow *row)
{
	for (int i = 0; i < row->desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(row->desc, i);

		if (!attribute->attisdropped && !is_attribute_known(row, i))
			esg_sql_declared_refuse(row->function,
									psprintf("Result column \"%s\" is not one of the library's.",
											 NameStr(attribute->attname)));
	}
}

static void
set_columns(EsgSqlRow *row, const EsgSqlColumn *columns)
{
	row->columns = columns;
	while (columns[row->count].name != NULL)
		row->count++;
	row->attributes = palloc(row->count * sizeof(int));
	for (int i = 0; i < row->count; i++)
	{
		const EsgSqlColumn *column = &columns[i];
		bool		renamed = row->script == ESG_SQL_1_0 && column->name_1_0 != NULL;

		row->attributes[i] = column->since > row->script ? -1 :
			find_attribute(row, renamed ? column->name_1_0 : column->name, column->type);
	}
	refuse_unknown(row);
	row->values = palloc0(row->desc->natts * sizeof(Datum));
	row->nulls = palloc(row->desc->natts * sizeof(bool));
}

void
esg_sql_row_init(EsgSqlRow *row, FunctionCallInfo fcinfo, const EsgSqlColumn *columns,
				 EsgSqlScript script)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	memset(row, 0, sizeof(*row));
	row->function = fcinfo->flinfo->fn_oid;
	row->script = script;
	if (!fcinfo->flinfo->fn_retset || get_call_result_type(fcinfo, NULL, NULL) != TYPEFUNC_COMPOSITE)
		esg_sql_declared_refuse(row->function, "It does not return a set of rows.");
	InitMaterializedSRF(fcinfo, 0);
	row->store = rsinfo->setResult;
	row->desc = rsinfo->setDesc;
	set_columns(row, columns);
	row->context = AllocSetContextCreate(CurrentMemoryContext, "ext_ssl_guard row",
										 ALLOCSET_DEFAULT_SIZES);
}

void
esg_sql_row_start(EsgSqlRow *row)
{
	if (row->context != NULL)
		row->caller = MemoryContextSwitchTo(row->context);
	row->next = 0;
	memset(row->nulls, true, row->desc->natts * sizeof(bool));
}

void
esg_sql_row_end(EsgSqlRow *row)
{
	tuplestore_putvalues(row->store, row->desc, row->values, row->nulls);
	MemoryContextSwitchTo(row->caller);
	MemoryContextReset(row->context);
}

/* ------------------------------------------------------------------------
 * Columns
 * ------------------------------------------------------------------------ */

/* Values are put in the order of the table, but for what is left out: mostly the first look is enough. */
static int
find_column(EsgSqlRow *row, const char *name, EsgSqlType type)
{
	for (int i = 0; i < row->count; i++)
	{
		int			at = (row->next + i) % row->count;

		if (strcmp(row->columns[at].name, name) == 0 && row->columns[at].type == type)
		{
			row->next = at + 1;
			return at;
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_INTERNAL_ERROR),
			 errmsg_internal("column \"%s\" is not in the function's table", name)));
}

static void
set_value(EsgSqlRow *row, const char *name, EsgSqlType type, Datum value)
{
	int			attribute = row->attributes[find_column(row, name, type)];

	if (attribute < 0)
		return;
	row->values[attribute] = value;
	row->nulls[attribute] = false;
}

void
esg_sql_row_init_part(EsgSqlRow *part, const EsgSqlRow *row, const char *name,
					  const EsgSqlColumn *columns)
{
	EsgSqlRow	whole = *row;
	int			attribute = row->attributes[find_column(&whole, name, ESG_SQL_COMPOSITE)];

	memset(part, 0, sizeof(*part));
	part->function = row->function;
	part->script = row->script;
	part->desc = lookup_rowtype_tupdesc_copy(TupleDescAttr(row->desc, attribute)->atttypid, -1);
	set_columns(part, columns);
}

void
esg_sql_row_part(EsgSqlRow *row, const char *name, EsgSqlRow *part)
{
	HeapTuple	tuple = heap_form_tuple(part->desc, part->values, part->nulls);

	set_value(row, name, ESG_SQL_COMPOSITE, HeapTupleGetDatum(tuple));
}

void
esg_sql_row_text(EsgSqlRow *row, const char *name, const char *utf8)
{
	if (utf8 != NULL)
		set_value(row, name, ESG_SQL_TEXT, CStringGetTextDatum(esg_report_text(utf8)));
}

void
esg_sql_row_take(EsgSqlRow *row, const char *name, char *utf8)
{
	set_value(row, name, ESG_SQL_TEXT, CStringGetTextDatum(esg_report_take(utf8)));
}

void
esg_sql_row_path(EsgSqlRow *row, const char *name, const char *path)
{
	if (path != NULL)
		esg_sql_row_take(row, name, esg_x509_name_escape((const unsigned char *) path,
														 strlen(path)));
}

/*
 * Shared catalogs hold names in the encoding of whichever database they were
 * made in.  What is valid in this one's is taken to be in it.
 */
void
esg_sql_row_role(EsgSqlRow *row, const char *name, const char *role_name)
{
	int			len = (int) strlen(role_name);
	char	   *utf8 = unconstify(char *, role_name);

	if (pg_verifymbstr(role_name, len, true) &&
		OidIsValid(FindDefaultConversionProc(GetDatabaseEncoding(), PG_UTF8)))
		utf8 = pg_server_to_any(role_name, len, PG_UTF8);
	esg_sql_row_path(row, name, utf8);
}

void
esg_sql_row_texts(EsgSqlRow *row, const char *name, Datum *texts, int count)
{
	ArrayType  *array = construct_array(texts, count, TEXTOID, -1, false, TYPALIGN_INT);

	set_value(row, name, ESG_SQL_TEXTS, PointerGetDatum(array));
}

void
esg_sql_row_bool(EsgSqlRow *row, const char *name, bool value)
{
	set_value(row, name, ESG_SQL_BOOL, BoolGetDatum(value));
}

void
esg_sql_row_int4(EsgSqlRow *row, const char *name, int value)
{
	set_value(row, name, ESG_SQL_INT4, Int32GetDatum(value));
}

void
esg_sql_row_int8(EsgSqlRow *row, const char *name, int64 value)
{
	set_value(row, name, ESG_SQL_INT8, Int64GetDatum(value));
}

void
esg_sql_row_address(EsgSqlRow *row, const char *name, const EsgClientAddress *address)
{
	char		text[ESG_CLIENT_ADDRESS_TEXT_SIZE];

	if (address->family == 0)
		return;
	esg_client_entry_address_text(address, text, sizeof(text));
	set_value(row, name, ESG_SQL_ADDRESS, DirectFunctionCall1(inet_in, CStringGetDatum(text)));
}

void
esg_sql_row_timestamp(EsgSqlRow *row, const char *name, TimestampTz value)
{
	if (value != 0)
		set_value(row, name, ESG_SQL_TIMESTAMP, TimestampTzGetDatum(value));
}

void
esg_sql_row_time(EsgSqlRow *row, const char *name, EsgTime t)
{
	bool		is_null;
	TimestampTz value = esg_report_timestamp(t, &is_null);

	if (!is_null)
		set_value(row, name, ESG_SQL_TIMESTAMP, TimestampTzGetDatum(value));
}

void
esg_sql_row_time_left(EsgSqlRow *row, const char *name, EsgTime t)
{
	bool		is_null;
	TimestampTz value = esg_report_timestamp(t, &is_null);

	if (!is_null && !TIMESTAMP_NOT_FINITE(value))
		set_value(row, name, ESG_SQL_INTERVAL,
				  DirectFunctionCall2(timestamp_mi, TimestampTzGetDatum(value),
									  TimestampTzGetDatum(GetCurrentTimestamp())));
}

void
esg_sql_row_digest(EsgSqlRow *row, const char *name, const unsigned char *sha256)
{
	char		text[ESG_FINGERPRINT_TEXT_SIZE];

	esg_x509_info_fingerprint_text(sha256, text);
	esg_sql_row_text(row, name, text);
}

void
esg_sql_row_severity(EsgSqlRow *row, const char *name, EsgSeverity severity)
{
	set_value(row, name, ESG_SQL_SEVERITY, ObjectIdGetDatum(row->severities[severity]));
}

void
esg_sql_row_findings(EsgSqlRow *row, const EsgFindings *findings)
{
	Datum	   *codes = palloc(Max(findings->count, 1) * sizeof(Datum));

	for (int i = 0; i < findings->count; i++)
		codes[i] = CStringGetTextDatum(esg_findings_def(findings->items[i].code)->name);
	esg_sql_row_texts(row, "findings", codes, findings->count);
	esg_sql_row_severity(row, "severity", esg_findings_worst(findings));
}
