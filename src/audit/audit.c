/*
 * audit/audit.c
 *		Is the server's TLS set-up sound?
 *
 * Reading and judging is done in files/.  The audit is not PostgreSQL's memory: a
 * memory context, which is deleted in any case, takes it along.
 */
#include "postgres.h"

#include "libpq/libpq.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "audit/audit.h"
#include "compat.h"
#include "files/judge.h"
#include "files/judge_hosts.h"
#include "server/guc.h"
#include "server/report.h"
#include "server/sni_hosts.h"
#include "server/tls_files.h"
#include "wire/system_roots.h"

/*
 * What a hundred thousand certificates leave, each with a key of its own: beyond it
 * everything is proved anew.  A process that looks at a few has a small table.
 */
#define MEMO_ENTRIES 262144

/* ------------------------------------------------------------------------
 * Memory and interrupts
 * ------------------------------------------------------------------------ */

static bool
is_interrupt_pending(void)
{
	return InterruptPending;
}

static void
serve_interrupt(void)
{
	CHECK_FOR_INTERRUPTS();
}

static const EsgInterrupts interrupts = {is_interrupt_pending, serve_interrupt};

static void
free_audit(void *audit)
{
	esg_audited_free(audit);
}

static void
require_memory(bool there, const char *detail)
{
	if (!there)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail_internal("%s", detail)));
}

/* An empty audit in a context below the current one. */
static EsgAudit *
start_audit(void)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "ext_ssl_guard audit",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContextCallback *on_reset = MemoryContextAllocZero(context, sizeof(MemoryContextCallback));
	EsgAudit   *audit = esg_audited_start(&interrupts);

	require_memory(audit != NULL, "Failed while reading TLS files.");
	audit->keeper = context;
	on_reset->func = free_audit;
	on_reset->arg = audit;
	MemoryContextRegisterResetCallback(context, on_reset);
	return audit;
}

void
esg_audit_free(EsgAudit *audit)
{
	MemoryContextDelete(audit->keeper);
}

/* One table per process; without memory for it, nothing is remembered. */
static EsgMemo *
get_memo(void)
{
	static EsgMemo *memo = NULL;

	if (memo == NULL)
		memo = esg_memo_create(MEMO_ENTRIES);
	return memo;
}

/* ------------------------------------------------------------------------
 * Reading
 * ------------------------------------------------------------------------ */

static void
note_hosts_fault(EsgAudit *audit)
{
	const EsgHosts *hosts = esg_sni_hosts_read();

	esg_judge_hosts_note(audit, HostsFileName, &hosts->fault);
}

/* What the settings name. */
static void
read_files(EsgAudit *audit, unsigned what)
{
	MemoryContext old = MemoryContextSwitchTo(audit->keeper);
	char		pair_directory[MAXPGPATH];
	EsgTlsFile *files = NULL;
	EsgReadTask task = {.what = what,.memo = get_memo()};

	task.count = esg_tls_files_list(&files);
	task.files = files;
	if (esg_tls_files_passphrase_directory(pair_directory))
		task.pair_directory = pair_directory;
	esg_read_files(audit, &task);
	note_hosts_fault(audit);
	require_memory(!audit->out_of_memory, "Failed while reading TLS files.");
	MemoryContextSwitchTo(old);
}

/* ------------------------------------------------------------------------
 * Judging
 * ------------------------------------------------------------------------ */

static void
judge(EsgAudit *audit, int64 now, void (*judge_them) (EsgAudit *audit, const EsgJudgement *by))
{
	EsgPolicy	policy;
	EsgJudgement by = {.policy = &policy,.memo = get_memo(),.now = now,.scratch = PG_STAT_TMP_DIR};

	esg_guc_policy(&policy);
	by.suggest = esg_guc_file_permission_check != ESG_MODE_OFF;
	if (!by.suggest)
		esg_policy_ignore_permissions(&policy);
	judge_them(audit, &by);
	require_memory(!audit->out_of_memory, "Failed while judging TLS files.");
}

/* Chains without a known end all ask for the system's roots, which a session does not keep for good. */
static void
judge_all(EsgAudit *audit, int64 now)
{
	bool		keeps = esg_system_roots_keep();

	PG_TRY();
	{
		judge(audit, now, esg_judge_all);
	}
	PG_FINALLY();
	{
		if (keeps)
			esg_system_roots_forget();
	}
	PG_END_TRY();
}

EsgAudit *
esg_audit_run(unsigned what, EsgRenewals *renewals)
{
	EsgAudit   *audit = start_audit();
	int64		now = esg_report_unix_now();

	read_files(audit, what);
	if (renewals != NULL)
		esg_renewals_see(renewals, audit, now);
	judge_all(audit, now);
	return audit;
}

void
esg_audit_judge_as_of(EsgAudit *audit, int64 now)
{
	esg_audited_forget_findings(audit);
	judge(audit, now, esg_judge_all);
}

int64
esg_audit_next_change(const EsgAudit *audit)
{
	EsgPolicy	policy;

	esg_guc_policy(&policy);
	return esg_judge_next_change(audit, &policy);
}

EsgAudit *
esg_audit_inspect(const char *data, size_t len, EsgPlace place, EsgPemResult *result)
{
	EsgAudit   *audit = start_audit();

	esg_read_text(audit, data, len, place, get_memo(), result);
	require_memory(!audit->out_of_memory, "Failed while reading TLS files.");
	judge(audit, esg_report_unix_now(), esg_judge_certs);
	return audit;
}
