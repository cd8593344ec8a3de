/*
 * ctl/file_list.c
 *		The files that the settings of a server name.
 */
#include "ctl/file_list.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "files/path.h"

#define HOSTS_SETTING "hosts_file"

static EsgTlsFile *
make_room(EsgFileList *list)
{
	int			larger = list->capacity * 2 + 16;
	EsgTlsFile *moved;

	if (list->count < list->capacity)
		return list->items;
	moved = OPENSSL_realloc(list->items, (size_t) larger * sizeof(EsgTlsFile));
	if (moved)
	{
		list->items = moved;
		list->capacity = larger;
	}
	return moved;
}

void
esg_file_list_append(void *arg, const char *setting, EsgFileKind kind, const char *path, bool optional)
{
	EsgFileList *list = arg;
	EsgTlsFile	file = {setting, kind, NULL, optional, 0, NULL, 0};

	if (!path || !path[0])
		return;
	file.path = esg_path_below(&list->arena, list->names->data_directory, path);
	if (!file.path || !make_room(list))
		list->out_of_memory = true;
	else
		list->items[list->count++] = file;
}

void
esg_file_list_append_extra(void *arg, const char *setting, EsgFileKind kind, const char *path, bool optional)
{
	EsgFileList *list = arg;
	bool		said = kind != ESG_FILE_EXTRA;
	char	   *absolute = esg_path_below(&list->arena, list->names->data_directory, path);

	if (!absolute)
	{
		list->out_of_memory = true;
		return;
	}
	for (int i = 0; i < list->count; i++)
	{
		if ((!said || list->items[i].kind == kind) && strcmp(list->items[i].path, absolute) == 0)
			return;
	}
	if (!said)
		kind = esg_tls_names_kind_of_extra(list->names, absolute);
	esg_file_list_append(list, setting, kind, absolute, optional);
}

/* ---- hosts ---- */

static void
add_names(EsgFileList *list, EsgTlsFile *item, const char *names)
{
	const char *more = esg_hosts_line_list_more(item->host, names);
	size_t		size;
	char	   *joined;

	if (!more)
		return;
	size = strlen(item->host) + strlen(more) + 2;
	joined = esg_arena_take(&list->arena, size);
	if (!joined)
	{
		list->out_of_memory = true;
		return;
	}
	snprintf(joined, size, "%s,%s", item->host, more);
	item->host = joined;
}

/* Several hosts may have the same one. */
static void
append_host_file(EsgFileList *list, EsgFileKind kind, const char *path, const EsgListedHost *host)
{
	int			before = list->count;

	for (int i = 0; i < list->count; i++)
	{
		EsgTlsFile *item = &list->items[i];

		if (item->kind == kind && item->host && strcmp(item->path, path) == 0)
		{
			add_names(list, item, host->names);
			return;
		}
	}
	esg_file_list_append(list, HOSTS_SETTING, kind, path, false);
	if (list->count == before)
		return;
	list->items[before].line = host->line;
	list->items[before].host = esg_arena_copy(&list->arena, host->names);
	list->out_of_memory |= !list->items[before].host;
}

void
esg_file_list_append_hosts(EsgFileList *list, const EsgHostsFile *hosts)
{
	for (const EsgListedHost *host = hosts->hosts; host; host = host->next)
	{
		append_host_file(list, ESG_FILE_CERTIFICATE, host->is.cert, host);
		append_host_file(list, ESG_FILE_KEY, host->is.key, host);
		append_host_file(list, ESG_FILE_CA, host->is.ca, host);
	}
}

/* That it is not there is no fault: without it the server goes by its settings. */
void
esg_file_list_append_lists(EsgFileList *list, const EsgHostsFile *hosts)
{
	for (const EsgListedFile *file = hosts->files; file; file = file->next)
		esg_file_list_append(list, HOSTS_SETTING, ESG_FILE_HOSTS, file->path, true);
}

void
esg_file_list_free(EsgFileList *list)
{
	OPENSSL_free(list->items);
	esg_arena_free(&list->arena);
	memset(list, 0, sizeof(*list));
}
