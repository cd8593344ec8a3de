/*
 * sql/declared.h
 *		What the install script declares, compared with what the C code does.
 *
 * A function's declaration belongs to the database, its code to the library:
 * the two can be of different versions, and a superuser can declare what he
 * likes.  The executor believes the declaration, so it is looked at before
 * anything is taken from the caller or given to him.
 */
#ifndef ESG_SQL_DECLARED_H
#define ESG_SQL_DECLARED_H

#include "fmgr.h"

/*
 * Scripts with declarations that differ.  Each function of a released script
 * has a C symbol of its own; the library keeps them all.
 */
typedef enum EsgSqlScript
{
	ESG_SQL_1_0,
	ESG_SQL_1_1
} EsgSqlScript;

/* The C symbol of a script's function; PG_FUNCTION_INFO_V1(symbol) stands beside it. */
#define ESG_SQL_SYMBOL(symbol, implementation, script) \
	Datum symbol(PG_FUNCTION_ARGS) \
	{ \
		return implementation(fcinfo, script); \
	} \
	extern int	esg_sql_no_such_variable

/* ERROR: the declaration does not fit.  detail is a whole sentence. */
extern void esg_sql_declared_refuse(Oid function, const char *detail)
			__attribute__((noreturn));

/* none of the arguments may be NULL */
extern void esg_sql_declared_arguments(FunctionCallInfo fcinfo, int count, const Oid *types);

/* of a function that returns one value */
extern void esg_sql_declared_result(FunctionCallInfo fcinfo, Oid type);

#endif							/* ESG_SQL_DECLARED_H */
