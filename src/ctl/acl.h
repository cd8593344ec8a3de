/*
 * ctl/acl.h
 *		Access control lists (POSIX 1003.1e, as Linux has them).
 */
#ifndef ESG_CTL_ACL_H
#define ESG_CTL_ACL_H

#include <stdbool.h>

/*
 * May a user or a group that is named in the file's list, beside its owner and
 * its own group, read it?  False if there is no list, or none can be told.
 */
extern bool esg_acl_names_reader(const char *path);

#endif							/* ESG_CTL_ACL_H */
