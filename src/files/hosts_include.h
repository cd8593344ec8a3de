/*
 * files/hosts_include.h
 *		The files of a directory that a configuration file includes.
 */
#ifndef ESG_FILES_HOSTS_INCLUDE_H
#define ESG_FILES_HOSTS_INCLUDE_H

#include "files/arena.h"

/* so many entries of directories are looked at in all */
#define ESG_MAX_INCLUDE_ENTRIES 100000

/*
 * What "include_dir name" in a file means: all that ends with ".conf" and is neither
 * hidden nor a directory, sorted; returns how many.  -1 with a fault, in the
 * server's words, of size bytes at most; out of memory, which the arena knows, is none.  Adds to entries.
 */
extern int	esg_hosts_include_list(EsgArena *arena, const char *file, const char *name, int *entries,
								   char ***paths, char *fault, size_t size);

#endif							/* ESG_FILES_HOSTS_INCLUDE_H */
