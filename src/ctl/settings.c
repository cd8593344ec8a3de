/*
 * ctl/settings.c
 *		Settings of a server that need not run, as "postgres -C" tells them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* realpath() */
#endif

#include "ctl/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "ctl/child.h"
#include "ctl/message.h"

#define TIME_LIMIT 30000		/* milliseconds, for each question */
#define SIZE_LIMIT 65536		/* bytes of an answer */
#define OPTS_SIZE 8192			/* bytes of postmaster.opts that are looked at */
#define CONFIG_FILE "config_file="

/* A program to run, as the server's user. */
typedef struct Command
{
	const char *const *words;	/* NULL at the end; the first is looked for in
								 * PATH unless it has a slash */
	const char *directory;		/* for "postgres -C": behind it comes what
								 * names the configuration; or NULL */
	int			errors;			/* where standard error goes; 0: nowhere */
} Command;

/* ---- in the child ---- */

/* Nothing that could block is opened. */
static bool
read_start(const char *path, char *text, size_t size)
{
	int			fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	ssize_t		n = -1;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		n = read(fd, text, size - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n >= 0;
}

/*
 * Where the configuration is not in the data directory, the command line of the
 * last start names it: as ... "-c" "config_file=/etc/postgresql.conf" in
 * postmaster.opts.  Nothing else is taken from there.
 */
static const char *
find_config_file(const char *directory, char *text)
{
	char		path[PATH_MAX + 32];
	char	   *word;

	snprintf(path, sizeof(path), "%s/postgresql.conf", directory);
	if (access(path, F_OK) == 0)
		return NULL;
	snprintf(path, sizeof(path), "%s/postmaster.opts", directory);
	if (!read_start(path, text, OPTS_SIZE))
		return NULL;
	word = strstr(text, CONFIG_FILE);
	if (!word || word == text || (word[-1] != '"' && word[-1] != '-') || !strchr(word, '"'))
		return NULL;
	*strchr(word, '"') = '\0';
	return word;
}

static int
run_command(const void *arg, int fd)
{
	const Command *command = arg;
	static char opts[OPTS_SIZE];
	const char *argv[12] = {NULL};
	int			null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int			n = 0;

	while (n < 6 && command->words[n])
	{
		argv[n] = command->words[n];
		n++;
	}
	if (command->directory)
	{
		argv[n++] = "-D";
		argv[n++] = command->directory;
		argv[n + 1] = find_config_file(command->directory, opts);
		if (argv[n + 1])
			argv[n] = "-c";
	}

	/*
	 * the user need not have a right to the present one; the messages are
	 * read
	 */
	if (null < 0 || chdir("/") != 0 || setenv("LC_ALL", "C", 1) != 0 ||
		dup2(null, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0 ||
		dup2(command->errors > 0 ? command->errors : null, STDERR_FILENO) < 0)
		return EXIT_FAILURE;
	execvp(argv[0], (char *const *) argv);
	if (command->errors > 0)
		dprintf(STDERR_FILENO, "could not execute \"%s\": %s", argv[0], strerror(errno));
	return EXIT_FAILURE;
}

/* ---- running it ---- */

static void
drop_newline(EsgChildResult *result)
{
	if (result->size > 0 && result->output[result->size - 1] == '\n')
		result->output[--result->size] = '\0';
}

/* Without the newline at the end; result->output is for OPENSSL_free(). */
static bool
run(const EsgSettingsServer *server, const Command *command, EsgChildResult *result)
{
	EsgChildWork work = {
		.run = run_command,.arg = command,.user = server->user,
		.time_limit = TIME_LIMIT,.size_limit = SIZE_LIMIT
	};
	bool		good = esg_child_run(&work, result);

	drop_newline(result);
	return good && result->output;
}

/* Debian has it elsewhere, and no server may have been started yet. */
static void
hint_at_directory(const EsgSettingsServer *server)
{
	char		path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/postgresql.conf", server->config_directory);
	if (access(path, F_OK) != 0 && errno == ENOENT)
		esg_message_hint("-D may also name the directory that has postgresql.conf.");
}

/* The first cause: what it leads to is FATAL. */
static void
take_fault(const EsgSettingsServer *server, const char *said)
{
	const char *mark = strstr(said, "LOG:  ");
	size_t		len;

	if (!mark)
		mark = strstr(said, "FATAL:  ");
	if (mark)
		said = strstr(mark, ":  ") + 3;
	len = strcspn(said, "\n");
	snprintf(server->fault, server->fault_size, "%.*s", (int) len, said);
}

static bool
report_failure(const EsgSettingsServer *server, const EsgChildResult *result)
{
	const char *program = server->found_program;
	const char *said = result->output && result->output[0] ? result->output : "it says nothing";

	if (server->fault && result->end == ESG_CHILD_EXITED)
	{
		take_fault(server, said);
		return false;
	}
	switch (result->end)
	{
		case ESG_CHILD_LATE:
			return esg_message_error("\"%s\" did not answer within %d s", program, TIME_LIMIT / 1000);
		case ESG_CHILD_WORDY:
			return esg_message_error("\"%s\" says more than %d bytes", program, SIZE_LIMIT);
		case ESG_CHILD_CRASHED:
			return esg_message_error("\"%s\" was ended by signal %d", program, result->status);
		case ESG_CHILD_FAILED:
			return esg_message_error("could not run \"%s\": %s", program, strerror(result->status));
		case ESG_CHILD_EXITED:
			break;
	}
	esg_message_error("\"%s\" cannot tell the settings: %s", program, said);
	hint_at_directory(server);
	return false;
}

/* ---- the program ---- */

/* The directory of this program itself; false where the system does not tell. */
static bool
find_own_directory(char directory[PATH_MAX])
{
	ssize_t		n = readlink("/proc/self/exe", directory, PATH_MAX - 1);
	char	   *slash;

	if (n <= 0)
		return false;
	directory[n] = '\0';
	slash = strrchr(directory, '/');
	if (!slash)
		return false;
	*slash = '\0';
	return true;
}

/* "postgres (PostgreSQL) 17.2": 17; 0: it does not run, or is something else */
static int
ask_version(const EsgSettingsServer *server, const char *program)
{
	const char *const words[] = {program, "--version", NULL};
	Command		command = {.words = words};
	EsgChildResult result;
	const char *mark = "(PostgreSQL) ";
	char	   *found;
	int			version = 0;

	if (run(server, &command, &result) && (found = strstr(result.output, mark)) != NULL)
		version = atoi(found + strlen(mark));
	OPENSSL_free(result.output);
	return version;
}

/* The major version in PG_VERSION; 0: it is no data directory. */
static int
read_version(const char *directory)
{
	char		path[PATH_MAX + 16];
	char		text[16];

	snprintf(path, sizeof(path), "%s/PG_VERSION", directory);
	return read_start(path, text, sizeof(text)) ? atoi(text) : 0;
}

static bool
name_in(const char *directory, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/postgres", directory) < PATH_MAX;
}

static bool
name_by_pg_config(const EsgSettingsServer *server, const char *pg_config, char path[PATH_MAX])
{
	const char *const words[] = {pg_config, "--bindir", NULL};
	Command		command = {.words = words};
	EsgChildResult result;
	bool		found;

	found = run(server, &command, &result) && name_in(result.output, path);
	OPENSSL_free(result.output);
	return found;
}

/* The candidates in their order; false: this one cannot be named. */
static bool
name_candidate(const EsgSettingsServer *server, int i, char path[PATH_MAX])
{
	char		own[PATH_MAX];
	char		pg_config[PATH_MAX + 16];

	if (i == 2)
		return name_by_pg_config(server, "pg_config", path);
	if (i == 3)
		return snprintf(path, PATH_MAX, "postgres") > 0;
	if (!find_own_directory(own))
		return false;
	if (i == 0)
		return name_in(own, path);
	snprintf(pg_config, sizeof(pg_config), "%s/pg_config", own);
	return access(pg_config, X_OK) == 0 && name_by_pg_config(server, pg_config, path);
}

/* As it was named; from the root if it is a path, as the child has another working directory. */
static bool
take_program(EsgSettingsServer *server)
{
	if (!strchr(server->program, '/'))
		return snprintf(server->found_program, PATH_MAX, "%s", server->program) < PATH_MAX;
	return realpath(server->program, server->found_program) ||
		esg_message_error("could not find program \"%s\": %s", server->program, strerror(errno));
}

static bool
find_program(EsgSettingsServer *server)
{
	int			wanted = read_version(server->config_directory);
	int			other = 0;
	int			i;

	if (server->program)
		return take_program(server) &&
			(ask_version(server, server->found_program) > 0 ||
			 esg_message_error("\"%s\" is no server's program that runs here", server->program));
	for (i = 0; i < 4; i++)
	{
		int			version = 0;

		if (name_candidate(server, i, server->found_program))
			version = ask_version(server, server->found_program);
		if (version > 0 && (wanted == 0 || version == wanted))
			return true;
		if (version > 0)
			other = version;
	}
	if (other > 0)
		return esg_message_error("the data directory is of PostgreSQL %d, and the program \"postgres\" "
								 "found is of %d: name the right one with --postgres", wanted, other);
	return esg_message_error("the program \"postgres\" was not found: name it with --postgres");
}

/* ---- the settings ---- */

/*
 * For what is not known the server has a message, no code.  One that goes on, "in
 * file", is about the configuration.
 */
static bool
is_unknown(const EsgChildResult *result, const char *name)
{
	char		mark[256];
	const char *found;

	snprintf(mark, sizeof(mark), "unrecognized configuration parameter \"%s\"", name);
	found = result->output ? strstr(result->output, mark) : NULL;
	return found && (found[strlen(mark)] == '\0' || found[strlen(mark)] == '\n');
}

/*
 * What the program has said on standard error, unless that is nothing, in place of its output; the
 * pipe holds as much as is wanted, and of what still has its other end nothing is waited for.
 */
static void
take_errors(EsgChildResult *result, int fd)
{
	char	   *text = OPENSSL_malloc(SIZE_LIMIT + 1);
	ssize_t		n;

	size_t		size = 0;

	while (text && size < SIZE_LIMIT && (n = read(fd, text + size, SIZE_LIMIT - size)) > 0)
		size += (size_t) n;
	if (size == 0)
	{
		OPENSSL_free(text);
		return;
	}
	text[size] = '\0';
	OPENSSL_free(result->output);
	result->output = text;
	result->size = size;
	drop_newline(result);
}

/* False if the program does not tell the setting; then the output is what it says instead. */
static bool
ask_program(const EsgSettingsServer *server, const char *name, EsgChildResult *result)
{
	const char *const words[] = {server->found_program, "-C", name, NULL};
	Command		command = {.words = words,.directory = server->config_directory};
	int			fds[2];
	bool		good;

	memset(result, 0, sizeof(*result));
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
	{
		result->end = ESG_CHILD_FAILED;
		result->status = errno;
		return false;
	}
	command.errors = fds[1];
	good = run(server, &command, result);
	close(fds[1]);
	if (!good)
		take_errors(result, fds[0]);
	close(fds[0]);
	return good;
}

/* The new value, or NULL with a message; *known is false for a setting that this server has not. */
static char *
ask(const EsgSettingsServer *server, const char *name, bool *known)
{
	EsgChildResult result;
	char	   *value = NULL;

	*known = ask_program(server, name, &result);
	if (*known)
		return result.output;
	if (is_unknown(&result, name))
		value = OPENSSL_strdup("");
	else
		report_failure(server, &result);
	OPENSSL_free(result.output);
	return value;
}

/* Replaces what is relative. */
static bool
make_absolute(const EsgSettingsServer *server, char **value)
{
	size_t		size = strlen(server->data_directory) + strlen(*value) + 2;
	char	   *absolute;

	if ((*value)[0] == '\0' || (*value)[0] == '/')
		return true;
	absolute = OPENSSL_malloc(size);
	if (!absolute)
		return esg_message_error("out of memory");
	snprintf(absolute, size, "%s/%s", server->data_directory, *value);
	OPENSSL_free(*value);
	*value = absolute;
	return true;
}

/* The directory of the configuration may be another one. */
static bool
find_data_directory(EsgSettingsServer *server)
{
	bool		known;
	char	   *value = ask(server, "data_directory", &known);
	bool		fits;

	if (!value)
		return false;
	fits = known && snprintf(server->data_directory, PATH_MAX, "%s",
							 value[0] == '/' ? value : server->config_directory) < PATH_MAX;
	OPENSSL_free(value);
	return fits || esg_message_error("the path of the data directory is too long");
}

static bool
read_setting(const EsgSettingsServer *server, EsgSetting *setting)
{
	setting->value = ask(server, setting->name, &setting->known);
	if (!setting->value)
		return false;
	if (!setting->known)
	{
		OPENSSL_free(setting->value);
		setting->value = NULL;
		return true;
	}
	return !setting->is_path || make_absolute(server, &setting->value);
}

bool
esg_settings_read(EsgSettingsServer *server, EsgSetting *settings, int count)
{
	int			i;

	for (i = 0; i < count; i++)
	{
		settings[i].known = false;
		settings[i].value = NULL;
	}
	if (!realpath(server->directory, server->config_directory))
		return esg_message_error("could not find directory \"%s\": %s", server->directory,
								 strerror(errno));
	if (!find_program(server) || !find_data_directory(server))
		return false;
	for (i = 0; i < count; i++)
	{
		if (!read_setting(server, &settings[i]))
			return false;
	}
	return true;
}

void
esg_settings_free(EsgSetting *settings, int count)
{
	int			i;

	for (i = 0; i < count; i++)
	{
		OPENSSL_free(settings[i].value);
		settings[i].value = NULL;
	}
}
