/*
 * policy/renewal.c
 *		How a certificate or CRL is usually renewed, and is it late this time?
 */
#include "policy/renewal.h"

#include <stdio.h>
#include <string.h>

#include "policy/policy.h"

/*
 * Renewals that differ by no more than this part are alike, and one is late when
 * the point has passed by it: timers have their jitter, people their weekends.
 */
#define SLACK(left) ((left) / 5)
/* twice is a habit */
#define LEAST_AGREEING 2
/* percent of a life; programs renew at half of it or later, CAs' CRLs likewise */
#define TELLING_PERCENT 60

bool
esg_renewal_is_telling(int64_t left, int64_t lifetime)
{
	return lifetime > 0 && lifetime <= UINT32_MAX && left >= 0 && left <= lifetime &&
		left * 100 <= lifetime * TELLING_PERCENT;
}

/*
 * Some programs know days, others a share of the lifetime; which of them renews
 * here shows only when the lifetime changes.  Then the later date holds.
 */
static int64_t
expect_left(const EsgRenewal *renewal, int64_t lifetime)
{
	if (lifetime >= renewal->lifetime || renewal->lifetime <= 0)
		return renewal->left;
	return (int64_t) ((double) renewal->left * lifetime / renewal->lifetime);
}

/* How many are like this one, with no less left? */
static int
count_alike(const int64_t *lefts, int count, int64_t least)
{
	int			alike = 0;
	int			i;

	for (i = 0; i < count; i++)
		alike += lefts[i] >= least && lefts[i] - least <= SLACK(lefts[i]);
	return alike;
}

/*
 * The least of those that are alike, so that none of them was late.  One that
 * was early by hand, or late as the server was down, is not among them.  If two
 * habits are equally strong, the younger one holds.
 */
EsgUsual
esg_renewal_usual(const EsgRenewal *renewals, int count, EsgTime begin, EsgTime end)
{
	EsgUsual	usual = {0, 0, count};
	int64_t		lefts[ESG_MAX_RENEWALS];
	int			i;

	if (!esg_policy_time_known(begin) || end.state != ESG_TIME_VALID || count > ESG_MAX_RENEWALS)
		return usual;
	for (i = 0; i < count; i++)
		lefts[i] = expect_left(&renewals[i], end.unix_seconds - begin.unix_seconds);
	for (i = 0; i < count; i++)
	{
		int			alike = count_alike(lefts, count, lefts[i]);

		if (alike >= LEAST_AGREEING && alike > usual.agreeing)
		{
			usual.left = lefts[i];
			usual.agreeing = alike;
		}
	}
	return usual;
}

static bool
is_known(const EsgUsual *usual, EsgTime end)
{
	return usual != NULL && usual->left > 0 && end.state == ESG_TIME_VALID;
}

/* with less than this left it is late, or very late */
static int64_t
late_threshold(const EsgUsual *usual)
{
	return usual->left - SLACK(usual->left);
}

static int64_t
very_late_threshold(const EsgUsual *usual)
{
	return usual->left / 2;
}

bool
esg_renewal_as_usual(const EsgUsual *usual, EsgTime end, int64_t now)
{
	return is_known(usual, end) && end.unix_seconds - now >= late_threshold(usual);
}

/* The length of a word without the s of its plural. */
static size_t
stem_length(const char *word)
{
	size_t		len = strlen(word);

	return len > 0 && word[len - 1] == 's' ? len - 1 : len;
}

/* "22 are left" after "29 days"; "1 day is left", "20 hours are left" after it, "nothing is left" */
static void
print_left(int64_t left, const char *usually, char *buf, size_t size)
{
	char		span[40] = "nothing";
	const char *unit;
	const char *usual_unit = strchr(usually, ' ');
	int			shown;

	if (left > 0)
		esg_x509_time_span_text(left, span, sizeof(span));
	unit = strchr(span, ' ');
	shown = (int) strlen(span);
	if (unit == NULL || span[shown - 1] != 's')
	{
		snprintf(buf, size, "%s is left", span);
		return;
	}
	if (usual_unit != NULL && stem_length(unit) == stem_length(usual_unit) &&
		strncmp(unit, usual_unit, stem_length(unit)) == 0)
		shown = (int) (unit - span);
	snprintf(buf, size, "%.*s are left", shown, span);
}

bool
esg_renewal_is_overdue(const EsgUsual *usual, EsgTime end, int64_t now, EsgRemark *remark)
{
	int64_t		left = end.unix_seconds - now;
	char		usually[40];
	char		now_left[64];
	char		times[40];

	if (!is_known(usual, end) || left >= late_threshold(usual))
		return false;
	if (left < very_late_threshold(usual))
		remark->severity = ESG_CRITICAL;
	esg_x509_time_span_text(usual->left, usually, sizeof(usually));
	print_left(left, usually, now_left, sizeof(now_left));
	if (usual->agreeing == usual->seen)
		snprintf(times, sizeof(times), "the last %d times", usual->seen);
	else
		snprintf(times, sizeof(times), "%d of the last %d times", usual->agreeing, usual->seen);
	esg_remark_say(remark, "%s left %s, now %s", usually, times, now_left);
	return true;
}

int64_t
esg_renewal_next(const EsgUsual *usual, EsgTime end, int64_t now)
{
	int64_t		late;
	int64_t		very_late;

	if (!is_known(usual, end))
		return ESG_TIME_NEVER;
	late = end.unix_seconds + 1 - late_threshold(usual);
	very_late = end.unix_seconds + 1 - very_late_threshold(usual);
	if (late > now)
		return late;
	return very_late > now ? very_late : ESG_TIME_NEVER;
}
