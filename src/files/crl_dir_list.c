/*
 * files/crl_dir_list.c
 *		What lies in ssl_crl_dir.
 */
#include "files/crl_dir_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "files/facts.h"
#include "policy/crl_names.h"

static int
compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/*
 * What is neither named as OpenSSL looks for it nor a file is none of ours: a
 * subdirectory, a socket.
 */
static bool
is_candidate(EsgCrlDirList *list, const char *path, const struct dirent *entry)
{
	EsgFileFacts facts;

	if (esg_crl_names_is_hash(path))
		return true;
#ifdef DT_REG
	/* what most file systems tell with the name */
	if (entry->d_type == DT_REG || entry->d_type == DT_DIR)
		return entry->d_type == DT_REG;
#endif
	list->depends = true;
	esg_facts_stat(path, &facts);
	return facts.exists && S_ISREG(facts.mode);
}

/* dir/name, NULL if memory ran out */
static char *
join_path(const char *dir, const char *name)
{
	size_t		size = strlen(dir) + strlen(name) + 2;
	char	   *path = OPENSSL_malloc(size);

	if (path != NULL)
		snprintf(path, size, "%s/%s", dir, name);
	return path;
}

static bool
make_room(EsgCrlDirList *list)
{
	int			capacity = list->capacity * 2 + 16;
	char	  **larger;

	if (list->count < list->capacity)
		return true;
	larger = OPENSSL_realloc(list->paths, (size_t) capacity * sizeof(char *));
	if (larger == NULL)
		return false;
	list->paths = larger;
	list->capacity = capacity;
	return true;
}

/* 0 or an errno */
static int
append_entry(EsgCrlDirList *list, const char *dir, const struct dirent *entry)
{
	char	   *path = join_path(dir, entry->d_name);

	if (path == NULL || !make_room(list))
	{
		OPENSSL_free(path);
		return ENOMEM;
	}
	if (!is_candidate(list, path, entry))
		OPENSSL_free(path);
	else if (list->count == ESG_MAX_CRL_DIR_FILES)
	{
		OPENSSL_free(path);
		return EFBIG;
	}
	else
		list->paths[list->count++] = path;
	return 0;
}

void
esg_crl_dir_list_read(const char *dir, EsgCrlDirList *out)
{
	DIR		   *handle = opendir(dir);
	struct dirent *entry;

	memset(out, 0, sizeof(*out));
	if (handle == NULL)
	{
		out->error = errno;
		return;
	}
	while (out->error == 0 && (errno = 0, entry = readdir(handle)) != NULL)
	{
		/* also the "..data" of a Kubernetes volume */
		if (entry->d_name[0] != '.')
			out->error = append_entry(out, dir, entry);
	}
	if (out->error == 0)
		out->error = errno;
	closedir(handle);
	if (out->count > 0)
		qsort(out->paths, out->count, sizeof(char *), compare_paths);
	ERR_clear_error();
}

void
esg_crl_dir_list_free(EsgCrlDirList *list)
{
	for (int i = 0; i < list->count; i++)
		OPENSSL_free(list->paths[i]);
	OPENSSL_free(list->paths);
	memset(list, 0, sizeof(*list));
}
