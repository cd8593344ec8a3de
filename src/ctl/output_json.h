/*
 * ctl/output_json.h
 *		A report as JSON (RFC 8259), as docs/ssl_guard_ctl.schema.json has it.
 */
#ifndef ESG_CTL_OUTPUT_JSON_H
#define ESG_CTL_OUTPUT_JSON_H

#include "ctl/report.h"

/* to standard output; whoever called looks for errors there */
extern void esg_output_json_print(const EsgReport *report);

#endif							/* ESG_CTL_OUTPUT_JSON_H */
