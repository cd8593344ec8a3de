/*
 * login/file_guard.c
 *		May a connection be set up with the TLS files as they are right now?
 */
#include "postgres.h"

#include <unistd.h>

#include "compat.h"
#include "login/file_guard.h"
#include "files/accounts.h"
#include "files/facts.h"
#include "server/guc.h"
#include "server/report.h"
#include "server/tls_files.h"

static void
fill_violation(const EsgFinding *finding, const EsgTlsFile *file, const EsgFileFacts *facts,
			   const EsgPolicy *policy, EsgFileViolation *out)
{
	const char *owner = esg_accounts_owner_name(policy->server_uid);
	char		predicate[ESG_PREDICATE_SIZE];

	esg_alarm_text_predicate(finding->code, finding->detail, predicate, sizeof(predicate));
	out->code = finding->code;
	out->message = pstrdup(predicate);
	out->path = esg_report_printable(file->path);
	out->suggestion = esg_report_take(esg_policy_file_suggestion(facts, file->kind, file->path,
																 owner, policy));
	out->suggestion = esg_report_command(out->suggestion);
}

/* A directory that cannot be listed could hide anything. */
static void
look_at(const EsgTlsFile *file, EsgFileFacts *facts)
{
	esg_facts_stat(file->path, facts);
	if (file->kind == ESG_FILE_CRL_DIR && facts->exists && access(file->path, R_OK | X_OK) != 0)
		facts->error = errno;
}

/* Judges one file; true if it violates the rules. */
static bool
check_file(const EsgTlsFile *file, const EsgPolicy *policy, EsgFileViolation *out)
{
	EsgFileFacts facts;
	EsgFindings findings = {0};

	look_at(file, &facts);
	esg_accounts_know_owner(&facts, policy);
	if (file->optional && !facts.exists)
		return false;
	esg_policy_file_check(&facts, file->kind, NULL, policy, &findings);
	for (int i = 0; i < findings.count && out->code == ESG_NO_FINDING; i++)
	{
		if (esg_findings_def(findings.items[i].code)->enforced & ESG_PLACE_FILE)
			fill_violation(&findings.items[i], file, &facts, policy, out);
	}
	esg_findings_free(&findings);
	return out->code != ESG_NO_FINDING;
}

/* Judges what lies in ssl_crl_dir. */
static bool
check_crl_dir(const EsgTlsFile *dir, const EsgPolicy *policy, EsgFileViolation *out)
{
	char	  **paths;
	int			error;
	int			count = esg_tls_files_list_crl_dir(dir->path, &paths, &error);

	for (int i = 0; i < count; i++)
	{
		EsgTlsFile	file = {dir->setting, ESG_FILE_CRL, paths[i], false, 0, NULL, 0};

		if (check_file(&file, policy, out))
			return true;
	}
	return false;
}

void
esg_file_guard_check(EsgFileViolation *out)
{
	EsgTlsFile *files;
	int			count = esg_tls_files_list_loaded(&files);
	EsgPolicy	policy;

	memset(out, 0, sizeof(*out));
	esg_guc_policy(&policy);
	for (int i = 0; i < count; i++)
	{
		if (check_file(&files[i], &policy, out) ||
			(files[i].kind == ESG_FILE_CRL_DIR && check_crl_dir(&files[i], &policy, out)))
			return;
	}
}

void
esg_file_guard_start(void)
{
	EsgFileViolation violation;

	if (esg_guc_file_permission_check != ESG_MODE_ENFORCE)
		return;
	esg_file_guard_check(&violation);
	if (violation.code == ESG_NO_FINDING)
		return;
	ereport(FATAL,
			(errcode(ERRCODE_CONFIG_FILE_ERROR),
			 errmsg("file %s %s", esg_report_quoted(violation.path), violation.message),
			 errdetail("\"ext_ssl_guard.file_permission_check\" is \"enforce\"."),
			 *violation.suggestion ? errhint("Run: %s", violation.suggestion) : 0));
}
