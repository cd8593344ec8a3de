/*
 * sql/argument.c
 *		Certificates that a caller hands over: PEM text, or DER.
 */
#include "postgres.h"

#include "compat.h"
#include "sql/argument.h"

#define SIZE_LIMIT (1 << 20)

void
esg_sql_argument_check(const struct varlena *argument)
{
	size_t		len = VARSIZE_ANY_EXHDR(argument);

	if (len > SIZE_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("certificate is too large"),
				 errdetail("%zu bytes were given, %d are allowed.", len, SIZE_LIMIT)));
}

void
esg_sql_argument_refuse(const EsgPemResult *result, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("no certificate found"),
			 errdetail("The argument holds %s.", result->found),
			 errhint("%s", hint)));
}
