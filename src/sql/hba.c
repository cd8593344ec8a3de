/*
 * sql/hba.c
 *		SQL function about pg_hba.conf and pg_ident.conf.
 */
#include "postgres.h"

#include <arpa/inet.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "audit/hba.h"
#include "server/report.h"
#include "sql/row.h"

PG_FUNCTION_INFO_V1(ssl_guard_list_hba_1_1);

static const EsgSqlColumn hba_columns[] = {
	ESG_SQL_COLUMN("file_name", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("line_number", ESG_SQL_INT4),
	ESG_SQL_COLUMN("type", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("database", ESG_SQL_TEXTS),
	ESG_SQL_COLUMN("user_name", ESG_SQL_TEXTS),
	ESG_SQL_COLUMN("address", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("auth_method", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("findings", ESG_SQL_TEXTS),
	ESG_SQL_COLUMN("severity", ESG_SQL_SEVERITY),
	ESG_SQL_COLUMN("hint", ESG_SQL_TEXT),
	ESG_SQL_LAST_COLUMN
};

static const char *const type_names[] = {
	[ESG_HBA_LOCAL] = "local",
	[ESG_HBA_HOST] = "host",
	[ESG_HBA_HOSTSSL] = "hostssl",
	[ESG_HBA_HOSTNOSSL] = "hostnossl",
	[ESG_HBA_HOSTGSSENC] = "hostgssenc",
	[ESG_HBA_HOSTNOGSSENC] = "hostnogssenc",
	[ESG_HBA_MAP] = "map",
	[ESG_HBA_BROKEN] = NULL
};

static void
put_words(EsgSqlRow *row, const char *name, const EsgHbaWords *words)
{
	Datum	   *texts = palloc(Max(words->count, 1) * sizeof(Datum));

	if (words->count == 0)
		return;
	for (int i = 0; i < words->count; i++)
		texts[i] = CStringGetTextDatum(esg_report_text(esg_report_printable(words->items[i].text)));
	esg_sql_row_texts(row, name, texts, words->count);
}

/* Of a mask that is a prefix its length, else -1. */
static int
find_prefix(const EsgHbaAddress *address)
{
	int			bits = address->size * 8;
	int			length = 0;

	while (length < bits && (address->mask[length / 8] & (0x80 >> length % 8)) != 0)
		length++;
	for (int bit = length; bit < bits; bit++)
	{
		if ((address->mask[bit / 8] & (0x80 >> bit % 8)) != 0)
			return -1;
	}
	return length;
}

static void
put_range(EsgSqlRow *row, const EsgHbaAddress *address)
{
	int			family = address->size == 4 ? AF_INET : AF_INET6;
	int			length = find_prefix(address);
	char		base[INET6_ADDRSTRLEN] = "";
	char		mask[INET6_ADDRSTRLEN] = "";

	(void) inet_ntop(family, address->base, base, sizeof(base));
	(void) inet_ntop(family, address->mask, mask, sizeof(mask));
	esg_sql_row_text(row, "address",
					 length >= 0 ? psprintf("%s/%d", base, length) : psprintf("%s/%s", base, mask));
}

static void
put_address(EsgSqlRow *row, const EsgHbaLine *line)
{
	if (line->method == NULL || line->type == ESG_HBA_LOCAL)
		return;
	switch (line->address.kind)
	{
		case ESG_HBA_RANGE:
			put_range(row, &line->address);
			break;
		case ESG_HBA_HOST_NAME:
			esg_sql_row_text(row, "address", esg_report_printable(line->address.host_name));
			break;
		case ESG_HBA_SAMEHOST:
			esg_sql_row_text(row, "address", "samehost");
			break;
		case ESG_HBA_SAMENET:
			esg_sql_row_text(row, "address", "samenet");
			break;
		case ESG_HBA_ANY_ADDRESS:
			esg_sql_row_text(row, "address", "all");
			break;
	}
}

static void
put_line(EsgSqlRow *row, const EsgHbaLine *line)
{
	esg_sql_row_start(row);
	esg_sql_row_path(row, "file_name", line->file);
	esg_sql_row_int4(row, "line_number", line->number);
	esg_sql_row_text(row, "type", type_names[line->type]);
	put_words(row, "database", &line->databases);
	put_words(row, "user_name", &line->users);
	put_address(row, line);
	esg_sql_row_text(row, "auth_method", line->method);
	esg_sql_row_findings(row, &line->findings);
	if (line->findings.count > 0)
		esg_sql_row_text(row, "hint", esg_findings_hint(line->findings.items[0].code, "hba_file"));
	esg_sql_row_end(row);
}

static Datum
list_hba(FunctionCallInfo fcinfo, EsgSqlScript script)
{
	EsgSqlRow	row;
	EsgHba	   *hba;

	esg_sql_row_init(&row, fcinfo, hba_columns, script);
	hba = esg_hba_read();
	for (int i = 0; i < hba->count; i++)
		put_line(&row, &hba->lines[i]);
	esg_hba_free(hba);
	return (Datum) 0;
}

ESG_SQL_SYMBOL(ssl_guard_list_hba_1_1, list_hba, ESG_SQL_1_1);
