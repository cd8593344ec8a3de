/*
 * audit/crls.c
 *		The CRLs of an audit, judged together.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "audit/crls.h"
#include "audit/renewals.h"
#include "policy/crl.h"
#include "server/crl_dir.h"

/* What is not palloc'd is freed with the audit. */
typedef struct CrlJudge
{
	EsgAudit   *audit;
	EsgCrlContext context;
	EsgCrlUses *uses;
	EsgCrlNames *names;
	int		   *indexes;		/* of the audit's CRLs in the sources; -1: the
								 * server does not find it */
	int64		now;
	MemoryContextCallback on_reset;
} CrlJudge;

static void
free_judge(void *arg)
{
	CrlJudge   *judge = arg;

	esg_crl_uses_free(judge->uses);
	esg_crl_names_free(judge->names);
	judge->uses = NULL;
	judge->names = NULL;
}

static CrlJudge *
start_judge(EsgAudit *audit, int64 now)
{
	CrlJudge   *judge = MemoryContextAllocZero(audit->context, sizeof(CrlJudge));

	judge->audit = audit;
	judge->now = now;
	judge->on_reset.func = free_judge;
	judge->on_reset.arg = judge;
	MemoryContextRegisterResetCallback(audit->context, &judge->on_reset);
	return judge;
}

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
	EsgCrlFileName *files = palloc(Max(audit->file_count, 1) * sizeof(*files));
	bool		all_load = true;
	int			count = 0;
	int			i;

	for (i = 0; i < audit->file_count; i++)
	{
		if (!audit->files[i]->in_crl_dir)
			continue;
		files[count].path = audit->files[i]->file.path;
		files[count].loads = does_load(audit->files[i]);
		all_load &= files[count++].loads;
	}
	if (count > 0)
		judge->names = esg_crl_names_make(files, count, !all_load && esg_crl_dir_passes_over());
	judge->context.names = judge->names;
	pfree(files);
}

static bool
is_found(const CrlJudge *judge, const EsgAuditCrl *crl)
{
	if (!crl->file->in_crl_dir)
		return !esg_tls_files_is_extra(&crl->file->file);
	/* without memory for the names, nothing can be held against them */
	return judge->names == NULL ||
		esg_crl_names_finds(judge->names, crl->file->file.path, crl->info.crl);
}

/* The entries of ssl_crl_dir come after those of the files, as the settings are listed. */
static void
collect_crls(CrlJudge *judge)
{
	EsgAudit   *audit = judge->audit;
	const EsgCrlInfo **crls = palloc(Max(audit->crl_count, 1) * sizeof(*crls));
	int			count = 0;
	int			i;

	judge->indexes = palloc(Max(audit->crl_count, 1) * sizeof(int));
	judge->context.first_in_dir = audit->crl_count;
	for (i = 0; i < audit->crl_count; i++)
	{
		const EsgAuditCrl *crl = audit->crls[i];

		judge->indexes[i] = -1;
		if (!is_found(judge, crl))
			continue;
		if (crl->file->in_crl_dir)
			judge->context.first_in_dir = Min(judge->context.first_in_dir, count);
		judge->indexes[i] = count;
		crls[count++] = &crl->info;
	}
	judge->context.sources.crls = crls;
	judge->context.sources.crl_count = count;
}

/* The CAs of the clients; and those together with the server's own chain. */
static void
collect_certs(CrlJudge *judge, const EsgIssuerIndex *cas)
{
	EsgAudit   *audit = judge->audit;
	EsgCrlSources *sources = &judge->context.sources;
	Size		size = Max(audit->cert_count, 1) * sizeof(EsgCertInfo *);
	const EsgCertInfo **clients_cas = palloc_extended(size, MCXT_ALLOC_HUGE);
	const EsgCertInfo **own = palloc_extended(size, MCXT_ALLOC_HUGE);
	int			i;

	for (i = 0; i < audit->cert_count; i++)
	{
		const EsgAuditCert *cert = audit->certs[i];

		if (esg_tls_files_is_extra(&cert->file->file))
			continue;
		own[judge->context.own_count++] = &cert->info;
		if (cert->place == ESG_PLACE_CA && cas != NULL)
			clients_cas[sources->ca_count++] = &cert->info;
	}
	sources->cas = clients_cas;
	sources->index = cas;
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
		EsgUsual	usual = esg_renewals_usual(crl->track, crl->info.this_update,
											   crl->info.next_update);

		CHECK_FOR_INTERRUPTS();
		if (judge->indexes[i] < 0)
			place = crl->file->in_crl_dir ? ESG_CRL_IGNORED : ESG_CRL_EXTRA;
		esg_policy_crl_check_watched(&crl->info, place, judge->indexes[i], &judge->context,
									 &usual, judge->now, &crl->findings);
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

		CHECK_FOR_INTERRUPTS();
		if (cert->place == ESG_PLACE_CA && !esg_tls_files_is_extra(&cert->file->file))
			esg_policy_crl_check_ca(&cert->info, &judge->context, &cert->findings);
	}
}

void
esg_audit_crls_judge(EsgAudit *audit, const EsgIssuerIndex *cas, const EsgPolicy *policy,
					 EsgMemo *memo, int64 now)
{
	MemoryContext old = MemoryContextSwitchTo(audit->context);
	CrlJudge   *judge = start_judge(audit, now);

	judge->context.policy = policy;
	judge->context.memo = memo;
	collect_names(judge);
	collect_crls(judge);
	collect_certs(judge, cas);
	judge->uses = esg_crl_uses_find(&judge->context.sources, memo, now);
	judge->context.uses = judge->uses;
	judge_each_crl(judge);
	judge_crls_of_cas(judge);
	free_judge(judge);
	MemoryContextSwitchTo(old);
}
