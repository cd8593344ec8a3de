/*
 * sql/status.c
 *		SQL functions about the running server: alarms, status, the check.
 */
#include "postgres.h"

#include <openssl/crypto.h>

#include "fmgr.h"
#include "libpq/libpq.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "audit/check.h"
#include "login/clients.h"
#include "login/role_label.h"
#include "login/transport.h"
#include "server/alarms.h"
#include "server/guc.h"
#include "server/probed.h"
#include "server/shmem.h"
#include "server/state.h"
#include "sql/row.h"

PG_FUNCTION_INFO_V1(ssl_guard_list_alarms);
PG_FUNCTION_INFO_V1(ssl_guard_list_alarms_1_1);
PG_FUNCTION_INFO_V1(ssl_guard_read_status);
PG_FUNCTION_INFO_V1(ssl_guard_read_status_1_1);
PG_FUNCTION_INFO_V1(ssl_guard_check);
PG_FUNCTION_INFO_V1(ssl_guard_check_1_1);

/* ------------------------------------------------------------------------
 * ssl_guard_alarms and ssl_guard_check
 * ------------------------------------------------------------------------ */

static const EsgSqlColumn alarm_columns[] = {
	ESG_SQL_COLUMN("severity", ESG_SQL_SEVERITY),
	ESG_SQL_COLUMN("code", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("object", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("message", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("hint", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("raised_at", ESG_SQL_TIMESTAMP),
	ESG_SQL_COLUMN("last_seen_at", ESG_SQL_TIMESTAMP),
	ESG_SQL_COLUMN("last_logged_at", ESG_SQL_TIMESTAMP),
	ESG_SQL_COLUMN("occurrences", ESG_SQL_INT8),
	ESG_SQL_LAST_COLUMN
};

static void
put_alarm(EsgSqlRow *row, const EsgAlarmRow *standing)
{
	const EsgAlarm *alarm = &standing->alarm;

	esg_sql_row_start(row);
	esg_sql_row_severity(row, "severity", alarm->severity);
	esg_sql_row_text(row, "code", esg_findings_def(alarm->code)->name);
	esg_sql_row_text(row, "object", alarm->object);
	esg_sql_row_text(row, "message", alarm->message);
	esg_sql_row_text(row, "hint", alarm->hint[0] != '\0' ? alarm->hint : NULL);
	esg_sql_row_timestamp(row, "raised_at", standing->raised_at);
	esg_sql_row_timestamp(row, "last_seen_at", standing->last_seen_at);
	esg_sql_row_timestamp(row, "last_logged_at", standing->last_logged_at);
	esg_sql_row_int8(row, "occurrences", standing->occurrences);
	esg_sql_row_end(row);
}

static void
put_alarms(EsgSqlRow *row)
{
	EsgAlarmRow *alarms;
	int			count = esg_alarms_copy(&alarms);

	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_alarm(row, &alarms[i]);
	}
}

static Datum
list_alarms(FunctionCallInfo fcinfo, EsgSqlScript script)
{
	EsgSqlRow	row;

	esg_shmem_require("ssl_guard_alarms");
	esg_sql_row_init(&row, fcinfo, alarm_columns, script);
	put_alarms(&row);
	return (Datum) 0;
}

static Datum
check_now(FunctionCallInfo fcinfo, EsgSqlScript script)
{
	EsgSqlRow	row;

	esg_shmem_require("ssl_guard_check()");
	esg_sql_row_init(&row, fcinfo, alarm_columns, script);
	esg_check_run();
	/* the worker has no database and cannot look into catalogs */
	esg_role_label_audit();
	put_alarms(&row);
	return (Datum) 0;
}

ESG_SQL_SYMBOL(ssl_guard_list_alarms, list_alarms, ESG_SQL_1_0);
ESG_SQL_SYMBOL(ssl_guard_list_alarms_1_1, list_alarms, ESG_SQL_1_1);
ESG_SQL_SYMBOL(ssl_guard_check, check_now, ESG_SQL_1_0);
ESG_SQL_SYMBOL(ssl_guard_check_1_1, check_now, ESG_SQL_1_1);

/* ------------------------------------------------------------------------
 * ssl_guard_status
 * ------------------------------------------------------------------------ */

static const EsgSqlColumn status_columns[] = {
	ESG_SQL_COLUMN("version", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("openssl_built", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("openssl_runtime", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("ssl", ESG_SQL_BOOL),
	ESG_SQL_COLUMN("tls_hook_active", ESG_SQL_BOOL),
	ESG_SQL_COLUMN("worker_pid", ESG_SQL_INT4),
	ESG_SQL_COLUMN("last_check_at", ESG_SQL_TIMESTAMP),
	ESG_SQL_COLUMN("next_check_at", ESG_SQL_TIMESTAMP),
	ESG_SQL_COLUMN("last_reload_at", ESG_SQL_TIMESTAMP),
	ESG_SQL_COLUMN("last_reload_ok", ESG_SQL_BOOL),
	ESG_SQL_COLUMN("served_fingerprint", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("served_not_after", ESG_SQL_TIMESTAMP),
	ESG_SQL_COLUMN("served_seen_at", ESG_SQL_TIMESTAMP),
	ESG_SQL_COLUMN("served_seen_by", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("disk_fingerprint", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("in_sync", ESG_SQL_BOOL),
	ESG_SQL_COLUMN("notices", ESG_SQL_INT4),
	ESG_SQL_COLUMN("warnings", ESG_SQL_INT4),
	ESG_SQL_COLUMN("criticals", ESG_SQL_INT4),
	ESG_SQL_COLUMN("client_certificates", ESG_SQL_INT8),
	ESG_SQL_COLUMN("max_client_certificates", ESG_SQL_INT4),
	ESG_SQL_COLUMN("client_certificates_evicted", ESG_SQL_INT8),
	ESG_SQL_ADDED("alarms_evicted", ESG_SQL_INT8, ESG_SQL_1_1),
	ESG_SQL_ADDED("alarm_commands_run", ESG_SQL_INT8, ESG_SQL_1_1),
	ESG_SQL_ADDED("alarm_commands_failed", ESG_SQL_INT8, ESG_SQL_1_1),
	ESG_SQL_ADDED("alarm_events_dropped", ESG_SQL_INT8, ESG_SQL_1_1),
	ESG_SQL_ADDED("failed_host", ESG_SQL_TEXT, ESG_SQL_1_1),
	ESG_SQL_ADDED("probe_result", ESG_SQL_TEXT, ESG_SQL_1_1),
	ESG_SQL_ADDED("probed_at", ESG_SQL_TIMESTAMP, ESG_SQL_1_1),
	ESG_SQL_ADDED("served_chain", ESG_SQL_TEXTS, ESG_SQL_1_1),
	ESG_SQL_ADDED("transport_evicted", ESG_SQL_INT8, ESG_SQL_1_1),
	ESG_SQL_LAST_COLUMN
};

static void
set_software(EsgSqlRow *row)
{
	esg_sql_row_text(row, "version", ESG_VERSION);
	esg_sql_row_text(row, "openssl_built", OPENSSL_VERSION_TEXT);
	esg_sql_row_text(row, "openssl_runtime", OpenSSL_version(OPENSSL_VERSION));
}

static void
set_load(EsgSqlRow *row, const EsgLoadState *load)
{
	const EsgHost *host = load->result == ESG_LOAD_FAILED ? esg_check_failed_host(load) : NULL;

	esg_sql_row_timestamp(row, "last_reload_at", load->at);
	if (host != NULL)
		esg_sql_row_path(row, "failed_host", esg_sni_hosts_names(host));
	if (load->result == ESG_LOAD_OK || load->result == ESG_LOAD_FAILED)
		esg_sql_row_bool(row, "last_reload_ok", load->result == ESG_LOAD_OK);
}

/* PG_INT64_MAX stands for infinity and PG_INT64_MIN for unknown. */
static EsgTime
served_not_after(const EsgServedState *served)
{
	EsgTime		t = {ESG_TIME_VALID, served->not_after_unix, false};

	if (served->not_after_unix == PG_INT64_MAX)
		t.state = ESG_TIME_FOREVER;
	else if (served->not_after_unix == PG_INT64_MIN)
		t.state = ESG_TIME_ABSENT;
	return t;
}

static const char *
seen_by_name(EsgSeenBy by)
{
	switch (by)
	{
		case ESG_SEEN_LOAD:
			return "load";
		case ESG_SEEN_LOGIN:
			return "login";
		case ESG_SEEN_PROBE:
			return "probe";
		default:
			return NULL;
	}
}

/* What is served, what is on disk, and whether they are the same. */
static void
set_served(EsgSqlRow *row, const EsgCheckState *check, const EsgLoadState *load)
{
	EsgServedState served;
	bool		known;

	esg_server_state_served(&served);
	known = EnableSSL && served.seen_by != ESG_SEEN_NOT;
	if (known)
	{
		esg_sql_row_digest(row, "served_fingerprint", served.fingerprint);
		esg_sql_row_time(row, "served_not_after", served_not_after(&served));
		esg_sql_row_timestamp(row, "served_seen_at", served.seen_at);
		esg_sql_row_text(row, "served_seen_by", seen_by_name(served.seen_by));
	}
	if (check->disk_known)
		esg_sql_row_digest(row, "disk_fingerprint", check->disk_fingerprint);
	if (EnableSSL && check->hosts.known && check->hosts.sequence == load->sequence)
		esg_sql_row_bool(row, "in_sync", check->hosts.in_sync);
	else if (known && check->disk_known)
		esg_sql_row_bool(row, "in_sync", memcmp(served.fingerprint, check->disk_fingerprint,
												ESG_DIGEST_SIZE) == 0);
}

/* NULL: there is none yet. */
static const char *
probe_result(const EsgProbed *probed, const EsgLoadState *load)
{
	if (!esg_guc_self_probe)
		return "off";
	if (!EnableSSL || !load->in_service)
		return "no_tls";
	switch (probed->outcome)
	{
		case ESG_PROBED_OK:
			return "ok";
		case ESG_PROBED_FAILED:
			return "failed";
		case ESG_PROBED_NO_ADDRESS:
			return "no_tcp";
		case ESG_PROBED_NO_HOSTS:
			return "hosts_unknown";
		default:
			return NULL;
	}
}

/* SHA-256 of each certificate, as shown. */
static void
set_chain(EsgSqlRow *row, const EsgProbed *probed)
{
	Datum		items[ESG_PROBED_CHAIN];
	char		text[ESG_FINGERPRINT_TEXT_SIZE];

	for (int i = 0; i < probed->chain_count; i++)
	{
		esg_x509_info_fingerprint_text(probed->chain[i], text);
		items[i] = CStringGetTextDatum(text);
	}
	esg_sql_row_texts(row, "served_chain", items, probed->chain_count);
}

/* The chain of a load that is history is not the one that is served. */
static void
set_probed(EsgSqlRow *row, const EsgLoadState *load)
{
	EsgProbed	probed;
	const char *result;

	esg_probed_get(&probed);
	result = probe_result(&probed, load);
	if (result != NULL)
		esg_sql_row_text(row, "probe_result", result);
	esg_sql_row_timestamp(row, "probed_at", probed.at);
	if (EnableSSL && probed.chain_count > 0 && probed.load_sequence == load->sequence)
		set_chain(row, &probed);
}

static void
set_counts(EsgSqlRow *row)
{
	EsgAlarmCounts alarms;
	int			clients;
	int64		evicted;

	esg_alarms_count(&alarms);
	esg_clients_count(&clients, &evicted);
	esg_sql_row_int4(row, "notices", alarms.notices);
	esg_sql_row_int4(row, "warnings", alarms.warnings);
	esg_sql_row_int4(row, "criticals", alarms.criticals);
	esg_sql_row_int8(row, "client_certificates", clients);
	esg_sql_row_int4(row, "max_client_certificates", esg_guc_max_client_certificates);
	esg_sql_row_int8(row, "client_certificates_evicted", evicted);
	esg_sql_row_int8(row, "transport_evicted", esg_transport_evicted());
	esg_sql_row_int8(row, "alarms_evicted", alarms.evicted);
	esg_sql_row_int8(row, "alarm_commands_run", alarms.commands_run);
	esg_sql_row_int8(row, "alarm_commands_failed", alarms.commands_failed);
	esg_sql_row_int8(row, "alarm_events_dropped", alarms.events_dropped);
}

static Datum
read_status(FunctionCallInfo fcinfo, EsgSqlScript script)
{
	EsgSqlRow	row;
	EsgLoadState load;
	EsgCheckState check;

	esg_shmem_require("ssl_guard_status");
	esg_sql_row_init(&row, fcinfo, status_columns, script);
	esg_server_state_load(&load);
	esg_server_state_check(&check);
	esg_sql_row_start(&row);
	set_software(&row);
	esg_sql_row_bool(&row, "ssl", EnableSSL);
	esg_sql_row_bool(&row, "tls_hook_active", load.hook_active);
	if (check.worker_pid != 0)
		esg_sql_row_int4(&row, "worker_pid", check.worker_pid);
	esg_sql_row_timestamp(&row, "last_check_at", check.last_check_at);
	esg_sql_row_timestamp(&row, "next_check_at", check.next_check_at);
	set_load(&row, &load);
	set_served(&row, &check, &load);
	set_probed(&row, &load);
	set_counts(&row);
	esg_sql_row_end(&row);
	return (Datum) 0;
}

ESG_SQL_SYMBOL(ssl_guard_read_status, read_status, ESG_SQL_1_0);
ESG_SQL_SYMBOL(ssl_guard_read_status_1_1, read_status, ESG_SQL_1_1);
