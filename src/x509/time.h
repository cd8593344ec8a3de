/*
 * x509/time.h
 *		ASN.1 times as seconds since 1970, without time_t and timegm.
 */
#ifndef ESG_X509_TIME_H
#define ESG_X509_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/asn1.h>

typedef enum EsgTimeState
{
	ESG_TIME_INVALID = 0,		/* not readable as a calendar time */
	ESG_TIME_ABSENT,			/* an optional field that is not there */
	ESG_TIME_VALID,
	ESG_TIME_FOREVER			/* 99991231235959Z, RFC 5280 4.1.2.5 */
} EsgTimeState;

/* Zeroed is "invalid". */
typedef struct EsgTime
{
	EsgTimeState state;
	int64_t		unix_seconds;	/* proleptic Gregorian, UTC; year 0..9999; set
								 * for ESG_TIME_FOREVER too */
	bool		nonconforming;	/* readable, but OpenSSL's verification
								 * refuses it (no seconds, offset instead of Z
								 * …): ASN1_TIME_to_tm/X509_cmp_time says
								 * error */
} EsgTime;

#define ESG_SECONDS_PER_DAY INT64_C(86400)

/* in the years that certificates know, 0 to 9999 */
extern bool esg_x509_time_in_range(int64_t unix_seconds);

extern EsgTime esg_x509_time_read(const ASN1_TIME *t);

/* ISO 8601, "2026-11-25T08:00:00Z" or "infinity"; "invalid", "absent" */
#define ESG_TIME_TEXT_SIZE 32
extern void esg_x509_time_text(EsgTime t, char *buf, size_t size);

/* a span in words, "5 days", "3 hours", "less than a minute"; seconds >= 0 */
extern void esg_x509_time_span_text(int64_t seconds, char *buf, size_t size);

#endif							/* ESG_X509_TIME_H */
