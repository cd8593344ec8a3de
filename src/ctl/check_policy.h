/*
 * ctl/check_policy.h
 *		What the settings of the extension say that "check" goes by.
 */
#ifndef ESG_CTL_CHECK_POLICY_H
#define ESG_CTL_CHECK_POLICY_H

#include "ctl/check_case.h"
#include "ctl/server_answers.h"
#include "files/tls_names.h"

/*
 * As they stand in the server's configuration; the defaults of what is not set.
 * False with a message if a value is none: the server would say so, too.
 */
extern bool esg_check_policy_read(const EsgServerAnswers *answers, EsgCheckCase *out);

/* the files of ext_ssl_guard.extra_files; a kind of ESG_FILE_EXTRA: nobody said */
extern void esg_check_policy_each_extra(const char *list, EsgTlsNameFn visit, void *arg);

#endif							/* ESG_CTL_CHECK_POLICY_H */
