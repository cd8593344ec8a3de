/*
 * server/shmem.h
 *		Shared memory areas and their locks.
 *
 * A module that needs an area registers it in its init function.  Nothing here
 * takes a lock but at start.  Without shared_preload_libraries there is no area.
 */
#ifndef ESG_SERVER_SHMEM_H
#define ESG_SERVER_SHMEM_H

#include "storage/lwlock.h"

#define ESG_MAX_AREAS 20

/* true if the library is being loaded by shared_preload_libraries */
extern bool esg_shmem_preloading(void);

/*
 * *memory and *lock, NULL until then, point to the area in every process that
 * is attached to shared memory.  begin, unless NULL, is called when the area was
 * just made, of zeroes: at start, and at the restart after a crash.
 */
extern void esg_shmem_register(const char *name, Size size, void **memory, LWLock **lock,
							   void (*begin) (void));

/*
 * The same for what is large: only the first bytes are made zeroes, begin and whoever
 * uses the rest see to that.  What is not touched takes no time and no memory.
 */
extern void esg_shmem_register_large(const char *name, Size size, Size zeroed, void **memory,
									 LWLock **lock, void (*begin) (void));

/*
 * Memory of zeroes beside the server's shared memory, which outlives it in a
 * restart after a crash; who writes to it has to see to what a crash leaves.
 * Where children inherit nothing it is an area like any other.  To be called
 * before the registration whose begin uses it; *memory stays NULL, with a line in
 * the log, if there is none.
 */
extern void esg_shmem_map(const char *name, Size size, void **memory, void (*begin) (void));

/*
 * Lets go of this process's mapping of a part of an area, whose content stays: what is touched
 * again is mapped again.  One that has gone through much of it has less to do at its end.
 */
extern void esg_shmem_let_go(void *begin, Size size);

/*
 * An area's lock.  Does nothing in the postmaster, which comes to an area at exit
 * only, when nobody else is left, and may not take locks.
 */
extern void esg_shmem_lock(LWLock *lock, LWLockMode mode);
extern void esg_shmem_unlock(LWLock *lock);

/* after all registrations: installs the hooks */
extern void esg_shmem_init(void);

/* raises the error that users see if there is none; what needs it, "ssl_guard_status" */
extern void esg_shmem_require(const char *what);

#endif							/* ESG_SERVER_SHMEM_H */
