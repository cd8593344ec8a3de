/*
 * ctl/check_report.h
 *		From an audit to what "check" prints.
 */
#ifndef ESG_CTL_CHECK_REPORT_H
#define ESG_CTL_CHECK_REPORT_H

#include "ctl/report.h"
#include "files/audited.h"

/*
 * Files, certificates and CRLs with their findings, which move from the audit to
 * the report.  of_server: settings name the files, not a person.
 */
extern void esg_check_report_fill(EsgReport *report, EsgAudit *audit, bool of_server);

/* the object of a file that was filled in; NULL if it is not there */
extern EsgReportObject *esg_check_report_find(EsgReport *report, const char *path);

#endif							/* ESG_CTL_CHECK_REPORT_H */
