/*
 * sql/transport.c
 *		SQL functions about how clients come, and about counters in general: since
 *		when, and how to begin anew.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "login/resets.h"
#include "login/transport.h"
#include "server/shmem.h"
#include "sql/row.h"

PG_FUNCTION_INFO_V1(ssl_guard_list_transport_1_1);
PG_FUNCTION_INFO_V1(ssl_guard_list_resets_1_1);
PG_FUNCTION_INFO_V1(ssl_guard_reset_1_1);

static const EsgSqlColumn transport_columns[] = {
	ESG_SQL_COLUMN("role_name", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("transport", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("tls_version", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("cipher", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("client_certificate", ESG_SQL_BOOL),
	ESG_SQL_COLUMN("auth_method", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("forward_secrecy", ESG_SQL_BOOL),
	ESG_SQL_COLUMN("logins", ESG_SQL_INT8),
	ESG_SQL_COLUMN("fallbacks", ESG_SQL_INT8),
	ESG_SQL_COLUMN("first_seen_at", ESG_SQL_TIMESTAMP),
	ESG_SQL_COLUMN("last_seen_at", ESG_SQL_TIMESTAMP),
	ESG_SQL_COLUMN("last_address", ESG_SQL_ADDRESS),
	ESG_SQL_COLUMN("refused_by_hostssl", ESG_SQL_BOOL),
	ESG_SQL_COLUMN("refused_by_tls13", ESG_SQL_BOOL),
	ESG_SQL_COLUMN("refused_by_clientcert", ESG_SQL_BOOL),
	ESG_SQL_LAST_COLUMN
};

static const EsgSqlColumn reset_columns[] = {
	ESG_SQL_COLUMN("name", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("stats_reset", ESG_SQL_TIMESTAMP),
	ESG_SQL_LAST_COLUMN
};

/* As SSL_get_version() writes it. */
static const char *
version_name(int version)
{
	switch (version)
	{
		case TLS1_3_VERSION:
			return "TLSv1.3";
		case TLS1_2_VERSION:
			return "TLSv1.2";
		case TLS1_1_VERSION:
			return "TLSv1.1";
		case TLS1_VERSION:
			return "TLSv1";
		default:
			return "unknown";
	}
}

static void
put_tls(EsgSqlRow *row, const EsgTransportEntry *entry)
{
	if (entry->key.transport != ESG_TRANSPORT_TLS)
		return;
	esg_sql_row_text(row, "tls_version", version_name(entry->key.tls_version));
	esg_sql_row_text(row, "cipher", entry->key.cipher);
	esg_sql_row_bool(row, "forward_secrecy", entry->forward_secrecy);
}

static void
put_lock_out(EsgSqlRow *row, const char *name, EsgLockOut lock_out)
{
	if (lock_out != ESG_LOCK_OUT_UNKNOWN)
		esg_sql_row_bool(row, name, lock_out == ESG_LOCK_OUT_YES);
}

static void
put_entry(EsgSqlRow *row, const EsgTransportEntry *entry)
{
	esg_sql_row_start(row);
	esg_sql_row_role(row, "role_name", entry->key.role_name);
	esg_sql_row_text(row, "transport", esg_login_peer_transport_name(entry->key.transport));
	put_tls(row, entry);
	esg_sql_row_bool(row, "client_certificate", entry->key.with_cert);
	esg_sql_row_text(row, "auth_method", entry->key.method);
	esg_sql_row_int8(row, "logins", entry->logins);
	esg_sql_row_int8(row, "fallbacks", entry->fallbacks);
	esg_sql_row_timestamp(row, "first_seen_at", entry->first_seen);
	esg_sql_row_timestamp(row, "last_seen_at", entry->last_seen);
	esg_sql_row_address(row, "last_address", &entry->last_address);
	put_lock_out(row, "refused_by_hostssl", esg_transport_refused_by_hostssl(entry));
	put_lock_out(row, "refused_by_tls13", esg_transport_refused_by_tls13(entry));
	put_lock_out(row, "refused_by_clientcert", esg_transport_refused_by_clientcert(entry));
	esg_sql_row_end(row);
}

static Datum
list_transport(FunctionCallInfo fcinfo, EsgSqlScript script)
{
	EsgSqlRow	row;
	EsgTransportEntry *entries;
	int			count;

	esg_shmem_require("ssl_guard_transport");
	esg_sql_row_init(&row, fcinfo, transport_columns, script);
	count = esg_transport_copy(&entries);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_entry(&row, &entries[i]);
	}
	return (Datum) 0;
}

static Datum
list_resets(FunctionCallInfo fcinfo, EsgSqlScript script)
{
	EsgSqlRow	row;

	esg_shmem_require("ssl_guard_resets");
	esg_sql_row_init(&row, fcinfo, reset_columns, script);
	for (int i = 0; i < esg_resets_count(); i++)
	{
		esg_sql_row_start(&row);
		esg_sql_row_text(&row, "name", esg_resets_name(i));
		esg_sql_row_timestamp(&row, "stats_reset", esg_resets_since(i));
		esg_sql_row_end(&row);
	}
	return (Datum) 0;
}

/* "a", "b" ...: what may be given */
static const char *
name_all(void)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < esg_resets_count(); i++)
		appendStringInfo(&names, "%s\"%s\"", i > 0 ? ", " : "", esg_resets_name(i));
	return names.data;
}

static Datum
reset(FunctionCallInfo fcinfo, EsgSqlScript script)
{
	static const Oid arguments[] = {TEXTOID};
	char	   *name;

	(void) script;
	esg_shmem_require("ssl_guard_reset()");
	esg_sql_declared_arguments(fcinfo, lengthof(arguments), arguments);
	esg_sql_declared_result(fcinfo, INT8OID);
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	for (int i = 0; i < esg_resets_count(); i++)
	{
		if (strcmp(esg_resets_name(i), name) == 0)
			PG_RETURN_INT64(esg_resets_reset(i));
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there are no counters \"%s\"", name),
			 errhint("There are %s.", name_all())));
	return (Datum) 0;
}

ESG_SQL_SYMBOL(ssl_guard_list_transport_1_1, list_transport, ESG_SQL_1_1);
ESG_SQL_SYMBOL(ssl_guard_list_resets_1_1, list_resets, ESG_SQL_1_1);
ESG_SQL_SYMBOL(ssl_guard_reset_1_1, reset, ESG_SQL_1_1);
