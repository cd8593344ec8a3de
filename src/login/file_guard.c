/*
 * login/file_guard.c
 *		May a connection be set up with the TLS files as they are right now?
 */
#include "postgres.h"

#include <unistd.h>

#include "libpq/libpq.h"
#include "postmaster/postmaster.h"

#include "compat.h"
#include "login/crl_dir_verdict.h"
#include "login/file_guard.h"
#include "files/accounts.h"
#include "files/facts.h"
#include "server/crl_dir_look.h"
#include "server/guc.h"
#include "server/report.h"
#include "server/tls_files.h"

/* So many files in ssl_crl_dir each login looks at: a changed mode is seen at once. */
#define FEW_CRLS 8

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

/* Puts what is not plainly good into words; true if it violates the rules. */
static bool
judge_file(const EsgTlsFile *file, EsgFileFacts facts, const EsgPolicy *policy, EsgFileViolation *out)
{
	EsgFindings findings = {0};

	esg_accounts_know_owner(&facts, policy);
	esg_policy_file_check(&facts, file->kind, NULL, policy, &findings);
	for (int i = 0; i < findings.count && out->code == ESG_NO_FINDING; i++)
	{
		if (esg_findings_def(findings.items[i].code)->enforced & ESG_PLACE_FILE)
			fill_violation(&findings.items[i], file, &facts, policy, out);
	}
	esg_findings_free(&findings);
	return out->code != ESG_NO_FINDING;
}

/* Judges one file, whose facts it fills; true if it violates the rules. */
static bool
check_file(const EsgTlsFile *file, const EsgPolicy *policy, EsgFileFacts *facts, EsgFileViolation *out)
{
	look_at(file, facts);
	if (esg_policy_file_is_good(facts, file->kind, policy) || (file->optional && !facts->exists))
		return false;
	return judge_file(file, *facts, policy, out);
}

/*
 * What was not read of a directory could be anything; a few files are looked at
 * each time.
 */
static void
set_verdict(bool good, int error, int count, const char *path, const EsgFileFacts *facts, const EsgPolicy *policy)
{
	esg_crl_dir_verdict_set(good && error == 0 && count > FEW_CRLS, path, facts, policy);
}

/* Judges each of what lies in ssl_crl_dir; facts: the directory's. */
static bool
check_entries(const EsgTlsFile *dir, const EsgFileFacts *facts, const EsgPolicy *policy, EsgFileViolation *out)
{
	char	  **paths;
	int			error;
	int			count = esg_tls_files_list_crl_dir(dir->path, &paths, &error);
	bool		violated = false;

	for (int i = 0; i < count && !violated; i++)
	{
		EsgTlsFile	file = {dir->setting, ESG_FILE_CRL, paths[i], false, 0, NULL, 0};
		EsgFileFacts entry;

		violated = check_file(&file, policy, &entry, out);
	}
	set_verdict(!violated, error, count, dir->path, facts, policy);
	return violated;
}

/* Judges one of the server's files and, of ssl_crl_dir, what lies in it. */
static bool
check_loaded(const EsgTlsFile *file, const EsgPolicy *policy, EsgFileViolation *out)
{
	EsgFileFacts facts;

	if (check_file(file, policy, &facts, out))
		return true;
	if (file->kind != ESG_FILE_CRL_DIR || !facts.exists ||
		esg_crl_dir_verdict_holds(file->path, &facts, policy))
		return false;
	return check_entries(file, &facts, policy, out);
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
		if (check_loaded(&files[i], &policy, out))
			return;
	}
}

/* Are all files there as they should be, by the look at them? */
static bool
is_good_dir(const EsgKnownDir *dir, const EsgPolicy *policy)
{
	EsgFileViolation violation = {0};

	for (int i = 0; i < dir->count; i++)
	{
		const EsgFileFacts *facts = &dir->files[i].facts;
		EsgTlsFile	file = {"ssl_crl_dir", ESG_FILE_CRL, dir->files[i].path, false, 0, NULL, 0};

		if (!esg_policy_file_is_good(facts, ESG_FILE_CRL, policy) && judge_file(&file, *facts, policy, &violation))
			return false;
	}
	return true;
}

void
esg_file_guard_renew(void)
{
	const EsgKnownDir *dir;
	EsgPolicy	policy;

	if (esg_guc_file_permission_check != ESG_MODE_ENFORCE || !EnableSSL || ssl_crl_dir == NULL ||
		ssl_crl_dir[0] == '\0')
		return;
	dir = esg_crl_dir_last_look(esg_tls_files_absolute(ssl_crl_dir));
	if (dir == NULL)
		return;
	esg_guc_policy(&policy);
	set_verdict(is_good_dir(dir, &policy), dir->error, dir->count, dir->path, &dir->facts, &policy);
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
