/*
 * ctl/check_report.c
 *		From an audit to what "check" prints.
 */
#include "ctl/check_report.h"

#include <string.h>

static void
move_findings(EsgReportObject *object, EsgFindings *findings)
{
	object->findings = *findings;
	memset(findings, 0, sizeof(*findings));
}

/* Of what is not the server's, the remedy is another one. */
static void
advise(EsgReportObject *object, const EsgAuditFile *file)
{
	if (!esg_tls_file_is_extra(&file->file))
		return;
	for (int i = 0; i < object->findings.count; i++)
	{
		EsgCode		code = object->findings.items[i].code;

		esg_report_advise(object, code, esg_findings_hint(code, file->file.setting));
	}
}

static void
finish_object(EsgReportObject *object, const EsgAuditFile *file, EsgFindings *findings, bool of_server)
{
	move_findings(object, findings);
	if (of_server)
		object->setting = file->file.setting;
	else
		advise(object, file);
}

/* Directories are told of where there is something to say. */
static void
add_file(EsgReport *report, EsgAuditFile *file, bool of_server)
{
	EsgReportObject *object;

	if (esg_policy_file_is_directory(file->file.kind) && file->findings.count == 0)
		return;
	object = esg_report_add(report, file->file.kind == ESG_FILE_KEY ? ESG_OBJECT_KEY : ESG_OBJECT_FILE,
							file->file.path);
	esg_report_fact_text(object, "kind", esg_policy_file_kind_name(file->file.kind));
	if (file->suggestion[0] != '\0')
		esg_report_suggest(object, file->suggestion);
	finish_object(object, file, &file->findings, of_server);
}

static void
add_cert(EsgReport *report, EsgAuditCert *cert, bool of_server)
{
	EsgReportObject *object = esg_report_add(report, ESG_OBJECT_CERTIFICATE, cert->file->file.path);

	esg_report_set_cert(object, &cert->info, cert->place, cert->position);
	finish_object(object, cert->file, &cert->findings, of_server);
}

static void
add_crl(EsgReport *report, EsgAuditCrl *crl, bool of_server)
{
	EsgReportObject *object = esg_report_add(report, ESG_OBJECT_CRL, crl->file->file.path);

	esg_report_set_crl(object, &crl->info, crl->position);
	finish_object(object, crl->file, &crl->findings, of_server);
}

/* Each file, and behind it what is in it: those of one file are neighbours. */
void
esg_check_report_fill(EsgReport *report, EsgAudit *audit, bool of_server)
{
	int			cert = 0;
	int			crl = 0;

	for (int i = 0; i < audit->file_count; i++)
	{
		EsgAuditFile *file = audit->files[i];

		add_file(report, file, of_server);
		for (; cert < audit->cert_count && audit->certs[cert]->file == file; cert++)
			add_cert(report, audit->certs[cert], of_server);
		for (; crl < audit->crl_count && audit->crls[crl]->file == file; crl++)
			add_crl(report, audit->crls[crl], of_server);
	}
	report->out_of_memory |= audit->out_of_memory;
}

EsgReportObject *
esg_check_report_find(EsgReport *report, const char *path)
{
	for (int i = 0; i < report->count; i++)
	{
		EsgReportObject *object = report->objects[i];

		if ((object->kind == ESG_OBJECT_FILE || object->kind == ESG_OBJECT_KEY) && object->path != NULL &&
			strcmp(object->path, path) == 0)
			return object;
	}
	return NULL;
}
