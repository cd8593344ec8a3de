/*
 * wire/system_roots.c
 *		Does the system's store of root certificates know an issuer?
 *
 * The store is where OpenSSL says it is, X509_get_default_cert_dir(3) and the
 * environment variables named there.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include "wire/system_roots.h"

#define BUNDLE_LIMIT (64 << 20)
#define KEEP_SECONDS 60

typedef struct LastAnswer
{
	bool		valid;
	EsgKnownIssuer issuer;
	time_t		at;
	unsigned char fingerprint[ESG_DIGEST_SIZE];
} LastAnswer;

static LastAnswer last_answer;

/* esg_system_roots_keep(): without the bundle and with it, once it was opened */
static bool keeping = false;
static X509_STORE *kept[2] = {NULL, NULL};

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

/* Nothing is read by this but the bundle, where there is one.  False: out of memory. */
static bool
fill_store(X509_STORE *store, bool with_bundle)
{
	const char *dir = first_set(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
	const char *file = first_set(X509_get_default_cert_file_env(), X509_get_default_cert_file());
	X509_LOOKUP *in_dir = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());
	X509_LOOKUP *in_file = with_bundle ? X509_STORE_add_lookup(store, X509_LOOKUP_file()) : NULL;

	if (in_dir != NULL)
		(void) X509_LOOKUP_add_dir(in_dir, dir, X509_FILETYPE_PEM);
	if (in_file != NULL && is_plain_file(file))
		(void) X509_LOOKUP_load_file(in_file, file, X509_FILETYPE_PEM);
	return in_dir != NULL && (in_file != NULL || !with_bundle);
}

/* A part of it is none: it may be kept. */
static X509_STORE *
open_store(bool with_bundle)
{
	X509_STORE *store = X509_STORE_new();

	if (store == NULL || fill_store(store, with_bundle))
		return store;
	X509_STORE_free(store);
	return NULL;
}

/* One reference is the caller's. */
static X509_STORE *
get_store(bool with_bundle)
{
	if (!keeping)
		return open_store(with_bundle);
	if (kept[with_bundle] == NULL)
		kept[with_bundle] = open_store(with_bundle);
	if (kept[with_bundle] != NULL)
		X509_STORE_up_ref(kept[with_bundle]);
	return kept[with_bundle];
}

static bool
has_issued(X509 *issuer, X509 *cert)
{
	EVP_PKEY   *key = X509_get0_pubkey(issuer);

	return X509_check_issued(issuer, cert) == X509_V_OK &&
		key != NULL && X509_verify(cert, key) == 1;
}

static bool
has_same_key(X509 *a, X509 *b)
{
	unsigned char left[EVP_MAX_MD_SIZE];
	unsigned char right[EVP_MAX_MD_SIZE];
	unsigned	size;

	return X509_pubkey_digest(a, EVP_sha256(), left, &size) == 1 &&
		X509_pubkey_digest(b, EVP_sha256(), right, &size) == 1 && memcmp(left, right, size) == 0;
}

/* Of the certificates with the name of cert's issuer, or with its own, the best. */
static EsgKnownIssuer
judge_candidates(STACK_OF(X509) *candidates, X509 *cert)
{
	EsgKnownIssuer best = ESG_ISSUER_UNKNOWN;
	int			i;

	for (i = 0; i < sk_X509_num(candidates); i++)
	{
		X509	   *candidate = sk_X509_value(candidates, i);
		bool		root = X509_NAME_cmp(X509_get_subject_name(candidate),
										 X509_get_issuer_name(candidate)) == 0;

		if (root && X509_NAME_cmp(X509_get_subject_name(candidate),
								  X509_get_subject_name(cert)) == 0 && has_same_key(candidate, cert))
			return ESG_ISSUER_ROOT;
		if (!has_issued(candidate, cert))
			continue;
		if (root)
			return ESG_ISSUER_ROOT;
		best = ESG_ISSUER_INTERMEDIATE;
	}
	return best;
}

static EsgKnownIssuer
search_name(X509_STORE_CTX *ctx, const X509_NAME *name, X509 *cert)
{
	STACK_OF(X509) *candidates = X509_STORE_CTX_get1_certs(ctx, (X509_NAME *) name);
	EsgKnownIssuer issuer = ESG_ISSUER_UNKNOWN;

	if (candidates != NULL)
		issuer = judge_candidates(candidates, cert);
	sk_X509_pop_free(candidates, X509_free);
	return issuer;
}

static EsgKnownIssuer
search_store(X509 *cert, bool with_bundle)
{
	X509_STORE *store = NULL;
	X509_STORE_CTX *ctx = NULL;
	EsgKnownIssuer issuer = ESG_ISSUER_UNKNOWN;

	store = get_store(with_bundle);
	ctx = X509_STORE_CTX_new();
	if (store == NULL || ctx == NULL || X509_STORE_CTX_init(ctx, store, NULL, NULL) != 1)
		goto done;
	issuer = search_name(ctx, X509_get_issuer_name(cert), cert);
	if (issuer != ESG_ISSUER_ROOT && search_name(ctx, X509_get_subject_name(cert), cert) == ESG_ISSUER_ROOT)
		issuer = ESG_ISSUER_ROOT;

done:
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	ERR_clear_error();
	return issuer;
}

bool
esg_system_roots_keep(void)
{
	bool		begun = !keeping;

	keeping = true;
	return begun;
}

void
esg_system_roots_forget(void)
{
	keeping = false;
	for (int i = 0; i < 2; i++)
	{
		X509_STORE_free(kept[i]);
		kept[i] = NULL;
	}
}

EsgKnownIssuer
esg_system_roots_know_issuer(const EsgCertInfo *cert)
{
	time_t		now = time(NULL);

	if (last_answer.valid &&
		memcmp(last_answer.fingerprint, cert->fingerprint, ESG_DIGEST_SIZE) == 0 &&
		now >= last_answer.at && now - last_answer.at < KEEP_SECONDS)
		return last_answer.issuer;
	/* the directory is cheap, the bundle is not, unless it is there already */
	last_answer.issuer = kept[true] != NULL ? ESG_ISSUER_UNKNOWN : search_store(cert->cert, false);
	if (last_answer.issuer != ESG_ISSUER_ROOT)
		last_answer.issuer = search_store(cert->cert, true);
	last_answer.at = now;
	memcpy(last_answer.fingerprint, cert->fingerprint, ESG_DIGEST_SIZE);
	last_answer.valid = true;
	return last_answer.issuer;
}
