/*
 * ctl/command.h
 *		The commands of ssl_guard_ctl.
 *
 * Each has its options, its --help, and returns the exit status.  argv[0] is the
 * command's own name; the table is in ssl_guard_ctl.c.
 */
#ifndef ESG_CTL_COMMAND_H
#define ESG_CTL_COMMAND_H

#define ESG_EXIT_USAGE 2		/* of those that keep the passphrase pair */

extern int	esg_encrypt_run(int argc, char **argv);
extern int	esg_decrypt_run(int argc, char **argv);
extern int	esg_tidy_run(int argc, char **argv);

/* "check" of a passphrase pair, as ctl/check has it done where no data directory and no file is named */
extern int	esg_pair_check_run(int argc, char **argv);

extern int	esg_check_run(int argc, char **argv);
extern int	esg_probe_run(int argc, char **argv);
extern int	esg_fetch_crl_run(int argc, char **argv);

#endif							/* ESG_CTL_COMMAND_H */
