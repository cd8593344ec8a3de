/*
 * ctl/moment.h
 *		The day that --at names.
 */
#ifndef ESG_CTL_MOMENT_H
#define ESG_CTL_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

/* now, in seconds since 1970 */
extern int64_t esg_moment_now(void);

/*
 * "2027-03-01", "2027-03-01T08:00:00Z" (ISO 8601, UTC, also with a blank, without
 * seconds or Z), "+30d" from now.  False with a message.
 */
extern bool esg_moment_parse(const char *text, int64_t *out);

#endif							/* ESG_CTL_MOMENT_H */
