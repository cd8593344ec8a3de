/*
 * files/hosts_include.c
 *		The files of a directory that a configuration file includes.
 */
#include "files/hosts_include.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "files/path.h"

#define SUFFIX ".conf"

/* What is being listed. */
typedef struct Listing
{
	EsgArena   *arena;
	const char *directory;
	char	  **paths;
	int			count;
	int			capacity;
	char	   *fault;
	size_t		fault_size;
} Listing;

static bool
is_wanted(const char *name)
{
	size_t		len = strlen(name);
	size_t		suffix = strlen(SUFFIX);

	return len > suffix && name[0] != '.' && strcmp(name + len - suffix, SUFFIX) == 0;
}

static bool
make_room(Listing *l)
{
	int			larger = l->capacity * 2 + 16;
	char	  **moved;

	if (l->count < l->capacity)
		return true;
	moved = esg_arena_take(l->arena, (size_t) larger * sizeof(char *));
	if (moved == NULL)
		return false;
	if (l->count > 0)
		memcpy(moved, l->paths, (size_t) l->count * sizeof(char *));
	l->paths = moved;
	l->capacity = larger;
	return true;
}

static bool
append(Listing *l, const char *name)
{
	char	   *path = esg_path_below(l->arena, l->directory, name);
	struct stat st;

	if (path == NULL || !make_room(l))
		return false;
	if (stat(path, &st) != 0)
	{
		snprintf(l->fault, l->fault_size, "could not stat file \"%s\": %s", path, strerror(errno));
		return false;
	}
	if (!S_ISDIR(st.st_mode))
		l->paths[l->count++] = path;
	return true;
}

static int
compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static bool
read_entries(Listing *l, DIR *dir, int *entries)
{
	struct dirent *entry;

	while ((errno = 0, entry = readdir(dir)) != NULL)
	{
		if (++*entries > ESG_MAX_INCLUDE_ENTRIES)
		{
			snprintf(l->fault, l->fault_size, "directory \"%s\" has more than can be looked at", l->directory);
			return false;
		}
		if (is_wanted(entry->d_name) && !append(l, entry->d_name))
			return false;
	}
	if (errno == 0)
		return true;
	snprintf(l->fault, l->fault_size, "could not read directory \"%s\": %s", l->directory, strerror(errno));
	return false;
}

int
esg_hosts_include_list(EsgArena *arena, const char *file, const char *name, int *entries,
					   char ***paths, char *fault, size_t size)
{
	Listing		l = {.arena = arena,.fault = fault,.fault_size = size};
	DIR		   *dir;
	bool		good;

	fault[0] = '\0';
	if (name[strspn(name, " \t\r\n")] == '\0')
	{
		snprintf(fault, size, "empty configuration directory name: \"%s\"", name);
		return -1;
	}
	l.directory = esg_path_beside(arena, file, name);
	dir = l.directory != NULL ? opendir(l.directory) : NULL;
	if (dir == NULL)
	{
		snprintf(fault, size, "could not open configuration directory \"%s\": %s",
				 l.directory != NULL ? l.directory : name, strerror(errno));
		return -1;
	}
	good = read_entries(&l, dir, entries);
	closedir(dir);
	if (l.count > 1)
		qsort(l.paths, (size_t) l.count, sizeof(char *), compare_paths);
	*paths = l.paths;
	return good ? l.count : -1;
}
