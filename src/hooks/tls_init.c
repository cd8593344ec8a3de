/*
 * hooks/tls_init.c
 *		The TLS initialization hook: passphrase, and refusal to start.
 *
 * With ssl_sni core does not call the hook, and warns of one that is installed:
 * it is taken out then.
 *
 * The hook runs in the postmaster, where an ERROR would stop the server: nothing
 * raises one or takes a lock.  At server start, where core's own complaints are
 * FATAL, the refusal of unsafe files is, too.
 */
#include "postgres.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "libpq/libpq.h"
#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "storage/ipc.h"

#include "compat.h"
#include "hooks/tls_init.h"
#include "login/file_guard.h"
#include "server/passphrase.h"

static openssl_tls_init_hook_typ prev_openssl_tls_init_hook = NULL;

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
	if (isServerStart && !IsUnderPostmaster)
		esg_file_guard_start();
	ERR_clear_error();
}

/* Of a library that has put its hook before ours, and calls it, core warns anyway. */
void
esg_tls_init_choose(void)
{
	if (ssl_sni && openssl_tls_init_hook == esg_tls_init)
		openssl_tls_init_hook = prev_openssl_tls_init_hook;
	else if (!ssl_sni && openssl_tls_init_hook == prev_openssl_tls_init_hook)
		openssl_tls_init_hook = esg_tls_init;
}

void
esg_tls_init_init(void)
{
	prev_openssl_tls_init_hook = openssl_tls_init_hook;
	esg_tls_init_choose();
}
