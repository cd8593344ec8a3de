/* sources: x509/time */
/*
 * test_time.c
 *		Times of certificates, valid, odd and broken.
 */
/* X509_cmp_time(), since 4.0 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>

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
	{GEN, "20260101000000+1200", "2025-12-31T12:00:00Z", true},
	{GEN, "20260101000000+1300", "invalid", false},
	{GEN, "20260101000000-2400", "invalid", false},
	{GEN, "20260101000000+0060", "invalid", false},
	{GEN, "20260101000000+08", "invalid", false},
	{GEN, "20260101000000+08000", "invalid", false},
	{GEN, "19000101000000-0001", "1900-01-01T00:01:00Z", true},
	{GEN, "00000101000000+0001", "invalid", false},
	{GEN, "99991231235959-0001", "invalid", false},
	{GEN, "99991231225959-0100", "infinity", true},
	/* fractions */
	{GEN, "20260101000000.5Z", "2026-01-01T00:00:00Z", true},
	{GEN, "20260101000000.123456789Z", "2026-01-01T00:00:00Z", true},
	{GEN, "20260101000000.5+0100", "2025-12-31T23:00:00Z", true},
	{GEN, "20260101000000,25Z", "invalid", false},
	{GEN, "202601010000.5Z", "invalid", false},
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

/* OpenSSL 3.6.5 does not any more. */
static bool
openssl_takes_short(void)
{
	ASN1_STRING *t = ASN1_STRING_type_new(UTC);
	struct tm	civil;
	bool		taken;

	ASN1_STRING_set(t, "1204270000Z", -1);
	taken = ASN1_TIME_to_tm(t, &civil) == 1;
	ERR_clear_error();
	ASN1_STRING_free(t);
	return taken;
}

/* Has it no seconds, and no offset either? */
static bool
is_short(int type, const char *raw)
{
	size_t		digits = strspn(raw, "0123456789");

	return digits == (type == UTC ? 10 : 12) && raw[digits] == 'Z';
}

static void
test_readings(void)
{
	char		text[ESG_TIME_TEXT_SIZE];
	bool		takes_short = openssl_takes_short();
	size_t		i;

	for (i = 0; i < sizeof(readings) / sizeof(readings[0]); i++)
	{
		EsgTime		t = read_raw(readings[i].type, readings[i].text,
								 (int) strlen(readings[i].text));

		bool		taken = takes_short || !is_short(readings[i].type, readings[i].text);

		esg_x509_time_text(t, text, sizeof(text));
		is_text(text, taken ? readings[i].want : "invalid", readings[i].text);
		ok(t.nonconforming == (taken && readings[i].nonconforming), "nonconforming=%d",
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

/*
 * Days from 1970-01-01 to a date of the Gregorian calendar, by formula: March
 * is the first month here, so that the odd day is the last one of a year.
 */
static int64_t
days_of(int year, int month, int day)
{
	int			y = month > 2 ? year : year - 1;
	int			m = (month + 9) % 12;

	y += 400;					/* not below zero */
	return INT64_C(365) * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 865565;
}

static int
days_in(int year, int month)
{
	return (int) (month == 12 ? 31 : days_of(year, month + 1, 1) - days_of(year, month, 1));
}

static void
test_formula(void)
{
	is_int(days_of(1970, 1, 1), 0, "the epoch");
	is_int(days_of(2000, 3, 1), 11017, "after a leap day");
	is_int(days_of(0, 1, 1), -719528, "the first day");
	is_int(days_of(9999, 12, 31), 2932896, "the last day");
	is_int(days_in(2023, 2) * 100 + days_in(2024, 2), 2829, "February");
	is_int(days_in(1900, 2) * 100 + days_in(2000, 2), 2829, "February of centuries");
}

static bool
is_day(int year, int month, int day)
{
	char		raw[64];
	char		want[64];
	char		got[ESG_TIME_TEXT_SIZE];
	EsgTime		t;

	snprintf(raw, sizeof(raw), "%04d%02d%02d235958Z", year, month, day);
	snprintf(want, sizeof(want), "%04d-%02d-%02dT23:59:58Z", year, month, day);
	t = read_raw(GEN, raw, (int) strlen(raw));
	esg_x509_time_text(t, got, sizeof(got));
	return t.state == ESG_TIME_VALID && strcmp(got, want) == 0 &&
		t.unix_seconds == days_of(year, month, day) * ESG_SECONDS_PER_DAY + 86398;
}

/* read, and written again: every day of 400 years, and the ends of the other months */
static void
test_calendar(void)
{
	int			faults = 0;
	int64_t		days = 0;
	int			year;
	int			month;
	int			day;

	for (year = 0; year <= 9999; year++)
		for (month = 1; month <= 12; month++)
		{
			int			last = days_in(year, month);
			bool		all = year >= 1800 && year < 2200;

			for (day = 1; day <= last; day += all || day == last ? 1 : last - 1)
				faults += !is_day(year, month, day);
			days += last;
		}
	is_int(faults, 0, "the years 0 to 9999");
	is_int(days, 3652425, "have no day more");
}

static uint64_t random_state = 88172645463325252;

static int
random_below(int n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (int) ((random_state >> 11) % (uint64_t) n);
}

/* mostly in its range, sometimes just beyond */
static int
random_field(int low, int high)
{
	return random_below(20) == 0 ? random_below(high + 5) : low + random_below(high - low + 1);
}

/*
 * A time of random fields, with what the formula says of it.  False if the
 * fields make no time.
 */
static bool
make_time(int *type, char *raw, size_t size, EsgTime *want)
{
	int			year = random_below(10000);
	int			month = random_field(1, 12);
	int			day = random_field(1, 31);
	int			hour = random_field(0, 23);
	int			minute = random_field(0, 59);
	int			second = random_field(0, 59);
	int			east = random_below(4) ? 0 : random_below(25) - 12;
	bool		seconds_written = random_below(4) != 0;
	char		clock[16] = "";
	char		zone[16] = "Z";

	*type = random_below(2) ? UTC : GEN;
	if (*type == UTC)
		year = 1950 + year % 100;
	if (seconds_written)
		snprintf(clock, sizeof(clock), "%02d", second);
	else
		second = 0;
	if (east != 0)
		snprintf(zone, sizeof(zone), "%c%02d30", east < 0 ? '-' : '+', abs(east));
	snprintf(raw, size, "%0*d%02d%02d%02d%02d%s%s", *type == UTC ? 2 : 4,
			 *type == UTC ? year % 100 : year, month, day, hour, minute, clock, zone);
	if (month < 1 || month > 12 || day < 1 || day > days_in(year, month) ||
		hour > 23 || minute > 59 || second > 59)
		return false;
	want->unix_seconds = days_of(year, month, day) * ESG_SECONDS_PER_DAY + hour * 3600 +
		minute * 60 + second - east * 3600 - (east > 0) * 1800 + (east < 0) * 1800;
	want->nonconforming = !seconds_written || east != 0;
	/* with an offset, only from 1900 to 9999 */
	return east == 0 ||
		(want->unix_seconds >= days_of(1900, 1, 1) * ESG_SECONDS_PER_DAY &&
		 want->unix_seconds < days_of(10000, 1, 1) * ESG_SECONDS_PER_DAY);
}

static void
test_random(void)
{
	char		raw[128];
	bool		takes_short = openssl_takes_short();
	int			valid = 0;
	int			faults = 0;
	int			i;

	for (i = 0; i < 400000; i++)
	{
		EsgTime		want = {ESG_TIME_VALID, 0, false};
		EsgTime		got;
		int			type;
		bool		good = make_time(&type, raw, sizeof(raw), &want) &&
			(takes_short || !is_short(type, raw));

		got = read_raw(type, raw, (int) strlen(raw));
		valid += good;
		if (good ? got.state == ESG_TIME_INVALID || got.unix_seconds != want.unix_seconds ||
			got.nonconforming != want.nonconforming : got.state != ESG_TIME_INVALID)
			faults += ok(0, "%s", raw) == 0;
	}
	is_int(faults, 0, "random times agree with the formula");
	ok(valid > 150000 && valid < 390000, "%d of them valid", valid);
}

/* a garbled time is what OpenSSL's verification takes it for */
static void
test_garbled(void)
{
	static const char likely[] = "0123456789Z+-.";
	int			faults = 0;
	int			valid = 0;
	int			i;

	for (i = 0; i < 100000; i++)
	{
		char		raw[] = "20260228235959Z";
		int			century = 2 * random_below(2);
		ASN1_TIME  *t = ASN1_STRING_type_new(century ? UTC : GEN);
		EsgTime		got;

		raw[random_below(15)] = likely[random_below(sizeof(likely) - 1)];
		if (random_below(4) == 0)
			raw[random_below(15)] = (char) random_below(256);
		ASN1_STRING_set(t, raw + century, 15 - century - (random_below(8) == 0));
		got = esg_x509_time_read(t);
		faults += (X509_cmp_time(t, NULL) != 0) !=
			(got.state != ESG_TIME_INVALID && !got.nonconforming);
		valid += got.state != ESG_TIME_INVALID;
		ASN1_STRING_free(t);
	}
	is_int(faults, 0, "garbled times are refused as OpenSSL refuses them");
	ok(valid > 10000 && valid < 90000, "%d of them readable", valid);
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
	is_text(text, openssl_takes_short() ? "2049-12-31T23:59:00Z" : "invalid", "notAfter of a certificate");
	X509_free(cert);
}

int
main(void)
{
	test_readings();
	test_against_openssl();
	test_states();
	test_formula();
	test_calendar();
	test_random();
	test_garbled();
	test_spans();
	test_certificate();
	return done();
}
