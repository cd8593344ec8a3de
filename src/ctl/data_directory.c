/*
 * ctl/data_directory.c
 *		Is this directory a part of a server's data directory?
 *
 * Then pg_basebackup, and whatever else copies the data directory, takes along
 * what is in it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* realpath() */
#endif

#include "ctl/data_directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Each data directory has this file, as pg_ctl looks for it, too. */
static bool
has_version(const char *directory)
{
	char		path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/PG_VERSION", directory);
	return access(path, F_OK) == 0;
}

/* The outermost: directories of databases have a PG_VERSION, too. */
bool
esg_data_directory_find(const char *start, char found[PATH_MAX])
{
	char		path[PATH_MAX];
	char	   *slash;
	bool		is_found = false;

	if (!realpath(start, path))
		return false;
	while ((slash = strrchr(path, '/')) != NULL && slash[1] != '\0')
	{
		if (has_version(path))
		{
			memcpy(found, path, strlen(path) + 1);
			is_found = true;
		}
		*slash = '\0';
	}
	return is_found;
}
