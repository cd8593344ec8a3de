/*
 * policy/elapsed.c
 *		Has a span of time passed?  Asked here only, because clocks are set back.
 */
#include "policy/elapsed.h"

/* farther ahead than this lies only what the clock was set back behind */
#define AHEAD INT64_C(60000000)

bool
esg_elapsed(int64_t since, int64_t span, int64_t now)
{
	if (now >= since)
		return now - since >= span;
	return since - now >= (span < AHEAD ? span : AHEAD);
}

int64_t
esg_elapsed_left(int64_t since, int64_t span, int64_t now)
{
	return esg_elapsed(since, span, now) ? 0 : span - (now - since);
}
