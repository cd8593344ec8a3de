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

/* Gives the locks up if they leave no room for what is still to be allocated. */
extern void esg_memory_keep_room(void);

/*
 * For work without secrets that takes much memory, after esg_memory_protect():
 * only the passphrase stays locked.  And before work with secrets: all that there
 * is by then and will be, as far as the limit allows.
 */
extern void esg_memory_unlock(void);
extern void esg_memory_lock(void);

/* for the passphrase, as protected as can be; NULL: out of memory */
extern EsgPassphrase *esg_memory_allocate(void);

#endif							/* ESG_CTL_MEMORY_H */
