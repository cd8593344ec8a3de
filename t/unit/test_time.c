/* sources: x509/time */
/*
 * test_time.c
 *		Times of certificates, valid, odd and broken.
 */
/* X509_cmp_time(), since 4.0 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <stdlib.h>

#include "certmaker.h"
#include "esg_test.h"
#include "x509/time.h"

#define UTC V_ASN1_UTCTIME
#define GEN V_ASN1_GENERALIZEDTIME

static const struct
{
	int			type;
	const char *text;
	const char *want;			/* as esg_x509_time_text() says it */
	bool		nonconforming;
}			readings[] = {

	/* the two-digit year's century */
	{UTC, "491231235959Z", "2049-12-31T23:59:59Z", false},
	{UTC, "500101000000Z", "1950-01-01T00:00:00Z", false},
	{UTC, "000101000000Z", "2000-01-01T00:00:00Z", false},
	{UTC, "991231235959Z", "1999-12-31T23:59:59Z", false},
	/* the ends of the calendar */
	{GEN, "00000101000000Z", "0000-01-01T00:00:00Z", false},
	{GEN, "19691231235959Z", "1969-12-31T23:59:59Z", false},
	{GEN, "19700101000000Z", "1970-01-01T00:00:00Z", false},
	{GEN, "20380119031408Z", "2038-01-19T03:14:08Z", false},
	{GEN, "20491231235959Z", "2049-12-31T23:59:59Z", false},
	{GEN, "99991231235958Z", "9999-12-31T23:59:58Z", false},
	{GEN, "99991231235959Z", "infinity", false},
	/* days in month */
	{GEN, "20240229000000Z", "2024-02-29T00:00:00Z", false},
	{GEN, "20230229000000Z", "invalid", false},
	{GEN, "20000229000000Z", "2000-02-29T00:00:00Z", false},
	{GEN, "19000229000000Z", "invalid", false},
	{GEN, "20260430000000Z", "2026-04-30T00:00:00Z", false},
	{GEN, "20260431000000Z", "invalid", false},
	{GEN, "20260100000000Z", "invalid", false},
	{GEN, "20260001000000Z", "invalid", false},
	{GEN, "20261301000000Z", "invalid", false},
	{UTC, "260230000000Z", "invalid", false},
	/* clock */
	{GEN, "20260101235959Z", "2026-01-01T23:59:59Z", false},
	{GEN, "20260101240000Z", "invalid", false},
	{GEN, "20260101006000Z", "invalid", false},
	{GEN, "20261231235960Z", "invalid", false},
	/* seconds left out */
	{UTC, "1204270000Z", "2012-04-27T00:00:00Z", true},
	{GEN, "205712010607Z", "2057-12-01T06:07:00Z", true},
	{GEN, "2057120106Z", "invalid", false},
	/* offsets */
	{UTC, "960528134905+0800", "1996-05-28T05:49:05Z", true},
	{UTC, "160811100831-0500", "2016-08-11T15:08:31Z", true},
	{UTC, "9605281349+0800", "1996-05-28T05:49:00Z", true},
	{GEN, "20260101000000+0030", "2025-12-31T23:30:00Z", true},
	{GEN, "20260101000000+0000", "2026-01-01T00:00:00Z", true},
	{GEN, "20260101000000-2400", "invalid", false},
	{GEN, "20260101000000+0060", "invalid", false},
	{GEN, "20260101000000+08", "invalid", false},
	{GEN, "20260101000000+08000", "invalid", false},
	{GEN, "00000101000000+0001", "invalid", false},
	{GEN, "99991231235959-0001", "invalid", false},
	{GEN, "99991231225959-0100", "infinity", true},
	/* fractions */
	{GEN, "20260101000000.5Z", "2026-01-01T00:00:00Z", true},
	{GEN, "20260101000000,25Z", "2026-01-01T00:00:00Z", true},
	{GEN, "20260101000000.Z", "invalid", false},
	{GEN, "20260101000000.5", "invalid", false},
	{UTC, "260101000000.5Z", "invalid", false},
	/* no instant, or rubbish */
	{GEN, "20260101000000", "invalid", false},
	{UTC, "260101000000", "invalid", false},
	{GEN, "20260101000000z", "invalid", false},
	{GEN, "20260101000000Z ", "invalid", false},
	{GEN, " 0260101000000Z", "invalid", false},
	{GEN, "-2026101000000Z", "invalid", false},
	{GEN, "260101000000Z", "invalid", false},
	{UTC, "20260101000000Z", "invalid", false},
	{UTC, "2601010000 0Z", "invalid", false},
	{GEN, "20260101", "invalid", false},
	{GEN, "Z", "invalid", false},
	{V_ASN1_UTF8STRING, "20260101000000Z", "invalid", false},
};

static EsgTime
read_raw(int type, const char *text, int len)
{
	ASN1_STRING *t = ASN1_STRING_type_new(type);
	EsgTime		out;

	ASN1_STRING_set(t, text, len);
	out = esg_x509_time_read(t);
	ASN1_STRING_free(t);
	return out;
}

static void
test_readings(void)
{
	char		text[ESG_TIME_TEXT_SIZE];
	size_t		i;

	for (i = 0; i < sizeof(readings) / sizeof(readings[0]); i++)
	{
		EsgTime		t = read_raw(readings[i].type, readings[i].text,
								 (int) strlen(readings[i].text));

		esg_x509_time_text(t, text, sizeof(text));
		is_text(text, readings[i].want, readings[i].text);
		ok(t.nonconforming == readings[i].nonconforming, "nonconforming=%d",
		   readings[i].nonconforming);
	}
}

/* what is flagged is exactly what OpenSSL's verification refuses, and the readings agree */
static void
test_against_openssl(void)
{
	size_t		i;

	for (i = 0; i < sizeof(readings) / sizeof(readings[0]); i++)
	{
		ASN1_TIME  *t = ASN1_STRING_type_new(readings[i].type);
		EsgTime		mine;
		bool		accepted;
		int			days;
		int			seconds;
		ASN1_TIME  *epoch = ASN1_TIME_set(NULL, 0);

		ASN1_STRING_set(t, readings[i].text, (int) strlen(readings[i].text));
		mine = esg_x509_time_read(t);
		accepted = X509_cmp_time(t, NULL) != 0;
		ok(accepted == (mine.state != ESG_TIME_INVALID && !mine.nonconforming),
		   "X509_cmp_time agrees on %s", readings[i].text);
		if (accepted && ASN1_TIME_diff(&days, &seconds, epoch, t))
			is_int(mine.unix_seconds, days * ESG_SECONDS_PER_DAY + seconds, "and on the instant");
		ASN1_TIME_free(t);
		ASN1_TIME_free(epoch);
	}
}

static void
test_states(void)
{
	char		text[ESG_TIME_TEXT_SIZE];
	EsgTime		t = esg_x509_time_read(NULL);

	is_int(t.state, ESG_TIME_ABSENT, "NULL is absent");
	esg_x509_time_text(t, text, sizeof(text));
	is_text(text, "absent", "absent in words");
	is_int(read_raw(GEN, "", 0).state, ESG_TIME_INVALID, "empty is invalid, not absent");
	is_int(read_raw(GEN, "20260101000000Z\0", 16).state, ESG_TIME_INVALID, "NUL at the end");
	is_int(read_raw(GEN, "2026\0" "101000000Z", 15).state, ESG_TIME_INVALID, "NUL in the middle");
	t = read_raw(GEN, "99991231235959Z", 15);
	is_int(t.state, ESG_TIME_FOREVER, "RFC 5280's no date");
	is_int(t.unix_seconds, INT64_C(253402300799), "which has seconds, too");
	t.state = ESG_TIME_VALID;
	t.unix_seconds = INT64_MAX;
	esg_x509_time_text(t, text, sizeof(text));
	is_text(text, "invalid", "a year that is none");
}

/* the calendar without gaps, and text and seconds as each other's inverse */
static void
test_calendar(void)
{
	static const int last_day[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	EsgTime		t = {ESG_TIME_VALID, 0, false};
	int64_t		next = INT64_C(-62167219200);
	int			gaps = 0;
	int			year;
	int			month;
	int			day;

	for (year = 0; year <= 9999; year++)
		for (month = 1; month <= 12; month++)
		{
			int			leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
			int			days = last_day[month - 1] + (month == 2 && leap);
			char		got[ESG_TIME_TEXT_SIZE];
			char		want[64];

			for (day = 1; day <= days; day++, next += ESG_SECONDS_PER_DAY)
				gaps += esg_x509_time_from_civil(year, month, day, 0, 0, 0) != next;
			t.unix_seconds = next - 1;
			if (year == 9999 && month == 12)
				t.unix_seconds--;
			esg_x509_time_text(t, got, sizeof(got));
			snprintf(want, sizeof(want), "%04d-%02d-%02dT23:59:%sZ", year, month, days,
					 year == 9999 && month == 12 ? "58" : "59");
			gaps += strcmp(got, want) != 0;
		}
	is_int(gaps, 0, "every day of the years 0 to 9999");
	is_int(next, INT64_C(253402300800), "and the end of them");
	is_int(esg_x509_time_from_civil(1970, 1, 1, 0, 0, 0), 0, "the epoch");
	is_int(esg_x509_time_from_civil(2026, 11, 25, 8, 1, 2), 1795593662, "a time of day");
}

static void
test_spans(void)
{
	static const struct
	{
		int64_t		seconds;
		const char *want;
	}			spans[] = {
		{0, "less than a minute"}, {59, "less than a minute"}, {60, "1 minute"},
		{119, "1 minute"}, {120, "2 minutes"}, {3599, "59 minutes"}, {3600, "1 hour"},
		{7200, "2 hours"}, {86399, "23 hours"}, {86400, "1 day"}, {5 * 86400, "5 days"},
		{INT64_C(315537897599), "3652058 days"},
	};
	char		text[ESG_TIME_TEXT_SIZE];
	size_t		i;

	for (i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
	{
		esg_x509_time_span_text(spans[i].seconds, text, sizeof(text));
		is_text(text, spans[i].want, spans[i].want);
	}
}

/* as they come out of a parsed certificate */
static void
test_certificate(void)
{
	CertSpec	spec = {.key = certmaker_ec("prime256v1"),.not_before = "500101000000Z",
	.not_after = "U:4912312359Z"};
	X509	   *cert = certmaker_cert(&spec);
	char		text[ESG_TIME_TEXT_SIZE];

	esg_x509_time_text(esg_x509_time_read(X509_get0_notBefore(cert)), text, sizeof(text));
	is_text(text, "1950-01-01T00:00:00Z", "notBefore of a certificate");
	esg_x509_time_text(esg_x509_time_read(X509_get0_notAfter(cert)), text, sizeof(text));
	is_text(text, "2049-12-31T23:59:00Z", "notAfter of a certificate");
	X509_free(cert);
}

int
main(void)
{
	test_readings();
	test_against_openssl();
	test_states();
	test_calendar();
	test_spans();
	test_certificate();
	return done();
}
