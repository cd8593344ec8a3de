/*
 * files/crl_dir.c
 *		What OpenSSL does at a file of ssl_crl_dir that it cannot read.
 *
 * It stopped there until the releases of June 2026, of every branch, and goes on
 * since then.  Distributions take such a change into an older version, so the
 * number does not tell: the one that runs is tried.
 */
#include "files/crl_dir.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

#include "compat.h"

#define TRIAL_DIR "ssl_guard_XXXXXX"

/* Nobody's: neither its signature nor its dates are looked at. */
static const char some_crl[] =
"-----BEGIN X509 CRL-----\n"
"MIGnME8CAQEwCgYIKoZIzj0EAwIwEDEOMAwGA1UEAwwFbm8gQ0EXDTI2MTEyODIz\n"
"NDMxMloXDTI2MTEyOTIzNDMxMlqgDjAMMAoGA1UdFAQDAgEBMAoGCCqGSM49BAMC\n"
"A0gAMEUCIDKi0C7+P5ymK9Qze+zX4ZtmuShCQ87n9qvmPIYVirvOAiEAnJc3QcQa\n"
"8it2ugGtbVuz2AEJeewl0lhr0PbPrvKT+JI=\n"
"-----END X509 CRL-----\n";

typedef struct Trial
{
	X509_CRL   *crl;
	char		dir[PATH_MAX];
	char		paths[2][PATH_MAX + 32];
} Trial;

static bool
write_file(const char *path, const char *text)
{
	int			fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	bool		written;

	if (fd < 0)
		return false;
	written = write(fd, text, strlen(text)) == (ssize_t) strlen(text);
	return close(fd) == 0 && written;
}

/* The first file of that name is no CRL, the second one is. */
static bool
make_files(Trial *trial)
{
	BIO		   *bio = BIO_new_mem_buf(some_crl, -1);
	int			i;

	trial->crl = bio != NULL ? PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	if (trial->crl == NULL || mkdtemp(trial->dir) == NULL)
		return false;
	for (i = 0; i < 2; i++)
		snprintf(trial->paths[i], sizeof(trial->paths[i]), "%s/%08lx.r%d", trial->dir,
				 X509_NAME_hash_ex(X509_CRL_get_issuer(trial->crl), NULL, NULL, NULL), i);
	return write_file(trial->paths[0], "no CRL\n") && write_file(trial->paths[1], some_crl);
}

static void
remove_files(const Trial *trial)
{
	int			i;

	for (i = 0; i < 2; i++)
	{
		if (trial->paths[i][0] != '\0')
			(void) unlink(trial->paths[i]);
	}
	(void) rmdir(trial->dir);
	X509_CRL_free(trial->crl);
}

/* Is the second one found?  False: that could not be tried, here and below. */
static bool
search(const Trial *trial, X509_STORE *store, X509_STORE_CTX *ctx, bool *found)
{
	X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());
	STACK_OF(X509_CRL) *crls;

	if (lookup == NULL || X509_LOOKUP_add_dir(lookup, trial->dir, X509_FILETYPE_PEM) != 1 ||
		X509_STORE_CTX_init(ctx, store, NULL, NULL) != 1)
		return false;
	crls = X509_STORE_CTX_get1_crls(ctx, X509_CRL_get_issuer(trial->crl));
	*found = sk_X509_CRL_num(crls) > 0;
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	return true;
}

static bool
try_search(const Trial *trial, bool *found)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool		tried = store != NULL && ctx != NULL && search(trial, store, ctx, found);

	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return tried;
}

bool
esg_crl_dir_passes_over(const char *scratch)
{
	static enum
	{
		UNKNOWN, STOPS, PASSES
	}			answer = UNKNOWN;
	Trial		trial = {0};
	bool		found = false;

	if (answer != UNKNOWN)
		return answer == PASSES;
	snprintf(trial.dir, sizeof(trial.dir), "%s/" TRIAL_DIR, scratch);
	if (make_files(&trial) && try_search(&trial, &found))
		answer = found ? PASSES : STOPS;
	remove_files(&trial);
	ERR_clear_error();
	return answer == PASSES;
}
