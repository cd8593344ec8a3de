/*
 * audit/alarms.c
 *		The findings of an audit as alarms.
 */
#include "postgres.h"

#include "audit/alarms.h"
#include "server/alarm_list.h"
#include "server/alarms.h"

static EsgLocation
locate(const EsgAuditFile *file, int position)
{
	EsgLocation location = {file->file.setting, file->file.path, position, file->file.line, file->file.host, false};

	return location;
}

static void
collect_file(EsgAlarmList *list, const EsgAuditFile *file)
{
	const EsgFindings *findings = &file->findings;
	EsgLocation location = locate(file, 0);
	int			i;

	for (i = 0; i < findings->count; i++)
	{
		const EsgFinding *finding = &findings->items[i];
		EsgAlarm   *alarm = esg_alarm_list_next(list, finding);
		bool		is_mended = esg_alarm_text_is_mended(finding->code, file->suggestion);

		if (alarm != NULL)
			esg_alarm_text_file(finding, &location, is_mended ? file->suggestion : NULL, alarm);
	}
}

static void
collect_cert(EsgAlarmList *list, const EsgAuditCert *cert)
{
	EsgLocation location = locate(cert->file, cert->position);
	int			i;

	for (i = 0; i < cert->findings.count; i++)
	{
		EsgAlarm   *alarm = esg_alarm_list_next(list, &cert->findings.items[i]);

		if (alarm != NULL)
			esg_alarm_text_cert(&cert->findings.items[i], &cert->info, &location, alarm);
	}
}

static void
collect_crl(EsgAlarmList *list, const EsgAuditCrl *crl)
{
	EsgLocation location = locate(crl->file, crl->position);
	int			i;

	for (i = 0; i < crl->findings.count; i++)
	{
		EsgAlarm   *alarm = esg_alarm_list_next(list, &crl->findings.items[i]);

		if (alarm != NULL)
			esg_alarm_text_crl(&crl->findings.items[i], &crl->info, &location, alarm);
	}
}

static int
count_findings(const EsgAudit *audit)
{
	int			count = 0;
	int			i;

	for (i = 0; i < audit->file_count; i++)
		count += audit->files[i]->findings.count;
	for (i = 0; i < audit->cert_count; i++)
		count += audit->certs[i]->findings.count;
	for (i = 0; i < audit->crl_count; i++)
		count += audit->crls[i]->findings.count;
	return count;
}

static void
collect_audit(EsgAlarmList *list, void *arg)
{
	const EsgAudit *audit = arg;
	int			i;

	for (i = 0; i < audit->file_count; i++)
		collect_file(list, audit->files[i]);
	for (i = 0; i < audit->cert_count; i++)
		collect_cert(list, audit->certs[i]);
	for (i = 0; i < audit->crl_count; i++)
		collect_crl(list, audit->crls[i]);
}

int
esg_audit_alarms_collect(EsgAudit *audit, EsgAlarm **out)
{
	EsgAlarmList list;

	esg_alarm_list_fill(&list, Min(count_findings(audit), ESG_MAX_REPORTED), collect_audit, audit);
	*out = list.items;
	return list.count;
}
