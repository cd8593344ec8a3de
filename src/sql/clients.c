/*
 * sql/clients.c
 *		SQL functions about clients: the registry of their certificates, and
 *		the handshakes that failed.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "login/client_check.h"
#include "login/clients.h"
#include "login/failures.h"
#include "server/guc.h"
#include "server/report.h"
#include "server/shmem.h"
#include "sql/row.h"

PG_FUNCTION_INFO_V1(ssl_guard_list_client_certificates);
PG_FUNCTION_INFO_V1(ssl_guard_list_handshake_failures);
PG_FUNCTION_INFO_V1(ssl_guard_reset_client_certificates);

static void
put_certificate(EsgSqlRow *row, const EsgClientFacts *facts)
{
	esg_sql_row_text(row, facts->subject);
	esg_sql_row_text(row, facts->issuer);
	esg_sql_row_text(row, facts->serial_number);
	esg_sql_row_text(row, *facts->common_name ? facts->common_name : NULL);
	esg_sql_row_time(row, facts->not_before);
	esg_sql_row_time(row, facts->not_after);
	esg_sql_row_time_left(row, facts->not_after);
	esg_sql_row_text(row, facts->key_algorithm);
	if (facts->key_bits > 0)
		esg_sql_row_int4(row, facts->key_bits);
	else
		esg_sql_row_null(row);
	esg_sql_row_text(row, facts->signature_algorithm);
}

static void
put_use(EsgSqlRow *row, const EsgClientRow *client)
{
	const EsgClientEntry *entry = &client->entry;

	esg_sql_row_timestamp(row, entry->first_seen);
	esg_sql_row_timestamp(row, entry->last_seen);
	esg_sql_row_int8(row, entry->logins);
	esg_sql_row_int8(row, entry->denials);
	esg_sql_row_address(row, &entry->last_address);
	esg_sql_row_text(row, entry->last_tls_version);
	esg_sql_row_text(row, entry->last_cipher);
	esg_sql_row_digest(row, client->superseded, client->superseded_by);
}

static void
put_client(EsgSqlRow *row, const EsgClientRow *client, const EsgPolicy *policy)
{
	EsgFindings findings;

	esg_sql_row_start(row);
	esg_sql_row_digest(row, true, client->entry.facts.fingerprint);
	esg_sql_row_text(row, client->entry.role_name);
	put_certificate(row, &client->entry.facts);
	put_use(row, client);
	esg_client_check_findings(&client->entry.facts, policy, esg_report_unix_now(), &findings);
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

Datum
ssl_guard_list_client_certificates(PG_FUNCTION_ARGS)
{
	EsgSqlRow	row;
	EsgClientRow *clients;
	EsgPolicy	policy;
	int			count;

	esg_shmem_require("ssl_guard_client_certificates");
	esg_sql_row_init(&row, fcinfo);
	esg_guc_policy(&policy);
	count = esg_clients_copy(&clients);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_client(&row, &clients[i], &policy);
	}
	return (Datum) 0;
}

Datum
ssl_guard_list_handshake_failures(PG_FUNCTION_ARGS)
{
	EsgSqlRow	row;
	EsgFailure *failures;
	int			count;

	esg_shmem_require("ssl_guard_handshake_failures");
	esg_sql_row_init(&row, fcinfo);
	count = esg_failures_copy(&failures);
	for (int i = 0; i < count; i++)
	{
		const EsgFailure *failure = &failures[i];

		esg_sql_row_start(&row);
		esg_sql_row_text(&row, failure->reason);
		esg_sql_row_text(&row, failure->subject);
		esg_sql_row_text(&row, failure->issuer);
		esg_sql_row_text(&row, failure->serial_number);
		esg_sql_row_digest(&row, true, failure->fingerprint);
		esg_sql_row_address(&row, &failure->last_address);
		esg_sql_row_timestamp(&row, failure->first_seen);
		esg_sql_row_timestamp(&row, failure->last_seen);
		esg_sql_row_int8(&row, failure->failures);
		esg_sql_row_end(&row);
	}
	return (Datum) 0;
}

Datum
ssl_guard_reset_client_certificates(PG_FUNCTION_ARGS)
{
	esg_shmem_require("ssl_guard_reset_client_certificates()");
	PG_RETURN_INT64(esg_clients_reset());
}
