/*
 * audit/alarms.c
 *		The findings of an audit as alarms.
 */
#include "postgres.h"

#include "audit/alarms.h"
#include "server/alarms.h"

/* twice the registry: the same (code, object) may come several times */
#define MAX_COLLECTED (2 * ESG_MAX_ALARMS)

typedef struct Collector
{
	EsgSeverity severity;		/* the one being collected */
	EsgAlarm   *alarms;
	int			count;
} Collector;

static EsgAlarm *
next_alarm(Collector *collector, const EsgFinding *finding)
{
	if (finding->severity != collector->severity || collector->count == MAX_COLLECTED)
		return NULL;
	return &collector->alarms[collector->count++];
}

static void
collect_file(Collector *collector, const EsgAuditFile *file, const EsgFindings *findings)
{
	EsgLocation location = {file->file.setting, file->file.path, 0};
	const char *suggestion = file->suggestion[0] != '\0' ? file->suggestion : NULL;
	int			i;

	for (i = 0; i < findings->count; i++)
	{
		const EsgFinding *finding = &findings->items[i];
		EsgAlarm   *alarm = next_alarm(collector, finding);
		bool		mended_by_it;

		if (alarm == NULL)
			continue;
		mended_by_it = finding->code == ESG_PERMISSIONS_TOO_OPEN ||
			finding->code == ESG_WRONG_OWNER || finding->code == ESG_DIRECTORY_WRITABLE;
		esg_report_file_alarm(finding, &location, mended_by_it ? suggestion : NULL, alarm);
	}
}

static void
collect_cert(Collector *collector, const EsgAuditCert *cert)
{
	EsgLocation location = {cert->file->file.setting, cert->file->file.path, cert->position};
	int			i;

	for (i = 0; i < cert->findings.count; i++)
	{
		EsgAlarm   *alarm = next_alarm(collector, &cert->findings.items[i]);

		if (alarm != NULL)
			esg_report_cert_alarm(&cert->findings.items[i], &cert->info, &location, alarm);
	}
}

static void
collect_crl(Collector *collector, const EsgAuditCrl *crl)
{
	EsgLocation location = {crl->file->file.setting, crl->file->file.path, crl->position};
	int			i;

	for (i = 0; i < crl->findings.count; i++)
	{
		EsgAlarm   *alarm = next_alarm(collector, &crl->findings.items[i]);

		if (alarm != NULL)
			esg_report_crl_alarm(&crl->findings.items[i], &crl->info, &location, alarm);
	}
}

static int
count_findings(const EsgAudit *audit)
{
	int			count = 0;
	int			i;

	for (i = 0; i < audit->file_count; i++)
		count += audit->files[i]->findings.count + audit->files[i]->server_findings.count;
	for (i = 0; i < audit->cert_count; i++)
		count += audit->certs[i]->findings.count;
	for (i = 0; i < audit->crl_count; i++)
		count += audit->crls[i]->findings.count;
	return count;
}

int
esg_audit_alarms_collect(const EsgAudit *audit, EsgAlarm **out)
{
	Collector	collector = {ESG_CRITICAL, NULL, 0};
	int			room = Min(count_findings(audit), MAX_COLLECTED);
	int			i;

	collector.alarms = palloc0(Max(room, 1) * sizeof(EsgAlarm));
	for (; collector.severity > ESG_OK; collector.severity--)
	{
		for (i = 0; i < audit->file_count; i++)
		{
			collect_file(&collector, audit->files[i], &audit->files[i]->findings);
			collect_file(&collector, audit->files[i], &audit->files[i]->server_findings);
		}
		for (i = 0; i < audit->cert_count; i++)
			collect_cert(&collector, audit->certs[i]);
		for (i = 0; i < audit->crl_count; i++)
			collect_crl(&collector, audit->crls[i]);
	}
	*out = collector.alarms;
	return collector.count;
}
