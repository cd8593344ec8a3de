/*
 * ctl/output_text.h
 *		A report for people.
 */
#ifndef ESG_CTL_OUTPUT_TEXT_H
#define ESG_CTL_OUTPUT_TEXT_H

#include "ctl/report.h"

/* to standard output; whoever called looks for errors there */
extern void esg_output_text_print(const EsgReport *report, bool color, bool quiet);

#endif							/* ESG_CTL_OUTPUT_TEXT_H */
