/*
 * audit/outlook.c
 *		What an audit found, and what it will find as time goes on.
 */
#include "postgres.h"

#include "audit/alarms.h"
#include "audit/audit.h"
#include "audit/file_state.h"
#include "audit/outlook.h"
#include "audit/posture.h"

/*
 * A bundle of thousands of certificates is judged for fewer moments, in the end
 * for the present only: then it is read again when something in it changes.
 */
#define MAX_JUDGEMENTS 20000
/* an outlook of more alarms grows no further */
#define MAX_ALARMS (4 * 1024)

static Size
outlook_size(int alarm_count)
{
	return offsetof(EsgOutlook, alarms) + (Size) alarm_count * sizeof(EsgAlarm);
}

/* Adds the alarms as of what the audit was judged for last. */
static EsgOutlook *
append_moment(EsgOutlook *outlook, EsgAudit *audit)
{
	EsgMoment  *moment;
	EsgAlarm   *alarms;
	int			count = esg_audit_alarms_collect(audit, &alarms);

	outlook = repalloc_huge(outlook, outlook_size(outlook->alarm_count + count));
	memcpy(outlook->alarms + outlook->alarm_count, alarms, count * sizeof(EsgAlarm));
	moment = &outlook->moments[outlook->moment_count++];
	moment->from = audit->judged_at;
	moment->first = outlook->alarm_count;
	moment->count = count;
	outlook->alarm_count += count;
	pfree(alarms);
	return outlook;
}

/* Settings and rules do not grow old. */
static EsgOutlook *
append_posture(EsgOutlook *outlook)
{
	EsgAlarm   *alarms;
	int			count = esg_posture_collect(&alarms);

	outlook = repalloc_huge(outlook, outlook_size(outlook->alarm_count + count));
	memcpy(outlook->alarms + outlook->alarm_count, alarms, count * sizeof(EsgAlarm));
	outlook->posture_first = outlook->alarm_count;
	outlook->posture_count = count;
	outlook->alarm_count += count;
	pfree(alarms);
	return outlook;
}

static bool
has_room(const EsgOutlook *outlook, int max_moments)
{
	return outlook->moment_count < Min(max_moments, ESG_MAX_MOMENTS) &&
		(outlook->moment_count + 1) * (int64) outlook->cert_count <= MAX_JUDGEMENTS &&
		outlook->alarm_count <= MAX_ALARMS;
}

static void
note_leaf(EsgLoadedFile *loaded, const EsgAudit *audit, const EsgAuditFile *file)
{
	for (int i = 0; i < audit->cert_count && !loaded->leaf_known; i++)
	{
		if (audit->certs[i]->file != file)
			continue;
		loaded->leaf_known = file->pem.end == ESG_PEM_COMPLETE;
		memcpy(loaded->leaf, audit->certs[i]->info.fingerprint, ESG_DIGEST_SIZE);
		return;
	}
}

static void
note_loaded_file(EsgLoadedFile *loaded, const EsgAudit *audit, const EsgAuditFile *file)
{
	memset(loaded, 0, sizeof(*loaded));
	strlcpy(loaded->setting, file->file.setting, sizeof(loaded->setting));
	strlcpy(loaded->path, file->file.path, sizeof(loaded->path));
	loaded->line = file->file.line;
	if (file->file.host != NULL)
		strlcpy(loaded->host, file->file.host, sizeof(loaded->host));
	loaded->host_index = file->file.host_index;
	loaded->is_certificate = file->file.kind == ESG_FILE_CERTIFICATE;
	loaded->sound = file->sound;
	memcpy(loaded->sha256, file->sha256, ESG_DIGEST_SIZE);
	if (loaded->is_certificate)
		note_leaf(loaded, audit, file);
}

static void
note_files(EsgOutlook *outlook, const EsgAudit *audit)
{
	for (int i = 0; i < audit->file_count; i++)
	{
		const EsgAuditFile *file = audit->files[i];

		if (file->facts.exists && !esg_policy_file_is_directory(file->file.kind) &&
			file->file.kind != ESG_FILE_CRL_DIR)
			outlook->file_count++;
		if (esg_audited_is_loaded(file))
			outlook->loaded_count++;
	}
	outlook->cert_count = audit->cert_count;
	outlook->crl_count = audit->crl_count;
	outlook->disk_known = audit->disk_known;
	memcpy(outlook->disk_fingerprint, audit->disk_fingerprint, ESG_DIGEST_SIZE);
}

/* When all alarms are there. */
static EsgOutlook *
append_loaded(EsgOutlook *outlook, const EsgAudit *audit, Size *size)
{
	EsgLoadedFile *next;

	*size = outlook_size(outlook->alarm_count) + outlook->loaded_count * sizeof(EsgLoadedFile);
	outlook = repalloc_huge(outlook, *size);
	next = (EsgLoadedFile *) ((char *) outlook + outlook_size(outlook->alarm_count));
	for (int i = 0; i < audit->file_count; i++)
	{
		if (esg_audited_is_loaded(audit->files[i]))
			note_loaded_file(next++, audit, audit->files[i]);
	}
	return outlook;
}

const EsgLoadedFile *
esg_outlook_loaded(const EsgOutlook *outlook)
{
	return (const EsgLoadedFile *) ((const char *) outlook + outlook_size(outlook->alarm_count));
}

static bool
is_known(const unsigned char *known)
{
	unsigned char signature[ESG_DIGEST_SIZE];

	if (known == NULL)
		return false;
	esg_file_state_now(signature);
	return memcmp(signature, known, ESG_DIGEST_SIZE) == 0;
}

EsgOutlook *
esg_outlook_make(const unsigned char *known, EsgRenewals *renewals, int max_moments, Size *size)
{
	EsgOutlook *outlook = palloc0(outlook_size(0));
	EsgAudit   *audit;

	*size = outlook_size(0);
	outlook->unchanged = is_known(known);
	if (outlook->unchanged)
		return outlook;
	audit = esg_audit_run(ESG_AUDIT_ALL, renewals);
	if (renewals != NULL)
		outlook->seen = renewals->seen;
	esg_file_state_of(audit, outlook->signature);
	note_files(outlook, audit);
	outlook = append_moment(outlook, audit);
	outlook->until = esg_audit_next_change(audit);
	while (outlook->until != ESG_TIME_NEVER && has_room(outlook, max_moments))
	{
		esg_audit_judge_as_of(audit, outlook->until);
		outlook = append_moment(outlook, audit);
		outlook->until = esg_audit_next_change(audit);
	}
	outlook = append_posture(outlook);
	outlook = append_loaded(outlook, audit, size);
	esg_audit_free(audit);
	return outlook;
}

int
esg_outlook_find(const EsgOutlook *outlook, int64 now)
{
	int			found = -1;

	if (now >= outlook->until)
		return -1;
	for (int i = 0; i < outlook->moment_count && outlook->moments[i].from <= now; i++)
		found = i;
	return found;
}

int64
esg_outlook_next(const EsgOutlook *outlook, int moment)
{
	if (moment + 1 < outlook->moment_count)
		return outlook->moments[moment + 1].from;
	return outlook->until;
}
