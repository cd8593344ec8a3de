/*
 * bench/reader.c
 *		bench_read(path), bench_read_crl(path): PEM_read_bio_X509() or _CRL() over a
 *		file and nothing else, in a server's own process.  bench_keep(path) keeps what
 *		it reads, until bench_drop().
 *
 * What decoding a certificate costs depends on what OpenSSL has loaded before: by
 * a third between this and a program of its own.
 */
#include "postgres.h"

#include <malloc.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "fmgr.h"
#include "storage/fd.h"
#include "utils/builtins.h"

PG_MODULE_MAGIC;

/* what is read of larger files goes back to the system afterwards, as in files/audited.c */
#define TRIM_THRESHOLD (8 << 20)

PG_FUNCTION_INFO_V1(bench_read);
PG_FUNCTION_INFO_V1(bench_read_crl);
PG_FUNCTION_INFO_V1(bench_keep);
PG_FUNCTION_INFO_V1(bench_drop);

static STACK_OF(X509) *kept;

static char *
read_file(const char *path, size_t *len)
{
	FILE	   *in = AllocateFile(path, "rb");
	char	   *content;

	if (in == NULL || fseek(in, 0, SEEK_END) != 0)
		elog(ERROR, "could not open \"%s\": %m", path);
	*len = (size_t) ftell(in);
	rewind(in);
	content = malloc(*len + 1);
	if (content == NULL || fread(content, 1, *len, in) != *len)
		elog(ERROR, "could not read \"%s\"", path);
	FreeFile(in);
	return content;
}

/* with what OpenSSL itself keeps of the extensions, once it was asked for anything */
static void
keep_or_free(X509 *cert, bool keep)
{
	if (keep && cert != NULL)
	{
		(void) X509_check_purpose(cert, -1, 0);
		sk_X509_push(kept, cert);
	}
	else
		X509_free(cert);
}

/* how many certificates, or CRLs */
static int32
read_blocks(const char *path, bool crls, bool keep)
{
	size_t		len;
	char	   *content = read_file(path, &len);
	BIO		   *bio = BIO_new_mem_buf(content, (int) len);
	int32		count = 0;

	for (;; count++)
	{
		X509	   *cert = crls ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
		X509_CRL   *crl = crls ? PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL) : NULL;

		if (cert == NULL && crl == NULL)
			break;
		keep_or_free(cert, keep);
		X509_CRL_free(crl);
	}
	BIO_free(bio);
	free(content);
	ERR_clear_error();
	if (len > TRIM_THRESHOLD && !keep)
		(void) malloc_trim(0);
	return count;
}

Datum
bench_read(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(read_blocks(text_to_cstring(PG_GETARG_TEXT_PP(0)), false, false));
}

Datum
bench_read_crl(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(read_blocks(text_to_cstring(PG_GETARG_TEXT_PP(0)), true, false));
}

Datum
bench_keep(PG_FUNCTION_ARGS)
{
	if (kept == NULL)
		kept = sk_X509_new_null();
	PG_RETURN_INT32(read_blocks(text_to_cstring(PG_GETARG_TEXT_PP(0)), false, true));
}

Datum
bench_drop(PG_FUNCTION_ARGS)
{
	int			count = kept != NULL ? sk_X509_num(kept) : 0;

	sk_X509_pop_free(kept, X509_free);
	kept = NULL;
	(void) malloc_trim(0);
	PG_RETURN_INT32(count);
}
