/*
 * sql/findings.c
 *		ssl_guard_findings: the table of findings as SQL shows it.  Needs
 *		nothing of the running server.
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"

#include "sql/row.h"

PG_FUNCTION_INFO_V1(ssl_guard_list_findings_1_1);

static const EsgSqlColumn finding_columns[] = {
	ESG_SQL_COLUMN("code", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("sqlstate", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("severity", ESG_SQL_SEVERITY),
	ESG_SQL_COLUMN("other_grades", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("place", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("enforceable", ESG_SQL_BOOL),
	ESG_SQL_COLUMN("message", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("hint", ESG_SQL_TEXT),
	ESG_SQL_LAST_COLUMN
};

static EsgSeverity
worst_grade(const EsgFindingDef *def)
{
	EsgSeverity worst = ESG_OK;

	for (unsigned place = 1; place <= ESG_PLACE_SERVER; place <<= 1)
	{
		if (def->places & place)
			worst = Max(worst, esg_findings_severity(def->code, (EsgPlace) place, NULL));
	}
	return worst;
}

/* "server, chain"; with the grade ("ca: warning") of those only that have another one than the worst */
static char *
list_places(const EsgFindingDef *def, bool graded)
{
	EsgSeverity worst = worst_grade(def);
	StringInfoData list;

	initStringInfo(&list);
	for (unsigned place = 1; place <= ESG_PLACE_SERVER; place <<= 1)
	{
		EsgSeverity grade = esg_findings_severity(def->code, (EsgPlace) place, NULL);

		if (!(def->places & place) || (graded && grade == worst))
			continue;
		appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "",
						 esg_findings_place_name((EsgPlace) place));
		if (graded)
			appendStringInfo(&list, ": %s", esg_findings_severity_name(grade));
	}
	return list.data;
}

static void
put_finding(EsgSqlRow *row, const EsgFindingDef *def)
{
	char	   *other_grades;

	esg_sql_row_start(row);
	other_grades = list_places(def, true);
	esg_sql_row_text(row, "code", def->name);
	esg_sql_row_text(row, "sqlstate", def->sqlstate);
	esg_sql_row_severity(row, "severity", worst_grade(def));
	esg_sql_row_text(row, "other_grades", other_grades[0] != '\0' ? other_grades : NULL);
	esg_sql_row_text(row, "place", list_places(def, false));
	esg_sql_row_bool(row, "enforceable", def->enforced != 0);
	esg_sql_row_text(row, "message", def->message);
	esg_sql_row_text(row, "hint", def->hint);
	esg_sql_row_end(row);
}

static Datum
list_findings(FunctionCallInfo fcinfo, EsgSqlScript script)
{
	EsgSqlRow	row;

	esg_sql_row_init(&row, fcinfo, finding_columns, script);
	for (int code = ESG_NO_FINDING + 1; code < ESG_CODE_COUNT; code++)
	{
		const EsgFindingDef *def = esg_findings_def((EsgCode) code);

		if (def != NULL)
			put_finding(&row, def);
	}
	return (Datum) 0;
}

ESG_SQL_SYMBOL(ssl_guard_list_findings_1_1, list_findings, ESG_SQL_1_1);
