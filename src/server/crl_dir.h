/*
 * server/crl_dir.h
 *		What OpenSSL does at a file of ssl_crl_dir that it cannot read.
 */
#ifndef ESG_SERVER_CRL_DIR_H
#define ESG_SERVER_CRL_DIR_H

/*
 * Does it look at the next one, or is that the end of its search?  Tried once in
 * a process, on two files below pg_stat_tmp.  False where that cannot be tried.
 */
extern bool esg_crl_dir_passes_over(void);

#endif							/* ESG_SERVER_CRL_DIR_H */
