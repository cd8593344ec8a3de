/*
 * login/client_renewed.h
 *		Which client certificates were renewed, and which are used nevertheless.
 *
 * Certificates of one role and subject are one identity; what began later is
 * newer.
 */
#ifndef ESG_LOGIN_CLIENT_RENEWED_H
#define ESG_LOGIN_CLIENT_RENEWED_H

#include "login/client_entry.h"

/* What tells of one entry beside others. */
typedef struct EsgClientLife
{
	uint64		identity[2];	/* of role and subject */
	int64		not_before;		/* seconds since 1970 */
	TimestampTz first_seen;
	TimestampTz last_seen;
	const struct EsgClientLife *superseded_by;	/* the same identity has since
												 * used one that began later;
												 * NULL: it has not */
	const struct EsgClientLife *renewed_as; /* one that began later was used,
											 * whichever was used last: the
											 * first of them; NULL: none was */
} EsgClientLife;

extern void esg_client_renewed_describe(const EsgClientEntry *entry, EsgClientLife *out);

/* Sorts them, so that those of an identity stand together, and finds the last two of each. */
extern void esg_client_renewed_resolve(EsgClientLife **lives, int count);

#endif							/* ESG_LOGIN_CLIENT_RENEWED_H */
