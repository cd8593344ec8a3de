/*
 * bench/reader.c
 *		bench_read(path): PEM_read_bio_X509() over a file and nothing else, in a
 *		server's own process.
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

/* how many certificates */
Datum
bench_read(PG_FUNCTION_ARGS)
{
	size_t		len;
	char	   *content = read_file(text_to_cstring(PG_GETARG_TEXT_PP(0)), &len);
	BIO		   *bio = BIO_new_mem_buf(content, (int) len);
	X509	   *cert;
	int32		count = 0;

	while (bio != NULL && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
	{
		count++;
		X509_free(cert);
	}
	BIO_free(bio);
	free(content);
	ERR_clear_error();
	PG_RETURN_INT32(count);
}
