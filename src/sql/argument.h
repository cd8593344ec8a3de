/*
 * sql/argument.h
 *		Certificates that a caller hands over: PEM text, or DER.
 */
#ifndef ESG_SQL_ARGUMENT_H
#define ESG_SQL_ARGUMENT_H

#include "policy/findings.h"
#include "x509/pem.h"

/* ERROR if it is larger than 1 MB */
extern void esg_sql_argument_check(const struct varlena *argument);

/* ERROR: there is no certificate in it; the hint is another one for the name of a file */
extern void esg_sql_argument_refuse(const struct varlena *argument, const EsgPemResult *result,
									const char *hint)
			__attribute__((noreturn));

/* "server" and so on; ERROR if certificates have no such place */
extern EsgPlace esg_sql_argument_place(const struct varlena *name);

#endif							/* ESG_SQL_ARGUMENT_H */
