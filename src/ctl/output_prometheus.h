/*
 * ctl/output_prometheus.h
 *		A report as Prometheus' text format, for node_exporter's textfile collector.
 */
#ifndef ESG_CTL_OUTPUT_PROMETHEUS_H
#define ESG_CTL_OUTPUT_PROMETHEUS_H

#include "ctl/report.h"

/* to standard output; whoever called looks for errors there */
extern void esg_output_prometheus_print(const EsgReport *report);

#endif							/* ESG_CTL_OUTPUT_PROMETHEUS_H */
