/*
 * ctl/fetch_write.h
 *		Writes what a plan has come to, and has the server reloaded.
 */
#ifndef ESG_CTL_FETCH_WRITE_H
#define ESG_CTL_FETCH_WRITE_H

#include "ctl/fetch.h"

/* False if something went wrong, which is said; what is not to be written is not. */
extern bool esg_fetch_write(EsgFetch *fetch);

#endif							/* ESG_CTL_FETCH_WRITE_H */
