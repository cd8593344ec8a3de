/*
 * fuzz_time.c
 *		Hostile times.
 *
 * The first octet chooses the type, the others are the content.  Taken as
 * conforming is what OpenSSL's verification takes; such a time is written with
 * the very digits it was read from.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "checks.h"
#include "x509/time.h"

#define END_OF_9999 INT64_C(253402300800)

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* digits of RFC 5280's forms as ISO 8601, by the rule for two-digit years */
static void
rearrange(int type, const char *digits, char *buf, size_t size)
{
	const char *century = "";

	if (type == V_ASN1_UTCTIME)
		century = digits[0] >= '5' ? "19" : "20";
	snprintf(buf, size, "%s%.*s-%.2s-%.2sT%.2s:%.2s:%.2sZ", century,
			 type == V_ASN1_UTCTIME ? 2 : 4, digits, digits + strlen(digits) - 11,
			 digits + strlen(digits) - 9, digits + strlen(digits) - 7,
			 digits + strlen(digits) - 5, digits + strlen(digits) - 3);
	if (strcmp(buf, "9999-12-31T23:59:59Z") == 0)
		snprintf(buf, size, "infinity");
}

static void
check_time(const ASN1_TIME *t, EsgTime read)
{
	bool		conforming = read.state != ESG_TIME_INVALID && !read.nonconforming;
	char		text[ESG_TIME_TEXT_SIZE];
	char		want[ESG_TIME_TEXT_SIZE];

	must(read.state != ESG_TIME_ABSENT);
	must((X509_cmp_time(t, NULL) != 0) == conforming);
	ERR_clear_error();
	esg_x509_time_text(read, text, sizeof(text));
	must((strcmp(text, "invalid") == 0) == (read.state == ESG_TIME_INVALID));
	must(read.unix_seconds < END_OF_9999);
	if (!conforming)
		return;
	rearrange(ASN1_STRING_type(t), (const char *) ASN1_STRING_get0_data(t), want, sizeof(want));
	must(strcmp(text, want) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int types[] = {V_ASN1_UTCTIME, V_ASN1_GENERALIZEDTIME, V_ASN1_UTF8STRING};
	ASN1_TIME  *t;

	if (size == 0)
		return 0;
	t = ASN1_STRING_type_new(types[data[0] % 3]);
	must(t != NULL && ASN1_STRING_set(t, data + 1, (int) size - 1));
	ERR_clear_error();
	check_time(t, esg_x509_time_read(t));
	must(ERR_peek_error() == 0);
	ASN1_STRING_free(t);
	return 0;
}
