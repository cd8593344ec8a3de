/*
 * files/path.c
 *		Paths in configuration files, which are relative to something.
 */
#include "files/path.h"

#include <string.h>

/* directory, of which len bytes count, a slash and location */
static char *
join(EsgArena *arena, const char *directory, size_t len, const char *location)
{
	size_t		more = strlen(location);
	char	   *path = esg_arena_take(arena, len + more + 2);

	if (path == NULL)
		return NULL;
	memcpy(path, directory, len);
	path[len] = '/';
	memcpy(path + len + 1, location, more + 1);
	return path;
}

char *
esg_path_below(EsgArena *arena, const char *directory, const char *location)
{
	if (location[0] == '/')
		return esg_arena_copy(arena, location);
	return join(arena, directory, strlen(directory), location);
}

/* The end of path, which is absolute, without its last name. */
static char *
go_up(char *path, char *end)
{
	while (end > path && end[-1] != '/')
		end--;
	return end > path ? end - 1 : end;
}

/* Shortens an absolute path by what means nothing, as words alone go. */
static void
simplify(char *path)
{
	char	   *end = path;
	char	   *from = path;

	while (*from != '\0')
	{
		size_t		len;

		from += strspn(from, "/");
		len = strcspn(from, "/");
		if (len == 2 && memcmp(from, "..", 2) == 0)
			end = go_up(path, end);
		else if (len > 0 && !(len == 1 && *from == '.'))
		{
			*end++ = '/';
			memmove(end, from, len);
			end += len;
		}
		from += len;
	}
	if (end == path)
		*end++ = '/';
	*end = '\0';
}

char *
esg_path_beside(EsgArena *arena, const char *file, const char *location)
{
	const char *slash = strrchr(file, '/');
	char	   *path;

	if (location[0] == '/')
		return esg_arena_copy(arena, location);
	path = join(arena, file, slash != NULL ? (size_t) (slash - file) : 0, location);
	if (path != NULL)
		simplify(path);
	return path;
}
