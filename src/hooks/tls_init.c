/*
 * hooks/tls_init.c
 *		The TLS initialization hook: learns how loads and reloads end.
 *
 * Core calls the hook with a fresh SSL_CTX before it loads the certificate
 * into it, and never says what became of it.  But what core frees tells: the
 * fresh context if a later step failed, the one in service if all went well,
 * or if "ssl" was switched off.  So each context gets ex-data, whose free
 * callback sees every one of them go.
 *
 * Everything here runs in the postmaster, where an ERROR would stop the
 * server: nothing raises one or takes a lock.  At server start, where core's
 * own complaints are FATAL, the refusal of unsafe files is, too.  Backends
 * inherit the contexts; what they free says nothing.
 */
#include "postgres.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "storage/ipc.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "hooks/tls_init.h"
#include "login/file_guard.h"
#include "login/handshake.h"
#include "server/passphrase.h"
#include "server/served_cert.h"
#include "server/state.h"

static openssl_tls_init_hook_typ prev_openssl_tls_init_hook = NULL;
static shmem_startup_hook_type prev_shmem_startup_hook = NULL;

/* index of our ex-data; its value only marks the contexts that we have seen */
static int	ctx_index = -1;
static char ctx_mark;

/* Postmaster only: the context in service, and the one being made. */
static SSL_CTX *current_ctx = NULL;
static SSL_CTX *pending_ctx = NULL;

/* True in the postmaster itself, false in its children and stand-alone. */
static bool
in_postmaster(void)
{
	return IsPostmasterEnvironment && !IsUnderPostmaster && MyProcPid == PostmasterPid;
}

/* The pending context is in service now. */
static void
accept_pending(TimestampTz now)
{
	X509	   *cert = SSL_CTX_get0_certificate(pending_ctx);
	unsigned char digest[ESG_DIGEST_SIZE];
	int64		not_after;

	current_ctx = pending_ctx;
	pending_ctx = NULL;
	if (cert != NULL && esg_served_cert_identify(cert, digest, &not_after))
		esg_server_state_load_finished(true, digest, not_after, now);
	else
		esg_server_state_load_finished(true, NULL, PG_INT64_MIN, now);
	ERR_clear_error();
}

/* A context goes.  OpenSSL calls this for contexts of other code, too. */
static void
ctx_freed(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	SSL_CTX    *context = parent;

	if (ptr != &ctx_mark || !in_postmaster())
		return;
	if (context != pending_ctx && context != current_ctx)
		return;
	if (!EnableSSL)
	{
		/* only switching it off frees one then, and there is only one */
		current_ctx = pending_ctx = NULL;
		esg_server_state_tls_off(GetCurrentTimestamp());
	}
	else if (context == pending_ctx)
	{
		pending_ctx = NULL;
		esg_server_state_load_finished(false, NULL, PG_INT64_MIN, GetCurrentTimestamp());
	}
	else
	{
		current_ctx = NULL;
		if (pending_ctx != NULL)
			accept_pending(GetCurrentTimestamp());
	}
}

/*
 * A context that is still pending when the next load begins went into service
 * without an old one to free: the first load after "ssl" was switched on.
 */
static void
settle_pending(void)
{
	if (pending_ctx != NULL)
		accept_pending(GetCurrentTimestamp());
}

static void
esg_tls_init(SSL_CTX *context, bool isServerStart)
{
	/*
	 * core's own function is the first in the chain: it asks for the
	 * passphrase
	 */
	if (prev_openssl_tls_init_hook)
		prev_openssl_tls_init_hook(context, isServerStart);
	esg_passphrase_install(context, isServerStart);
	esg_handshake_watch(context);
	if (!in_postmaster())
		return;
	if (isServerStart)
		esg_file_guard_start();
	settle_pending();
	if (SSL_CTX_set_ex_data(context, ctx_index, &ctx_mark) == 1)
	{
		pending_ctx = context;
		esg_server_state_load_started(current_ctx != NULL, GetCurrentTimestamp());
	}
	ERR_clear_error();
}

/* At start a load that fails is FATAL: who gets here has loaded. */
static void
esg_tls_init_startup(void)
{
	if (prev_shmem_startup_hook)
		prev_shmem_startup_hook();
	if (in_postmaster())
		settle_pending();
}

void
esg_tls_init_init(void)
{
	ctx_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, ctx_freed);
	if (ctx_index < 0)
	{
		ERR_clear_error();
		ereport(LOG,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not observe TLS loads: OpenSSL has no index for them")));
		return;
	}
	prev_openssl_tls_init_hook = openssl_tls_init_hook;
	openssl_tls_init_hook = esg_tls_init;
	prev_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = esg_tls_init_startup;
}
