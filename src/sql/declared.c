/*
 * sql/declared.c
 *		What the install script declares, compared with what the C code does.
 */
#include "postgres.h"

#include "sql/declared.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"

void
esg_sql_declared_refuse(Oid function, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("declaration of function %s does not fit the library of ext_ssl_guard",
					format_procedure(function)),
			 errdetail_internal("%s", detail),
			 errhint("Run ALTER EXTENSION ext_ssl_guard UPDATE.")));
}

void
esg_sql_declared_arguments(FunctionCallInfo fcinfo, int count, const Oid *types)
{
	Oid			function = fcinfo->flinfo->fn_oid;
	Oid		   *declared;
	int			declared_count;

	(void) get_func_signature(function, &declared, &declared_count);
	if (declared_count != count || PG_NARGS() != count)
		esg_sql_declared_refuse(function,
								psprintf("It has %d arguments instead of %d.", declared_count, count));
	for (int i = 0; i < count; i++)
	{
		if (declared[i] != types[i])
			esg_sql_declared_refuse(function,
									psprintf("Argument %d is of type %s instead of %s.", i + 1,
											 format_type_be(declared[i]), format_type_be(types[i])));
		if (PG_ARGISNULL(i))
			esg_sql_declared_refuse(function, "It is not STRICT.");
	}
	pfree(declared);
}

void
esg_sql_declared_result(FunctionCallInfo fcinfo, Oid type)
{
	Oid			function = fcinfo->flinfo->fn_oid;
	Oid			declared = get_func_rettype(function);

	if (declared != type || fcinfo->flinfo->fn_retset)
		esg_sql_declared_refuse(function,
								psprintf("It returns %s%s instead of %s.",
										 fcinfo->flinfo->fn_retset ? "a set of " : "",
										 format_type_be(declared), format_type_be(type)));
}
