/*
 * policy/elapsed.h
 *		Has a span of time passed?  Asked here only, because clocks are set back.
 *
 * A stored time that lies ahead was stored before the clock was set back: it
 * says nothing any more, so what waited for it is due.  Up to a minute it may
 * be another process's, stored after the caller looked at the clock.
 *
 * Times and spans are microseconds.
 */
#ifndef ESG_POLICY_ELAPSED_H
#define ESG_POLICY_ELAPSED_H

#include <stdbool.h>
#include <stdint.h>

/* span has passed since then, or the clock was set back by that, or by a minute */
extern bool esg_elapsed(int64_t since, int64_t span, int64_t now);

/* how long until it has, 0 if it has */
extern int64_t esg_elapsed_left(int64_t since, int64_t span, int64_t now);

#endif							/* ESG_POLICY_ELAPSED_H */
