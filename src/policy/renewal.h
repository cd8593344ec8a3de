/*
 * policy/renewal.h
 *		How a certificate or CRL is usually renewed, and is it late this time?
 *
 * No threshold fits all: one program renews a certificate of 90 days when 30 of
 * them are left, another when 7 are.  So what was left at the last renewals
 * is remembered (policy/tracks.h), and here is what follows from it.
 *
 * Pure: "now" is an argument, in seconds since 1970.
 */
#ifndef ESG_POLICY_RENEWAL_H
#define ESG_POLICY_RENEWAL_H

#include "policy/findings.h"
#include "x509/time.h"

/* so many of the last renewals count */
#define ESG_MAX_RENEWALS 4

/* Of what was replaced, seconds: 136 years at most. */
typedef struct EsgRenewal
{
	uint32_t	left;			/* of its life; 0: it had ended */
	uint32_t	lifetime;		/* from beginning to end */
} EsgRenewal;

/* What is known of a life's usual renewal. */
typedef struct EsgUsual
{
	int64_t		left;			/* seconds before its end; 0: not known */
	int			agreeing;		/* so many of the last renewals were like that */
	int			seen;			/* out of so many */
} EsgUsual;

/*
 * Was that a renewal such as come by themselves?  What is replaced in the first
 * part of its life was wrong, or revoked: nothing is learned from it.
 */
extern bool esg_renewal_is_telling(int64_t left, int64_t lifetime);

/* The last renewals, the latest one first, applied to a life from begin to end. */
extern EsgUsual esg_renewal_usual(const EsgRenewal *renewals, int count, EsgTime begin, EsgTime end);

/* Known, and not late?  usual may be NULL: nothing is known. */
extern bool esg_renewal_as_usual(const EsgUsual *usual, EsgTime end, int64_t now);

/* Late: says so in the remark, whose severity rises when it is very late. */
extern bool esg_renewal_is_overdue(const EsgUsual *usual, EsgTime end, int64_t now, EsgRemark *remark);

/* The first moment after now at which one of these answers is another; ESG_TIME_NEVER if at none. */
extern int64_t esg_renewal_next(const EsgUsual *usual, EsgTime end, int64_t now);

#endif							/* ESG_POLICY_RENEWAL_H */
