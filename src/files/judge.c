/*
 * files/judge.c
 *		Judging what was read: certificates, chains, CRLs, files and hosts.
 */
#include "files/judge.h"

#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "files/accounts.h"
#include "files/judge_crls.h"
#include "files/judge_hosts.h"
#include "policy/chain.h"
#include "wire/system_roots.h"

/* ------------------------------------------------------------------------
 * Certificates
 * ------------------------------------------------------------------------ */

/* in use by this server: not inspected, nor in an extra file, whatever that holds */
static bool
is_own(const EsgAuditCert *cert)
{
	return cert->file != NULL && !esg_tls_file_is_extra(&cert->file->file);
}

static bool
is_own_ca(const EsgAuditCert *cert)
{
	return cert->place == ESG_PLACE_CA && is_own(cert);
}

static bool
is_extra(const EsgAuditCert *cert)
{
	return !is_own(cert);
}

/* The certificates that are wanted; NULL if there is none. */
static EsgIssuerIndex *
index_certs(EsgAudit *audit, bool (*wants) (const EsgAuditCert *cert))
{
	const EsgCertInfo **certs = esg_audited_take_for_judging(audit, audit->cert_count, sizeof(*certs));
	EsgIssuerIndex *index;
	int			count = 0;

	if (certs == NULL)
		return NULL;
	for (int i = 0; i < audit->cert_count; i++)
	{
		if (wants(audit->certs[i]))
			certs[count++] = &audit->certs[i]->info;
	}
	if (count == 0)
		return NULL;
	index = esg_policy_chain_index(certs, count);
	audit->out_of_memory |= index == NULL;
	return index;
}

static void
judge_each_cert(EsgAudit *audit, const EsgJudgement *by)
{
	for (int i = 0; i < audit->cert_count; i++)
	{
		EsgAuditCert *cert = audit->certs[i];
		EsgUsual	usual = esg_tracks_usual(cert->track, cert->info.not_before,
											 cert->info.not_after);

		esg_audited_allow_interrupt(audit);
		esg_policy_check_watched_cert(&cert->info, cert->place, by->policy, &usual,
									  by->now, &cert->findings);
	}
}

/* first: of the certificates of one file, or of a text */
static void
judge_chain(const EsgAudit *audit, const EsgJudgement *by, const EsgAuditCert *first,
			EsgChainCert *certs, int count)
{
	EsgChainContext context = {.policy = by->policy,.memo = by->memo,.now = by->now};

	esg_audited_allow_interrupt(audit);
	if (first->place != ESG_PLACE_CA)
		context.cas = audit->judging.cas;
	if (first->place == ESG_PLACE_LEAF)
	{
		context.extras = audit->judging.extras;
		context.system_issuer = esg_system_roots_know_issuer;
	}
	esg_policy_chain_check(certs, count, &context, is_own_ca(first) ? &first->file->findings : NULL);
}

/* Each file's certificates together. */
static void
judge_chains(EsgAudit *audit, const EsgJudgement *by)
{
	EsgChainCert *chain = esg_audited_take_for_judging(audit, audit->cert_count, sizeof(EsgChainCert));
	int			start = 0;

	if (chain == NULL)
		return;
	for (int i = 0; i < audit->cert_count; i++)
	{
		EsgAuditCert *cert = audit->certs[i];

		chain[i].info = &cert->info;
		chain[i].place = cert->place;
		chain[i].findings = &cert->findings;
		if (i + 1 == audit->cert_count || audit->certs[i + 1]->file != cert->file)
		{
			judge_chain(audit, by, audit->certs[start], chain + start, i + 1 - start);
			start = i + 1;
		}
	}
}

/* ------------------------------------------------------------------------
 * Files
 * ------------------------------------------------------------------------ */

/* What to judge of the file's content; NULL: it was not read, or is none of ours. */
static const EsgPemResult *
get_content(const EsgAuditFile *file)
{
	if (!file->scanned || file->file.kind == ESG_FILE_KEY)
		return NULL;
	/* not a CRL, and OpenSSL will not look at it */
	if (file->in_crl_dir && file->pem.crls == 0 && !esg_crl_names_is_hash(file->file.path))
		return NULL;
	return &file->pem;
}

/*
 * Is it worth comparing with what the server has loaded?  What is faulty should
 * be mended, not reloaded.
 */
static bool
is_sound(const EsgAuditFile *file)
{
	return get_content(file) != NULL && file->hashed &&
		!esg_findings_has(&file->findings, ESG_FILE_UNPARSABLE) &&
		!esg_findings_has(&file->findings, ESG_FILE_PARTLY_READ) &&
		!esg_findings_has(&file->findings, ESG_TRUSTED_CERTIFICATE_BLOCK);
}

/* Without memory for it, there is none. */
static void
set_suggestion(EsgAudit *audit, EsgAuditFile *file, const char *owner, const EsgPolicy *policy)
{
	char	   *text = esg_policy_file_suggestion(&file->facts, file->file.kind, file->file.path,
												  owner, policy);
	char	   *kept = text != NULL ? esg_arena_copy(&audit->arena, text) : NULL;

	if (kept != NULL)
		file->suggestion = kept;
	OPENSSL_free(text);
}

static void
judge_files(EsgAudit *audit, const EsgJudgement *by)
{
	const char *owner = esg_arena_copy(&audit->judging.arena, esg_accounts_owner_name(geteuid()));

	for (int i = 0; i < audit->file_count; i++)
	{
		EsgAuditFile *file = audit->files[i];

		esg_audited_allow_interrupt(audit);
		esg_accounts_know_owner(&file->facts, by->policy);
		esg_policy_file_check(&file->facts, file->file.kind, get_content(file), by->policy,
							  &file->findings);
		file->sound = is_sound(file);
		/* only a finding about mode or owner has a command that mends it */
		if (file->findings.count > 0 && by->suggest && owner != NULL)
			set_suggestion(audit, file, owner, by->policy);
	}
}

/* ------------------------------------------------------------------------
 * The whole
 * ------------------------------------------------------------------------ */

static void
finish_findings(EsgAudit *audit, EsgFindings *findings)
{
	audit->out_of_memory |= findings->out_of_memory;
	esg_findings_sort(findings);
}

static void
finish(EsgAudit *audit)
{
	for (int i = 0; i < audit->file_count; i++)
		finish_findings(audit, &audit->files[i]->findings);
	for (int i = 0; i < audit->cert_count; i++)
		finish_findings(audit, &audit->certs[i]->findings);
	for (int i = 0; i < audit->crl_count; i++)
		finish_findings(audit, &audit->crls[i]->findings);
	esg_audited_end_judging(audit);
	ERR_clear_error();
}

void
esg_judge_certs(EsgAudit *audit, const EsgJudgement *by)
{
	audit->judged_at = by->now;
	judge_each_cert(audit, by);
	judge_chains(audit, by);
	finish(audit);
}

void
esg_judge_all(EsgAudit *audit, const EsgJudgement *by)
{
	audit->judged_at = by->now;
	audit->judging.cas = index_certs(audit, is_own_ca);
	audit->judging.extras = index_certs(audit, is_extra);
	judge_each_cert(audit, by);
	judge_chains(audit, by);
	esg_judge_crls(audit, by);
	judge_files(audit, by);
	esg_judge_hosts(audit, by->policy);
	finish(audit);
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
next_renewal(const EsgTrack *track, EsgTime begin, EsgTime end, int64_t now)
{
	EsgUsual	usual = esg_tracks_usual(track, begin, end);

	return esg_renewal_next(&usual, end, now);
}

int64_t
esg_judge_next_change(const EsgAudit *audit, const EsgPolicy *policy)
{
	int64_t		now = audit->judged_at;
	int64_t		next = ESG_TIME_NEVER;

	for (int i = 0; i < audit->cert_count; i++)
	{
		const EsgCertInfo *info = &audit->certs[i]->info;

		next = earlier(next, esg_policy_time_next(info->not_before, info->not_after, policy, now));
		next = earlier(next, next_renewal(audit->certs[i]->track, info->not_before, info->not_after, now));
	}
	for (int i = 0; i < audit->crl_count; i++)
	{
		const EsgCrlInfo *info = &audit->crls[i]->info;

		next = earlier(next, esg_policy_crl_time_next(info, policy, now));
		next = earlier(next, next_renewal(audit->crls[i]->track, info->this_update, info->next_update, now));
	}
	return next;
}
