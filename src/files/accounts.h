/*
 * files/accounts.h
 *		Whose a file is: a stranger's name, and whether it is the system's.
 */
#ifndef ESG_FILES_ACCOUNTS_H
#define ESG_FILES_ACCOUNTS_H

#include "policy/file.h"

/*
 * Sets owner_name and system_owner of a stranger's file; of other files they do
 * not matter.  No error.
 */
extern void esg_accounts_know_owner(EsgFileFacts *facts, const EsgPolicy *policy);

/* owner and group as names, or numbers where there is none; until the next question about accounts */
extern const char *esg_accounts_owner_name(uid_t uid);
extern const char *esg_accounts_group_name(gid_t gid);

#endif							/* ESG_FILES_ACCOUNTS_H */
