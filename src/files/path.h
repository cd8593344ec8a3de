/*
 * files/path.h
 *		Paths in configuration files, which are relative to something.
 */
#ifndef ESG_FILES_PATH_H
#define ESG_FILES_PATH_H

#include "files/arena.h"

/* location, which may be relative to directory, in the arena; NULL: out of memory */
extern char *esg_path_below(EsgArena *arena, const char *directory, const char *location);

/*
 * The same relative to the directory of a file, without ".", ".." and double slashes:
 * what an include line of that file means.
 */
extern char *esg_path_beside(EsgArena *arena, const char *file, const char *location);

#endif							/* ESG_FILES_PATH_H */
