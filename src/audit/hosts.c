/*
 * audit/hosts.c
 *		Do the hosts of pg_hosts.conf have certificates for their names?
 */
#include "postgres.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "audit/hosts.h"
#include "server/report.h"

/* What core takes for no name, any that is not listed, and none at all; and what stands for more names. */
static bool
is_catch_all(const char *name)
{
	return strcmp(name, "*") == 0 || strcmp(name, "/no_sni/") == 0 || strcmp(name, "...") == 0;
}

/* Does a client that asks for that name, and means it, accept the certificate? */
static bool
is_covered(X509 *cert, const char *name)
{
	bool		covered = X509_check_host(cert, name, strlen(name), 0, NULL) == 1;

	ERR_clear_error();
	return covered;
}

static void
judge_name(X509 *cert, const char *name, EsgRemark *remark, bool *found)
{
	char	   *printable;

	if (is_catch_all(name))
		return;
	printable = esg_report_printable(name);
	if (strchr(name, '*') != NULL)
		esg_remark_list(remark, psprintf("%s (a pattern, for which no client asks)", printable));
	else if (!is_covered(cert, name))
		esg_remark_list(remark, printable);
	else
		return;
	*found = true;
}

static void
judge_names(EsgAuditCert *cert, const EsgPolicy *policy)
{
	char	   *names = pstrdup(cert->file->file.host);
	EsgRemark	remark;
	bool		found = false;

	if (!esg_remark_start(&remark, ESG_HOST_NAME_NOT_COVERED, cert->place))
		return;
	for (char *name = names; name != NULL;)
	{
		char	   *comma = strchr(name, ',');

		if (comma != NULL)
			*comma++ = '\0';
		judge_name(cert->info.cert, name, &remark, &found);
		name = comma;
	}
	if (found)
		esg_findings_add(&cert->findings, &remark, policy->overrides);
	pfree(names);
}

static void
judge_list(EsgAuditFile *file, const EsgPolicy *policy)
{
	EsgRemark	remark;

	if (!esg_remark_start(&remark, ESG_HOSTS_FILE_UNUSABLE, ESG_PLACE_FILE))
		return;
	esg_remark_say(&remark, "%s", file->hosts_fault);
	esg_findings_add(&file->findings, &remark, policy->overrides);
}

void
esg_audit_hosts_judge(EsgAudit *audit, const EsgPolicy *policy)
{
	for (int i = 0; i < audit->cert_count; i++)
	{
		EsgAuditCert *cert = audit->certs[i];

		if (cert->place == ESG_PLACE_LEAF && cert->file != NULL && cert->file->file.host != NULL)
			judge_names(cert, policy);
	}
	for (int i = 0; i < audit->file_count; i++)
	{
		if (audit->files[i]->hosts_fault != NULL)
			judge_list(audit->files[i], policy);
	}
}
