/*
 * hooks/client_auth.c
 *		The login hook: what a login tells, and what it must pass.
 *
 * Runs in each backend after authentication, inside a transaction, with shared
 * memory at hand.
 */
#include "postgres.h"

#include <openssl/ssl.h>

#include "libpq/auth.h"
#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "storage/proc.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "hooks/client_auth.h"
#include "login/guard.h"
#include "server/served_cert.h"
#include "server/state.h"
#include "x509/errors.h"

static ClientAuthentication_hook_type prev_ClientAuthentication_hook = NULL;
static emit_log_hook_type prev_emit_log_hook = NULL;

/* Reports the certificate that this very connection was served with. */
static void
report_served_certificate(Port *port)
{
	X509	   *cert = SSL_get_certificate(port->ssl);
	unsigned char digest[ESG_DIGEST_SIZE];
	int64		not_after;

	if (cert != NULL && esg_served_cert_identify(cert, digest, &not_after))
		esg_server_state_report_served(ESG_SEEN_LOGIN, digest, not_after,
									   GetCurrentTimestamp());
	esg_errors_forget();
}

static void
esg_client_auth(Port *port, int status)
{
	if (prev_ClientAuthentication_hook)
		prev_ClientAuthentication_hook(port, status);
	/* a refused login stays refused; nothing of it is judged */
	if (status == STATUS_ERROR && port->ssl_in_use)
		esg_login_guard_refused(port);
	if (status != STATUS_OK)
		return;
	if (port->ssl_in_use)
		report_served_certificate(port);
	esg_login_guard_check(port);
}

/*
 * Some refusals end the process before the hook above is called: no line of
 * pg_hba.conf for TLS, one that rejects, no certificate where "clientcert" wants
 * one.  Their message is all there is to see.
 */
static void
esg_login_log(ErrorData *edata)
{
	if (prev_emit_log_hook)
		prev_emit_log_hook(edata);
	if (edata->elevel == FATAL && ClientAuthInProgress && MyProc != NULL &&
		ERRCODE_TO_CATEGORY(edata->sqlerrcode) == ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION &&
		MyProcPort != NULL && MyProcPort->ssl_in_use)
		esg_login_guard_turned_away(MyProcPort);
}

void
esg_client_auth_init(void)
{
	prev_ClientAuthentication_hook = ClientAuthentication_hook;
	ClientAuthentication_hook = esg_client_auth;
	prev_emit_log_hook = emit_log_hook;
	emit_log_hook = esg_login_log;
}
