/*
 * ctl/acl.c
 *		Access control lists (POSIX 1003.1e, as Linux has them).
 *
 * With a list, the group's bits of the mode are its mask: what the group and all
 * that are named have at most.  So a list cannot hide behind mode 0600, but
 * where a group may read (0640, 0440), others may be meant.
 *
 * The list is an extended attribute of a fixed layout, part of the kernel's
 * interface: a dozen lines, and no further library to build and run with.
 */
#include "ctl/acl.h"

#ifdef __linux__

#include <endian.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/xattr.h>

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

/* a list has no fixed limit; file systems have one, of some thousands */
#define MAX_LIST 65536

typedef struct posix_acl_xattr_header ListHeader;
typedef struct posix_acl_xattr_entry ListEntry;

static bool
is_named(const ListEntry *entry)
{
	unsigned	tag = le16toh(entry->e_tag);

	return tag == ACL_USER || tag == ACL_GROUP;
}

/* What the mask, if there is one, leaves of those who are named. */
static unsigned
find_mask(const ListEntry *entries, size_t count)
{
	size_t		i;

	for (i = 0; i < count; i++)
		if (le16toh(entries[i].e_tag) == ACL_MASK)
			return le16toh(entries[i].e_perm);
	return ACL_READ | ACL_WRITE | ACL_EXECUTE;
}

bool
esg_acl_names_reader(const char *path)
{
	static union
	{
		ListHeader	header;
		char		bytes[MAX_LIST];
	}			list;
	ssize_t		len = getxattr(path, "system.posix_acl_access", &list, sizeof(list));
	const ListEntry *entries = (const ListEntry *) (list.bytes + sizeof(ListHeader));
	unsigned	mask;
	size_t		count;
	size_t		i;

	if (len < (ssize_t) sizeof(ListHeader) || le32toh(list.header.a_version) != POSIX_ACL_XATTR_VERSION)
		return false;
	count = ((size_t) len - sizeof(ListHeader)) / sizeof(ListEntry);
	mask = find_mask(entries, count);
	for (i = 0; i < count; i++)
		if (is_named(&entries[i]) && (le16toh(entries[i].e_perm) & mask & ACL_READ))
			return true;
	return false;
}

#else

bool
esg_acl_names_reader(const char *path)
{
	(void) path;
	return false;
}

#endif
