/* sources: policy/elapsed */
/*
 * test_elapsed.c
 *		Spans of time under a clock that is set forward and back.
 */
#include "esg_test.h"
#include "policy/elapsed.h"

#define NOON INT64_C(1000000)
#define YEAR INT64_C(31536000)

int
main(void)
{
	static const struct
	{
		const char *what;
		int64_t		now;
		bool		elapsed;
		int64_t		left;
	}			cases[] = {
		{"at once", NOON, false, 60},
		{"a moment before", NOON + 59, false, 1},
		{"to the moment", NOON + 60, true, 0},
		{"long after", NOON + YEAR, true, 0},
		{"set back by a moment", NOON - 1, true, 0},
		{"set back by a year", NOON - YEAR, true, 0},
	};
	size_t		i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ok(esg_elapsed(NOON, 60, cases[i].now) == cases[i].elapsed, cases[i].what);
		is_int(esg_elapsed_left(NOON, 60, cases[i].now), cases[i].left, cases[i].what);
	}
	/* never so far: a stored 0 is long ago */
	ok(esg_elapsed(0, YEAR, INT64_C(1700000000)), "never yet");
	return done();
}
