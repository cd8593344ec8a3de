/*
 * ctl/server_user.h
 *		Whose eyes count: those of the user that the server runs as.
 *
 * Root may read anything, so as root the program judges as that user, and tries
 * as that user.
 */
#ifndef ESG_CTL_SERVER_USER_H
#define ESG_CTL_SERVER_USER_H

#include <stdbool.h>

#include "policy/access.h"

#define ESG_USER_NAME_SIZE 128

typedef struct EsgServerUser
{
	char		name[ESG_USER_NAME_SIZE];	/* a number if there is no name */
	bool		is_other;		/* this process is root's, and the user is not
								 * root */
	EsgReader	reader;
} EsgServerUser;

/*
 * Who is it?  wanted is a name or number, or NULL: then, for root, the owner of
 * the data directory that directory, or the key in there, belongs to; else
 * "postgres"; else the key's owner, who for a client's key comes first.  For
 * anybody else it is that user.  False with a message if nobody knows.
 */
extern bool esg_server_user_find(const char *wanted, const char *directory,
								 const char *key_name, EsgServerUser *out);

/* Become that user for good; nothing if this process is that user's already. */
extern bool esg_server_user_become(const EsgServerUser *user);

/* Does it work for that user?  In a process of its own, if need be; work reports its errors. */
extern bool esg_server_user_try(const EsgServerUser *user, bool (*work) (const void *arg),
								const void *arg);

#endif							/* ESG_CTL_SERVER_USER_H */
