/*
 * ctl/check.h
 *		ssl_guard_ctl check: what is it that is to be checked?
 */
#ifndef ESG_CTL_CHECK_H
#define ESG_CTL_CHECK_H

/* argv[0] is the program's name, options follow; returns the exit status */
extern int	esg_check_run(int argc, char **argv);

#endif							/* ESG_CTL_CHECK_H */
