/*
 * ctl/fetch_crl.h
 *		ssl_guard_ctl fetch-crl: brings CRLs to where the server reads them.
 */
#ifndef ESG_CTL_FETCH_CRL_H
#define ESG_CTL_FETCH_CRL_H

/* argv[0] is the program's name, options follow; returns the exit status */
extern int	esg_fetch_crl_run(int argc, char **argv);

#endif							/* ESG_CTL_FETCH_CRL_H */
