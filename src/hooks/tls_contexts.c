/*
 * hooks/tls_contexts.c
 *		Every SSL_CTX that core makes and frees: how loads and reloads end.
 *
 * Core never says what became of a load of its TLS files.  But what it frees
 * tells: a context that it has just made if a later step failed, those in
 * service if all went well, or if "ssl" was switched off.  So callbacks of the
 * class SSL_CTX mark each context with the load that it belongs to, and see
 * every one of them go.
 *
 * A load makes one context (before PostgreSQL 19), or one for each line of
 * pg_hosts.conf, or for the settings, and a bare one at the end.  Of two loads
 * more can be in memory at no time: the one in service, whose contexts may
 * outlast the switching off of "ssl", and the one whose end is not known.
 *
 * Everything here runs in the postmaster, where an ERROR would stop the server:
 * nothing raises one, takes a lock, or leaves an entry in OpenSSL's error queue.
 * Children inherit the contexts, and make others of their own (libpq): what
 * happens there says nothing.
 */
#include "postgres.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "libpq/libpq.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "storage/ipc.h"
#include "utils/elog.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "hooks/tls_contexts.h"
#include "hooks/tls_init.h"
#include "login/file_guard.h"
#include "login/handshake.h"
#include "server/live_contexts.h"
#include "server/served_cert.h"
#include "server/served_hosts.h"
#include "server/state.h"

/* Core's words at the end of a reload of the TLS files that failed, in every version. */
#define NOT_RELOADED "SSL configuration was not reloaded"

typedef struct TlsLoad
{
	TimestampTz reload;			/* PgReloadTime then */
	int			alive;			/* contexts that are not freed yet */
	SSL_CTX    *last;			/* the one made last, not in "served" yet */
	EsgServedSet served;		/* of those before it */
} TlsLoad;

/* Postmaster only.  A context's ex-data points to the load that it belongs to. */
static TlsLoad loads[2];
static TlsLoad *current = NULL; /* in service, or was until "ssl" went off */
static TlsLoad *pending = NULL; /* its end is not known */
static bool failure_seen = false;	/* and not told by core's message yet */
static int	ctx_index = -1;

static shmem_startup_hook_type prev_shmem_startup_hook = NULL;
static emit_log_hook_type prev_emit_log_hook = NULL;

/* True in the postmaster itself, false in its children and stand-alone. */
static bool
in_postmaster(void)
{
	return IsPostmasterEnvironment && !IsUnderPostmaster && MyProcPid == PostmasterPid;
}

/* Core has done with the context made last: what certificate has it? */
static void
note_last(TlsLoad *load)
{
	X509	   *cert = load->last != NULL ? SSL_CTX_get0_certificate(load->last) : NULL;
	unsigned char digest[ESG_DIGEST_SIZE];
	int64		not_after = PG_INT64_MIN;

	load->last = NULL;
	if (cert == NULL)
		return;
	if (load->served.count < ESG_MAX_HOSTS && esg_served_cert_identify(cert, digest, &not_after))
		memcpy(load->served.fingerprints[load->served.count], digest, ESG_DIGEST_SIZE);
	if (load->served.count == 0)
		load->served.not_after_unix = not_after;
	load->served.count++;
	ERR_clear_error();
}

/* Has core made all contexts of it? */
static bool
is_complete(const TlsLoad *load)
{
	return !ESG_LAST_CTX_IS_BARE ||
		(load->last != NULL && SSL_CTX_get0_certificate(load->last) == NULL);
}

/* Before PostgreSQL 19 core marks a context so as soon as it has made it, other code hardly ever does. */
static bool
may_be_cores(SSL_CTX *context)
{
	return ESG_LAST_CTX_IS_BARE ||
		(SSL_CTX_get_mode(context) & SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER) != 0;
}

/*
 * Core makes none while "ssl" is off.  Who makes one before core has filled its
 * first is a library on the TLS hook, and who makes one when core has all, but has
 * not started yet, is one with business of its own.
 */
static bool
is_made_by_others(void)
{
	if (!EnableSSL)
		return true;
	if (PgStartTime == 0)
		return current != NULL || (pending != NULL && is_complete(pending));
	return pending != NULL && pending->reload == PgReloadTime && pending->served.count == 0 &&
		pending->last != NULL && may_be_cores(pending->last) &&
		SSL_CTX_get0_certificate(pending->last) == NULL;
}

/* The pending load is in service now. */
static void
accept_pending(void)
{
	note_last(pending);
	current = pending;
	pending = NULL;
	esg_server_state_load_succeeded(&current->served, GetCurrentTimestamp());
}

/* Core frees first the context that it could not fill, which is the one made last. */
static void
reject_pending(void)
{
	int			host = pending->served.count;

	esg_live_contexts_forget(pending);
	pending = NULL;
	failure_seen = true;
	esg_server_state_load_failed(host, GetCurrentTimestamp());
}

/* It was a context of other code, and no load. */
static void
withdraw_pending(void)
{
	esg_live_contexts_forget(pending);
	pending = NULL;
	esg_server_state_load_withdrawn();
}

/*
 * A load that is still pending went into service without an old one to free: the
 * first after "ssl" was switched on.  Or it failed, and core has forgotten a
 * context: one whose host has a name that another has, too.
 */
static void
settle_pending(void)
{
	if (pending == NULL)
		return;
	if (pending->served.count == 0 && pending->last != NULL && !may_be_cores(pending->last))
	{
		/* which may be freed at any time */
		(void) SSL_CTX_set_ex_data(pending->last, ctx_index, NULL);
		withdraw_pending();
	}
	else if (is_complete(pending))
		accept_pending();
	else
		reject_pending();
}

/* Is there an old context, whose freeing will tell of success? */
static bool
success_shows(void)
{
	return current != NULL && current->alive > 0;
}

static void
begin_load(void)
{
	EsgFileMark mark;

	settle_pending();
	failure_seen = false;
	pending = current == &loads[0] ? &loads[1] : &loads[0];
	memset(pending, 0, sizeof(*pending));
	pending->reload = PgReloadTime;
	esg_sni_hosts_mark(&mark);
	esg_server_state_load_started(success_shows(), &mark, GetCurrentTimestamp());
}

/* Core makes a context.  OpenSSL calls this for those of other code, too. */
static void
ctx_made(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	SSL_CTX    *context = parent;

	if (!in_postmaster() || process_shared_preload_libraries_in_progress ||
		is_made_by_others())
		return;
	if (pending == NULL || pending->reload != PgReloadTime || is_complete(pending))
		begin_load();
	note_last(pending);
	if (CRYPTO_set_ex_data(ad, idx, pending) == 1)
	{
		pending->last = context;
		pending->alive++;
		esg_live_contexts_add(context, pending);
	}
	/* a bare one comes last, when all certificates are loaded */
	if (pending->served.count > 0 && !success_shows())
		esg_server_state_load_first(&pending->served, GetCurrentTimestamp());
	esg_handshake_watch(context);
	esg_tls_init_choose();
	ERR_clear_error();
}

/* Only switching "ssl" off frees contexts then. */
static void
turn_off(void)
{
	if (pending != NULL)
		current = pending;
	pending = NULL;
	esg_server_state_tls_off(GetCurrentTimestamp());
}

static void
ctx_freed(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	TlsLoad    *load = ptr;

	if (load != &loads[0] && load != &loads[1])
		return;
	if (!in_postmaster())
	{
		/*
		 * Since PostgreSQL 19 they go with the postmaster's memory, which a
		 * background worker frees before all else; a client's backend has no
		 * use for them.
		 */
		if (MyProcPort == NULL)
			esg_live_contexts_keep_store(parent);
		return;
	}
	load->alive--;
	esg_live_contexts_remove(parent);
	if (!EnableSSL)
		turn_off();
	else if (load == pending && load->served.count == 0 && !may_be_cores(parent))
		withdraw_pending();
	else if (load == pending)
		reject_pending();
	else if (load == current && pending != NULL)
		accept_pending();
}

/*
 * A list of hosts that core cannot parse makes it give up before it makes a
 * context.  Then there is nothing to see but its message, which is in the log
 * unless "log_min_messages" is "fatal" or "panic".
 */
static void
esg_emit_log(ErrorData *edata)
{
	if (prev_emit_log_hook)
		prev_emit_log_hook(edata);
	if (edata->elevel != LOG || edata->message_id == NULL || !in_postmaster() ||
		strcmp(edata->message_id, NOT_RELOADED) != 0)
		return;
	/* a load that is pending and complete is one before this */
	settle_pending();
	if (!failure_seen)
		esg_server_state_load_failed(-1, GetCurrentTimestamp());
	failure_seen = false;
}

/* What the TLS hook would do; and no login need wait for the worker to see the hosts. */
static void
begin_with_hosts(void)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "ext_ssl_guard start",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);

	esg_served_hosts_look();
	esg_file_guard_start();
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* At start a load that fails is FATAL: who gets here has loaded. */
static void
esg_tls_contexts_startup(void)
{
	static bool started = false;

	if (prev_shmem_startup_hook)
		prev_shmem_startup_hook();
	if (!in_postmaster())
		return;
	settle_pending();
	/* this hook also runs in a restart after a crash, which refuses nobody */
	if (!started && EnableSSL && ssl_sni)
		begin_with_hosts();
	started = true;
}

void
esg_tls_contexts_init(void)
{
	ctx_index = SSL_CTX_get_ex_new_index(0, NULL, ctx_made, NULL, ctx_freed);
	if (ctx_index < 0)
	{
		ERR_clear_error();
		ereport(LOG,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not observe TLS loads: OpenSSL has no index for them")));
		return;
	}
	prev_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = esg_tls_contexts_startup;
	prev_emit_log_hook = emit_log_hook;
	emit_log_hook = esg_emit_log;
}
