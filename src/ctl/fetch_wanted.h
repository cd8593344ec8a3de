/*
 * ctl/fetch_wanted.h
 *		Whose CRLs, from where, and where to?
 */
#ifndef ESG_CTL_FETCH_WANTED_H
#define ESG_CTL_FETCH_WANTED_H

#include "ctl/fetch.h"

/* Reports its errors. */
extern bool esg_fetch_wanted_find(EsgFetch *fetch);

#endif							/* ESG_CTL_FETCH_WANTED_H */
