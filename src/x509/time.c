/*
 * x509/time.c
 *		ASN.1 times as seconds since 1970, without time_t and timegm.
 *
 * Certificates hold UTCTime (X.680 clause 47) and GeneralizedTime (clause 46).
 * RFC 5280 4.1.2.5 allows one form of each, with seconds and Z.  The other forms
 * that name an instant are read too, and flagged: OpenSSL's verification
 * refuses them.
 */
#include <stdio.h>

#include "x509/time.h"

#define DAYS_TO_1970 719528		/* from 0000-01-01 */
#define FOREVER_SECONDS INT64_C(253402300799)	/* 9999-12-31 23:59:59 */
#define FIRST_SECOND INT64_C(-62167219200)	/* 0000-01-01 00:00:00 */

/* What is left to read of a time's content octets. */
typedef struct TimeText
{
	const unsigned char *p;
	const unsigned char *end;
} TimeText;

typedef struct CivilTime
{
	int			year;
	int			month;
	int			day;
	int			hour;
	int			minute;
	int			second;
} CivilTime;

static bool
is_leap_year(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap_year(year));
}

/* days from 0000-01-01 to the first of January of the year; year >= 0 */
static int64_t
days_before_year(int year)
{
	int			last = year - 1;

	if (year == 0)
		return 0;
	return (int64_t) 365 * year + last / 4 - last / 100 + last / 400 + 1;
}

/*
 * Seconds since 1970-01-01 00:00:00 UTC of a date that exists: year 0 to 9999
 * of the proleptic Gregorian calendar, month and day from 1.
 */
int64_t
esg_x509_time_from_civil(int year, int month, int day, int hour, int minute, int second)
{
	int64_t		days = days_before_year(year) - DAYS_TO_1970 + day - 1;
	int			m;

	for (m = 1; m < month; m++)
		days += days_in_month(year, m);
	return days * ESG_SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
}

/* the inverse, for the same years */
static void
split_seconds(int64_t unix_seconds, CivilTime *out)
{
	int64_t		since_0 = unix_seconds + DAYS_TO_1970 * ESG_SECONDS_PER_DAY;
	int64_t		days = since_0 / ESG_SECONDS_PER_DAY;
	int			rest = (int) (since_0 % ESG_SECONDS_PER_DAY);

	/* 400 years have 146097 days */
	out->year = (int) (days * 400 / 146097);
	while (days_before_year(out->year + 1) <= days)
		out->year++;
	while (days_before_year(out->year) > days)
		out->year--;
	days -= days_before_year(out->year);
	for (out->month = 1; days >= days_in_month(out->year, out->month); out->month++)
		days -= days_in_month(out->year, out->month);
	out->day = (int) days + 1;
	out->hour = rest / 3600;
	out->minute = rest / 60 % 60;
	out->second = rest % 60;
}

static bool
is_digit_next(const TimeText *text)
{
	return text->p < text->end && *text->p >= '0' && *text->p <= '9';
}

/* exactly count digits, between low and high */
static bool
read_number(TimeText *text, int count, int low, int high, int *out)
{
	*out = 0;
	for (; count > 0; count--)
	{
		if (!is_digit_next(text))
			return false;
		*out = *out * 10 + (*text->p++ - '0');
	}
	return *out >= low && *out <= high;
}

static bool
read_date(TimeText *text, int type, CivilTime *out)
{
	if (type == V_ASN1_GENERALIZEDTIME)
	{
		if (!read_number(text, 4, 0, 9999, &out->year))
			return false;
	}
	else
	{
		if (!read_number(text, 2, 0, 99, &out->year))
			return false;
		/* RFC 5280 4.1.2.5.1 */
		out->year += out->year >= 50 ? 1900 : 2000;
	}
	return read_number(text, 2, 1, 12, &out->month) &&
		read_number(text, 2, 1, days_in_month(out->year, out->month), &out->day);
}

/* hhmm, then the optional seconds, then GeneralizedTime's optional fraction of them */
static bool
read_clock(TimeText *text, int type, CivilTime *out)
{
	out->second = 0;
	if (!read_number(text, 2, 0, 23, &out->hour) || !read_number(text, 2, 0, 59, &out->minute))
		return false;
	if (!is_digit_next(text))
		return true;
	if (!read_number(text, 2, 0, 59, &out->second))
		return false;
	if (type == V_ASN1_UTCTIME || text->p == text->end || (*text->p != '.' && *text->p != ','))
		return true;
	text->p++;
	if (!is_digit_next(text))
		return false;
	while (is_digit_next(text))
		text->p++;
	return true;
}

/*
 * Z or +hhmm or -hhmm, as seconds east of Greenwich.  A time without a zone is
 * local to nobody knows where: no instant.
 */
static bool
read_zone(TimeText *text, int *seconds_east)
{
	int			sign;
	int			hours;
	int			minutes;

	*seconds_east = 0;
	if (text->p == text->end)
		return false;
	switch (*text->p++)
	{
		case 'Z':
			return true;
		case '+':
			sign = 1;
			break;
		case '-':
			sign = -1;
			break;
		default:
			return false;
	}
	if (!read_number(text, 2, 0, 23, &hours) || !read_number(text, 2, 0, 59, &minutes))
		return false;
	*seconds_east = sign * (hours * 3600 + minutes * 60);
	return true;
}

/*
 * The time as an instant.  NULL is "absent".  A day that does not exist, hour
 * 24, second 60, a missing zone, other string types and left-over octets are
 * "invalid".
 */
EsgTime
esg_x509_time_read(const ASN1_TIME *t)
{
	EsgTime		out = {ESG_TIME_INVALID, 0, false};
	TimeText	text;
	CivilTime	civil;
	int			type;
	int			len;
	int			east;
	int64_t		seconds;

	if (t == NULL)
	{
		out.state = ESG_TIME_ABSENT;
		return out;
	}
	type = ASN1_STRING_type(t);
	len = ASN1_STRING_length(t);
	text.p = ASN1_STRING_get0_data(t);
	if ((type != V_ASN1_UTCTIME && type != V_ASN1_GENERALIZEDTIME) || text.p == NULL || len <= 0)
		return out;
	text.end = text.p + len;
	if (!read_date(&text, type, &civil) || !read_clock(&text, type, &civil) ||
		!read_zone(&text, &east) || text.p != text.end)
		return out;
	seconds = esg_x509_time_from_civil(civil.year, civil.month, civil.day, civil.hour,
									   civil.minute, civil.second) - east;
	if (seconds < FIRST_SECOND || seconds > FOREVER_SECONDS)
		return out;
	out.unix_seconds = seconds;
	out.state = seconds == FOREVER_SECONDS ? ESG_TIME_FOREVER : ESG_TIME_VALID;
	/* of the forms that are read, only RFC 5280's has this length */
	out.nonconforming = len != (type == V_ASN1_UTCTIME ? 13 : 15);
	return out;
}

void
esg_x509_time_text(EsgTime t, char *buf, size_t size)
{
	CivilTime	civil;

	switch (t.state)
	{
		case ESG_TIME_VALID:
			if (t.unix_seconds < FIRST_SECOND || t.unix_seconds > FOREVER_SECONDS)
				break;
			split_seconds(t.unix_seconds, &civil);
			snprintf(buf, size, "%04d-%02d-%02dT%02d:%02d:%02dZ", civil.year, civil.month,
					 civil.day, civil.hour, civil.minute, civil.second);
			return;
		case ESG_TIME_FOREVER:
			snprintf(buf, size, "infinity");
			return;
		case ESG_TIME_ABSENT:
			snprintf(buf, size, "absent");
			return;
		case ESG_TIME_INVALID:
			break;
	}
	snprintf(buf, size, "invalid");
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
