/*
 * files/arena.h
 *		Memory in pieces that are freed together.
 *
 * Pure.  Whoever works with it may be left by longjmp() at any moment between two
 * calls: nothing is lost, as all hangs on the arena.
 */
#ifndef ESG_FILES_ARENA_H
#define ESG_FILES_ARENA_H

#include <stdbool.h>
#include <stddef.h>

/* All zero is an empty one. */
typedef struct EsgArena
{
	struct EsgArenaBlock *blocks;	/* the latest first */
	size_t		used;			/* bytes of the latest */
	bool		out_of_memory;	/* something could not be had */
} EsgArena;

/* size bytes, all zero, good for any type; NULL if memory ran out */
extern void *esg_arena_take(EsgArena *arena, size_t size);

/* a copy of text; NULL if memory ran out */
extern char *esg_arena_copy(EsgArena *arena, const char *text);

/* empty again */
extern void esg_arena_free(EsgArena *arena);

#endif							/* ESG_FILES_ARENA_H */
