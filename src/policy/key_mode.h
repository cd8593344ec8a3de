/*
 * policy/key_mode.h
 *		Who may do what with a private key and its passphrase, as PostgreSQL has
 *		it for ssl_key_file, and with the directory of the pair.
 *
 * Inline, as the program wants little else of this folder.
 */
#ifndef ESG_POLICY_KEY_MODE_H
#define ESG_POLICY_KEY_MODE_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/* no more than core's own limit */
#define ESG_KEY_MODE_ANY 0777

/*
 * Whose files they should be, and max_key_file_mode.  A user of (uid_t) -1 is
 * somebody who is not root.
 */
typedef struct EsgKeyRule
{
	uid_t		user;
	unsigned	max_mode;
} EsgKeyRule;

/* The same for the files and for whatever they lie in. */
static inline bool
esg_key_mode_trusts(uid_t owner, uid_t user)
{
	return owner == 0 || owner == user;
}

/*
 * The permission bits that a key may have at most: none for others; read for
 * the group if root owns it and it is not root's own.  That holds whatever the
 * setting says; a setting that allows the usual 0600 does not forbid root's
 * 0640.
 */
static inline unsigned
esg_key_mode_allowed(uid_t owner, const EsgKeyRule *rule)
{
	unsigned	core = owner == 0 && rule->user != 0 ? 0740 : 0700;
	unsigned	allowed = rule->max_mode;

	if ((allowed & 0600) == 0600)
		allowed |= 0640;
	return allowed & core;
}

/*
 * The permission bits that the directory of a pair has too many: nobody but its
 * owner may write there.  Who may could plant the half that is missing, or a
 * .rand.new, and in a directory without the sticky bit take either half away.
 */
static inline unsigned
esg_key_mode_directory_excess(mode_t mode)
{
	return mode & (S_IWGRP | S_IWOTH);
}

#endif							/* ESG_POLICY_KEY_MODE_H */
