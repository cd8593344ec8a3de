/*
 * ctl/file_list.h
 *		The files that the settings of a server name.
 */
#ifndef ESG_CTL_FILE_LIST_H
#define ESG_CTL_FILE_LIST_H

#include "files/arena.h"
#include "files/hosts_file.h"
#include "files/tls_names.h"

/* All zero is an empty one. */
typedef struct EsgFileList
{
	const EsgTlsNames *names;	/* of the server */
	EsgTlsFile *items;
	int			count;
	int			capacity;
	bool		out_of_memory;	/* something is missing */
	EsgArena	arena;
} EsgFileList;

/* EsgTlsNameFn; list is an EsgFileList.  A path may be relative to the data directory. */
extern void esg_file_list_append(void *list, const char *setting, EsgFileKind kind, const char *path,
								 bool optional);

/* The same, of ext_ssl_guard.extra_files; one that is listed already is one thing only. */
extern void esg_file_list_append_extra(void *list, const char *setting, EsgFileKind kind,
									   const char *path, bool optional);

/* certificates, keys and CAs of hosts */
extern void esg_file_list_append_hosts(EsgFileList *list, const EsgHostsFile *hosts);

/* the list of hosts itself, and what it includes */
extern void esg_file_list_append_lists(EsgFileList *list, const EsgHostsFile *hosts);

extern void esg_file_list_free(EsgFileList *list);

#endif							/* ESG_CTL_FILE_LIST_H */
