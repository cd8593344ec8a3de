/*
 * x509/crl_text.c
 *		CRLs as they come over the wire, and as PostgreSQL reads them.
 */
#include "x509/crl_text.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "x509/pem.h"

#define BEGIN_MARK "-----BEGIN "

static bool
take_crl(X509_CRL *crl, int position, void *arg)
{
	STACK_OF(X509_CRL) *crls = arg;

	(void) position;
	if (sk_X509_CRL_push(crls, crl))
		return true;
	X509_CRL_free(crl);
	return false;
}

/* Nobody asked for these. */
static bool
drop_cert(X509 *cert, int position, void *arg)
{
	(void) position;
	(void) arg;
	X509_free(cert);
	return true;
}

static STACK_OF(X509_CRL) *
fail(STACK_OF(X509_CRL) *crls, char *reason, const char *words)
{
	if (reason[0] == '\0')
		(void) snprintf(reason, ESG_CRL_TEXT_REASON_SIZE, "%s", words);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	ERR_clear_error();
	return NULL;
}

/* As many blocks as begin; those of other kinds are passed over by the reader. */
static int
count_blocks(const char *text, size_t len)
{
	size_t		mark = strlen(BEGIN_MARK);
	int			count = 0;
	size_t		i;

	for (i = 0; i + mark <= len; i++)
	{
		if ((i == 0 || text[i - 1] == '\n') && memcmp(text + i, BEGIN_MARK, mark) == 0)
			count++;
	}
	return count;
}

/* Why PEM text with so many CRLs cannot be used; "" if it can. */
static void
judge_scan(const EsgPemResult *result, const char *text, size_t len, int taken, char *reason)
{
	reason[0] = '\0';
	if (result->end == ESG_PEM_NOTHING)
		(void) snprintf(reason, ESG_CRL_TEXT_REASON_SIZE, "has %s, and no CRL", result->found);
	else if (result->end == ESG_PEM_BROKEN)
		(void) snprintf(reason, ESG_CRL_TEXT_REASON_SIZE, "has %s at byte %zu", result->found,
						result->fault_offset);
	else if (result->end == ESG_PEM_NO_MEMORY || taken != result->crls)
		(void) snprintf(reason, ESG_CRL_TEXT_REASON_SIZE, "could not be read: out of memory");
	else if (result->certs > 0 || count_blocks(text, len) != taken)
		(void) snprintf(reason, ESG_CRL_TEXT_REASON_SIZE, "has something beside CRLs");
}

static STACK_OF(X509_CRL) *
parse_pem(const char *text, size_t len, char *reason)
{
	STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
	EsgPemSink	sink = {drop_cert, take_crl, crls};
	EsgPemResult result;

	reason[0] = '\0';
	if (crls == NULL)
		return fail(NULL, reason, "could not be read: out of memory");
	esg_pem_scan(text, len, ESG_PEM_CRLS, &sink, &result);
	judge_scan(&result, text, len, sk_X509_CRL_num(crls), reason);
	return reason[0] == '\0' ? crls : fail(crls, reason, "");
}

static STACK_OF(X509_CRL) *
parse_der(const char *text, size_t len, char *reason)
{
	STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
	const unsigned char *start = (const unsigned char *) text;
	const unsigned char *p = start;
	X509_CRL   *crl = len <= LONG_MAX ? d2i_X509_CRL(NULL, &p, (long) len) : NULL;

	/* of an extension that does not decode, for one */
	ERR_clear_error();
	reason[0] = '\0';
	if (crl == NULL)
		return fail(crls, reason, "has DER that is no CRL");
	if (crls == NULL || !sk_X509_CRL_push(crls, crl))
	{
		X509_CRL_free(crl);
		return fail(crls, reason, "could not be read: out of memory");
	}
	return p == start + len ? crls : fail(crls, reason, "has something behind the CRL");
}

STACK_OF(X509_CRL) *
esg_crl_text_parse(const char *text, size_t len, char reason[ESG_CRL_TEXT_REASON_SIZE])
{
	/* the tag of a SEQUENCE, which is 0 as text; PEM may have any text before */
	if (len > 1 && text[0] == 0x30 && (text[1] & 0x80) != 0)
		return parse_der(text, len, reason);
	return parse_pem(text, len, reason);
}

static bool
is_blank(const char *text, size_t len)
{
	size_t		i;

	for (i = 0; i < len; i++)
	{
		if (!isspace((unsigned char) text[i]))
			return false;
	}
	return true;
}

STACK_OF(X509_CRL) *
esg_crl_text_parse_file(const char *text, size_t len, char reason[ESG_CRL_TEXT_REASON_SIZE])
{
	reason[0] = '\0';
	if (is_blank(text, len))
		return sk_X509_CRL_new_null();
	return parse_pem(text, len, reason);
}

bool
esg_crl_text_append(BIO *out, X509_CRL *crl)
{
	bool		good = PEM_write_bio_X509_CRL(out, crl) == 1;

	ERR_clear_error();
	return good;
}
