/*
 * sql/hosts.c
 *		SQL function about the hosts of pg_hosts.conf.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "utils/builtins.h"

#include "audit/audit.h"
#include "compat.h"
#include "server/report.h"
#include "server/served_hosts.h"
#include "server/state.h"
#include "server/tls_files.h"
#include "sql/row.h"

PG_FUNCTION_INFO_V1(ssl_guard_list_hosts_1_1);

static const EsgSqlColumn host_columns[] = {
	ESG_SQL_COLUMN("line_number", ESG_SQL_INT4),
	ESG_SQL_COLUMN("host_names", ESG_SQL_TEXTS),
	ESG_SQL_COLUMN("served_fingerprint", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("disk_fingerprint", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("in_sync", ESG_SQL_BOOL),
	ESG_SQL_COLUMN("severity", ESG_SQL_SEVERITY),
	ESG_SQL_LAST_COLUMN
};

static bool
is_of_host(const EsgAuditFile *file, const EsgHost *host)
{
	return file->file.host != NULL &&
		(strcmp(file->file.path, esg_tls_files_absolute(host->cert)) == 0 ||
		 strcmp(file->file.path, esg_tls_files_absolute(host->key)) == 0 ||
		 strcmp(file->file.path, esg_tls_files_absolute(host->ca)) == 0);
}

static EsgSeverity
find_worst(const EsgAudit *audit, const EsgHost *host)
{
	EsgSeverity worst = ESG_OK;

	for (int i = 0; i < audit->file_count; i++)
	{
		if (is_of_host(audit->files[i], host))
			worst = Max(worst, esg_findings_worst(&audit->files[i]->findings));
	}
	for (int i = 0; i < audit->cert_count; i++)
	{
		if (is_of_host(audit->certs[i]->file, host))
			worst = Max(worst, esg_findings_worst(&audit->certs[i]->findings));
	}
	return worst;
}

/* The first certificate of the line's file; NULL if there is none that could be loaded. */
static const unsigned char *
find_on_disk(const EsgAudit *audit, const EsgHost *host)
{
	const char *path = esg_tls_files_absolute(host->cert);

	for (int i = 0; i < audit->cert_count; i++)
	{
		const EsgAuditCert *cert = audit->certs[i];

		if (cert->place == ESG_PLACE_LEAF && cert->file->pem.end == ESG_PEM_COMPLETE &&
			strcmp(cert->file->file.path, path) == 0)
			return cert->info.fingerprint;
	}
	return NULL;
}

static void
put_names(EsgSqlRow *row, const EsgHost *host)
{
	Datum	   *names = palloc(Max(list_length(host->names), 1) * sizeof(Datum));
	int			count = 0;
	ListCell   *cell;

	foreach(cell, host->names)
		names[count++] = CStringGetTextDatum(esg_report_text(esg_report_printable(lfirst(cell))));
	esg_sql_row_texts(row, "host_names", names, count);
}

static void
put_host(EsgSqlRow *row, const EsgHost *host, const unsigned char *served, const EsgAudit *audit)
{
	const unsigned char *disk;

	esg_sql_row_start(row);
	disk = find_on_disk(audit, host);
	esg_sql_row_int4(row, "line_number", host->line);
	put_names(row, host);
	if (served != NULL)
		esg_sql_row_digest(row, "served_fingerprint", served);
	if (disk != NULL)
		esg_sql_row_digest(row, "disk_fingerprint", disk);
	if (served != NULL && disk != NULL)
		esg_sql_row_bool(row, "in_sync", memcmp(served, disk, ESG_DIGEST_SIZE) == 0);
	esg_sql_row_severity(row, "severity", find_worst(audit, host));
	esg_sql_row_end(row);
}

static Datum
list_hosts(FunctionCallInfo fcinfo, EsgSqlScript script)
{
	EsgServedSet *set = palloc(sizeof(EsgServedSet));
	const EsgHosts *hosts;
	ListCell   *cell;
	EsgSqlRow	row;
	EsgAudit   *audit;
	bool		exact;
	int			index = 0;

	esg_sql_row_init(&row, fcinfo, host_columns, script);
	hosts = esg_served_hosts(&exact);
	if (!EnableSSL || hosts->hosts == NIL)
		return (Datum) 0;
	(void) esg_server_state_served_set(set);
	audit = esg_audit_run(ESG_AUDIT_CERTS, esg_renewals_copy());
	foreach(cell, hosts->hosts)
	{
		CHECK_FOR_INTERRUPTS();
		put_host(&row, lfirst(cell), exact ? esg_server_state_set_get(set, index) : NULL, audit);
		index++;
	}
	esg_audit_free(audit);
	return (Datum) 0;
}

ESG_SQL_SYMBOL(ssl_guard_list_hosts_1_1, list_hosts, ESG_SQL_1_1);
