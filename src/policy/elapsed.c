/*
 * policy/elapsed.c
 *		Has a span of time passed?  Asked here only, because clocks are set back.
 */
#include "policy/elapsed.h"

bool
esg_elapsed(int64_t since, int64_t span, int64_t now)
{
	return now < since || now - since >= span;
}

int64_t
esg_elapsed_left(int64_t since, int64_t span, int64_t now)
{
	return esg_elapsed(since, span, now) ? 0 : span - (now - since);
}
