/*
 * ctl/decrypt.h
 *		ssl_guard_ctl decrypt: prints the passphrase.
 */
#ifndef ESG_CTL_DECRYPT_H
#define ESG_CTL_DECRYPT_H

/* argv[0] is the program's name, options follow; returns the exit status */
extern int	esg_decrypt_run(int argc, char **argv);

#endif							/* ESG_CTL_DECRYPT_H */
