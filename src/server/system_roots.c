/*
 * server/system_roots.c
 *		Does the system's store of root certificates know an issuer?
 *
 * The store is where OpenSSL says it is, X509_get_default_cert_dir(3) and the
 * environment variables named there.
 */
#include "postgres.h"

#include <sys/stat.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include "server/system_roots.h"

#define BUNDLE_LIMIT (64 << 20)
#define KEEP_SECONDS 60

typedef struct LastAnswer
{
	bool		valid;
	bool		found;
	time_t		at;
	unsigned char fingerprint[ESG_DIGEST_SIZE];
} LastAnswer;

static LastAnswer last_answer;

static const char *
first_set(const char *variable, const char *otherwise)
{
	const char *value = getenv(variable);

	return value != NULL && value[0] != '\0' ? value : otherwise;
}

static bool
is_plain_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= BUNDLE_LIMIT;
}

/* Nothing is read by this but the bundle, where there is one. */
static X509_STORE *
open_store(bool with_bundle)
{
	const char *dir = first_set(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
	const char *file = first_set(X509_get_default_cert_file_env(), X509_get_default_cert_file());
	X509_STORE *store = X509_STORE_new();
	X509_LOOKUP *lookup;

	if (store == NULL)
		return NULL;
	lookup = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());
	if (lookup != NULL)
		(void) X509_LOOKUP_add_dir(lookup, dir, X509_FILETYPE_PEM);
	lookup = with_bundle ? X509_STORE_add_lookup(store, X509_LOOKUP_file()) : NULL;
	if (lookup != NULL && is_plain_file(file))
		(void) X509_LOOKUP_load_file(lookup, file, X509_FILETYPE_PEM);
	return store;
}

static bool
any_issued(STACK_OF(X509) *candidates, X509 *cert)
{
	int			i;

	for (i = 0; i < sk_X509_num(candidates); i++)
	{
		X509	   *issuer = sk_X509_value(candidates, i);
		EVP_PKEY   *key = X509_get0_pubkey(issuer);

		if (X509_check_issued(issuer, cert) == X509_V_OK &&
			key != NULL && X509_verify(cert, key) == 1)
			return true;
	}
	return false;
}

static bool
search_store(X509 *cert, bool with_bundle)
{
	X509_STORE *store = NULL;
	X509_STORE_CTX *ctx = NULL;
	STACK_OF(X509) *candidates = NULL;
	bool		found = false;

	store = open_store(with_bundle);
	ctx = X509_STORE_CTX_new();
	if (store == NULL || ctx == NULL || X509_STORE_CTX_init(ctx, store, NULL, NULL) != 1)
		goto done;
	candidates = X509_STORE_CTX_get1_certs(ctx, X509_get_issuer_name(cert));
	found = candidates != NULL && any_issued(candidates, cert);

done:
	sk_X509_pop_free(candidates, X509_free);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	ERR_clear_error();
	return found;
}

bool
esg_system_roots_has_issuer(const EsgCertInfo *top)
{
	time_t		now = time(NULL);

	if (last_answer.valid &&
		memcmp(last_answer.fingerprint, top->fingerprint, ESG_DIGEST_SIZE) == 0 &&
		now >= last_answer.at && now - last_answer.at < KEEP_SECONDS)
		return last_answer.found;
	/* the directory is cheap, the bundle is not */
	last_answer.found = search_store(top->cert, false) || search_store(top->cert, true);
	last_answer.at = now;
	memcpy(last_answer.fingerprint, top->fingerprint, ESG_DIGEST_SIZE);
	last_answer.valid = true;
	return last_answer.found;
}
