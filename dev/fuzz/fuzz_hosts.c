/*
 * fuzz_hosts.c
 *		A pg_hosts.conf that others wrote, and a file that it may include.
 *
 * What is behind the first form feed is "a.conf", beside it.  Reading ends, whatever
 * includes what; a list has hosts, each with a name, a certificate and a key by
 * their absolute paths, or a fault, or nothing.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checks.h"
#include "files/hosts_file.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[64];
static char paths[2][80];

static void
clean_up(void)
{
	(void) unlink(paths[0]);
	(void) unlink(paths[1]);
	(void) rmdir(directory);
}

static void
begin(void)
{
	snprintf(directory, sizeof(directory), "/tmp/fuzz_hosts.XXXXXX");
	must(mkdtemp(directory) != NULL);
	snprintf(paths[0], sizeof(paths[0]), "%s/hosts", directory);
	snprintf(paths[1], sizeof(paths[1]), "%s/a.conf", directory);
	(void) atexit(clean_up);
}

static void
put(const char *path, const uint8_t *data, size_t size)
{
	FILE	   *out = fopen(path, "w");

	must(out != NULL);
	must(fwrite(data, 1, size, out) == size);
	must(fclose(out) == 0);
}

static int
is_path(const char *path)
{
	return path[0] == '\0' || path[0] == '/';
}

static void
look_at(const EsgHostsFile *list)
{
	must((list->state == ESG_HOSTS_UNUSABLE) == (list->fault.text != NULL));
	must((list->state == ESG_HOSTS_LISTED) == (list->hosts != NULL));
	must(list->files != NULL && strcmp(list->files->path, paths[0]) == 0);
	must(list->fault.text == NULL || strlen(list->fault.text) < 1024);
	for (const EsgListedHost *host = list->hosts; host != NULL; host = host->next)
	{
		must(host->line > 0 && host->file != NULL && host->names != NULL && host->is.names->first != NULL);
		must(is_path(host->is.cert) && is_path(host->is.key) && is_path(host->is.ca));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *cut = size > 0 ? memchr(data, '\f', size) : NULL;
	size_t		first = cut != NULL ? (size_t) (cut - data) : size;
	EsgHostsFile list;

	if (directory[0] == '\0')
		begin();
	put(paths[0], data, first);
	put(paths[1], cut != NULL ? cut + 1 : data, cut != NULL ? size - first - 1 : 0);
	esg_hosts_file_read(paths[0], directory, &list);
	must(!list.arena.out_of_memory);
	look_at(&list);
	esg_hosts_file_free(&list);
	return 0;
}
