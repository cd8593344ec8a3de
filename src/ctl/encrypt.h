/*
 * ctl/encrypt.h
 *		ssl_guard_ctl encrypt: asks for a passphrase and writes the pair.
 */
#ifndef ESG_CTL_ENCRYPT_H
#define ESG_CTL_ENCRYPT_H

/* argv[0] is the program's name, options follow; returns the exit status */
extern int	esg_encrypt_run(int argc, char **argv);

#endif							/* ESG_CTL_ENCRYPT_H */
