/*
 * audit/audit.c
 *		Is the server's TLS set-up sound?
 */
#include "postgres.h"

#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "audit/audit.h"
#include "audit/crls.h"
#include "audit/hosts.h"
#include "policy/chain.h"
#include "policy/crl.h"
#include "policy/file.h"
#include "server/accounts.h"
#include "server/guc.h"
#include "server/report.h"
#include "wire/system_roots.h"

#define MEMO_ENTRIES 16384

/* What the judges need to know. */
typedef struct Judge
{
	EsgAudit   *audit;
	EsgPolicy	policy;
	EsgMemo    *memo;
	int64		now;
	EsgIssuerIndex *cas;		/* of ssl_ca_file; NULL if there is none */
	EsgIssuerIndex *extras;		/* of extra_files; likewise */
	MemoryContextCallback on_reset;
} Judge;

/* One table per process; without memory for it, nothing is remembered. */
static EsgMemo *
get_memo(void)
{
	static EsgMemo *memo = NULL;

	if (memo == NULL)
		memo = esg_memo_create(MEMO_ENTRIES);
	return memo;
}

static void
free_indexes(void *arg)
{
	Judge	   *judge = arg;

	esg_policy_chain_index_free(judge->cas);
	esg_policy_chain_index_free(judge->extras);
}

static Judge *
start_judge(EsgAudit *audit, int64 now)
{
	Judge	   *judge = MemoryContextAllocZero(audit->context, sizeof(Judge));

	judge->audit = audit;
	judge->memo = get_memo();
	judge->now = audit->judged_at = now;
	esg_guc_policy(&judge->policy);
	if (esg_guc_file_permission_check == ESG_MODE_OFF)
	{
		judge->policy.overrides[ESG_PERMISSIONS_TOO_OPEN] = ESG_OK;
		judge->policy.overrides[ESG_WRONG_OWNER] = ESG_OK;
		judge->policy.overrides[ESG_DIRECTORY_WRITABLE] = ESG_OK;
	}
	judge->on_reset.func = free_indexes;
	judge->on_reset.arg = judge;
	MemoryContextRegisterResetCallback(audit->context, &judge->on_reset);
	return judge;
}

/* ------------------------------------------------------------------------
 * Certificates
 * ------------------------------------------------------------------------ */

/* in use by this server: not inspected, nor in an extra file, whatever that holds */
static bool
is_own(const EsgAuditCert *cert)
{
	return cert->file != NULL && !esg_tls_files_is_extra(&cert->file->file);
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
index_certs(const EsgAudit *audit, bool (*wants) (const EsgAuditCert *cert))
{
	EsgIssuerIndex *index = NULL;
	const EsgCertInfo **certs;
	int			count = 0;
	int			i;

	certs = MemoryContextAllocHuge(audit->context, Max(audit->cert_count, 1) * sizeof(*certs));
	for (i = 0; i < audit->cert_count; i++)
	{
		if (wants(audit->certs[i]))
			certs[count++] = &audit->certs[i]->info;
	}
	if (count > 0)
		index = esg_policy_chain_index(certs, count);
	pfree(certs);
	return index;
}

static void
judge_each_cert(Judge *judge)
{
	EsgAudit   *audit = judge->audit;
	int			i;

	for (i = 0; i < audit->cert_count; i++)
	{
		EsgAuditCert *cert = audit->certs[i];

		EsgUsual	usual = esg_renewals_usual(cert->track, cert->info.not_before,
											   cert->info.not_after);

		CHECK_FOR_INTERRUPTS();
		esg_policy_check_watched_cert(&cert->info, cert->place, &judge->policy, &usual,
									  judge->now, &cert->findings);
	}
}

/* first: of the certificates of one file, or of a text */
static void
judge_chain(Judge *judge, const EsgAuditCert *first, EsgChainCert *certs, int count)
{
	EsgChainContext context = {.policy = &judge->policy,.memo = judge->memo,.now = judge->now};

	CHECK_FOR_INTERRUPTS();
	if (first->place != ESG_PLACE_CA)
		context.cas = judge->cas;
	if (first->place == ESG_PLACE_LEAF)
	{
		context.extras = judge->extras;
		context.system_issuer = esg_system_roots_know_issuer;
	}
	esg_policy_chain_check(certs, count, &context, is_own_ca(first) ? &first->file->findings : NULL);
}

/* Each file's certificates together. */
static void
judge_chains(Judge *judge)
{
	EsgAudit   *audit = judge->audit;
	EsgChainCert *chain;
	int			start = 0;
	int			i;

	chain = MemoryContextAllocHuge(audit->context,
								   Max(audit->cert_count, 1) * sizeof(EsgChainCert));
	for (i = 0; i < audit->cert_count; i++)
	{
		EsgAuditCert *cert = audit->certs[i];

		chain[i].info = &cert->info;
		chain[i].place = cert->place;
		chain[i].findings = &cert->findings;
		if (i + 1 == audit->cert_count || audit->certs[i + 1]->file != cert->file)
		{
			judge_chain(judge, audit->certs[start], chain + start, i + 1 - start);
			start = i + 1;
		}
	}
	pfree(chain);
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

static void
set_suggestion(Judge *judge, EsgAuditFile *file, const char *owner)
{
	char	   *text;
	char	   *copy = NULL;

	text = esg_policy_file_suggestion(&file->facts, file->file.kind, file->file.path,
									  owner, &judge->policy);
	if (text != NULL)
	{
		Size		size = strlen(text) + 1;

		copy = MemoryContextAllocExtended(judge->audit->context, size, MCXT_ALLOC_NO_OOM);
		if (copy != NULL)
			memcpy(copy, text, size);
		OPENSSL_free(text);
	}
	if (copy != NULL)
		file->suggestion = copy;
}

static void
judge_file(Judge *judge, EsgAuditFile *file)
{
	esg_accounts_know_owner(&file->facts, &judge->policy);
	esg_policy_file_check(&file->facts, file->file.kind, get_content(file), &judge->policy,
						  &file->findings);
	file->sound = is_sound(file);
}

static void
judge_files(Judge *judge)
{
	EsgAudit   *audit = judge->audit;
	char	   *owner = esg_tls_files_owner_name(geteuid());
	int			i;

	for (i = 0; i < audit->file_count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		judge_file(judge, audit->files[i]);
		/* only a finding about mode or owner has a command that mends it */
		if (audit->files[i]->findings.count > 0 && esg_guc_file_permission_check != ESG_MODE_OFF)
			set_suggestion(judge, audit->files[i], owner);
	}
	pfree(owner);
}

/* ------------------------------------------------------------------------
 * The whole
 * ------------------------------------------------------------------------ */

static void
finish_findings(EsgFindings *findings)
{
	if (findings->out_of_memory)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("Failed while judging TLS files.")));
	esg_findings_sort(findings);
}

static void
finish_audit(EsgAudit *audit)
{
	int			i;

	ERR_clear_error();
	for (i = 0; i < audit->file_count; i++)
		finish_findings(&audit->files[i]->findings);
	for (i = 0; i < audit->cert_count; i++)
		finish_findings(&audit->certs[i]->findings);
	for (i = 0; i < audit->crl_count; i++)
		finish_findings(&audit->crls[i]->findings);
}

static void
judge_all(Judge *judge)
{
	EsgAudit   *audit = judge->audit;

	judge->cas = index_certs(audit, is_own_ca);
	judge->extras = index_certs(audit, is_extra);
	judge_each_cert(judge);
	judge_chains(judge);
	esg_audit_crls_judge(audit, judge->cas, &judge->policy, judge->memo, judge->now);
	judge_files(judge);
	esg_audit_hosts_judge(audit, &judge->policy);
	finish_audit(audit);
}

EsgAudit *
esg_audit_run(unsigned what, EsgRenewals *renewals)
{
	EsgAudit   *audit = esg_audit_read_start();
	Judge	   *judge = start_judge(audit, esg_report_unix_now());

	esg_audit_read_files(audit, what, judge->memo);
	if (renewals != NULL)
		esg_renewals_see(renewals, audit);
	judge_all(judge);
	return audit;
}

void
esg_audit_judge_as_of(EsgAudit *audit, int64 now)
{
	MemoryContext old = MemoryContextSwitchTo(audit->context);

	esg_audit_read_forget_findings(audit);
	judge_all(start_judge(audit, now));
	MemoryContextSwitchTo(old);
}

static int64
next_change_of(const EsgTrack *track, EsgTime begin, EsgTime end, int64 now)
{
	EsgUsual	usual = esg_renewals_usual(track, begin, end);

	return esg_renewal_next(&usual, end, now);
}

int64
esg_audit_next_change(const EsgAudit *audit)
{
	int64		now = audit->judged_at;
	int64		next = ESG_TIME_NEVER;
	EsgPolicy	policy;
	int			i;

	esg_guc_policy(&policy);
	for (i = 0; i < audit->cert_count; i++)
	{
		const EsgCertInfo *info = &audit->certs[i]->info;

		next = Min(next, esg_policy_time_next(info->not_before, info->not_after, &policy, now));
		next = Min(next, next_change_of(audit->certs[i]->track, info->not_before,
										info->not_after, now));
	}
	for (i = 0; i < audit->crl_count; i++)
	{
		const EsgCrlInfo *info = &audit->crls[i]->info;

		next = Min(next, esg_policy_crl_time_next(info, &policy, now));
		next = Min(next, next_change_of(audit->crls[i]->track, info->this_update,
										info->next_update, now));
	}
	return next;
}

EsgAudit *
esg_audit_inspect(const char *data, size_t len, EsgPlace place, EsgPemResult *result)
{
	EsgAudit   *audit = esg_audit_read_start();
	Judge	   *judge = start_judge(audit, esg_report_unix_now());

	esg_audit_read_text(audit, data, len, place, judge->memo, result);
	judge_each_cert(judge);
	judge_chains(judge);
	finish_audit(audit);
	return audit;
}

bool
esg_audit_is_loaded(const EsgAuditFile *file)
{
	if (file->in_crl_dir)
		return false;
	return strcmp(file->file.setting, "ssl_cert_file") == 0 ||
		strcmp(file->file.setting, "ssl_ca_file") == 0 ||
		strcmp(file->file.setting, "ssl_crl_file") == 0 ||
		(file->file.host != NULL && file->file.kind != ESG_FILE_KEY);
}

void
esg_audit_free(EsgAudit *audit)
{
	MemoryContextDelete(audit->context);
}
