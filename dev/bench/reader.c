/*
 * bench/reader.c
 *		bench_read(path), bench_read_crl(path): PEM_read_bio_X509() or _CRL() over a
 *		file and nothing else, in a server's own process.
 *
 * What decoding a certificate costs depends on what OpenSSL has loaded before: by
 * a third between this and a program of its own.
 */
#include "postgres.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "fmgr.h"
#include "storage/fd.h"
#include "utils/builtins.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(bench_read);
PG_FUNCTION_INFO_V1(bench_read_crl);

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

/* how many certificates, or CRLs */
static int32
read_blocks(const char *path, bool crls)
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
		X509_free(cert);
		X509_CRL_free(crl);
	}
	BIO_free(bio);
	free(content);
	ERR_clear_error();
	return count;
}

Datum
bench_read(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(read_blocks(text_to_cstring(PG_GETARG_TEXT_PP(0)), false));
}

Datum
bench_read_crl(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(read_blocks(text_to_cstring(PG_GETARG_TEXT_PP(0)), true));
}
