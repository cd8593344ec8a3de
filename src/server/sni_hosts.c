/*
 * server/sni_hosts.c
 *		pg_hosts.conf: certificates by the name that the client asks for.
 *
 * Core's parser logs each fault that it finds, and tells its caller only that
 * there was one.  So its messages are taken here before they get into the log,
 * which they would fill: the file is parsed often, and in several processes.
 */
#include "postgres.h"

#include <ctype.h>
#include <sys/stat.h>

#include "lib/stringinfo.h"
#include "libpq/hba.h"
#include "libpq/libpq.h"
#include "miscadmin.h"
#include "utils/elog.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "compat.h"
#include "server/sni_hosts.h"

/* a longer fault is cut */
#define FAULT_SIZE 1024

/* While core parses: where the first fault goes, and its memory. */
static EsgHosts *faulty = NULL;
static MemoryContext fault_context = NULL;

void
esg_sni_hosts_mark(EsgFileMark *out)
{
	struct stat st;

	memset(out, 0, sizeof(*out));
	if (!ssl_sni || stat(HostsFileName, &st) != 0)
		return;
	out->mtime_sec = (int64) st.st_mtim.tv_sec;
	out->mtime_nsec = (int64) st.st_mtim.tv_nsec;
	out->size = (int64) st.st_size;
	out->device = (uint64) st.st_dev;
	out->inode = (uint64) st.st_ino;
}

/* The number in "line 3 of configuration file ...", whatever the language; 0 if there is none. */
static int
find_line(const char *context)
{
	if (context == NULL)
		return 0;
	while (*context != '\0' && !isdigit((unsigned char) *context))
		context++;
	return atoi(context);
}

/* The name in quotes behind it: that of the file; NULL if there is none. */
static const char *
find_file(const char *context)
{
	const char *begin = context != NULL ? strchr(context, '"') : NULL;
	const char *end = begin != NULL ? strchr(begin + 1, '"') : NULL;

	return end != NULL ? MemoryContextStrdup(fault_context, pnstrdup(begin + 1, end - begin - 1)) : NULL;
}

/* emit_log_hook_type */
static void
take_message(ErrorData *edata)
{
	EsgHostsFault *fault = &faulty->fault;

	edata->output_to_server = false;
	edata->output_to_client = false;
	/* that a file is not there is said, too, of one that need not be there */
	if (edata->message_id != NULL && strncmp(edata->message_id, "skipping missing", strlen("skipping missing")) == 0)
		memset(fault, 0, sizeof(*fault));
	else if (fault->text == NULL && edata->message != NULL)
	{
		fault->text = MemoryContextStrdup(fault_context, edata->message);
		fault->line = find_line(edata->context);
		fault->file = find_file(edata->context);
	}
}

static HostsFileLoadResult
parse_quietly(List **lines, EsgHosts *hosts)
{
	emit_log_hook_type volatile saved = emit_log_hook;
	HostsFileLoadResult volatile result = HOSTSFILE_LOAD_FAILED;

	faulty = hosts;
	fault_context = CurrentMemoryContext;
	emit_log_hook = take_message;
	PG_TRY();
	{
		result = load_hosts(lines, NULL);
	}
	PG_FINALLY();
	{
		emit_log_hook = saved;
		faulty = NULL;
	}
	PG_END_TRY();
	return result;
}

/* Opening it would wait for somebody who writes, without end, as core does at the next load. */
static bool
is_fifo(void)
{
	struct stat st;

	return stat(HostsFileName, &st) == 0 && S_ISFIFO(st.st_mode);
}

static char *
copy_string(const char *str)
{
	return pstrdup(str != NULL ? str : "");
}

/* The files that the line names by "@", relative to its own; those that they name in turn are left out. */
static List *
find_token_files(const HostsLine *line)
{
	List	   *files = NIL;
	const char *p = line->rawline;
	const char *slash = strrchr(line->sourcefile, '/');
	int			dir_len = slash != NULL ? (int) (slash - line->sourcefile) : 0;

	while ((p = strchr(p, '@')) != NULL)
	{
		bool		begins = p == line->rawline || strchr(" \t,", p[-1]) != NULL;
		int			len = (int) strcspn(++p, " \t,\"#\r\n");

		if (!begins || len == 0)
			continue;
		if (*p == '/')
			files = lappend(files, pnstrdup(p, len));
		else
			files = lappend(files, psprintf("%.*s/%.*s", dir_len, line->sourcefile, len, p));
	}
	return files;
}

static EsgHost *
copy_line(const HostsLine *line)
{
	EsgHost    *host = palloc0(sizeof(EsgHost));
	ListCell   *cell;

	host->line = line->linenumber;
	host->file = copy_string(line->sourcefile);
	host->cert = copy_string(line->ssl_cert);
	host->key = copy_string(line->ssl_key);
	host->ca = copy_string(line->ssl_ca);
	host->command = copy_string(line->ssl_passphrase_cmd);
	host->command_at_reload = line->ssl_passphrase_reload;
	host->token_files = find_token_files(line);
	foreach(cell, line->hostnames)
		host->names = lappend(host->names, copy_string(lfirst(cell)));
	return host;
}

static EsgHostName *
list_names(const EsgHosts *hosts, int *count)
{
	EsgHostName *names;
	ListCell   *cell;
	ListCell   *inner;
	int			n = 0;

	foreach(cell, hosts->hosts)
		n += list_length(((EsgHost *) lfirst(cell))->names);
	names = palloc(Max(n, 1) * sizeof(EsgHostName));
	*count = 0;
	foreach(cell, hosts->hosts)
	{
		const EsgHost *host = lfirst(cell);

		foreach(inner, host->names)
		{
			EsgHostName item = {lfirst(inner), host->file, host->line};

			names[(*count)++] = item;
		}
	}
	return names;
}

/* What core finds only when it has parsed the file: a name that two lines have. */
static void
find_double_name(EsgHosts *hosts)
{
	int			count;
	EsgHostName *names = list_names(hosts, &count);
	const EsgHostName *twice = hosts->state == ESG_HOSTS_LISTED ? esg_hosts_line_find_double(names, count) : NULL;
	char		fault[FAULT_SIZE];

	if (twice != NULL)
	{
		esg_hosts_line_say_double(twice, fault, sizeof(fault));
		hosts->state = ESG_HOSTS_UNUSABLE;
		hosts->fault.text = pstrdup(fault);
		hosts->fault.file = twice->file;
		hosts->fault.line = twice->line;
	}
	pfree(names);
}

EsgHosts *
esg_sni_hosts_read(void)
{
	EsgHosts   *hosts = palloc0(sizeof(EsgHosts));
	List	   *lines = NIL;
	ListCell   *cell;
	HostsFileLoadResult result;

	if (!ssl_sni)
		return hosts;
	if (is_fifo())
	{
		hosts->state = ESG_HOSTS_UNUSABLE;
		hosts->fault.text = "it is a named pipe";
		return hosts;
	}
	result = parse_quietly(&lines, hosts);
	foreach(cell, lines)
		hosts->hosts = lappend(hosts->hosts, copy_line(lfirst(cell)));
	if (result == HOSTSFILE_LOAD_OK)
		hosts->state = ESG_HOSTS_LISTED;
	else if (result == HOSTSFILE_LOAD_FAILED)
		hosts->state = ESG_HOSTS_UNUSABLE;
	find_double_name(hosts);
	if (hosts->state != ESG_HOSTS_LISTED)
		hosts->hosts = NIL;
	if (hosts->state != ESG_HOSTS_UNUSABLE)
		memset(&hosts->fault, 0, sizeof(hosts->fault));
	return hosts;
}

char *
esg_sni_hosts_names(const EsgHost *host)
{
	StringInfoData buf;
	ListCell   *cell;

	initStringInfo(&buf);
	foreach(cell, host->names)
		appendStringInfo(&buf, "%s%s", buf.len > 0 ? "," : "", (const char *) lfirst(cell));
	return buf.data;
}
