/*
 * x509/time.c
 *		ASN.1 times as seconds since 1970, without time_t and timegm.
 *
 * OpenSSL reads them and knows the calendar.  Where it does not do: its
 * OPENSSL_gmtime_adj() begins in 1900, ASN1_TIME_to_tm() takes NULL for the
 * current time, and takes forms that its verification then refuses.
 */
#include <stdio.h>
#include <time.h>

#include <openssl/crypto.h>

#include "x509/time.h"

#define FOREVER_SECONDS INT64_C(253402300799)	/* 9999-12-31 23:59:59 */
#define FIRST_SECOND INT64_C(-62167219200)	/* 0000-01-01 00:00:00 */

/* after this many years, and days, the calendar begins anew */
#define CYCLE_YEARS 2000
#define CYCLE_DAYS (5 * 146097)

static const struct tm epoch = {.tm_year = 70,.tm_mday = 1};

bool
esg_x509_time_in_range(int64_t unix_seconds)
{
	return unix_seconds >= FIRST_SECOND && unix_seconds <= FOREVER_SECONDS;
}

/*
 * The time as an instant.  NULL is "absent".  A day that does not exist, hour
 * 24, second 60, a missing zone, other string types and left-over octets are
 * "invalid".
 *
 * RFC 5280 4.1.2.5 allows one form of UTCTime and GeneralizedTime each, with
 * seconds and Z.  The others that OpenSSL reads (no seconds, a fraction, an
 * offset) have other lengths.
 */
EsgTime
esg_x509_time_read(const ASN1_TIME *t)
{
	EsgTime		out = {ESG_TIME_INVALID, 0, false};
	struct tm	civil;
	int			days;
	int			seconds;

	if (t == NULL)
	{
		out.state = ESG_TIME_ABSENT;
		return out;
	}
	if (!ASN1_TIME_to_tm(t, &civil) || !OPENSSL_gmtime_diff(&days, &seconds, &epoch, &civil))
		return out;
	out.unix_seconds = days * ESG_SECONDS_PER_DAY + seconds;
	out.state = out.unix_seconds == FOREVER_SECONDS ? ESG_TIME_FOREVER : ESG_TIME_VALID;
	out.nonconforming = ASN1_STRING_length(t) != (ASN1_STRING_type(t) == V_ASN1_UTCTIME ? 13 : 15);
	return out;
}

/* in the years 0 to 9999 */
static void
print_seconds(int64_t unix_seconds, char *buf, size_t size)
{
	struct tm	civil = epoch;
	int			days = (int) (unix_seconds / ESG_SECONDS_PER_DAY);
	long		seconds = (long) (unix_seconds % ESG_SECONDS_PER_DAY);
	bool		early = unix_seconds < 0;

	if (OPENSSL_gmtime_adj(&civil, days + (early ? CYCLE_DAYS : 0), seconds))
		snprintf(buf, size, "%04d-%02d-%02dT%02d:%02d:%02dZ",
				 civil.tm_year + 1900 - (early ? CYCLE_YEARS : 0), civil.tm_mon + 1,
				 civil.tm_mday, civil.tm_hour, civil.tm_min, civil.tm_sec);
}

void
esg_x509_time_text(EsgTime t, char *buf, size_t size)
{
	snprintf(buf, size, "invalid");
	switch (t.state)
	{
		case ESG_TIME_VALID:
			if (esg_x509_time_in_range(t.unix_seconds))
				print_seconds(t.unix_seconds, buf, size);
			break;
		case ESG_TIME_FOREVER:
			snprintf(buf, size, "infinity");
			break;
		case ESG_TIME_ABSENT:
			snprintf(buf, size, "absent");
			break;
		case ESG_TIME_INVALID:
			break;
	}
}

/* rounded down to the largest unit that is not zero */
void
esg_x509_time_span_text(int64_t seconds, char *buf, size_t size)
{
	static const struct
	{
		int64_t		length;
		const char *name;
	}			units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}};
	size_t		i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
	{
		long long	count = (long long) (seconds / units[i].length);

		if (count <= 0)
			continue;
		snprintf(buf, size, "%lld %s%s", count, units[i].name, count == 1 ? "" : "s");
		return;
	}
	snprintf(buf, size, "less than a minute");
}
