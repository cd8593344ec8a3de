/*
 * server/accounts.h
 *		Whose a file is: a stranger's name, and whether it is the system's.
 */
#ifndef ESG_SERVER_ACCOUNTS_H
#define ESG_SERVER_ACCOUNTS_H

#include "policy/file.h"

/*
 * Sets owner_name and system_owner of a stranger's file; of other files they do
 * not matter.  No error, and nothing is allocated of PostgreSQL's.
 */
extern void esg_accounts_know_owner(EsgFileFacts *facts, const EsgPolicy *policy);

#endif							/* ESG_SERVER_ACCOUNTS_H */
