/*
 * login/crl_dir_verdict.h
 *		Are all files in ssl_crl_dir as they should be?  What was found last.
 */
#ifndef ESG_LOGIN_CRL_DIR_VERDICT_H
#define ESG_LOGIN_CRL_DIR_VERDICT_H

#include "server/tls_files.h"

extern void esg_crl_dir_verdict_init(void);

/*
 * Has somebody looked at all of them lately, by this policy, and found nothing?  facts: the
 * directory's own, as they are now.
 */
extern bool esg_crl_dir_verdict_holds(const char *path, const EsgFileFacts *facts, const EsgPolicy *policy);

/* All were looked at.  good: there is a verdict; facts: the directory's, before that. */
extern void esg_crl_dir_verdict_set(bool good, const char *path, const EsgFileFacts *facts,
									const EsgPolicy *policy);

#endif							/* ESG_LOGIN_CRL_DIR_VERDICT_H */
