/*
 * ctl/load_verdict.c
 *		Would the next start or reload of a server succeed?
 *
 * Start and reload load the same, but not by the same rules: a start can ask a
 * person for a passphrase, and does not go on without the DH parameters.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/load_verdict.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/key_answer.h"
#include "files/server_settings.h"
#include "secret/forget.h"

/* bytes of a host's names that are told */
#define MAX_HOST 200

/* What happens, and why not what should. */
typedef struct Outcome
{
	bool		fails;
	char		reason[2 * ESG_PROVED_PATH_SIZE];
} Outcome;

/* What is left open: who gives the passphrase. */
typedef struct Verdict
{
	Outcome		start;
	Outcome		reload;
	const char *unless;			/* "", or a condition */
} Verdict;

static const char *
value_of(const EsgLoadCase *c, EsgServerSetting setting)
{
	return c->answers->values[setting] ? c->answers->values[setting] : "";
}

static bool
has_groups(const EsgLoadCase *c)
{
	return c->answers->values[ESG_ASK_GROUPS] != NULL;
}

static bool
has_hosts(const EsgLoadCase *c)
{
	return c->hosts && c->hosts->state == ESG_HOSTS_LISTED;
}

static void
read_settings(const EsgLoadCase *c, EsgServerSettings *out)
{
	EsgServerValues values = {
		.min_version = value_of(c, ESG_ASK_MIN_VERSION),
		.max_version = value_of(c, ESG_ASK_MAX_VERSION),
		.ciphers = value_of(c, ESG_ASK_CIPHERS),
		.ciphersuites = c->answers->values[ESG_ASK_CIPHERSUITES],
		.groups = value_of(c, has_groups(c) ? ESG_ASK_GROUPS : ESG_ASK_CURVE),
		.groups_are_list = has_groups(c),
		.dh_file = value_of(c, ESG_ASK_DH),
		.cert_file = has_hosts(c) ? NULL : value_of(c, ESG_ASK_CERT)
	};

	esg_server_settings_read(&values, out);
}

/* The setting that OpenSSL does not take. */
static const char *
name_of_part(const EsgLoadCase *c, EsgTlsPart part)
{
	switch (part)
	{
		case ESG_TLS_PART_MIN_VERSION:
			return esg_server_answers_name(ESG_ASK_MIN_VERSION);
		case ESG_TLS_PART_MAX_VERSION:
			return esg_server_answers_name(ESG_ASK_MAX_VERSION);
		case ESG_TLS_PART_DH:
			return esg_server_answers_name(ESG_ASK_DH);
		case ESG_TLS_PART_GROUPS:
			return esg_server_answers_name(has_groups(c) ? ESG_ASK_GROUPS : ESG_ASK_CURVE);
		case ESG_TLS_PART_CIPHERS:
			return esg_server_answers_name(ESG_ASK_CIPHERS);
		case ESG_TLS_PART_CIPHERSUITES:
			return esg_server_answers_name(ESG_ASK_CIPHERSUITES);
		default:
			return "OpenSSL";
	}
}

/* Names of hosts may be many. */
static void
say_host(const EsgListedHost *host, char *text, size_t size)
{
	text[0] = '\0';
	if (host)
		snprintf(text, size, " of host \"%.*s%s\"", MAX_HOST, host->names, strlen(host->names) > MAX_HOST ? "..." : "");
}

/* host: NULL without hosts */
static void
say_failure(const EsgLoadCase *c, const EsgProved *proved, const EsgListedHost *host, const EsgKeyAnswer *answer,
			Outcome *out)
{
	char		reason[ESG_PAIR_REASON_SIZE];
	char		of_host[MAX_HOST + 32];

	if (out->fails)
		return;
	out->fails = true;
	if (proved->refused != ESG_TLS_PART_NONE)
		snprintf(out->reason, sizeof(out->reason), "setting \"%s\" is refused: %s",
				 name_of_part(c, proved->refused), proved->reason);
	else if (answer->pair_failed)
	{
		esg_secret_pair_reason(&answer->status, reason, sizeof(reason));
		snprintf(out->reason, sizeof(out->reason), "passphrase file \"%s\" cannot be used: %s",
				 answer->status.path, reason);
	}
	else
	{
		say_host(host, of_host, sizeof(of_host));
		snprintf(out->reason, sizeof(out->reason), "file \"%s\"%s: %s", proved->path, of_host, proved->reason);
	}
}

/* Without these parameters a reload goes on with the server's own. */
static void
judge_dh(const EsgLoadCase *c, const EsgDhFacts *dh, Outcome *start)
{
	const char *fault = dh->unread;

	if (!dh->configured || start->fails || (!fault && dh->valid))
		return;
	start->fails = true;
	snprintf(start->reason, sizeof(start->reason), "file \"%s\": %s", value_of(c, ESG_ASK_DH),
			 fault ? fault : "it has no DH parameters that the server takes");
}

/* With this mode, the extension does not let a server start. */
static void
judge_permissions(const EsgLoadCase *c, const EsgAudit *audit, Outcome *start)
{
	const char *check = c->answers->values[ESG_ASK_PERMISSION_CHECK];

	if (start->fails || !esg_server_answers_are_with_library(c->answers) || !check || strcmp(check, "enforce") != 0)
		return;
	for (int i = 0; i < audit->file_count && !start->fails; i++)
	{
		const EsgAuditFile *file = audit->files[i];

		if (esg_tls_file_is_extra(&file->file) || esg_policy_file_is_directory(file->file.kind))
			continue;
		for (int k = 0; k < file->findings.count; k++)
		{
			const EsgFindingDef *def = esg_findings_def(file->findings.items[k].code);

			if ((def->enforced & ESG_PLACE_FILE) == 0)
				continue;
			start->fails = true;
			snprintf(start->reason, sizeof(start->reason),
					 "\"ext_ssl_guard.file_permission_check\" is \"enforce\", and file \"%s\" has the finding %s",
					 file->file.path, def->name);
		}
	}
}

/* What the next start depends on. */
static const char *
find_condition(const char *command, const EsgListedHost *host)
{
	if (host)
		return command[0] ? ", if the commands of the hosts open their keys" :
			", if somebody gives the passphrases of the keys";
	return command[0] ? ", if \"ssl_passphrase_command\" opens the key" :
		", if somebody gives the passphrase of the key";
}

/* What is loaded together, a host's or what the settings name, where there is none. */
static void
load_set(const EsgLoadCase *c, EsgLoadSet *set, const EsgListedHost *host, Verdict *out)
{
	EsgProved	proved = {.proof = ESG_PROOF_NONE};
	EsgKeyAnswer *answer = set->install_arg;

	if (host)
	{
		set->cert = host->is.cert;
		set->key = host->is.key;
		set->ca = host->is.ca;
		set->command = host->is.command;
		set->command_at_reload = host->is.command_at_reload;
	}
	(void) esg_load_set(set, &proved);
	esg_secret_forget_stack();
	if (proved.proof == ESG_PROOF_FAILS)
	{
		/* worse than a passphrase that nobody gives */
		say_failure(c, &proved, host, answer, &out->start);
		out->reload = out->start;
	}
	else if (proved.proof == ESG_PROOF_NEEDS_PERSON)
		say_failure(c, &proved, host, answer, &out->reload);
	if (proved.proof == ESG_PROOF_NEEDS_PERSON || proved.proof == ESG_PROOF_NEEDS_COMMAND)
		out->unless = find_condition(set->command, host);
}

static void
load_hosts(const EsgLoadCase *c, EsgLoadSet *set, Verdict *out)
{
	const EsgListedHost *host;

	for (host = c->hosts->hosts; host && !out->start.fails; host = host->next)
		load_set(c, set, host, out);
}

/* The list of hosts, where it is what is at fault. */
static void
judge_list(const EsgAudit *audit, Verdict *out)
{
	for (int i = 0; i < audit->file_count && !out->start.fails; i++)
	{
		const EsgAuditFile *file = audit->files[i];

		if (!file->hosts_fault)
			continue;
		out->start.fails = true;
		snprintf(out->start.reason, sizeof(out->start.reason), "file \"%s\" is refused by the server: %s",
				 file->file.path, file->hosts_fault);
		out->reload = out->start;
	}
}

static void
start_answer(const EsgLoadCase *c, char pair_directory[ESG_TLS_PATH_SIZE], EsgKeyAnswer *answer)
{
	EsgKeyAnswer start = {.passphrase = c->passphrase,.directory = pair_directory,
		.key_name = ESG_SERVER_KEY_NAME,.rule = {geteuid(), ESG_KEY_MODE_ANY}
	};

	*answer = start;
	answer->of_several = has_hosts(c);
	/* the server knows nothing of pairs without the library, or with ssl_sni */
	answer->with_pair = !c->hosts && esg_server_answers_are_with_library(c->answers) &&
		esg_tls_names_pair_directory(c->names, pair_directory);
	/* it uses a pair whatever somebody types */
	answer->typed = c->passphrase->len > 0 &&
		!(answer->with_pair && esg_secret_pair_exists(pair_directory, ESG_SERVER_KEY_NAME));
	if (strcmp(value_of(c, ESG_ASK_PERMISSION_CHECK), "enforce") == 0)
		answer->rule.max_mode = c->policy->max_key_file_mode;
}

static void
load(const EsgLoadCase *c, const EsgAudit *audit, Verdict *out)
{
	char		pair_directory[ESG_TLS_PATH_SIZE] = "";
	EsgServerSettings settings;
	EsgKeyAnswer answer;
	EsgLoadSet	set = {.cert = value_of(c, ESG_ASK_CERT),.key = value_of(c, ESG_ASK_KEY),
		.ca = value_of(c, ESG_ASK_CA),.crl = value_of(c, ESG_ASK_CRL),.crl_dir = value_of(c, ESG_ASK_CRL_DIR),
		.command = value_of(c, ESG_ASK_COMMAND),
		.command_at_reload = strcmp(value_of(c, ESG_ASK_COMMAND_AT_RELOAD), "on") == 0,
		.tls = &settings.tls,.install = esg_key_answer_install,.install_arg = &answer
	};

	start_answer(c, pair_directory, &answer);
	read_settings(c, &settings);
	judge_list(audit, out);
	if (has_hosts(c))
		load_hosts(c, &set, out);
	else if (!out->start.fails)
		load_set(c, &set, NULL, out);
	judge_dh(c, &settings.dh, &out->start);
	judge_permissions(c, audit, &out->start);
	esg_server_settings_forget(&settings);
}

void
esg_load_verdict_say(const EsgLoadCase *c, const EsgAudit *audit, EsgReport *report)
{
	Verdict		v = {.unless = ""};

	load(c, audit, &v);
	if (!v.start.fails && !v.reload.fails)
		esg_report_summarize(report, ESG_STATUS_OK, "the next start or reload would succeed%s", v.unless);
	else if (v.start.fails && v.reload.fails && strcmp(v.start.reason, v.reload.reason) != 0)
		esg_report_summarize(report, ESG_STATUS_CRITICAL, "the next start would fail: %s; the next reload would fail: %s",
							 v.start.reason, v.reload.reason);
	else if (v.start.fails && v.reload.fails)
		esg_report_summarize(report, ESG_STATUS_CRITICAL, "the next start or reload would fail: %s", v.reload.reason);
	else if (v.start.fails)
		esg_report_summarize(report, ESG_STATUS_CRITICAL,
							 "the next reload would succeed%s; the next start would fail: %s",
							 v.unless, v.start.reason);
	else
		esg_report_summarize(report, ESG_STATUS_WARNING,
							 "the next start would succeed%s; the next reload would fail: %s",
							 v.unless, v.reload.reason);
}
