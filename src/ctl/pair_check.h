/*
 * ctl/pair_check.h
 *		ssl_guard_ctl check of a passphrase pair: is it whole, protected, and the key's?
 */
#ifndef ESG_CTL_PAIR_CHECK_H
#define ESG_CTL_PAIR_CHECK_H

/* argv[0] is the program's name, options follow; returns the exit status */
extern int	esg_pair_check_run(int argc, char **argv);

#endif							/* ESG_CTL_PAIR_CHECK_H */
