/*
 * ctl/server_answers.c
 *		The settings of a server that need not run, asked of its program.
 *
 * "postgres -C" tells one setting at a time, so that each is a process; they run
 * side by side.  Whatever includes other files, ALTER SYSTEM or defaults make of a
 * setting, that program knows.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/server_answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "ctl/message.h"
#include "ctl/run_program.h"

/* for all of them together; one takes some milliseconds */
#define MAX_SECONDS 60

static const char *const names[ESG_ASK_COUNT] = {
	[ESG_ASK_SSL] = "ssl",
	[ESG_ASK_CERT] = "ssl_cert_file",
	[ESG_ASK_KEY] = "ssl_key_file",
	[ESG_ASK_CA] = "ssl_ca_file",
	[ESG_ASK_CRL] = "ssl_crl_file",
	[ESG_ASK_CRL_DIR] = "ssl_crl_dir",
	[ESG_ASK_DH] = "ssl_dh_params_file",
	[ESG_ASK_CIPHERS] = "ssl_ciphers",
	[ESG_ASK_CIPHERSUITES] = "ssl_tls13_ciphers",
	[ESG_ASK_CURVE] = "ssl_ecdh_curve",
	[ESG_ASK_GROUPS] = "ssl_groups",
	[ESG_ASK_MIN_VERSION] = "ssl_min_protocol_version",
	[ESG_ASK_MAX_VERSION] = "ssl_max_protocol_version",
	[ESG_ASK_COMMAND] = "ssl_passphrase_command",
	[ESG_ASK_COMMAND_AT_RELOAD] = "ssl_passphrase_command_supports_reload",
	[ESG_ASK_SNI] = "ssl_sni",
	[ESG_ASK_HOSTS_FILE] = "hosts_file",
	[ESG_ASK_DATA_DIRECTORY] = "data_directory",
	[ESG_ASK_LIBRARIES] = "shared_preload_libraries",
	[ESG_ASK_PASSPHRASE_DIRECTORY] = "ext_ssl_guard.passphrase_directory",
	[ESG_ASK_EXTRA_FILES] = "ext_ssl_guard.extra_files",
	[ESG_ASK_PERMISSION_CHECK] = "ext_ssl_guard.file_permission_check",
	[ESG_ASK_MAX_FILE_MODE] = "ext_ssl_guard.max_file_mode",
	[ESG_ASK_MAX_KEY_FILE_MODE] = "ext_ssl_guard.max_key_file_mode",
	[ESG_ASK_OVERRIDES] = "ext_ssl_guard.finding_overrides",
	[ESG_ASK_ALERT] = "ext_ssl_guard.expire_alert_threshold",
	[ESG_ASK_CRITICAL] = "ext_ssl_guard.expire_critical_threshold",
	[ESG_ASK_ALERT_PERCENT] = "ext_ssl_guard.expire_alert_lifetime_percent",
	[ESG_ASK_CRITICAL_PERCENT] = "ext_ssl_guard.expire_critical_lifetime_percent",
	[ESG_ASK_CRL_ALERT_PERCENT] = "ext_ssl_guard.crl_alert_lifetime_percent",
	[ESG_ASK_CRL_CRITICAL_PERCENT] = "ext_ssl_guard.crl_critical_lifetime_percent",
	[ESG_ASK_SECURITY_BITS] = "ext_ssl_guard.min_security_bits",
	[ESG_ASK_VALIDITY] = "ext_ssl_guard.max_validity"
};

const char *
esg_server_answers_name(EsgServerSetting setting)
{
	return names[setting];
}

/* ---- the program ---- */

static bool
try_program(char found[PATH_MAX], const char *directory, const char *behind)
{
	return snprintf(found, PATH_MAX, "%s%s/postgres", directory, behind) < PATH_MAX &&
		access(found, X_OK) == 0;
}

/* The major version of the data directory; "" if it has none. */
static void
read_version(const char *directory, char version[16])
{
	char		path[PATH_MAX];
	FILE	   *file;

	version[0] = '\0';
	if (snprintf(path, sizeof(path), "%s/PG_VERSION", directory) >= PATH_MAX)
		return;
	file = fopen(path, "r");
	if (file && fgets(version, 16, file))
		version[strcspn(version, "\r\n/ ")] = '\0';
	if (file)
		fclose(file);
}

/* This program is installed beside it. */
static bool
find_beside(char found[PATH_MAX])
{
	char		self[PATH_MAX];
	ssize_t		len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (len <= 0)
		return false;
	self[len] = '\0';
	*strrchr(self, '/') = '\0';
	return try_program(found, self, "");
}

static bool
find_by_pg_config(char found[PATH_MAX])
{
	EsgRun		run = {.argv = {"pg_config", "--bindir"}};
	bool		good = esg_run_program_all(&run, 1, MAX_SECONDS) && run.exit_code == 0 && run.out;

	if (good)
	{
		run.out[strcspn(run.out, "\n")] = '\0';
		good = try_program(found, run.out, "");
	}
	esg_run_program_free(&run, 1);
	return good;
}

static bool
find_in_path(char found[PATH_MAX])
{
	const char *list = getenv("PATH");
	char		directory[PATH_MAX];

	while (list && *list)
	{
		int			len = (int) strcspn(list, ":");

		if (len > 0 && snprintf(directory, sizeof(directory), "%.*s", len, list) < PATH_MAX &&
			try_program(found, directory, ""))
			return true;
		list += len + (list[len] == ':');
	}
	return false;
}

/* Debian has several versions side by side, each in a directory of its own. */
static bool
find_program(const EsgServerPlace *place, char found[PATH_MAX])
{
	char		version[16];
	char		behind[32];

	read_version(place->directory, version);
	if (place->postgres)
	{
		snprintf(found, PATH_MAX, "%s", place->postgres);
		return access(found, X_OK) == 0 ||
			esg_message_error("there is no program \"%s\"", found);
	}
	snprintf(behind, sizeof(behind), "/%s/bin", version);
	if (find_beside(found) ||
		(version[0] && try_program(found, "/usr/lib/postgresql", behind)) ||
		find_by_pg_config(found) || find_in_path(found))
		return true;
	return esg_message_error("there is no program \"postgres\" to ask for the settings: name it with --postgres");
}

/* A server of another version has other settings. */
static bool
check_version(const EsgServerPlace *place, const char *postgres)
{
	EsgRun		run = {.argv = {postgres, "--version"}};
	char		version[16];
	const char *said;
	bool		good;

	read_version(place->directory, version);
	good = esg_run_program_all(&run, 1, MAX_SECONDS);
	said = run.out ? strstr(run.out, "(PostgreSQL) ") : NULL;
	if (good && !said)
		good = esg_message_error("\"%s\" could not be asked for its version", postgres);
	else if (good && version[0] && strtol(said + strlen("(PostgreSQL) "), NULL, 10) != strtol(version, NULL, 10))
		good = esg_message_error("data directory \"%s\" is of PostgreSQL %s, but \"%s\" is not: name the right program with --postgres",
								 place->directory, version, postgres);
	esg_run_program_free(&run, 1);
	return good;
}

/* ---- the settings ---- */

static void
prepare(const EsgServerPlace *place, const char *postgres, const char *name, EsgRun *run)
{
	int			n = 0;
	int			i;

	memset(run, 0, sizeof(*run));
	run->argv[n++] = postgres;
	run->argv[n++] = "-C";
	run->argv[n++] = name;
	run->argv[n++] = "-D";
	run->argv[n++] = place->directory;
	for (i = 0; i < place->option_count && n + 2 < ESG_RUN_MAX_ARGUMENTS; i++)
	{
		run->argv[n++] = "-c";
		run->argv[n++] = place->options[i];
	}
}

/* The first line that says something, without what is before it. */
static char *
find_fault(char *said)
{
	static const char *const marks[] = {"FATAL:  ", "LOG:  ", "ERROR:  "};
	size_t		i;
	char	   *line = NULL;

	/* the cause comes first, what it leads to is FATAL */
	for (i = 0; !line && i < sizeof(marks) / sizeof(marks[0]); i++)
	{
		line = strstr(said, marks[(i + 1) % 3]);
		if (line)
			line += strlen(marks[(i + 1) % 3]);
	}
	if (!line)
		line = strncmp(said, "postgres: ", 10) == 0 ? said + 10 : said;
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/* What none of the versions is without. */
static bool
judge_runs(const EsgRun *run, const char *postgres, EsgServerAnswers *out)
{
	if (run->exit_code == 0)
		return true;
	if (run->late)
		return esg_message_error("\"%s\" did not tell its settings in %d seconds", postgres, MAX_SECONDS);
	if (run->exit_code < 0 || run->exit_code == 127 || !run->err)
		return esg_message_error("\"%s\" could not be asked for its settings: %s", postgres,
								 run->err && run->err[0] ? find_fault(run->err) : "it was ended by a signal");
	out->fault = OPENSSL_strdup(find_fault(run->err));
	return true;
}

static void
take_answers(EsgRun *runs, EsgServerAnswers *out)
{
	int			i;

	for (i = 0; i < ESG_ASK_COUNT; i++)
	{
		if (runs[i].exit_code != 0 || !runs[i].out)
			continue;
		runs[i].out[strcspn(runs[i].out, "\n")] = '\0';
		out->values[i] = OPENSSL_strdup(runs[i].out);
	}
}

bool
esg_server_answers_ask(const EsgServerPlace *place, EsgServerAnswers *out)
{
	EsgRun		runs[ESG_ASK_COUNT];
	bool		good;
	int			i;

	memset(out, 0, sizeof(*out));
	if (!find_program(place, out->postgres) || !check_version(place, out->postgres))
		return false;
	for (i = 0; i < ESG_ASK_COUNT; i++)
		prepare(place, out->postgres, names[i], &runs[i]);
	good = esg_run_program_all(runs, ESG_ASK_COUNT, MAX_SECONDS) &&
		judge_runs(&runs[ESG_ASK_CERT], out->postgres, out);
	if (good)
		take_answers(runs, out);
	esg_run_program_free(runs, ESG_ASK_COUNT);
	return good;
}

void
esg_server_answers_free(EsgServerAnswers *answers)
{
	int			i;

	for (i = 0; i < ESG_ASK_COUNT; i++)
		OPENSSL_free(answers->values[i]);
	OPENSSL_free(answers->fault);
	memset(answers, 0, sizeof(*answers));
}
