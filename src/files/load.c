/*
 * files/load.c
 *		Loading certificate, key, CAs and CRLs as the server would.
 */
#include "files/load.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>

#include "compat.h"
#include "policy/key_mode.h"
#include "secret/forget.h"

static bool
fail(EsgProved *out, EsgProof proof, const char *path, const char *reason)
{
	out->proof = proof;
	OPENSSL_strlcpy(out->path, path, sizeof(out->path));
	OPENSSL_strlcpy(out->reason, reason, sizeof(out->reason));
	return false;
}

/* The first error of the queue is the one nearest to the cause. */
static bool
fail_by_openssl(EsgProved *out, const char *path)
{
	unsigned long error = ERR_get_error();
	const char *reason = ERR_GET_LIB(error) == ERR_LIB_SYS ? strerror(ERR_GET_REASON(error)) :
	ERR_reason_error_string(error);

	ERR_clear_error();
	return fail(out, ESG_PROOF_FAILS, path, reason != NULL ? reason : "it cannot be loaded");
}

/* Opening anything else could wait without end; for core it would, too. */
static bool
look_at_file(EsgProved *out, const char *path, struct stat *st)
{
	if (stat(path, st) != 0)
		return fail(out, ESG_PROOF_FAILS, path, strerror(errno));
	if (!S_ISREG(st->st_mode))
		return fail(out, ESG_PROOF_FAILS, path, "it is not a regular file");
	return true;
}

static bool
is_file(EsgProved *out, const char *path)
{
	struct stat st;

	return look_at_file(out, path, &st);
}

/* Core's own conditions. */
static bool
is_safe_key(EsgProved *out, const char *path)
{
	EsgKeyRule	rule = {geteuid(), ESG_KEY_MODE_ANY};
	struct stat st;

	if (!look_at_file(out, path, &st))
		return false;
	if (!esg_key_mode_trusts(st.st_uid, rule.user))
		return fail(out, ESG_PROOF_FAILS, path, "the server does not take a key that belongs to another user");
	if ((st.st_mode & 0777 & ~esg_key_mode_allowed(st.st_uid, &rule)) != 0)
		return fail(out, ESG_PROOF_FAILS, path, "the server does not take a key that others may read");
	return true;
}

static bool
load_certificate(EsgProved *out, SSL_CTX *context, const EsgLoadSet *set)
{
	if (!is_file(out, set->cert))
		return false;
	return SSL_CTX_use_certificate_chain_file(context, set->cert) == 1 ||
		fail_by_openssl(out, set->cert);
}

/* What the server will be able to do that we do not do here is no fault; what comes behind it may have one. */
static void
note_unanswered(EsgProved *out, const EsgLoadSet *set)
{
	ERR_clear_error();
	if (set->command[0] == '\0' || !set->command_at_reload)
		(void) fail(out, ESG_PROOF_NEEDS_PERSON, set->key,
					"the key is encrypted, and nobody gives its passphrase at a reload");
	else if (out->proof == ESG_PROOF_NONE)
		(void) fail(out, ESG_PROOF_NEEDS_COMMAND, set->key, "only \"ssl_passphrase_command\" opens the key");
}

/* Of those that SSL_CTX_use_PrivateKey_file() meets: the key was opened, and is another's. */
static bool
is_misfit(void)
{
	return ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_X509;
}

static bool
load_key(EsgProved *out, SSL_CTX *context, const EsgLoadSet *set)
{
	EsgPassphraseSource source;
	int			loaded;

	if (!is_safe_key(out, set->key))
		return false;
	set->install(context, &source, set->install_arg);
	ERR_clear_error();
	loaded = SSL_CTX_use_PrivateKey_file(context, set->key, SSL_FILETYPE_PEM);
	esg_secret_forget_stack();
	if (loaded == 1 ? SSL_CTX_check_private_key(context) != 1 : source != ESG_PASSPHRASE_NOBODY || is_misfit())
		return fail_by_openssl(out, set->key);
	if (source == ESG_PASSPHRASE_NOBODY || source == ESG_PASSPHRASE_PERSON)
		note_unanswered(out, set);
	return true;
}

static bool
load_ca(EsgProved *out, SSL_CTX *context, const EsgLoadSet *set)
{
	STACK_OF(X509_NAME) *names;

	if (set->ca[0] == '\0')
		return true;
	if (!is_file(out, set->ca))
		return false;
	names = SSL_load_client_CA_file(set->ca);
	if (names == NULL || SSL_CTX_load_verify_locations(context, set->ca, NULL) != 1)
	{
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return fail_by_openssl(out, set->ca);
	}
	sk_X509_NAME_pop_free(names, X509_NAME_free);
	return true;
}

static bool
load_crls(EsgProved *out, SSL_CTX *context, const EsgLoadSet *set)
{
	const char *file = set->crl[0] != '\0' ? set->crl : NULL;
	const char *dir = set->crl_dir[0] != '\0' ? set->crl_dir : NULL;

	/* core looks at them where there are CAs only */
	if (set->ca[0] == '\0' || (file == NULL && dir == NULL))
		return true;
	if (file != NULL && !is_file(out, file))
		return false;
	return X509_STORE_load_locations(SSL_CTX_get_cert_store(context), file, dir) == 1 ||
		fail_by_openssl(out, file != NULL ? file : dir);
}

static bool
apply_settings(EsgProved *out, SSL_CTX *context, const EsgLoadSet *set)
{
	out->refused = esg_server_context_apply(context, set->tls);
	if (out->refused == ESG_TLS_PART_NONE)
	{
		ERR_clear_error();
		return true;
	}
	return fail_by_openssl(out, set->cert);
}

bool
esg_load_set(const EsgLoadSet *set, EsgProved *out)
{
	SSL_CTX    *context = SSL_CTX_new(TLS_method());
	bool		good;

	if (context == NULL)
		return fail_by_openssl(out, set->cert);
	good = load_certificate(out, context, set) && load_key(out, context, set) &&
		apply_settings(out, context, set) && load_ca(out, context, set) && load_crls(out, context, set);
	SSL_CTX_free(context);
	ERR_clear_error();
	return good && out->proof != ESG_PROOF_NEEDS_PERSON;
}
