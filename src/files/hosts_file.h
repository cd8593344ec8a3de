/*
 * files/hosts_file.h
 *		pg_hosts.conf and what it includes, where no server reads it.
 *
 * As PostgreSQL reads it, but for this: nothing is waited for, and a list is given
 * up that would take too long.
 */
#ifndef ESG_FILES_HOSTS_FILE_H
#define ESG_FILES_HOSTS_FILE_H

#include <stdint.h>

#include "files/arena.h"
#include "policy/hosts_line.h"

/* files and directories that are included, hosts, and bytes of all: more is given up */
#define ESG_MAX_HOSTS_FILES 4096
#define ESG_MAX_LISTED_HOSTS 20000
#define ESG_MAX_HOSTS_BYTES (INT64_C(16) << 20)

/* A line; what is not there is "". */
typedef struct EsgListedHost
{
	int			line;
	const char *file;			/* that has the line */
	const char *names;			/* separated by commas */
	EsgHostsLine is;			/* paths are absolute */
	struct EsgListedHost *next;
} EsgListedHost;

/* One that is read at the next load. */
typedef struct EsgListedFile
{
	const char *path;
	struct EsgListedFile *next;
} EsgListedFile;

typedef struct EsgHostsFile
{
	EsgHostsState state;
	EsgListedHost *hosts;		/* in the order in which they are loaded; NULL
								 * if the state is another one */
	EsgListedFile *files;		/* itself first, if it is there */
	EsgHostsFault fault;
	EsgArena	arena;			/* of all this; out_of_memory: something is
								 * missing */
} EsgHostsFile;

/* path is absolute; so is the data directory, which files of hosts are relative to */
extern void esg_hosts_file_read(const char *path, const char *data_directory, EsgHostsFile *out);
extern void esg_hosts_file_free(EsgHostsFile *file);

#endif							/* ESG_FILES_HOSTS_FILE_H */
