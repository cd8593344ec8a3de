/*
 * files/judge_crls.c
 *		The CRLs of an audit, judged together.
 */
#include "files/judge_crls.h"

#include "files/crl_dir.h"

/* Its pieces belong to audit->judging. */
typedef struct CrlJudge
{
	EsgAudit   *audit;
	const EsgJudgement *by;
	EsgCrlContext context;
	int		   *indexes;		/* of the audit's CRLs in the sources; -1: the
								 * server does not find it */
} CrlJudge;

/* A file that is too large for us is not for OpenSSL, and nothing else is known of it. */
static bool
does_load(const EsgAuditFile *file)
{
	if (!file->scanned)
		return file->facts.too_large;
	return file->pem.crls > 0 && file->pem.end == ESG_PEM_COMPLETE;
}

static void
collect_names(CrlJudge *judge)
{
	EsgAudit   *audit = judge->audit;
	EsgCrlFileName *files = esg_audited_take_for_judging(audit, audit->file_count, sizeof(*files));
	bool		all_load = true;
	int			count = 0;
	int			i;

	for (i = 0; files != NULL && i < audit->file_count; i++)
	{
		if (!audit->files[i]->in_crl_dir)
			continue;
		files[count].path = audit->files[i]->file.path;
		files[count].loads = does_load(audit->files[i]);
		all_load &= files[count++].loads;
	}
	if (count > 0)
		audit->judging.names = esg_crl_names_make(files, count, !all_load &&
												  esg_crl_dir_passes_over(judge->by->scratch));
	judge->context.names = audit->judging.names;
}

static bool
is_found(const CrlJudge *judge, const EsgAuditCrl *crl)
{
	if (!crl->file->in_crl_dir)
		return !esg_tls_file_is_extra(&crl->file->file);
	/* without memory for the names, nothing can be held against them */
	return judge->context.names == NULL ||
		esg_crl_names_finds(judge->context.names, crl->file->file.path, crl->info.crl);
}

/* The entries of ssl_crl_dir come after those of the files, as the settings are listed. */
static void
collect_crls(CrlJudge *judge)
{
	EsgAudit   *audit = judge->audit;
	const EsgCrlInfo **crls = esg_audited_take_for_judging(audit, audit->crl_count, sizeof(*crls));
	int			count = 0;
	int			i;

	judge->indexes = esg_audited_take_for_judging(audit, audit->crl_count, sizeof(int));
	if (crls == NULL || judge->indexes == NULL)
		return;
	judge->context.first_in_dir = audit->crl_count;
	for (i = 0; i < audit->crl_count; i++)
	{
		const EsgAuditCrl *crl = audit->crls[i];

		judge->indexes[i] = -1;
		if (!is_found(judge, crl))
			continue;
		if (crl->file->in_crl_dir && judge->context.first_in_dir > count)
			judge->context.first_in_dir = count;
		judge->indexes[i] = count;
		crls[count++] = &crl->info;
	}
	judge->context.sources.crls = crls;
	judge->context.sources.crl_count = count;
}

/* The CAs of the clients; and those together with the server's own chain. */
static void
collect_certs(CrlJudge *judge)
{
	EsgAudit   *audit = judge->audit;
	EsgCrlSources *sources = &judge->context.sources;
	const EsgCertInfo **clients_cas = esg_audited_take_for_judging(audit, audit->cert_count, sizeof(*clients_cas));
	const EsgCertInfo **own = esg_audited_take_for_judging(audit, audit->cert_count, sizeof(*own));
	int			i;

	if (clients_cas == NULL || own == NULL)
		return;
	for (i = 0; i < audit->cert_count; i++)
	{
		const EsgAuditCert *cert = audit->certs[i];

		if (esg_tls_file_is_extra(&cert->file->file))
			continue;
		own[judge->context.own_count++] = &cert->info;
		if (cert->place == ESG_PLACE_CA && audit->judging.cas != NULL)
			clients_cas[sources->ca_count++] = &cert->info;
	}
	sources->cas = clients_cas;
	sources->index = audit->judging.cas;
	judge->context.own = own;
}

static void
judge_each_crl(CrlJudge *judge)
{
	EsgAudit   *audit = judge->audit;
	int			i;

	for (i = 0; i < audit->crl_count; i++)
	{
		EsgAuditCrl *crl = audit->crls[i];
		EsgCrlPlace place = ESG_CRL_LOADED;
		EsgUsual	usual = esg_tracks_usual(crl->track, crl->info.this_update,
											 crl->info.next_update);

		esg_audited_allow_interrupt(audit);
		if (judge->indexes[i] < 0)
			place = crl->file->in_crl_dir ? ESG_CRL_IGNORED : ESG_CRL_EXTRA;
		esg_policy_crl_check_watched(&crl->info, place, judge->indexes[i], &judge->context,
									 &usual, judge->by->now, &crl->findings);
	}
}

/* crl_missing can be said only when every CRL has been seen. */
static void
judge_crls_of_cas(CrlJudge *judge)
{
	EsgAudit   *audit = judge->audit;
	int			i;

	if (!audit->crl_configured || audit->crl_unread)
		return;
	for (i = 0; i < audit->cert_count; i++)
	{
		EsgAuditCert *cert = audit->certs[i];

		esg_audited_allow_interrupt(audit);
		if (cert->place == ESG_PLACE_CA && !esg_tls_file_is_extra(&cert->file->file))
			esg_policy_crl_check_ca(&cert->info, &judge->context, &cert->findings);
	}
}

void
esg_judge_crls(EsgAudit *audit, const EsgJudgement *by)
{
	CrlJudge   *judge = esg_audited_take_for_judging(audit, 1, sizeof(CrlJudge));

	if (judge == NULL)
		return;
	judge->audit = audit;
	judge->by = by;
	judge->context.policy = by->policy;
	judge->context.memo = by->memo;
	collect_names(judge);
	collect_crls(judge);
	collect_certs(judge);
	if (audit->out_of_memory)
		return;
	audit->judging.uses = esg_crl_uses_find(&judge->context.sources, by->memo, by->now);
	judge->context.uses = audit->judging.uses;
	audit->out_of_memory |= audit->judging.uses == NULL;
	judge_each_crl(judge);
	judge_crls_of_cas(judge);
}
