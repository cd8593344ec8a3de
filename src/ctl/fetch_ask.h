/*
 * ctl/fetch_ask.h
 *		Asks the URLs of a run.
 */
#ifndef ESG_CTL_FETCH_ASK_H
#define ESG_CTL_FETCH_ASK_H

#include "ctl/fetch.h"

/* False: out of memory.  That nothing is to be had is in the answers. */
extern bool esg_fetch_ask(EsgFetch *fetch);

#endif							/* ESG_CTL_FETCH_ASK_H */
