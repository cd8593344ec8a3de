/*
 * sql/sessions.c
 *		SQL function about the open sessions over TCP.
 */
#include "postgres.h"

#include "commands/dbcommands.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/backend_status.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "login/clients.h"
#include "login/session_state.h"
#include "login/sessions.h"
#include "policy/policy.h"
#include "server/report.h"
#include "server/shmem.h"
#include "sql/row.h"

PG_FUNCTION_INFO_V1(ssl_guard_list_sessions_1_1);

static const EsgSqlColumn session_columns[] = {
	ESG_SQL_COLUMN("pid", ESG_SQL_INT4),
	ESG_SQL_COLUMN("role_name", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("database", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("address", ESG_SQL_ADDRESS),
	ESG_SQL_COLUMN("transport", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("tls_version", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("cipher", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("fingerprint", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("subject", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("not_after", ESG_SQL_TIMESTAMP),
	ESG_SQL_COLUMN("expires_in", ESG_SQL_INTERVAL),
	ESG_SQL_COLUMN("state", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("login_at", ESG_SQL_TIMESTAMP),
	ESG_SQL_LAST_COLUMN
};

/* What the server knows of it; NULL: it is not complete yet, or has just ended. */
static const PgBackendStatus *
find_backend(const EsgSession *session)
{
	int			count = pgstat_fetch_stat_numbackends();

	for (int i = 1; i <= count; i++)
	{
		const PgBackendStatus *backend = &pgstat_get_local_beentry_by_index(i)->backendStatus;

		if (backend->st_procpid == session->pid &&
			backend->st_proc_start_timestamp == session->started_at)
			return backend;
	}
	return NULL;
}

static void
put_backend(EsgSqlRow *row, const EsgSession *session)
{
	const PgBackendStatus *backend = find_backend(session);
	char	   *database;

	if (backend == NULL)
		return;
	database = OidIsValid(backend->st_databaseid) ? get_database_name(backend->st_databaseid) : NULL;
	if (database != NULL)
		esg_sql_row_role(row, "database", database);
	if (session->transport != ESG_TRANSPORT_TLS || !backend->st_ssl)
		return;
	esg_sql_row_text(row, "tls_version", backend->st_sslstatus->ssl_version);
	esg_sql_row_text(row, "cipher", backend->st_sslstatus->ssl_cipher);
}

static void
put_certificate(EsgSqlRow *row, const EsgSession *session)
{
	EsgTime		end = {ESG_TIME_FOREVER, session->not_after, false};
	char		subject[ESG_CLIENT_NAME_SIZE];

	if (!session->has_cert)
		return;
	if (session->not_after != ESG_TIME_NEVER)
		end.state = ESG_TIME_VALID;
	esg_sql_row_digest(row, "fingerprint", session->fingerprint);
	if (esg_clients_subject(session->fingerprint, subject))
		esg_sql_row_text(row, "subject", subject);
	esg_sql_row_time(row, "not_after", end);
	esg_sql_row_time_left(row, "expires_in", end);
}

static void
put_session(EsgSqlRow *row, const EsgSession *session, const EsgDeniedIssues *denied)
{
	EsgSessionState state = esg_session_state_of(session, denied, esg_report_unix_now());

	esg_sql_row_start(row);
	esg_sql_row_int4(row, "pid", session->pid);
	esg_sql_row_role(row, "role_name", session->role_name);
	put_backend(row, session);
	esg_sql_row_address(row, "address", &session->address);
	esg_sql_row_text(row, "transport", esg_login_peer_transport_name(session->transport));
	put_certificate(row, session);
	esg_sql_row_text(row, "state", esg_session_state_name(state));
	esg_sql_row_timestamp(row, "login_at", session->login_at);
	esg_sql_row_end(row);
}

static Datum
list_sessions(FunctionCallInfo fcinfo, EsgSqlScript script)
{
	EsgSqlRow	row;
	EsgDeniedIssues denied;
	EsgSession *sessions;
	int			count;

	esg_shmem_require("ssl_guard_sessions");
	esg_sql_row_init(&row, fcinfo, session_columns, script);
	esg_session_state_prepare(&denied);
	count = esg_sessions_copy(&sessions);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_session(&row, &sessions[i], &denied);
	}
	return (Datum) 0;
}

ESG_SQL_SYMBOL(ssl_guard_list_sessions_1_1, list_sessions, ESG_SQL_1_1);
