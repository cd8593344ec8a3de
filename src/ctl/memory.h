/*
 * ctl/memory.h
 *		Memory that ssl_guard_ctl has a secret in.
 */
#ifndef ESG_CTL_MEMORY_H
#define ESG_CTL_MEMORY_H

#include "secret/format.h"

/*
 * Before anything else is asked of OpenSSL: no core file, no debugger of the
 * same user, no page on disk as far as the system agrees, and what OpenSSL
 * gives back is overwritten.
 */
extern void esg_memory_protect(void);

/*
 * For who was root and is no more: root's locks have no limit, but with them and
 * another user's limit nothing could be allocated any more.
 */
extern void esg_memory_protect_again(void);

/* for the passphrase, as protected as can be; NULL: out of memory */
extern EsgPassphrase *esg_memory_allocate(void);

#endif							/* ESG_CTL_MEMORY_H */
