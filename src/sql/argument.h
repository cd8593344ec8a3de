/*
 * sql/argument.h
 *		Certificates that a caller hands over: PEM text, or DER.
 */
#ifndef ESG_SQL_ARGUMENT_H
#define ESG_SQL_ARGUMENT_H

#include "x509/pem.h"

/* ERROR if it is larger than 1 MB */
extern void esg_sql_argument_check(const struct varlena *argument);

/* ERROR: there is no certificate in it */
extern void esg_sql_argument_refuse(const EsgPemResult *result, const char *hint)
			__attribute__((noreturn));

#endif							/* ESG_SQL_ARGUMENT_H */
