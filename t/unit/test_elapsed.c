/* sources: policy/elapsed */
/*
 * test_elapsed.c
 *		Spans of time under a clock that is set forward and back.
 */
#include "esg_test.h"
#include "policy/elapsed.h"

#define SECOND INT64_C(1000000)
#define NOON (INT64_C(800000000) * SECOND)
#define HOUR (3600 * SECOND)
#define YEAR (365 * 24 * HOUR)

int
main(void)
{
	static const struct
	{
		const char *what;
		int64_t		span;
		int64_t		now;
		bool		elapsed;
		int64_t		left;
	}			cases[] = {
		{"at once", HOUR, NOON, false, HOUR},
		{"a moment before", HOUR, NOON + HOUR - 1, false, 1},
		{"to the moment", HOUR, NOON + HOUR, true, 0},
		{"long after", HOUR, NOON + YEAR, true, 0},
		{"stored by another process a moment later", HOUR, NOON - 1, false, HOUR + 1},
		{"set back by a minute", HOUR, NOON - 60 * SECOND, true, 0},
		{"set back by a year", HOUR, NOON - YEAR, true, 0},
		{"a second's span: at once", SECOND, NOON, false, SECOND},
		{"a second's span: over", SECOND, NOON + SECOND, true, 0},
		{"a second's span: set back by half of it", SECOND, NOON - SECOND / 2, false, SECOND * 3 / 2},
		{"a second's span: set back by a second", SECOND, NOON - SECOND, true, 0},
		{"no span", 0, NOON, true, 0},
		{"no span, set back", 0, NOON - 1, true, 0},
	};
	size_t		i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ok(esg_elapsed(NOON, cases[i].span, cases[i].now) == cases[i].elapsed, "%s", cases[i].what);
		is_int(esg_elapsed_left(NOON, cases[i].span, cases[i].now), cases[i].left, cases[i].what);
	}
	ok(esg_elapsed(0, YEAR, NOON), "0 is long ago");
	return done();
}
