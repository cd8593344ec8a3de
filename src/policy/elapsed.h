/*
 * policy/elapsed.h
 *		Has a span of time passed?  Asked here only, because clocks are set back.
 *
 * A stored time that lies ahead was stored before the clock was set back: it
 * says nothing any more, so whatever waited for it is due.  The unit is the
 * caller's.
 */
#ifndef ESG_POLICY_ELAPSED_H
#define ESG_POLICY_ELAPSED_H

#include <stdbool.h>
#include <stdint.h>

/* span has passed since then, or the clock was set back behind it */
extern bool esg_elapsed(int64_t since, int64_t span, int64_t now);

/* what is left of span, 0 if it has passed */
extern int64_t esg_elapsed_left(int64_t since, int64_t span, int64_t now);

#endif							/* ESG_POLICY_ELAPSED_H */
