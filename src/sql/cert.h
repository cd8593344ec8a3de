/*
 * sql/cert.h
 *		The columns of a certificate: the composite type ssl_guard_certificate.
 */
#ifndef ESG_SQL_CERT_H
#define ESG_SQL_CERT_H

#include "files/audited.h"
#include "sql/row.h"

#define ESG_SQL_CERT_COLUMNS \
	ESG_SQL_COLUMN("position", ESG_SQL_INT4), \
	ESG_SQL_COLUMN("subject", ESG_SQL_TEXT), \
	ESG_SQL_COLUMN("issuer", ESG_SQL_TEXT), \
	ESG_SQL_COLUMN("common_name", ESG_SQL_TEXT), \
	ESG_SQL_COLUMN("alt_names", ESG_SQL_TEXTS), \
	ESG_SQL_COLUMN("serial_number", ESG_SQL_TEXT), \
	ESG_SQL_COLUMN("not_before", ESG_SQL_TIMESTAMP), \
	ESG_SQL_COLUMN("not_after", ESG_SQL_TIMESTAMP), \
	ESG_SQL_COLUMN("expires_in", ESG_SQL_INTERVAL), \
	ESG_SQL_COLUMN("key_algorithm", ESG_SQL_TEXT), \
	ESG_SQL_COLUMN("key_bits", ESG_SQL_INT4), \
	ESG_SQL_COLUMN("security_bits", ESG_SQL_INT4), \
	ESG_SQL_COLUMN("signature_algorithm", ESG_SQL_TEXT), \
	ESG_SQL_COLUMN("signature_digest", ESG_SQL_TEXT), \
	ESG_SQL_COLUMN("is_ca", ESG_SQL_BOOL), \
	ESG_SQL_COLUMN("self_signed", ESG_SQL_BOOL), \
	ESG_SQL_COLUMN("key_usage", ESG_SQL_TEXTS), \
	ESG_SQL_COLUMN("extended_key_usage", ESG_SQL_TEXTS), \
	ESG_SQL_COLUMN("fingerprint", ESG_SQL_TEXT), \
	ESG_SQL_COLUMN("findings", ESG_SQL_TEXTS), \
	ESG_SQL_COLUMN("severity", ESG_SQL_SEVERITY)

extern void esg_sql_cert_put(EsgSqlRow *row, const EsgAuditCert *cert);

#endif							/* ESG_SQL_CERT_H */
