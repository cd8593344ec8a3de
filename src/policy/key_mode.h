/*
 * policy/key_mode.h
 *		Who may do what with a private key, as PostgreSQL has it for ssl_key_file.
 *
 * Inline, as the program wants nothing else of this folder.
 */
#ifndef ESG_POLICY_KEY_MODE_H
#define ESG_POLICY_KEY_MODE_H

#include <sys/types.h>

/*
 * The permission bits that a key may have at most: none for others; read for
 * the group if root owns it and it is not root's own.
 */
static inline unsigned
esg_key_mode_limit(uid_t owner, uid_t user)
{
	return owner == 0 && user != 0 ? 0740 : 0700;
}

#endif							/* ESG_POLICY_KEY_MODE_H */
