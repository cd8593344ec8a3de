/*
 * files/pair_place.c
 *		Is a passphrase pair where backups take it along with the key?
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "files/pair_place.h"

#include <stdio.h>
#include <string.h>

#include "files/facts.h"
#include "files/tls_file.h"
#include "secret/pair.h"

/* Symbolic links resolved: pg_basebackup follows none but those of tablespaces. */
static bool
is_below(const char *directory, const char *suffix, const char *data)
{
	char		path[ESG_PAIR_PATH_SIZE];
	char		resolved[PATH_MAX];
	size_t		len = strlen(data);

	return snprintf(path, sizeof(path), "%s/" ESG_SERVER_KEY_NAME "%s", directory, suffix) < (int) sizeof(path) &&
		esg_facts_resolve(path, resolved) && strncmp(resolved, data, len) == 0 && resolved[len] == '/';
}

/* One half alone is worth nothing. */
bool
esg_pair_place_is_in_backup(const char *directory, const char *data_directory)
{
	char		data[PATH_MAX];

	return esg_facts_resolve(data_directory, data) && is_below(directory, ESG_CIPHER_SUFFIX, data) &&
		(is_below(directory, ESG_RANDOM_SUFFIX, data) || is_below(directory, ESG_PENDING_SUFFIX, data));
}
