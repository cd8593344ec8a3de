/*
 * server/shmem.h
 *		Shared memory areas and their locks.
 *
 * A module that needs an area registers it in its init function; the area is
 * zeroed when it is made, then set up by the callback.  Nothing here takes a
 * lock but at start.  Without shared_preload_libraries there is no area.
 */
#ifndef ESG_SERVER_SHMEM_H
#define ESG_SERVER_SHMEM_H

#include "storage/lwlock.h"

#define ESG_MAX_AREAS 8

typedef Size (*EsgAreaSizeFn) (void);

/* found is false when the area was just made (start, or restart after a crash) */
typedef void (*EsgAreaAttachFn) (void *area, LWLock *lock, bool found);

/* true if the library is being loaded by shared_preload_libraries */
extern bool esg_shmem_preloading(void);
extern void esg_shmem_register(const char *name, EsgAreaSizeFn size, EsgAreaAttachFn attach);

/* after all registrations: installs the hooks */
extern void esg_shmem_init(void);

/* raises the error that users see if there is none; what needs it, "ssl_guard_status" */
extern void esg_shmem_require(const char *what);

#endif							/* ESG_SERVER_SHMEM_H */
