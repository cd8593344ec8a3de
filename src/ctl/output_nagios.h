/*
 * ctl/output_nagios.h
 *		A report as the output of a monitoring plugin (Monitoring Plugins Development Guidelines).
 */
#ifndef ESG_CTL_OUTPUT_NAGIOS_H
#define ESG_CTL_OUTPUT_NAGIOS_H

#include "ctl/report.h"

/* to standard output; whoever called looks for errors there */
extern void esg_output_nagios_print(const EsgReport *report);

#endif							/* ESG_CTL_OUTPUT_NAGIOS_H */
