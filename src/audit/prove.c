/*
 * audit/prove.c
 *		Loading certificate, key, CAs and CRLs as the server would.
 *
 * Whether a key fits a certificate, OpenSSL alone can tell, and it wants to have
 * read it.  The worker itself, which lives as long as the server, never has a key
 * in memory: a child opens it and ends.  Of that child nobody gets a core dump,
 * or a look into it who is not root; what it frees is overwritten.
 */
#include "postgres.h"

#include <sys/resource.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "libpq/libpq.h"

#include "audit/prove.h"
#include "audit/server_tls.h"
#include "compat.h"
#include "server/passphrase.h"
#include "server/served_hosts.h"

/* as the settings do it: DH parameters, ciphers and the like */
#define SETTINGS_REFUSED "the TLS settings of the server are refused, see the view ssl_guard_settings"

static void
keep_secret(void)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
#ifdef __linux__
	(void) prctl(PR_SET_DUMPABLE, 0);
#endif
}

/* The pair is the server's own key's: with_pair. */
static void
install_with_pair(SSL_CTX *context, EsgPassphraseSource *source, void *with_pair)
{
	esg_passphrase_install_for_trial(context, *(const bool *) with_pair, source);
}

static bool
load_set(EsgProved *out, EsgLoadSet *set, bool with_pair)
{
	EsgServerSettings settings;
	bool		good;

	esg_server_tls_read(&settings);
	set->tls = &settings.tls;
	set->crl = ssl_crl_file;
	set->crl_dir = ssl_crl_dir;
	set->install = install_with_pair;
	set->install_arg = &with_pair;
	good = esg_load_set(set, out);
	if (out->refused != ESG_TLS_PART_NONE)
		strlcpy(out->reason, SETTINGS_REFUSED, sizeof(out->reason));
	esg_server_settings_forget(&settings);
	return good;
}

static bool
load_host(EsgProved *out, const EsgHost *host)
{
	EsgLoadSet	set = {.cert = host->cert,.key = host->key,.ca = host->ca,
		.command = host->command,.command_at_reload = host->command_at_reload
	};

	return load_set(out, &set, false);
}

static bool
load_settings(EsgProved *out)
{
	EsgLoadSet	set = {.cert = ssl_cert_file,.key = ssl_key_file,.ca = ssl_ca_file,
		.command = ssl_passphrase_command,
		.command_at_reload = ssl_passphrase_command_supports_reload
	};

	return load_set(out, &set, !ssl_sni);
}

void
esg_prove_loading(EsgProved *out)
{
	const EsgHosts *hosts = esg_served_hosts(NULL);
	bool		good = true;
	ListCell   *cell;

	keep_secret();
	out->proof = ESG_PROOF_NONE;
	out->refused = ESG_TLS_PART_NONE;
	if (hosts->state != ESG_HOSTS_LISTED)
		good = load_settings(out);
	else
		foreach(cell, hosts->hosts)
	{
		good = good && load_host(out, lfirst(cell));
	}
	if (good && out->proof == ESG_PROOF_NONE)
		out->proof = ESG_PROOF_LOADS;
}
