/*
 * ctl/options.h
 *		What the options of all commands have in common.
 */
#ifndef ESG_CTL_OPTIONS_H
#define ESG_CTL_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

/*
 * getopt_long() takes "--passphrase=…" for an abbreviation of --passphrase-file,
 * and shows the whole word where it knows no option: whoever writes a passphrase
 * there must be refused, and not be quoted.  So no abbreviations.  False with a
 * message.
 */
extern bool esg_options_check_long(int argc, char **argv, const struct option *known);

/* both return EXIT_SUCCESS */
extern int	esg_options_print_version(void);
extern int	esg_options_print_help(const char *help);

#endif							/* ESG_CTL_OPTIONS_H */
