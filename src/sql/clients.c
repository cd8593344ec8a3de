/*
 * sql/clients.c
 *		SQL functions about clients: the registry of their certificates, and
 *		the handshakes that failed.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "login/client_check.h"
#include "login/clients.h"
#include "login/failures.h"
#include "login/guard.h"
#include "server/guc.h"
#include "server/report.h"
#include "server/shmem.h"
#include "sql/row.h"

PG_FUNCTION_INFO_V1(ssl_guard_list_client_certificates);
PG_FUNCTION_INFO_V1(ssl_guard_list_client_certificates_1_1);
PG_FUNCTION_INFO_V1(ssl_guard_list_handshake_failures);
PG_FUNCTION_INFO_V1(ssl_guard_list_handshake_failures_1_1);
PG_FUNCTION_INFO_V1(ssl_guard_reset_client_certificates);
PG_FUNCTION_INFO_V1(ssl_guard_reset_client_certificates_1_1);

static const EsgSqlColumn client_columns[] = {
	ESG_SQL_COLUMN("fingerprint", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("role_name", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("subject", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("issuer", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("serial_number", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("common_name", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("not_before", ESG_SQL_TIMESTAMP),
	ESG_SQL_COLUMN("not_after", ESG_SQL_TIMESTAMP),
	ESG_SQL_COLUMN("expires_in", ESG_SQL_INTERVAL),
	ESG_SQL_COLUMN("key_algorithm", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("key_bits", ESG_SQL_INT4),
	ESG_SQL_COLUMN("signature_algorithm", ESG_SQL_TEXT),
	ESG_SQL_RENAMED("first_seen_at", ESG_SQL_TIMESTAMP, "first_seen"),
	ESG_SQL_RENAMED("last_seen_at", ESG_SQL_TIMESTAMP, "last_seen"),
	ESG_SQL_COLUMN("logins", ESG_SQL_INT8),
	ESG_SQL_COLUMN("denials", ESG_SQL_INT8),
	ESG_SQL_COLUMN("last_address", ESG_SQL_ADDRESS),
	ESG_SQL_COLUMN("last_tls_version", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("last_cipher", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("superseded_by", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("findings", ESG_SQL_TEXTS),
	ESG_SQL_COLUMN("severity", ESG_SQL_SEVERITY),
	ESG_SQL_LAST_COLUMN
};

static const EsgSqlColumn failure_columns[] = {
	ESG_SQL_COLUMN("reason", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("subject", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("issuer", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("serial_number", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("fingerprint", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("last_address", ESG_SQL_ADDRESS),
	ESG_SQL_RENAMED("first_seen_at", ESG_SQL_TIMESTAMP, "first_seen"),
	ESG_SQL_RENAMED("last_seen_at", ESG_SQL_TIMESTAMP, "last_seen"),
	ESG_SQL_COLUMN("failures", ESG_SQL_INT8),
	ESG_SQL_LAST_COLUMN
};

static void
put_facts(EsgSqlRow *row, const EsgClientFacts *facts)
{
	esg_sql_row_text(row, "subject", facts->subject);
	esg_sql_row_text(row, "issuer", facts->issuer);
	esg_sql_row_text(row, "serial_number", facts->serial_number);
	esg_sql_row_text(row, "common_name", *facts->common_name ? facts->common_name : NULL);
	esg_sql_row_time(row, "not_before", facts->not_before);
	esg_sql_row_time(row, "not_after", facts->not_after);
	esg_sql_row_time_left(row, "expires_in", facts->not_after);
	esg_sql_row_text(row, "key_algorithm", facts->cert.key.algorithm);
	if (facts->cert.key.bits > 0)
		esg_sql_row_int4(row, "key_bits", facts->cert.key.bits);
	esg_sql_row_text(row, "signature_algorithm", facts->cert.signature_algorithm);
}

static void
put_use(EsgSqlRow *row, const EsgClientRow *client)
{
	const EsgClientEntry *entry = &client->entry;

	esg_sql_row_timestamp(row, "first_seen_at", entry->first_seen);
	esg_sql_row_timestamp(row, "last_seen_at", entry->last_seen);
	esg_sql_row_int8(row, "logins", entry->authenticated);
	esg_sql_row_int8(row, "denials", entry->denials);
	esg_sql_row_address(row, "last_address", &entry->last_address);
	esg_sql_row_text(row, "last_tls_version", entry->last_tls_version);
	esg_sql_row_text(row, "last_cipher", entry->last_cipher);
	if (client->superseded)
		esg_sql_row_digest(row, "superseded_by", client->superseded_by);
}

static void
put_client(EsgSqlRow *row, const EsgClientRow *client, const EsgPolicy *policy)
{
	EsgFindings findings;

	esg_sql_row_start(row);
	esg_sql_row_digest(row, "fingerprint", client->entry.facts.fingerprint);
	esg_sql_row_role(row, "role_name", client->entry.role_name);
	put_facts(row, &client->entry.facts);
	put_use(row, client);
	esg_client_check_row_findings(client, policy, GetCurrentTimestamp(), &findings);
	PG_TRY();
	{
		esg_sql_row_findings(row, &findings);
	}
	PG_FINALLY();
	{
		esg_findings_free(&findings);
	}
	PG_END_TRY();
	esg_sql_row_end(row);
}

static Datum
list_client_certificates(FunctionCallInfo fcinfo, EsgSqlScript script)
{
	EsgSqlRow	row;
	EsgClientRow *clients;
	EsgPolicy	policy;
	int			count;

	esg_shmem_require("ssl_guard_client_certificates");
	esg_sql_row_init(&row, fcinfo, client_columns, script);
	esg_guc_policy(&policy);
	count = esg_clients_copy(&clients);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_client(&row, &clients[i], &policy);
	}
	return (Datum) 0;
}

static void
put_failure(EsgSqlRow *row, const EsgFailure *failure)
{
	esg_sql_row_start(row);
	esg_sql_row_text(row, "reason", failure->reason);
	esg_sql_row_text(row, "subject", failure->subject);
	esg_sql_row_text(row, "issuer", failure->issuer);
	esg_sql_row_text(row, "serial_number", failure->serial_number);
	esg_sql_row_digest(row, "fingerprint", failure->fingerprint);
	esg_sql_row_address(row, "last_address", &failure->last_address);
	esg_sql_row_timestamp(row, "first_seen_at", failure->first_seen);
	esg_sql_row_timestamp(row, "last_seen_at", failure->last_seen);
	esg_sql_row_int8(row, "failures", failure->failures);
	esg_sql_row_end(row);
}

static Datum
list_handshake_failures(FunctionCallInfo fcinfo, EsgSqlScript script)
{
	EsgSqlRow	row;
	EsgFailure *failures;
	int			count;

	esg_shmem_require("ssl_guard_handshake_failures");
	esg_sql_row_init(&row, fcinfo, failure_columns, script);
	count = esg_failures_copy(&failures);
	for (int i = 0; i < count; i++)
		put_failure(&row, &failures[i]);
	return (Datum) 0;
}

static Datum
reset_client_certificates(FunctionCallInfo fcinfo, EsgSqlScript script)
{
	(void) script;
	esg_shmem_require("ssl_guard_reset_client_certificates()");
	esg_sql_declared_result(fcinfo, INT8OID);
	esg_login_guard_forget();
	PG_RETURN_INT64(esg_clients_reset());
}

ESG_SQL_SYMBOL(ssl_guard_list_client_certificates, list_client_certificates, ESG_SQL_1_0);
ESG_SQL_SYMBOL(ssl_guard_list_client_certificates_1_1, list_client_certificates, ESG_SQL_1_1);
ESG_SQL_SYMBOL(ssl_guard_list_handshake_failures, list_handshake_failures, ESG_SQL_1_0);
ESG_SQL_SYMBOL(ssl_guard_list_handshake_failures_1_1, list_handshake_failures, ESG_SQL_1_1);
ESG_SQL_SYMBOL(ssl_guard_reset_client_certificates, reset_client_certificates, ESG_SQL_1_0);
ESG_SQL_SYMBOL(ssl_guard_reset_client_certificates_1_1, reset_client_certificates, ESG_SQL_1_1);
