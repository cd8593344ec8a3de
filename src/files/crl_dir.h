/*
 * files/crl_dir.h
 *		What OpenSSL does at a file of ssl_crl_dir that it cannot read.
 */
#ifndef ESG_FILES_CRL_DIR_H
#define ESG_FILES_CRL_DIR_H

#include <stdbool.h>

/*
 * Does it look at the next one, or is that the end of its search?  Tried once in
 * a process, on two files in a directory of their own below scratch.  False where that cannot be tried.
 */
extern bool esg_crl_dir_passes_over(const char *scratch);

#endif							/* ESG_FILES_CRL_DIR_H */
