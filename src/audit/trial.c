/*
 * audit/trial.c
 *		What would a reload load, and would it succeed?
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "audit/audit.h"
#include "audit/file_state.h"
#include "audit/trial.h"
#include "server/served_hosts.h"
#include "x509/cut_text.h"
#include "x509/host_names.h"

static Size
files_size(int file_count)
{
	return MAXALIGN(offsetof(EsgTrial, files) + (Size) file_count * sizeof(EsgTrialFile));
}

const EsgWorthItem *
esg_trial_items(const EsgTrial *trial)
{
	return (const EsgWorthItem *) ((const char *) trial + files_size(trial->file_count));
}

/* Directories are listed under the setting that names what is in them. */
static bool
is_wanted(const EsgAuditFile *file)
{
	if (esg_policy_file_is_directory(file->file.kind))
		return false;
	return esg_audited_is_loaded(file) ||
		(file->file.kind == ESG_FILE_KEY && !esg_tls_file_is_extra(&file->file));
}

static EsgWorthKind
kind_of(const EsgAuditFile *file)
{
	switch (file->file.kind)
	{
		case ESG_FILE_CERTIFICATE:
			return ESG_WORTH_CERTIFICATE;
		case ESG_FILE_CA:
			return ESG_WORTH_CA;
		case ESG_FILE_CRL:
			return ESG_WORTH_CRL;
		default:
			return ESG_WORTH_OTHER;
	}
}

static TimestampTz
from_ns(int64 ns)
{
	const int64 epoch = (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;

	return ns / 1000 - epoch;
}

/* Unlike EsgAuditFile's, also of a file that has the key, too, and so shows no hash. */
static bool
is_sound(const EsgAuditFile *file)
{
	return file->scanned && !esg_findings_has(&file->findings, ESG_FILE_UNPARSABLE) &&
		!esg_findings_has(&file->findings, ESG_FILE_PARTLY_READ) &&
		!esg_findings_has(&file->findings, ESG_TRUSTED_CERTIFICATE_BLOCK);
}

static void
note_file(EsgTrialFile *out, const EsgAuditFile *file)
{
	memset(out, 0, sizeof(*out));
	strlcpy(out->setting, file->file.setting, sizeof(out->setting));
	strlcpy(out->path, file->file.path, sizeof(out->path));
	if (file->file.host != NULL)
		esg_cut_text_copy(out->host, sizeof(out->host), file->file.host);
	out->line = file->file.line;
	out->host_index = file->file.host_index;
	out->is_key = file->file.kind == ESG_FILE_KEY;
	if (file->hashed)
		memcpy(out->sha256, file->sha256, ESG_DIGEST_SIZE);
	out->changed_at = from_ns(file->facts.ctime_ns);
	out->worth.kind = kind_of(file);
	out->worth.known = true;
	out->worth.sound = is_sound(file);
	esg_worth_add_findings(&out->worth, &file->findings);
}

static void
note_leaf(EsgWorth *worth, const EsgCertInfo *cert)
{
	worth->begin = cert->not_before;
	worth->end = cert->not_after;
	worth->security_bits = cert->key.security_bits;
	memcpy(worth->fingerprint, cert->fingerprint, ESG_DIGEST_SIZE);
}

/* What the items of a file are appended to. */
typedef struct Items
{
	EsgWorthItem *items;		/* palloc'd */
	int			count;
	int			room;
} Items;

static bool
is_served_leaf(const EsgAuditCert *cert)
{
	return cert->place == ESG_PLACE_LEAF && kind_of(cert->file) == ESG_WORTH_CERTIFICATE;
}

static int
count_items(const EsgAudit *audit)
{
	int			count = audit->cert_count + audit->crl_count + 1;

	for (int i = 0; i < audit->cert_count; i++)
	{
		if (is_served_leaf(audit->certs[i]))
			count += esg_x509_host_names_each(audit->certs[i]->info.cert, NULL, NULL);
	}
	return count;
}

static void
note_certs(EsgTrialFile *out, const EsgAuditFile *file, const EsgAudit *audit, Items *items)
{
	for (int i = 0; i < audit->cert_count; i++)
	{
		const EsgAuditCert *cert = audit->certs[i];

		if (cert->file != file)
			continue;
		esg_worth_add_findings(&out->worth, &cert->findings);
		if (cert->place == ESG_PLACE_LEAF)
			note_leaf(&out->worth, &cert->info);
		if (out->worth.kind != ESG_WORTH_CRL)
			items->count += esg_worth_read_cert(&cert->info, &items->items[items->count]) ? 1 : 0;
	}
}

static void
note_crls(EsgTrialFile *out, const EsgAuditFile *file, const EsgAudit *audit, Items *items)
{
	for (int i = 0; i < audit->crl_count; i++)
	{
		const EsgAuditCrl *crl = audit->crls[i];

		if (crl->file != file)
			continue;
		esg_worth_add_findings(&out->worth, &crl->findings);
		if (out->worth.kind == ESG_WORTH_CRL)
			items->count += esg_worth_read_crl(&crl->info, &items->items[items->count]) ? 1 : 0;
	}
}

/* Without memory, fewer may have been counted. */
static void
add_name(const char *name, void *arg)
{
	Items	   *items = arg;

	if (items->count < items->room)
		items->count += esg_worth_read_name(name, &items->items[items->count]) ? 1 : 0;
}

static void
note_names(EsgTrialFile *out, const EsgAuditFile *file, const EsgAudit *audit, Items *items)
{
	int			first = items->count;

	for (int i = 0; i < audit->cert_count; i++)
	{
		if (audit->certs[i]->file == file && is_served_leaf(audit->certs[i]))
			(void) esg_x509_host_names_each(audit->certs[i]->info.cert, add_name, items);
	}
	out->worth.name_count = items->count - first;
}

static void
note_content(EsgTrialFile *out, const EsgAuditFile *file, const EsgAudit *audit, Items *items)
{
	out->worth.first_item = items->count;
	note_certs(out, file, audit, items);
	note_crls(out, file, audit, items);
	out->worth.item_count = items->count - out->worth.first_item;
	note_names(out, file, audit, items);
}

static EsgTrial *
make_trial(const EsgAudit *audit, Size *size)
{
	int			room = count_items(audit);
	Items		items = {palloc_extended((Size) room * sizeof(EsgWorthItem), MCXT_ALLOC_HUGE), 0, room};
	EsgTrial   *trial = palloc_extended(files_size(audit->file_count), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (int i = 0; i < audit->file_count; i++)
	{
		EsgTrialFile *out = &trial->files[trial->file_count];

		if (!is_wanted(audit->files[i]))
			continue;
		note_file(out, audit->files[i]);
		note_content(out, audit->files[i], audit, &items);
		trial->file_count++;
	}
	trial->item_count = items.count;
	*size = files_size(trial->file_count) + items.count * sizeof(EsgWorthItem);
	trial = repalloc_huge(trial, *size);
	memcpy((char *) trial + files_size(trial->file_count), items.items, items.count * sizeof(EsgWorthItem));
	return trial;
}

/* What was judged, what was loaded and what lies there in the end is the same, or nothing is at rest. */
void *
esg_trial_run(void *arg, Size *size)
{
	const EsgTrialTask *task = arg;
	unsigned char after[ESG_DIGEST_SIZE];
	EsgAudit   *audit;
	EsgTrial   *trial;

	esg_served_hosts_use(task->hosts);
	audit = esg_audit_run(ESG_AUDIT_ALL, NULL);
	trial = make_trial(audit, size);
	esg_file_state_of(audit, trial->signature);
	esg_audit_free(audit);
	if (task->prove)
		esg_prove_loading(&trial->proved);
	esg_config_files_read(&trial->config);
	esg_file_state_now(after);
	trial->at_rest = memcmp(after, trial->signature, ESG_DIGEST_SIZE) == 0;
	return trial;
}
