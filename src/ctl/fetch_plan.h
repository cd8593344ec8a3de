/*
 * ctl/fetch_plan.h
 *		What is there beside what was fetched.
 */
#ifndef ESG_CTL_FETCH_PLAN_H
#define ESG_CTL_FETCH_PLAN_H

#include "ctl/fetch.h"

/* Opens the places, which stay locked, and reads them.  Reports its errors. */
extern bool esg_fetch_plan_make(EsgFetch *fetch);

#endif							/* ESG_CTL_FETCH_PLAN_H */
