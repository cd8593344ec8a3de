/*
 * esg_test.h
 *		TAP output for the unit tests: ok(), is(), done().
 */
#ifndef ESG_TEST_H
#define ESG_TEST_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int	esg_test_run;
static int	esg_test_failed;

/* printf-style name; returns cond */
__attribute__((format(printf, 2, 3), unused))
static int
ok(int cond, const char *fmt,...)
{
	va_list		ap;

	printf("%sok %d - ", cond ? "" : "not ", ++esg_test_run);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	if (!cond)
		esg_test_failed++;
	return cond;
}

__attribute__((unused))
static int
is_int(long long got, long long want, const char *name)
{
	int			good = ok(got == want, "%s", name);

	if (!good)
		printf("# got %lld, want %lld\n", got, want);
	return good;
}

__attribute__((unused))
static int
is_text(const char *got, const char *want, const char *name)
{
	int			good = ok(got && want && strcmp(got, want) == 0, "%s", name);

	if (!good)
		printf("# got  \"%s\"\n# want \"%s\"\n", got ? got : "(null)", want ? want : "(null)");
	return good;
}

/* ends the test program: "return done();" */
__attribute__((unused))
static int
done(void)
{
	printf("1..%d\n", esg_test_run);
	return esg_test_failed != 0;
}

#endif							/* ESG_TEST_H */
