/*
 * audit/passphrase_files.c
 *		The program and the files that ssl_passphrase_command names.
 *
 * The command runs in the postmaster: as the server's user, in the data
 * directory, with the server's PATH; so do we look.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/passphrase_files.h"
#include "policy/key_mode.h"
#include "server/report.h"
#include "x509/cut_text.h"

/* bits of those who are neither owner nor root */
#define OTHERS (S_IRWXG | S_IRWXO)
#define READ_OR_WRITE (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)
#define SEARCH_BY_ALL (S_IXUSR | S_IXGRP | S_IXOTH)

/* what PATH is where it is not set, as a shell has it */
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

/* in quotes, as a name may be anything */
static void
say(char out[ESG_FAULT_SIZE], const char *path, const char *predicate)
{
	char	   *printable = esg_report_printable(path);
	char	   *quoted = esg_report_quoted(printable);
	char	   *text = psprintf("%s %s", quoted, predicate);

	if (out[0] == '\0')
		esg_cut_text_copy(out, ESG_FAULT_SIZE, text);
	pfree(text);
	pfree(quoted);
	pfree(printable);
}

/* ---- the program ---- */

/* In one directory of a list like PATH; returns the rest of the list. */
static const char *
next_candidate(const char *list, const char *name, char path[MAXPGPATH])
{
	size_t		length = strcspn(list, ":");

	snprintf(path, MAXPGPATH, "%.*s%s%s", (int) length, list, length > 0 ? "/" : "./", name);
	return list + length + (list[length] == ':' ? 1 : 0);
}

/* False if there is none of that name. */
static bool
find_program(const char *name, char path[MAXPGPATH], struct stat *st)
{
	const char *list = getenv("PATH");

	strlcpy(path, name, MAXPGPATH);
	if (strchr(name, '/') != NULL)
		return stat(path, st) == 0;
	list = list != NULL && list[0] != '\0' ? list : DEFAULT_PATH;
	while (*list != '\0')
	{
		list = next_candidate(list, name, path);
		if (stat(path, st) == 0 && S_ISREG(st->st_mode) && access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* Of a file that is not there, maybe the passphrase itself by mistake, only a whole path is told. */
static void
say_missing(char out[ESG_FAULT_SIZE], const char *path, const char *predicate)
{
	if (is_absolute_path(path))
		say(out, path, predicate);
	else if (out[0] == '\0')
		snprintf(out, ESG_FAULT_SIZE, "a file of the command %s", predicate);
}

static bool
look_at_program(const char *name, char path[MAXPGPATH], EsgPassphraseFiles *out)
{
	struct stat st;

	if (name[0] == '\0')
		return false;
	out->program_found = find_program(name, path, &st);
	if (!out->program_found && strchr(name, '/') == NULL)
		strlcpy(out->fault, "the program is not in the server's PATH", ESG_FAULT_SIZE);
	else if (!out->program_found)
		say_missing(out->fault, path, "cannot be run: it is not there, or the way to it is not open");
	else if (!S_ISREG(st.st_mode) || access(path, X_OK) != 0)
		say(out->fault, path, "cannot be run by the server's user");
	return out->fault[0] == '\0';
}

/* ---- who else has it ---- */

/* May anybody of that class get at a file there? */
static bool
is_way_open(const char *path, mode_t search)
{
	char		parent[MAXPGPATH];
	struct stat st;

	strlcpy(parent, path, sizeof(parent));
	while (strrchr(parent, '/') != NULL && parent[1] != '\0')
	{
		*strrchr(parent, '/') = '\0';
		if (parent[0] == '\0')
			strlcpy(parent, "/", sizeof(parent));
		if (stat(parent, &st) != 0 || (st.st_mode & search) == 0)
			return false;
	}
	return true;
}

/* As core has it for keys: of root's files the group may be the server's. */
static bool
is_open_to_others(const char *path)
{
	char	   *resolved = realpath(path, NULL);
	EsgKeyRule	rule = {geteuid(), ESG_KEY_MODE_ANY};
	struct stat st;
	bool		open = false;

	if (resolved != NULL && stat(resolved, &st) == 0 && S_ISREG(st.st_mode))
	{
		mode_t		excess = st.st_mode & OTHERS & READ_OR_WRITE & ~esg_key_mode_allowed(st.st_uid, &rule);

		open = ((excess & S_IRWXO) != 0 && is_way_open(resolved, S_IXOTH)) ||
			((excess & S_IRWXG) != 0 && is_way_open(resolved, S_IXGRP | S_IXOTH));
	}
	free(resolved);
	return open;
}

static bool
is_script(const char *path)
{
	int			fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char		head[2] = {0};
	bool		script = fd >= 0 && read(fd, head, sizeof(head)) == (ssize_t) sizeof(head) &&
	head[0] == '#' && head[1] == '!';

	if (fd >= 0)
		close(fd);
	return script;
}

/* Programs of the system, which everybody has, hold no secret. */
static bool
is_of_system(const char *path)
{
	static const char *const places[] = {"/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/libexec/", "/usr/share/", "/bin/", "/sbin/", "/nix/store/", NULL};

	for (const char *const *place = places; *place != NULL; place++)
	{
		if (strncmp(path, *place, strlen(*place)) == 0)
			return true;
	}
	return false;
}

void
esg_passphrase_files_look(const EsgPassphraseCommand *command, EsgPassphraseFiles *out)
{
	char		program[MAXPGPATH];

	memset(out, 0, sizeof(*out));
	if (look_at_program(command->program, program, out) && !is_of_system(program) &&
		is_script(program) && is_open_to_others(program))
		say(out->leak, program, "is a script that others may read or write");
	for (int i = 0; i < command->file_count; i++)
	{
		struct stat st;

		if (stat(command->files[i], &st) != 0)
		{
			if (!command->files_may_be_missing)
				say_missing(out->fault, command->files[i], "is not there, or the way to it is not open");
		}
		else if (is_open_to_others(command->files[i]))
			say(out->leak, command->files[i], "may be read or written by others");
	}
}
