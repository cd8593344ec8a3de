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

#include "ctl/check_case.h"
#include "ctl/check_policy.h"
#include "ctl/check_report.h"
#include "ctl/file_list.h"
#include "ctl/load_verdict.h"
#include "ctl/memory.h"
#include "ctl/message.h"
#include "ctl/server_answers.h"
#include "ctl/server_user.h"
#include "files/hosts_file.h"
#include "files/pair_place.h"
#include "files/tls_names.h"

/* What is known of the server. */
typedef struct ServerCase
{
	char		directory[PATH_MAX];	/* as it was given, absolute */
	EsgServerAnswers answers;
	EsgTlsNames names;
	EsgCheckCase judged;
	EsgHostsFile hosts;			/* with ssl_sni */
	EsgFileList files;
} ServerCase;

static const char *
value_of(const ServerCase *c, EsgServerSetting setting)
{
	return c->answers.values[setting] ? c->answers.values[setting] : "";
}

/* ---- which files ---- */

static bool
is_on(const ServerCase *c, EsgServerSetting setting)
{
	return strcmp(value_of(c, setting), "on") == 0;
}

static void
read_hosts(ServerCase *c)
{
	if (is_on(c, ESG_ASK_SSL) && is_on(c, ESG_ASK_SNI))
		esg_hosts_file_read(value_of(c, ESG_ASK_HOSTS_FILE), c->answers.data_directory, &c->hosts);
}

/* Hosts stand in for certificate, key and CAs of the settings. */
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
	c->files.names = &c->names;
	read_hosts(c);
	if (is_on(c, ESG_ASK_SSL))
	{
		esg_file_list_append_hosts(&c->files, &c->hosts);
		if (c->hosts.state == ESG_HOSTS_NONE)
			esg_tls_names_each_own(&c->names, esg_file_list_append, &c->files);
		esg_file_list_append_lists(&c->files, &c->hosts);
		esg_tls_names_each_other(&c->names, esg_file_list_append, &c->files);
	}
	esg_check_policy_each_extra(value_of(c, ESG_ASK_EXTRA_FILES), esg_file_list_append_extra, &c->files);
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
say_verdict(ServerCase *c, EsgReport *report, EsgPassphrase *passphrase)
{
	EsgLoadCase load = {.answers = &c->answers,.names = &c->names,.passphrase = passphrase,
		.policy = &c->judged.policy,.hosts = is_on(c, ESG_ASK_SNI) ? &c->hosts : NULL
	};

	if (!is_on(c, ESG_ASK_SSL))
	{
		esg_report_summarize(report, ESG_STATUS_OK, "\"ssl\" is off: no start and no reload depends on these files");
		return;
	}
	esg_memory_lock();
	esg_load_verdict_say(&load, c->judged.audit, report);
}

/* What concerns no file by itself. */
static void
report_pair_in_backup(const ServerCase *c, const char *pair_directory, EsgReport *report)
{
	EsgRemark	remark;
	EsgFindings findings = {.count = 0};

	if (!is_on(c, ESG_ASK_SSL) || !esg_server_answers_are_with_library(&c->answers) ||
		!esg_pair_place_is_in_backup(pair_directory, c->answers.data_directory) ||
		!esg_remark_start(&remark, ESG_PASSPHRASE_IN_BACKUP, ESG_PLACE_SERVER))
		return;
	(void) esg_findings_add(&findings, &remark, c->judged.policy.overrides);
	report->out_of_memory |= findings.out_of_memory;
	if (findings.count > 0)
		esg_report_add(report, ESG_OBJECT_SERVER, c->answers.data_directory)->findings = findings;
}

static int
check_server(ServerCase *c, const EsgCheckOptions *options, EsgPassphrase *passphrase)
{
	char		pair_directory[ESG_TLS_PATH_SIZE];
	bool		pair_named;
	EsgReport	report;

	c->judged.at = options->at;
	if (!esg_check_policy_read(&c->answers, &c->judged))
		return ESG_STATUS_UNKNOWN;
	list_files(c);
	c->judged.hosts_file = value_of(c, ESG_ASK_HOSTS_FILE);
	c->judged.hosts_fault = &c->hosts.fault;
	pair_named = esg_tls_names_pair_directory(&c->names, pair_directory);
	if (c->files.out_of_memory || c->hosts.arena.out_of_memory ||
		!esg_check_case_judge(&c->judged, c->files.items, c->files.count,
							  pair_named ? pair_directory : NULL))
	{
		esg_message_error("out of memory");
		return ESG_STATUS_UNKNOWN;
	}
	esg_report_start(&report, "check", options->at);
	say_verdict(c, &report, passphrase);
	esg_check_report_fill(&report, c->judged.audit, true);
	if (pair_named)
		report_pair_in_backup(c, pair_directory, &report);
	return esg_output_finish(&report, &options->style);
}

int
esg_check_server_run(const EsgCheckOptions *options, EsgPassphrase *passphrase)
{
	ServerCase	c = {.files = {.count = 0}};
	int			status = ESG_STATUS_UNKNOWN;

	if (find_directory(&c, options) && take_eyes(&c, options) &&
		esg_server_answers_ask(c.directory, options->postgres, &c.answers))
		status = c.answers.fault[0] ? report_refusal(&c, options) : check_server(&c, options, passphrase);
	esg_check_case_free(&c.judged);
	esg_server_answers_free(&c.answers);
	esg_hosts_file_free(&c.hosts);
	esg_file_list_free(&c.files);
	return status;
}
