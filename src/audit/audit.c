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
#include "policy/chain.h"
#include "policy/crl.h"
#include "policy/file.h"
#include "server/guc.h"
#include "server/loaded_files.h"
#include "server/report.h"
#include "server/state.h"
#include "server/system_roots.h"

#define MEMO_ENTRIES 16384

/* What the judges need to know. */
typedef struct Judge
{
	EsgAudit   *audit;
	EsgPolicy	policy;
	EsgMemo    *memo;
	int64		now;
	EsgIssuerIndex *cas;		/* of ssl_ca_file; NULL if there is none */
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

const char *
esg_audit_cert_kind(EsgPlace place)
{
	switch (place)
	{
		case ESG_PLACE_LEAF:
			return "server";
		case ESG_PLACE_CHAIN:
			return "chain";
		case ESG_PLACE_CA:
			return "ca";
		default:
			return "extra";
	}
}

static void
free_index(void *arg)
{
	Judge	   *judge = arg;

	esg_policy_chain_index_free(judge->cas);
}

static Judge *
start_judge(EsgAudit *audit)
{
	Judge	   *judge = MemoryContextAllocZero(audit->context, sizeof(Judge));

	judge->audit = audit;
	judge->memo = get_memo();
	judge->now = esg_report_unix_now();
	esg_guc_policy(&judge->policy);
	if (esg_guc_file_permission_check == ESG_MODE_OFF)
	{
		judge->policy.overrides[ESG_PERMISSIONS_TOO_OPEN] = ESG_OK;
		judge->policy.overrides[ESG_WRONG_OWNER] = ESG_OK;
		judge->policy.overrides[ESG_DIRECTORY_WRITABLE] = ESG_OK;
	}
	judge->on_reset.func = free_index;
	judge->on_reset.arg = judge;
	MemoryContextRegisterResetCallback(audit->context, &judge->on_reset);
	return judge;
}

/* ------------------------------------------------------------------------
 * Certificates
 * ------------------------------------------------------------------------ */

static void
index_cas(Judge *judge)
{
	EsgAudit   *audit = judge->audit;
	const EsgCertInfo **cas;
	int			count = 0;
	int			i;

	cas = MemoryContextAllocHuge(audit->context, Max(audit->cert_count, 1) * sizeof(*cas));
	for (i = 0; i < audit->cert_count; i++)
	{
		if (audit->certs[i]->place == ESG_PLACE_CA)
			cas[count++] = &audit->certs[i]->info;
	}
	if (count > 0)
		judge->cas = esg_policy_chain_index(cas, count);
	pfree(cas);
}

static void
judge_each_cert(Judge *judge)
{
	EsgAudit   *audit = judge->audit;
	int			i;

	for (i = 0; i < audit->cert_count; i++)
	{
		EsgAuditCert *cert = audit->certs[i];

		CHECK_FOR_INTERRUPTS();
		esg_policy_check_cert(&cert->info, cert->place, &judge->policy,
							  judge->now, &cert->findings);
	}
}

static void
judge_chain(Judge *judge, EsgAuditFile *file, EsgChainCert *certs, int count)
{
	EsgFileKind kind = file != NULL ? file->file.kind : ESG_FILE_EXTRA;

	CHECK_FOR_INTERRUPTS();
	if (kind == ESG_FILE_CERTIFICATE)
		esg_policy_chain_check_server(certs, count, judge->cas,
									  esg_system_roots_has_issuer, NULL,
									  &judge->policy, judge->memo);
	else if (kind == ESG_FILE_CA)
		esg_policy_chain_check_bundle(certs, count, &judge->policy, judge->memo,
									  &file->findings);
	else
		esg_policy_chain_check_extra(certs, count, judge->cas, &judge->policy,
									 judge->memo);
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
			judge_chain(judge, cert->file, chain + start, i + 1 - start);
			start = i + 1;
		}
	}
	pfree(chain);
}

/* ------------------------------------------------------------------------
 * CRLs
 * ------------------------------------------------------------------------ */

/* The server's chain and the CAs in use; palloc'd. */
static const EsgCertInfo **
collect_own(const EsgAudit *audit, int *count)
{
	const EsgCertInfo **own;
	int			i;

	own = palloc_extended(Max(audit->cert_count, 1) * sizeof(*own), MCXT_ALLOC_HUGE);
	*count = 0;
	for (i = 0; i < audit->cert_count; i++)
	{
		if (audit->certs[i]->place != ESG_PLACE_EXTRA)
			own[(*count)++] = &audit->certs[i]->info;
	}
	return own;
}

static void
judge_each_crl(Judge *judge)
{
	EsgAudit   *audit = judge->audit;
	EsgPolicy	extra_policy = judge->policy;
	const EsgCertInfo **own;
	int			count;
	int			i;

	/* an extra file serves somebody else, whose CAs are not in ssl_ca_file */
	extra_policy.overrides[ESG_CRL_UNKNOWN_ISSUER] = ESG_OK;
	own = collect_own(audit, &count);
	for (i = 0; i < audit->crl_count; i++)
	{
		EsgAuditCrl *crl = audit->crls[i];

		CHECK_FOR_INTERRUPTS();
		esg_policy_crl_check(&crl->info, judge->cas,
							 crl->file->file.kind == ESG_FILE_EXTRA ?
							 &extra_policy : &judge->policy,
							 judge->memo, judge->now, &crl->findings);
		esg_policy_crl_check_own(&crl->info, own, count, &judge->policy, &crl->findings);
		if (crl->file->in_crl_dir)
		{
			const char *slash = strrchr(crl->file->file.path, '/');

			esg_policy_crl_check_name(&crl->info, slash + 1, &judge->policy,
									  &crl->findings);
		}
	}
	pfree(own);
}

/* A misnamed file in ssl_crl_dir is as good as none. */
static bool
is_found_by_openssl(const EsgAuditCrl *crl)
{
	if (!crl->loaded || !crl->file->in_crl_dir)
		return crl->loaded;
	return esg_policy_crl_name_fits(&crl->info, strrchr(crl->file->file.path, '/') + 1);
}

/* crl_missing can be said only when every CRL has been seen. */
static void
judge_missing_crls(Judge *judge)
{
	EsgAudit   *audit = judge->audit;
	const EsgCrlInfo **crls;
	int			count = 0;
	int			i;

	if (!audit->crl_configured || audit->crl_unread)
		return;
	crls = palloc(Max(audit->crl_count, 1) * sizeof(*crls));
	for (i = 0; i < audit->crl_count; i++)
	{
		if (is_found_by_openssl(audit->crls[i]))
			crls[count++] = &audit->crls[i]->info;
	}
	for (i = 0; i < audit->cert_count; i++)
	{
		EsgAuditCert *cert = audit->certs[i];

		CHECK_FOR_INTERRUPTS();
		if (cert->place == ESG_PLACE_CA && cert->info.is_ca)
			esg_policy_crl_check_missing(&cert->info, crls, count, &judge->policy,
										 &cert->findings);
	}
	pfree(crls);
}

/* ------------------------------------------------------------------------
 * Files
 * ------------------------------------------------------------------------ */

/* Does the file hold what its setting asks for? */
static bool
is_usable(const EsgAuditFile *file)
{
	switch (file->file.kind)
	{
		case ESG_FILE_CERTIFICATE:
		case ESG_FILE_CA:
			return file->pem.certs > 0;
		case ESG_FILE_CRL:
			return file->pem.crls > 0;
		default:
			return file->pem.certs + file->pem.crls > 0;
	}
}

static const char *
describe_found(const EsgAuditFile *file)
{
	if (file->facts.size == 0)
		return "no bytes at all";
	if (file->pem.found[0] != '\0')
		return file->pem.found;
	return file->pem.crls > 0 ? "a CRL" : "nothing";
}

/* A broken block after good ones, or two files concatenated without a line end. */
static void
judge_broken_block(Judge *judge, EsgAuditFile *file)
{
	const EsgPemResult *pem = &file->pem;
	int			blocks = pem->certs + pem->crls;

	if (pem->end != ESG_PEM_BROKEN || (blocks == 0 && !pem->glued))
		return;
	(void) esg_findings_add(&file->findings, ESG_FILE_PARTLY_READ, ESG_PLACE_FILE,
							judge->policy.overrides,
							"after %d good block%s, at byte %zu: %s",
							blocks, blocks == 1 ? "" : "s", pem->fault_offset,
							pem->found);
}

/*
 * A new server certificate is reload_pending, which knows what is served.  What
 * lies in ssl_crl_dir is read by OpenSSL when it is needed.
 */
static void
judge_reload(Judge *judge, EsgAuditFile *file)
{
	EsgServedState served;

	if (!file->hashed || file->in_crl_dir || !esg_loaded_files_differ(file->file.setting, file->sha256))
		return;
	esg_server_state_served(&served);
	if (file->file.kind == ESG_FILE_CERTIFICATE && judge->audit->disk_known &&
		served.seen_by != ESG_SEEN_NOT &&
		memcmp(served.fingerprint, judge->audit->disk_fingerprint, ESG_DIGEST_SIZE) != 0)
		return;
	(void) esg_findings_add(&file->server_findings, ESG_FILE_NOT_RELOADED, ESG_PLACE_FILE,
							judge->policy.overrides, "%s", "");
}

static void
judge_content(Judge *judge, EsgAuditFile *file)
{
	const EsgPemResult *pem = &file->pem;
	const signed char *overrides = judge->policy.overrides;
	int			others = file->findings.count;

	/* not a CRL, and OpenSSL will not look at it */
	if (file->in_crl_dir && pem->crls == 0 &&
		!esg_tls_files_is_hash_name(file->file.path))
		return;
	if (!is_usable(file))
		(void) esg_findings_add(&file->findings, ESG_FILE_UNPARSABLE, ESG_PLACE_FILE,
								overrides, "%s", describe_found(file));
	judge_broken_block(judge, file);
	if (pem->skipped_trusted > 0)
		(void) esg_findings_add(&file->findings, ESG_TRUSTED_CERTIFICATE_BLOCK,
								ESG_PLACE_FILE, overrides, "%s", "");
	/* what is faulty should be mended, not reloaded */
	if (file->findings.count == others)
		judge_reload(judge, file);
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
judge_files(Judge *judge)
{
	EsgAudit   *audit = judge->audit;
	char	   *owner = esg_tls_files_owner_name(geteuid());
	int			i;

	for (i = 0; i < audit->file_count; i++)
	{
		EsgAuditFile *file = audit->files[i];

		CHECK_FOR_INTERRUPTS();
		esg_policy_file_check(&file->facts, file->file.kind, &judge->policy,
							  &file->findings);
		if (file->scanned && file->file.kind != ESG_FILE_KEY)
			judge_content(judge, file);
		/* only a finding about mode or owner has a command that mends it */
		if (file->findings.count > 0 && esg_guc_file_permission_check != ESG_MODE_OFF)
			set_suggestion(judge, file, owner);
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
	{
		finish_findings(&audit->files[i]->findings);
		finish_findings(&audit->files[i]->server_findings);
	}
	for (i = 0; i < audit->cert_count; i++)
		finish_findings(&audit->certs[i]->findings);
	for (i = 0; i < audit->crl_count; i++)
		finish_findings(&audit->crls[i]->findings);
}

EsgAudit *
esg_audit_run(unsigned what)
{
	EsgAudit   *audit = esg_audit_read_start();
	Judge	   *judge = start_judge(audit);

	esg_audit_read_files(audit, what, judge->memo);
	index_cas(judge);
	judge_each_cert(judge);
	judge_chains(judge);
	judge_each_crl(judge);
	judge_missing_crls(judge);
	judge_files(judge);
	finish_audit(audit);
	return audit;
}

EsgAudit *
esg_audit_inspect(const char *data, size_t len, EsgPemResult *result)
{
	EsgAudit   *audit = esg_audit_read_start();
	Judge	   *judge = start_judge(audit);

	esg_audit_read_text(audit, data, len, judge->memo, result);
	judge_each_cert(judge);
	judge_chains(judge);
	finish_audit(audit);
	return audit;
}

void
esg_audit_free(EsgAudit *audit)
{
	MemoryContextDelete(audit->context);
}
