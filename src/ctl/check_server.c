/*
 * ctl/check_server.c
 *		ssl_guard_ctl check -D PGDATA: all files of a server, and whether it would start with them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/check_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "ctl/check_case.h"
#include "ctl/check_policy.h"
#include "ctl/check_report.h"
#include "ctl/load_verdict.h"
#include "ctl/memory.h"
#include "ctl/message.h"
#include "ctl/server_answers.h"
#include "ctl/server_user.h"
#include "files/tls_names.h"

/* What is known of the server. */
typedef struct ServerCase
{
	char		directory[PATH_MAX];	/* as it was given, absolute */
	EsgServerAnswers answers;
	EsgTlsNames names;
	EsgCheckCase judged;
	EsgArena	arena;
	EsgTlsFile *files;			/* malloc'd */
	int			count;
	int			capacity;
	bool		out_of_memory;
} ServerCase;

static const char *
value_of(const ServerCase *c, EsgServerSetting setting)
{
	return c->answers.values[setting] ? c->answers.values[setting] : "";
}

/* ---- which files ---- */

/* As the server has it: relative to its data directory. */
static char *
make_absolute(ServerCase *c, const char *path)
{
	char		absolute[2 * PATH_MAX];

	if (path[0] == '/')
		return esg_arena_copy(&c->arena, path);
	if (snprintf(absolute, sizeof(absolute), "%s/%s", c->answers.data_directory, path) >= (int) sizeof(absolute))
		return esg_arena_copy(&c->arena, path);
	return esg_arena_copy(&c->arena, absolute);
}

static EsgTlsFile *
make_room(ServerCase *c)
{
	int			larger = c->capacity * 2 + 16;
	EsgTlsFile *moved;

	if (c->count < c->capacity)
		return c->files;
	moved = OPENSSL_realloc(c->files, (size_t) larger * sizeof(EsgTlsFile));
	if (moved)
	{
		c->files = moved;
		c->capacity = larger;
	}
	return moved;
}

/* EsgTlsNameFn */
static void
append_file(void *arg, const char *setting, EsgFileKind kind, const char *path, bool optional)
{
	ServerCase *c = arg;
	EsgTlsFile	file = {setting, kind, NULL, optional, 0, NULL, 0};

	if (!path || !path[0])
		return;
	file.path = make_absolute(c, path);
	if (!file.path || !make_room(c))
		c->out_of_memory = true;
	else
		c->files[c->count++] = file;
}

/* EsgTlsNameFn, of what ext_ssl_guard.extra_files lists; one that is listed already is one thing only. */
static void
append_extra(void *arg, const char *setting, EsgFileKind kind, const char *path, bool optional)
{
	ServerCase *c = arg;
	bool		said = kind != ESG_FILE_EXTRA;
	char	   *absolute = make_absolute(c, path);

	for (int i = 0; absolute && i < c->count; i++)
	{
		if ((!said || c->files[i].kind == kind) && strcmp(c->files[i].path, absolute) == 0)
			return;
	}
	if (absolute)
		append_file(c, setting, said ? kind : esg_tls_names_kind_of_extra(&c->names, absolute), absolute, optional);
}

static bool
is_on(const ServerCase *c, EsgServerSetting setting)
{
	return strcmp(value_of(c, setting), "on") == 0;
}

static void
list_files(ServerCase *c)
{
	EsgTlsNames names = {.data_directory = c->answers.data_directory,
		.cert = value_of(c, ESG_ASK_CERT),.key = value_of(c, ESG_ASK_KEY),
		.ca = value_of(c, ESG_ASK_CA),.crl = value_of(c, ESG_ASK_CRL),
		.crl_dir = value_of(c, ESG_ASK_CRL_DIR),.dh_params = value_of(c, ESG_ASK_DH),
		.passphrase_directory = value_of(c, ESG_ASK_PASSPHRASE_DIRECTORY)
	};

	c->names = names;
	if (is_on(c, ESG_ASK_SSL))
	{
		esg_tls_names_each_own(&c->names, append_file, c);
		esg_tls_names_each_other(&c->names, append_file, c);
	}
	esg_check_policy_each_extra(value_of(c, ESG_ASK_EXTRA_FILES), append_extra, c);
}

/* ---- whose eyes, which server ---- */

static bool
find_directory(ServerCase *c, const EsgCheckOptions *options)
{
	return realpath(options->directory, c->directory) ||
		esg_message_error("could not find directory \"%s\": %s", options->directory, strerror(errno));
}

static bool
take_eyes(const ServerCase *c, const EsgCheckOptions *options)
{
	EsgServerUser user;

	if (geteuid() != 0 && !options->user)
		return true;
	return esg_server_user_find(options->user, c->directory, ESG_SERVER_KEY_NAME, &user) &&
		esg_server_user_become(&user);
}

/* Its own configuration keeps it from starting; nothing else is known then. */
static int
report_refusal(const ServerCase *c, const EsgCheckOptions *options)
{
	EsgReport	report;

	esg_report_start(&report, "check", options->at);
	esg_report_summarize(&report, ESG_STATUS_CRITICAL,
						 "the next start would fail, and a reload would change nothing: %s", c->answers.fault);
	return esg_output_finish(&report, &options->style);
}

/* ---- what comes of it ---- */

static void
note_hosts(const ServerCase *c, EsgReport *report)
{
	EsgReportObject *object;
	const char *path = value_of(c, ESG_ASK_HOSTS_FILE);

	if (!is_on(c, ESG_ASK_SNI) || access(path, F_OK) != 0)
		return;
	object = esg_report_add(report, ESG_OBJECT_FILE, path);
	esg_report_remark(object, ESG_STATUS_UNKNOWN, "Check the files of its hosts one by one.",
					  "the hosts in this file were not looked at");
}

static void
say_verdict(ServerCase *c, EsgReport *report, EsgPassphrase *passphrase)
{
	EsgLoadCase load = {.answers = &c->answers,.names = &c->names,.passphrase = passphrase,
		.policy = &c->judged.policy
	};

	if (!is_on(c, ESG_ASK_SSL))
	{
		esg_report_summarize(report, ESG_STATUS_OK, "\"ssl\" is off: no start and no reload depends on these files");
		return;
	}
	esg_memory_lock();
	esg_load_verdict_say(&load, c->judged.audit, report);
}

static int
check_server(ServerCase *c, const EsgCheckOptions *options, EsgPassphrase *passphrase)
{
	char		pair_directory[ESG_TLS_PATH_SIZE];
	EsgReport	report;

	c->judged.at = options->at;
	if (!esg_check_policy_read(&c->answers, &c->judged))
		return ESG_STATUS_UNKNOWN;
	list_files(c);
	if (c->out_of_memory ||
		!esg_check_case_judge(&c->judged, c->files, c->count,
							  esg_tls_names_pair_directory(&c->names, pair_directory) ? pair_directory : NULL))
	{
		esg_message_error("out of memory");
		return ESG_STATUS_UNKNOWN;
	}
	esg_report_start(&report, "check", options->at);
	say_verdict(c, &report, passphrase);
	esg_check_report_fill(&report, c->judged.audit, true);
	note_hosts(c, &report);
	return esg_output_finish(&report, &options->style);
}

int
esg_check_server_run(const EsgCheckOptions *options, EsgPassphrase *passphrase)
{
	ServerCase	c = {.count = 0};
	int			status = ESG_STATUS_UNKNOWN;

	if (find_directory(&c, options) && take_eyes(&c, options) &&
		esg_server_answers_ask(c.directory, options->postgres, &c.answers))
		status = c.answers.fault[0] ? report_refusal(&c, options) : check_server(&c, options, passphrase);
	esg_check_case_free(&c.judged);
	esg_server_answers_free(&c.answers);
	esg_arena_free(&c.arena);
	OPENSSL_free(c.files);
	return status;
}
