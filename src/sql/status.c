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
#include "utils/timestamp.h"

#include "audit/check.h"
#include "login/clients.h"
#include "login/role_label.h"
#include "server/alarms.h"
#include "server/guc.h"
#include "server/shmem.h"
#include "server/state.h"
#include "sql/row.h"

PG_FUNCTION_INFO_V1(ssl_guard_list_alarms);
PG_FUNCTION_INFO_V1(ssl_guard_read_status);
PG_FUNCTION_INFO_V1(ssl_guard_check);

static void
put_alarms(FunctionCallInfo fcinfo)
{
	EsgSqlRow	row;
	EsgAlarmRow *alarms;
	int			count;
	int			i;

	esg_sql_row_init(&row, fcinfo);
	count = esg_alarms_copy(&alarms);
	for (i = 0; i < count; i++)
	{
		const EsgAlarm *alarm = &alarms[i].alarm;

		CHECK_FOR_INTERRUPTS();
		esg_sql_row_start(&row);
		esg_sql_row_severity(&row, alarm->severity);
		esg_sql_row_text(&row, esg_findings_def(alarm->code)->name);
		esg_sql_row_text(&row, alarm->object);
		esg_sql_row_text(&row, alarm->message);
		esg_sql_row_text(&row, alarm->hint[0] != '\0' ? alarm->hint : NULL);
		esg_sql_row_timestamp(&row, alarms[i].raised_at);
		esg_sql_row_timestamp(&row, alarms[i].last_seen_at);
		esg_sql_row_timestamp(&row, alarms[i].last_logged_at);
		esg_sql_row_int8(&row, alarms[i].occurrences);
		esg_sql_row_end(&row);
	}
}

Datum
ssl_guard_list_alarms(PG_FUNCTION_ARGS)
{
	esg_shmem_require("ssl_guard_alarms");
	put_alarms(fcinfo);
	return (Datum) 0;
}

Datum
ssl_guard_check(PG_FUNCTION_ARGS)
{
	esg_shmem_require("ssl_guard_check()");
	esg_check_run(NULL);
	/* the worker has no database and cannot look into catalogs */
	esg_role_label_audit();
	put_alarms(fcinfo);
	return (Datum) 0;
}

/* ------------------------------------------------------------------------
 * ssl_guard_status
 * ------------------------------------------------------------------------ */

static void
set_load(EsgSqlRow *row, const EsgLoadState *load)
{
	esg_sql_row_timestamp(row, load->at);
	if (load->result == ESG_LOAD_OK || load->result == ESG_LOAD_FAILED)
		esg_sql_row_bool(row, load->result == ESG_LOAD_OK);
	else
		esg_sql_row_null(row);
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
set_served(EsgSqlRow *row, const EsgCheckState *check)
{
	EsgServedState served;
	bool		known;

	esg_server_state_served(&served);
	known = EnableSSL && served.seen_by != ESG_SEEN_NOT;
	esg_sql_row_digest(row, known, served.fingerprint);
	if (known)
	{
		esg_sql_row_time(row, served_not_after(&served));
		esg_sql_row_timestamp(row, served.seen_at);
		esg_sql_row_text(row, seen_by_name(served.seen_by));
	}
	else
	{
		esg_sql_row_null(row);
		esg_sql_row_null(row);
		esg_sql_row_null(row);
	}
	esg_sql_row_digest(row, check->disk_known, check->disk_fingerprint);
	if (known && check->disk_known)
		esg_sql_row_bool(row, memcmp(served.fingerprint, check->disk_fingerprint,
									 ESG_DIGEST_SIZE) == 0);
	else
		esg_sql_row_null(row);
}

static void
set_counts(EsgSqlRow *row)
{
	EsgAlarmCounts counts;

	esg_alarms_count(&counts);
	esg_sql_row_int4(row, counts.notices);
	esg_sql_row_int4(row, counts.warnings);
	esg_sql_row_int4(row, counts.criticals);
}

Datum
ssl_guard_read_status(PG_FUNCTION_ARGS)
{
	EsgSqlRow	row;
	EsgLoadState load;
	EsgCheckState check;
	int			clients;
	int64		evicted;

	esg_shmem_require("ssl_guard_status");
	esg_sql_row_init(&row, fcinfo);
	esg_server_state_load(&load);
	esg_server_state_check(&check);
	esg_sql_row_start(&row);
	esg_sql_row_text(&row, ESG_VERSION);
	esg_sql_row_text(&row, OPENSSL_VERSION_TEXT);
	esg_sql_row_text(&row, OpenSSL_version(OPENSSL_VERSION));
	esg_sql_row_bool(&row, EnableSSL);
	esg_sql_row_bool(&row, load.hook_active);
	if (check.worker_pid != 0)
		esg_sql_row_int4(&row, check.worker_pid);
	else
		esg_sql_row_null(&row);
	esg_sql_row_timestamp(&row, check.last_check_at);
	esg_sql_row_timestamp(&row, check.next_check_at);
	set_load(&row, &load);
	set_served(&row, &check);
	set_counts(&row);
	esg_clients_count(&clients, &evicted);
	esg_sql_row_int8(&row, clients);
	esg_sql_row_int4(&row, esg_guc_max_client_certificates);
	esg_sql_row_int8(&row, evicted);
	esg_sql_row_end(&row);
	return (Datum) 0;
}
