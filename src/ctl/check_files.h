/*
 * ctl/check_files.h
 *		ssl_guard_ctl check FILE...: files, whoever uses them.
 */
#ifndef ESG_CTL_CHECK_FILES_H
#define ESG_CTL_CHECK_FILES_H

#include "ctl/check_options.h"
#include "secret/format.h"

/* passphrase: of a key, typed if its length is not 0; else room for a pair's.  Returns the exit status. */
extern int	esg_check_files_run(const EsgCheckOptions *options, EsgPassphrase *passphrase);

#endif							/* ESG_CTL_CHECK_FILES_H */
