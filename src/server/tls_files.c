/*
 * server/tls_files.c
 *		Which files the TLS settings name.
 */
#include "postgres.h"

#include "libpq/libpq.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "utils/guc.h"

#include "compat.h"
#include "files/facts.h"
#include "files/tls_names.h"
#include "server/guc.h"
#include "server/served_hosts.h"
#include "server/tls_files.h"

#define HOSTS_SETTING "hosts_file"
#define FIRST_CAPACITY 8

typedef struct FileList
{
	EsgTlsFile *items;
	int			count;
	int			capacity;
} FileList;

char *
esg_tls_files_absolute(const char *path)
{
	size_t		len = strlen(path) + 1;
	size_t		directory_len = path[0] == '/' ? 0 : strlen(DataDir) + 1;
	char	   *absolute = palloc(directory_len + len);

	if (directory_len > 0)
	{
		memcpy(absolute, DataDir, directory_len - 1);
		absolute[directory_len - 1] = '/';
	}
	memcpy(absolute + directory_len, path, len);
	return absolute;
}

/* kind -1: whatever it is listed as */
static bool
list_has(const FileList *list, int kind, const char *path)
{
	for (int i = 0; i < list->count; i++)
	{
		if ((kind == -1 || (int) list->items[i].kind == kind) &&
			strcmp(list->items[i].path, path) == 0)
			return true;
	}
	return false;
}

static void
append_file(FileList *list, const char *setting, EsgFileKind kind,
			const char *path, bool optional)
{
	EsgTlsFile	file = {setting, kind, NULL, optional, 0, NULL, 0};

	if (path == NULL || path[0] == '\0')
		return;
	if (list->count == list->capacity)
	{
		list->capacity *= 2;
		list->items = repalloc(list->items, list->capacity * sizeof(EsgTlsFile));
	}
	file.path = esg_tls_files_absolute(path);
	list->items[list->count++] = file;
}

static EsgTlsNames
read_names(void)
{
	EsgTlsNames names = {.data_directory = DataDir,.cert = ssl_cert_file,.key = ssl_key_file,
		.ca = ssl_ca_file,.crl = ssl_crl_file,.crl_dir = ssl_crl_dir,
		.dh_params = ssl_dh_params_file,.passphrase_directory = esg_guc_passphrase_directory
	};

	return names;
}

static void
append_extra_files(FileList *list)
{
	EsgTlsNames names = read_names();

	for (int i = 0; i < esg_guc_extra_file_count(); i++)
	{
		EsgFileKind kind;
		char	   *absolute = esg_tls_files_absolute(esg_guc_extra_file(i, &kind));
		bool		said = kind != ESG_FILE_EXTRA;

		/* a file may be one thing to the server and another to a client */
		if (!list_has(list, said ? (int) kind : -1, absolute))
			append_file(list, ESG_EXTRA_SETTING, said ? kind : esg_tls_names_kind_of_extra(&names, absolute), absolute,
						false);
		pfree(absolute);
	}
}

bool
esg_tls_files_passphrase_directory(char *directory)
{
	EsgTlsNames names = read_names();

	StaticAssertStmt(ESG_TLS_PATH_SIZE == MAXPGPATH, "the server's paths are of another length");
	return esg_tls_names_pair_directory(&names, directory);
}

/* The entry of that kind and path, which another host may have, too. */
static EsgTlsFile *
find_host_file(FileList *list, EsgFileKind kind, const char *path)
{
	for (int i = 0; i < list->count; i++)
	{
		if (list->items[i].kind == kind && list->items[i].host != NULL &&
			strcmp(list->items[i].path, path) == 0)
			return &list->items[i];
	}
	return NULL;
}

static void
add_names(EsgTlsFile *item, const char *names)
{
	const char *more = esg_hosts_line_list_more(item->host, names);

	if (more != NULL)
		item->host = psprintf("%s,%s", item->host, more);
}

static void
append_host_file(FileList *list, EsgFileKind kind, const char *path, const EsgHost *host, int index)
{
	char	   *absolute;
	char	   *names;
	EsgTlsFile *item;

	if (path[0] == '\0')
		return;
	absolute = esg_tls_files_absolute(path);
	names = esg_sni_hosts_names(host);
	item = find_host_file(list, kind, absolute);
	if (item != NULL)
		add_names(item, names);
	else
	{
		append_file(list, HOSTS_SETTING, kind, absolute, false);
		item = &list->items[list->count - 1];
		item->line = host->line;
		item->host = names;
		item->host_index = index;
	}
	pfree(absolute);
}

static void
append_host_files(FileList *list, const EsgHosts *hosts)
{
	int			index = 0;
	ListCell   *cell;

	foreach(cell, hosts->hosts)
	{
		const EsgHost *host = lfirst(cell);

		append_host_file(list, ESG_FILE_CERTIFICATE, host->cert, host, index);
		append_host_file(list, ESG_FILE_KEY, host->key, host, index);
		append_host_file(list, ESG_FILE_CA, host->ca, host, index);
		index++;
	}
}

/* That it is not there is no fault: without it the server goes by its settings. */
static void
append_hosts_list(FileList *list, const char *path)
{
	char	   *absolute = esg_tls_files_absolute(path);
	EsgFileFacts facts;

	esg_facts_stat(absolute, &facts);
	if (facts.exists && !list_has(list, ESG_FILE_HOSTS, absolute))
		append_file(list, HOSTS_SETTING, ESG_FILE_HOSTS, absolute, true);
	pfree(absolute);
}

/* The list of hosts itself, and the files that it includes. */
static void
append_hosts_lists(FileList *list, const EsgHosts *hosts)
{
	ListCell   *cell;
	ListCell   *inner;

	append_hosts_list(list, HostsFileName);
	foreach(cell, hosts->hosts)
	{
		const EsgHost *host = lfirst(cell);

		append_hosts_list(list, host->file);
		foreach(inner, host->token_files)
			append_hosts_list(list, lfirst(inner));
	}
}

/* EsgTlsNameFn */
static void
append_named(void *list, const char *setting, EsgFileKind kind, const char *path, bool optional)
{
	append_file(list, setting, kind, path, optional);
}

static FileList
start_list(void)
{
	FileList	list = {palloc(FIRST_CAPACITY * sizeof(EsgTlsFile)), 0, FIRST_CAPACITY};

	return list;
}

static void
append_loaded_files(FileList *list)
{
	EsgTlsNames names = read_names();
	const EsgHosts *hosts;

	if (!EnableSSL)
		return;
	hosts = esg_served_hosts(NULL);
	append_host_files(list, hosts);
	if (hosts->state == ESG_HOSTS_NONE)
		esg_tls_names_each_own(&names, append_named, list);
	if (hosts->state != ESG_HOSTS_NONE || ssl_sni)
		append_hosts_lists(list, hosts);
	esg_tls_names_each_other(&names, append_named, list);
}

int
esg_tls_files_list_loaded(EsgTlsFile **out)
{
	FileList	list = start_list();

	append_loaded_files(&list);
	*out = list.items;
	return list.count;
}

int
esg_tls_files_list(EsgTlsFile **out)
{
	FileList	list = start_list();

	append_loaded_files(&list);
	append_extra_files(&list);
	*out = list.items;
	return list.count;
}

/* A list that an error cannot lose. */
static char **
copy_paths(const EsgCrlDirList *list)
{
	char	  **paths = palloc(Max(list->count, 1) * sizeof(char *));

	for (int i = 0; i < list->count; i++)
		paths[i] = pstrdup(list->paths[i]);
	return paths;
}

int
esg_tls_files_list_crl_dir(const char *dir, char ***paths, int *error)
{
	EsgCrlDirList list;
	int			count;

	esg_crl_dir_list_read(dir, &list);
	count = list.count;
	*error = list.error;
	PG_TRY();
	{
		*paths = copy_paths(&list);
	}
	PG_FINALLY();
	{
		esg_crl_dir_list_free(&list);
	}
	PG_END_TRY();
	return count;
}
