/*
 * sql/row.h
 *		Rows of a set-returning function, column by column.
 *
 * Each call sets the next column.  Values are made in a context of the row's
 * own, emptied at its end.  A type comes from the function's declaration, so
 * that the extension's enum is found in whatever schema it is.
 */
#ifndef ESG_SQL_ROW_H
#define ESG_SQL_ROW_H

#include "fmgr.h"
#include "access/tupdesc.h"
#include "datatype/timestamp.h"
#include "utils/tuplestore.h"

#include "login/client_entry.h"
#include "policy/findings.h"
#include "x509/info.h"

#define ESG_ROW_MAX_COLUMNS 40

typedef struct EsgSqlRow
{
	Tuplestorestate *store;
	TupleDesc	desc;
	MemoryContext context;
	MemoryContext caller;
	int			next;
	Datum		values[ESG_ROW_MAX_COLUMNS];
	bool		nulls[ESG_ROW_MAX_COLUMNS];
} EsgSqlRow;

/* once a call of the function; rows are complete when it returns (Datum) 0 */
extern void esg_sql_row_init(EsgSqlRow *row, FunctionCallInfo fcinfo);
extern void esg_sql_row_start(EsgSqlRow *row);
extern void esg_sql_row_end(EsgSqlRow *row);

extern void esg_sql_row_null(EsgSqlRow *row);

/* UTF-8; NULL is SQL's NULL */
extern void esg_sql_row_text(EsgSqlRow *row, const char *utf8);

/* a string of OpenSSL's, which it frees */
extern void esg_sql_row_take(EsgSqlRow *row, char *utf8);

/* a file name: bytes in no known encoding */
extern void esg_sql_row_path(EsgSqlRow *row, const char *path);
extern void esg_sql_row_bool(EsgSqlRow *row, bool value);
extern void esg_sql_row_int4(EsgSqlRow *row, int value);
extern void esg_sql_row_int8(EsgSqlRow *row, int64 value);

/* inet; NULL if not known */
extern void esg_sql_row_address(EsgSqlRow *row, const EsgClientAddress *address);

/* 0 is NULL: never happened */
extern void esg_sql_row_timestamp(EsgSqlRow *row, TimestampTz value);

/* invalid and absent are NULL */
extern void esg_sql_row_time(EsgSqlRow *row, EsgTime t);

/* what is left until t; NULL for infinity */
extern void esg_sql_row_time_left(EsgSqlRow *row, EsgTime t);
extern void esg_sql_row_digest(EsgSqlRow *row, bool known, const unsigned char *sha256);
extern void esg_sql_row_severity(EsgSqlRow *row, EsgSeverity severity);

/* two columns: codes, worst first, and the worst severity */
extern void esg_sql_row_findings(EsgSqlRow *row, const EsgFindings *findings);

/* the columns of a certificate from subject on */
extern void esg_sql_row_cert(EsgSqlRow *row, const EsgCertInfo *cert,
							 const EsgFindings *findings);

#endif							/* ESG_SQL_ROW_H */
