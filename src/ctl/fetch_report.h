/*
 * ctl/fetch_report.h
 *		What a run of fetch-crl has come to.
 */
#ifndef ESG_CTL_FETCH_REPORT_H
#define ESG_CTL_FETCH_REPORT_H

#include "ctl/fetch.h"

/* failed: something that was to be done was not */
extern void esg_fetch_report(EsgFetch *fetch, bool failed);

#endif							/* ESG_CTL_FETCH_REPORT_H */
