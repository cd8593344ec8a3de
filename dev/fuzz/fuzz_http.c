/*
 * fuzz_http.c
 *		Hostile web servers: what fetch-crl is sent for a URL, read to the CRLs in it.
 *
 * Besides not crashing: a body is never larger than is allowed, a reason is
 * printable and cut, what is taken for CRLs is written and read again as the
 * same, and OpenSSL's error queue is left empty.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>

#include "checks.h"
#include "wire/http_get.h"
#include "x509/crl_text.h"

#define LIMIT 4096

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_reason(const char *reason, size_t size)
{
	size_t		len = strnlen(reason, size);
	size_t		i;

	must(len > 0 && len < size);
	for (i = 0; i < len; i++)
		must((unsigned char) reason[i] >= 0x20 && reason[i] != 0x7f);
}

static void
read_crls(const char *text, size_t len)
{
	char		reason[ESG_CRL_TEXT_REASON_SIZE];
	STACK_OF(X509_CRL) *crls = esg_crl_text_parse(text, len, reason);
	STACK_OF(X509_CRL) *again;
	BIO		   *out;
	char	   *written;
	long		written_len;
	int			i;

	must(ERR_peek_error() == 0);
	if (crls == NULL)
	{
		check_reason(reason, sizeof(reason));
		return;
	}
	out = BIO_new(BIO_s_mem());
	for (i = 0; i < sk_X509_CRL_num(crls); i++)
		must(esg_crl_text_append(out, sk_X509_CRL_value(crls, i)));
	written_len = BIO_get_mem_data(out, &written);
	again = esg_crl_text_parse_file(written, (size_t) written_len, reason);
	must(again != NULL && sk_X509_CRL_num(again) == sk_X509_CRL_num(crls));
	sk_X509_CRL_pop_free(again, X509_CRL_free);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	BIO_free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BIO		   *sink = BIO_new(BIO_s_null());
	BIO		   *source = BIO_new_mem_buf(data, (int) size);
	EsgHttpAnswer answer;
	char	   *redirect;

	BIO_set_mem_eof_return(source, 0);
	if (esg_http_get_from(sink, source, "/ca.crl", LIMIT, &answer, &redirect))
	{
		must(answer.len <= LIMIT);
		read_crls((const char *) answer.body, answer.len);
	}
	else
	{
		must(answer.body == NULL && answer.len == 0);
		check_reason(answer.reason, sizeof(answer.reason));
	}
	if (redirect != NULL)
	{
		char		reason[ESG_HTTP_REASON_SIZE];

		if (!esg_http_get_accepts(redirect, reason))
			check_reason(reason, sizeof(reason));
	}
	must(ERR_peek_error() == 0);
	OPENSSL_free(answer.body);
	OPENSSL_free(redirect);
	BIO_free(source);
	BIO_free(sink);
	read_crls((const char *) data, size);
	return 0;
}
