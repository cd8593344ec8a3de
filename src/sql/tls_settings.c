/*
 * sql/tls_settings.c
 *		SQL function about the settings that matter to TLS.
 */
#include "postgres.h"

#include "fmgr.h"

#include "audit/tls_settings.h"
#include "server/state.h"
#include "sql/row.h"

PG_FUNCTION_INFO_V1(ssl_guard_list_settings_1_1);

static const EsgSqlColumn setting_columns[] = {
	ESG_SQL_COLUMN("setting", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("value", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("effective", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("recommended", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("findings", ESG_SQL_TEXTS),
	ESG_SQL_COLUMN("severity", ESG_SQL_SEVERITY),
	ESG_SQL_COLUMN("hint", ESG_SQL_TEXT),
	ESG_SQL_LAST_COLUMN
};

static void
put_setting(EsgSqlRow *row, const EsgTlsSettingRow *setting)
{
	esg_sql_row_start(row);
	esg_sql_row_text(row, "setting", setting->name);
	esg_sql_row_text(row, "value", setting->value);
	esg_sql_row_text(row, "effective", setting->effective);
	esg_sql_row_text(row, "recommended", setting->recommended);
	esg_sql_row_findings(row, &setting->findings);
	if (setting->findings.count > 0)
		esg_sql_row_text(row, "hint", esg_findings_hint(setting->findings.items[0].code, setting->name));
	esg_sql_row_end(row);
}

static Datum
list_settings(FunctionCallInfo fcinfo, EsgSqlScript script)
{
	EsgSqlRow	row;
	EsgLoadState load;
	EsgTlsSettings *settings;

	esg_sql_row_init(&row, fcinfo, setting_columns, script);
	esg_server_state_load(&load);
	settings = esg_tls_settings_read(load.key_asked);
	for (int i = 0; i < ESG_SET_COUNT; i++)
	{
		if (settings->rows[i].name != NULL)
			put_setting(&row, &settings->rows[i]);
	}
	esg_tls_settings_free(settings);
	return (Datum) 0;
}

ESG_SQL_SYMBOL(ssl_guard_list_settings_1_1, list_settings, ESG_SQL_1_1);
