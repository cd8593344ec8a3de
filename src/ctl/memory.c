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

#ifdef MCL_ONFAULT
#define LOCK_ALL (MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)
#else
#define LOCK_ALL (MCL_CURRENT | MCL_FUTURE)
#endif

/* the passphrase's, which is locked whatever becomes of the rest */
static EsgPassphrase *secret = NULL;

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

/*
 * All that there is and will be, if the limit leaves room for that: with less,
 * the next allocation would fail.
 */
static void
lock_all(void)
{
	struct rlimit limit;
	void	   *room;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0)
	{
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_MEMLOCK, &limit);
	}
	if (mlockall(LOCK_ALL) != 0)
		return;
	room = map(ROOM);
	if (room)
		munmap(room, ROOM);
	else
		munlockall();
}

void
esg_memory_protect(void)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
#ifdef __linux__
	prctl(PR_SET_DUMPABLE, 0);
#endif
	lock_all();
	CRYPTO_set_mem_functions(allocate, reallocate, release);
}

void
esg_memory_protect_again(void)
{
	munlockall();
	lock_all();
	if (secret)
		mlock(secret, sizeof(EsgPassphrase));
}

EsgPassphrase *
esg_memory_allocate(void)
{
	secret = map(sizeof(EsgPassphrase));
	if (!secret)
		return NULL;
	mlock(secret, sizeof(EsgPassphrase));
#ifdef MADV_DONTDUMP
	madvise(secret, sizeof(EsgPassphrase), MADV_DONTDUMP);
#endif
	return secret;
}
