/*
 * ctl/tidy.h
 *		ssl_guard_ctl tidy: takes away what an interrupted "encrypt" has left.
 */
#ifndef ESG_CTL_TIDY_H
#define ESG_CTL_TIDY_H

/* argv[0] is the program's name, options follow; returns the exit status */
extern int	esg_tidy_run(int argc, char **argv);

#endif							/* ESG_CTL_TIDY_H */
