/*
 * policy/crl_plan.h
 *		Which of fetched CRLs may take which place among those that are there?
 *
 * A CRL takes the place of one of the same CA key and the same scope
 * (issuingDistributionPoint, delta); all others stay.  It must be signed by a CA
 * that is known, be current, not be older than what it replaces, and be of use
 * to PostgreSQL beside the others; and nobody else may lose by it.
 *
 * Pure: "now" is an argument, in seconds since 1970.
 */
#ifndef ESG_POLICY_CRL_PLAN_H
#define ESG_POLICY_CRL_PLAN_H

#include "policy/crl.h"
#include "policy/worse.h"

typedef enum EsgCrlFate
{
	ESG_CRL_STAYS = 0,			/* one that is there, for good */
	ESG_CRL_GOES,				/* one that is there, and is replaced */
	ESG_CRL_COMES,				/* a fetched one, to be put there */
	ESG_CRL_IS_THERE,			/* a fetched one that is there already */
	ESG_CRL_IS_SURPASSED,		/* by another fetched one, which is newer */
	ESG_CRL_IS_REFUSED			/* see reason */
} EsgCrlFate;

#define ESG_CRL_REASON_SIZE 400

typedef struct EsgCrlPlanItem
{
	const EsgCrlInfo *info;		/* borrowed, as memory for its facts is */
	bool		fetched;
	/* found out */
	EsgCrlFate	fate;
	int			place;			/* of one that comes: the first that goes for
								 * it; -1: it is one more */
	const EsgCertInfo *ca;		/* whose it is; NULL: nobody's here */
	bool		is_signed;		/* by that CA */
	EsgWorthItem worth;
	EsgFindings findings;		/* of what will be there, then */
	char		reason[ESG_CRL_REASON_SIZE];	/* what follows its name, if
												 * it is refused */
} EsgCrlPlanItem;

typedef struct EsgCrlPlan
{
	EsgCrlPlanItem *items;		/* those that are there, then the fetched ones */
	int			count;
	const EsgCertInfo *const *cas;	/* whose clients are to be let in */
	int			ca_count;
	const EsgPolicy *policy;
	EsgMemo    *memo;
	int64_t		now;
	bool		keep_going;		/* what is good comes, whatever is wrong with
								 * the rest */
	bool		allow_missing;	/* a CA may be left without a CRL where there
								 * were none at all */
	bool		allow_revoked;	/* a CRL may list a CA in use */
	/* found out */
	int			coming;			/* fetched ones to be put there */
	int			refused;
	bool		out_of_memory;
	char		missing[ESG_CRL_REASON_SIZE];	/* the CA that would be left
												 * without a CRL; "": none.
												 * Then nothing comes. */
} EsgCrlPlan;

/* Fills what is found out; esg_crl_plan_free() is for the findings. */
extern void esg_crl_plan_make(EsgCrlPlan *plan);
extern void esg_crl_plan_free(EsgCrlPlan *plan);

#endif							/* ESG_POLICY_CRL_PLAN_H */
