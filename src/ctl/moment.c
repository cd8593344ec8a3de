/*
 * ctl/moment.c
 *		The day that --at names.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* strptime(), timegm() */
#endif

#include "ctl/moment.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/message.h"
#include "x509/time.h"

/* no longer span makes sense, and none of these overflows */
#define MAX_DAYS 3660000L

int64_t
esg_moment_now(void)
{
	return (int64_t) time(NULL);
}

/* "+30d" */
static bool
parse_span(const char *text, int64_t *out)
{
	char	   *end;
	long		days;

	if (text[0] != '+' || text[1] < '0' || text[1] > '9')
		return false;
	days = strtol(text + 1, &end, 10);
	if (strcmp(end, "d") != 0 || days > MAX_DAYS)
		return false;
	*out = esg_moment_now() + (int64_t) days * ESG_SECONDS_PER_DAY;
	return esg_x509_time_in_range(*out);
}

/* strptime() takes 2027-02-31; going back from the seconds shows that it is none. */
static bool
is_in_calendar(const struct tm *wanted, time_t seconds)
{
	struct tm	found;

	return gmtime_r(&seconds, &found) != NULL && found.tm_mday == wanted->tm_mday &&
		found.tm_mon == wanted->tm_mon && found.tm_year == wanted->tm_year;
}

static bool
parse_format(const char *text, const char *format, int64_t *out)
{
	struct tm	t;
	struct tm	copy;
	const char *end;
	time_t		seconds;

	memset(&t, 0, sizeof(t));
	end = strptime(text, format, &t);
	if (end == NULL || *end != '\0')
		return false;
	copy = t;
	seconds = timegm(&copy);
	*out = (int64_t) seconds;
	return is_in_calendar(&t, seconds) && esg_x509_time_in_range(*out);
}

bool
esg_moment_parse(const char *text, int64_t *out)
{
	static const char *const formats[] = {
		"%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S",
		"%Y-%m-%dT%H:%MZ", "%Y-%m-%d %H:%MZ", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"
	};
	size_t		i;

	if (parse_span(text, out))
		return true;
	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (parse_format(text, formats[i], out))
			return true;
	return esg_message_error("\"%s\" is no moment: 2027-03-01, 2027-03-01T08:00:00Z (in UTC) or "
							 "+30d is needed", text);
}
