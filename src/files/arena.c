/*
 * files/arena.c
 *		Memory in pieces that are freed together.
 */
#include "files/arena.h"

#include <stddef.h>
#include <string.h>

#include <openssl/crypto.h>

#define FIRST_BLOCK ((size_t) 8 << 10)
#define LARGEST_BLOCK ((size_t) 1 << 20)
#define ALIGNMENT _Alignof(max_align_t)

typedef struct EsgArenaBlock
{
	struct EsgArenaBlock *next;
	size_t		size;			/* of data */
				_Alignas(max_align_t) char data[];
} EsgArenaBlock;

/* Blocks grow, so that many pieces take few of them; a large piece has its own. */
static bool
append_block(EsgArena *arena, size_t wanted)
{
	size_t		size = arena->blocks == NULL ? FIRST_BLOCK : arena->blocks->size * 2;
	EsgArenaBlock *block;

	if (size > LARGEST_BLOCK)
		size = LARGEST_BLOCK;
	if (size < wanted)
		size = wanted;
	block = OPENSSL_malloc(offsetof(EsgArenaBlock, data) + size);
	if (block == NULL)
		return false;
	block->next = arena->blocks;
	block->size = size;
	arena->blocks = block;
	arena->used = 0;
	return true;
}

void *
esg_arena_take(EsgArena *arena, size_t size)
{
	size_t		rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	void	   *piece;

	if (arena->blocks == NULL || arena->blocks->size - arena->used < rounded)
	{
		if (!append_block(arena, rounded))
		{
			arena->out_of_memory = true;
			return NULL;
		}
	}
	piece = arena->blocks->data + arena->used;
	arena->used += rounded;
	return memset(piece, 0, size);
}

char *
esg_arena_copy(EsgArena *arena, const char *text)
{
	size_t		size = strlen(text) + 1;
	char	   *copy = esg_arena_take(arena, size);

	return copy != NULL ? memcpy(copy, text, size) : NULL;
}

void
esg_arena_free(EsgArena *arena)
{
	while (arena->blocks != NULL)
	{
		EsgArenaBlock *next = arena->blocks->next;

		OPENSSL_free(arena->blocks);
		arena->blocks = next;
	}
	memset(arena, 0, sizeof(*arena));
}
