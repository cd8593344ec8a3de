/*
 * sql/row.h
 *		Rows of a set-returning function, each value put by its column's name.
 *
 * A function has a table of its columns.  At its call they are looked up in
 * the declaration, whatever their order there; a missing, an unknown or a
 * mistyped one is an ERROR.  A column that is not put is NULL.  Values are made
 * in a context of the row's own, emptied at its end.
 */
#ifndef ESG_SQL_ROW_H
#define ESG_SQL_ROW_H

#include "access/tupdesc.h"
#include "datatype/timestamp.h"
#include "utils/tuplestore.h"

#include "login/client_entry.h"
#include "policy/findings.h"
#include "sql/declared.h"
#include "x509/info.h"

typedef enum EsgSqlType
{
	ESG_SQL_TEXT,
	ESG_SQL_TEXTS,				/* text[] */
	ESG_SQL_BOOL,
	ESG_SQL_INT4,
	ESG_SQL_INT8,
	ESG_SQL_TIMESTAMP,			/* with time zone */
	ESG_SQL_INTERVAL,
	ESG_SQL_ADDRESS,			/* inet */
	ESG_SQL_SEVERITY,			/* an enum with the names of EsgSeverity */
	ESG_SQL_COMPOSITE
} EsgSqlType;

/* a table of columns is made of the macros below and ends with ESG_SQL_LAST_COLUMN */
typedef struct EsgSqlColumn
{
	const char *name;
	EsgSqlType	type;
	const char *name_1_0;		/* in script 1.0; NULL: the same */
	EsgSqlScript since;			/* not there in scripts before */
} EsgSqlColumn;

#define ESG_SQL_COLUMN(name, type) {name, type, NULL, ESG_SQL_1_0}
#define ESG_SQL_RENAMED(name, type, name_1_0) {name, type, name_1_0, ESG_SQL_1_0}
#define ESG_SQL_ADDED(name, type, since) {name, type, NULL, since}
#define ESG_SQL_LAST_COLUMN {NULL, ESG_SQL_TEXT, NULL, ESG_SQL_1_0}

typedef struct EsgSqlRow
{
	Oid			function;
	EsgSqlScript script;
	Tuplestorestate *store;		/* NULL for a part */
	TupleDesc	desc;
	MemoryContext context;
	MemoryContext caller;
	const EsgSqlColumn *columns;
	int			count;
	int			next;			/* where the next name is looked for first */
	int		   *attributes;		/* of each column: its place in values; -1:
								 * not in this script */
	Oid			severities[ESG_CRITICAL + 1];
	Datum	   *values;
	bool	   *nulls;
} EsgSqlRow;

/* once a call of the function; rows are complete when it returns (Datum) 0 */
extern void esg_sql_row_init(EsgSqlRow *row, FunctionCallInfo fcinfo,
							 const EsgSqlColumn *columns, EsgSqlScript script);
extern void esg_sql_row_start(EsgSqlRow *row);
extern void esg_sql_row_end(EsgSqlRow *row);

/* A composite column: part is filled between esg_sql_row_start() and this. */
extern void esg_sql_row_init_part(EsgSqlRow *part, const EsgSqlRow *row, const char *name,
								  const EsgSqlColumn *columns);
extern void esg_sql_row_part(EsgSqlRow *row, const char *name, EsgSqlRow *part);

/* UTF-8; NULL is SQL's NULL */
extern void esg_sql_row_text(EsgSqlRow *row, const char *name, const char *utf8);

/* a string of OpenSSL's, which it frees */
extern void esg_sql_row_take(EsgSqlRow *row, const char *name, char *utf8);

/* a file name: bytes in no known encoding; NULL is SQL's NULL */
extern void esg_sql_row_path(EsgSqlRow *row, const char *name, const char *path);

/* a role's name as it came: as it is where the database's encoding allows, else escaped */
extern void esg_sql_row_role(EsgSqlRow *row, const char *name, const char *role_name);

/* an array of text datums */
extern void esg_sql_row_texts(EsgSqlRow *row, const char *name, Datum *texts, int count);
extern void esg_sql_row_bool(EsgSqlRow *row, const char *name, bool value);
extern void esg_sql_row_int4(EsgSqlRow *row, const char *name, int value);
extern void esg_sql_row_int8(EsgSqlRow *row, const char *name, int64 value);

/* NULL if not known */
extern void esg_sql_row_address(EsgSqlRow *row, const char *name, const EsgClientAddress *address);

/* 0 is NULL: never happened */
extern void esg_sql_row_timestamp(EsgSqlRow *row, const char *name, TimestampTz value);

/* invalid and absent are NULL */
extern void esg_sql_row_time(EsgSqlRow *row, const char *name, EsgTime t);

/* what is left until t; NULL for infinity */
extern void esg_sql_row_time_left(EsgSqlRow *row, const char *name, EsgTime t);

/* a span of so many seconds, in days and hours */
extern void esg_sql_row_span(EsgSqlRow *row, const char *name, int64 seconds);
extern void esg_sql_row_digest(EsgSqlRow *row, const char *name, const unsigned char *sha256);
extern void esg_sql_row_severity(EsgSqlRow *row, const char *name, EsgSeverity severity);

/* the columns "findings", worst first, and "severity", the worst one's */
extern void esg_sql_row_findings(EsgSqlRow *row, const EsgFindings *findings);

#endif							/* ESG_SQL_ROW_H */
