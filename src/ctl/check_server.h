/*
 * ctl/check_server.h
 *		ssl_guard_ctl check -D PGDATA: all files of a server, and whether it would start with them.
 */
#ifndef ESG_CTL_CHECK_SERVER_H
#define ESG_CTL_CHECK_SERVER_H

#include "ctl/check_options.h"
#include "secret/format.h"

/* passphrase: of the key, typed if its length is not 0; else room for the pair's.  Returns the exit status. */
extern int	esg_check_server_run(const EsgCheckOptions *options, EsgPassphrase *passphrase);

#endif							/* ESG_CTL_CHECK_SERVER_H */
