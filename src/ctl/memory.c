/*
 * ctl/memory.c
 *		Memory that ssl_guard_ctl has a secret in.
 *
 * OpenSSL clears what it takes for secret, which is not all that is: decoding
 * a private key leaves a prime on the heap.  A program may bring its own
 * allocator; this one overwrites whatever is given back.  OpenSSL's secure heap
 * would hold only what OpenSSL takes for secret.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* MAP_ANONYMOUS, MCL_ONFAULT */
#endif

#include "ctl/memory.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <openssl/crypto.h>

/* more than what is still to be allocated when the memory is locked */
#define ROOM (8 * 1024 * 1024)

/* esg_memory_allocate()'s */
static EsgPassphrase *passphrase = NULL;

#ifdef MCL_ONFAULT
#define LOCK_ALL (MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)
#else
#define LOCK_ALL (MCL_CURRENT | MCL_FUTURE)
#endif

static void *
allocate(size_t size, const char *file, int line)
{
	(void) file;
	(void) line;
	return size == 0 ? NULL : malloc(size);
}

static void
release(void *memory, const char *file, int line)
{
	(void) file;
	(void) line;
	if (!memory)
		return;
	OPENSSL_cleanse(memory, malloc_usable_size(memory));
	free(memory);
}

/* Never in place: the C library may move it, and leave the old copy. */
static void *
reallocate(void *memory, size_t size, const char *file, int line)
{
	void	   *moved = allocate(size, file, line);
	size_t		old_size = memory ? malloc_usable_size(memory) : 0;

	if (!moved && size != 0)
		return NULL;
	if (moved && memory)
		memcpy(moved, memory, old_size < size ? old_size : size);
	release(memory, file, line);
	return moved;
}

static void *
map(size_t size)
{
	void	   *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* As far as may be: root may have no limit, and keeps that when it becomes another user. */
static void
raise_limit(void)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	if (setrlimit(RLIMIT_MEMLOCK, &limit) == 0 || getrlimit(RLIMIT_MEMLOCK, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_MEMLOCK, &limit);
}

void
esg_memory_unlock(void)
{
	munlockall();
	if (passphrase)
		mlock(passphrase, sizeof(EsgPassphrase));
}

void
esg_memory_keep_room(void)
{
	void	   *room = map(ROOM);

	if (room)
		munmap(room, ROOM);
	else
		esg_memory_unlock();
}

void
esg_memory_lock(void)
{
	raise_limit();
	if (mlockall(LOCK_ALL) == 0)
		esg_memory_keep_room();
}

void
esg_memory_protect(void)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
#ifdef __linux__
	prctl(PR_SET_DUMPABLE, 0);
#endif
	esg_memory_lock();
	CRYPTO_set_mem_functions(allocate, reallocate, release);
}

EsgPassphrase *
esg_memory_allocate(void)
{
	passphrase = map(sizeof(EsgPassphrase));
	if (!passphrase)
		return NULL;
	mlock(passphrase, sizeof(EsgPassphrase));
#ifdef MADV_DONTDUMP
	madvise(passphrase, sizeof(EsgPassphrase), MADV_DONTDUMP);
#endif
	return passphrase;
}
