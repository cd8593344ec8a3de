/*
 * audit/hba_files.c
 *		May pg_hba.conf or pg_ident.conf be read, with all that it includes?
 *
 * The files are gone through in a way that finds at least what core's reader
 * opens: each word behind "include", wherever it stands on its line, or "@".
 */
#include "postgres.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/fd.h"

#include "audit/hba_files.h"

/* all files together: bytes, and how many */
#define MAX_BYTES (16 << 20)
#define MAX_FILES 1000
/* core's limit */
#define MAX_DEPTH 10

/* what stands between the words of a line */
#define BETWEEN " \t\r,"

typedef struct Walk
{
	int64		bytes;
	int			files;
} Walk;

typedef struct Word
{
	char	   *text;
	size_t		length;
	bool		quoted;			/* from its first character on */
} Word;

static bool is_file_harmless(Walk *walk, const char *path, int depth);

/* As core does it: beside the file that names it. */
static char *
resolve(const char *name, const char *from)
{
	char		path[MAXPGPATH];

	if (is_absolute_path(name))
		return pstrdup(name);
	strlcpy(path, from, sizeof(path));
	get_parent_directory(path);
	join_path_components(path, path, name);
	canonicalize_path(path);
	return pstrdup(path);
}

static bool
is_directory_harmless(Walk *walk, const char *path, int depth)
{
	DIR		   *dir = AllocateDir(path);
	struct dirent *entry;
	bool		harmless = true;

	while (harmless && dir != NULL && (entry = ReadDirExtended(dir, path, DEBUG5)) != NULL)
	{
		char	   *file = psprintf("%s/%s", path, entry->d_name);

		if (strlen(entry->d_name) > 5 && strcmp(entry->d_name + strlen(entry->d_name) - 5, ".conf") == 0)
			harmless = is_file_harmless(walk, file, depth);
		pfree(file);
	}
	if (dir != NULL)
		FreeDir(dir);
	return harmless;
}

static bool
is_named_harmless(Walk *walk, const char *name, const char *from, int depth)
{
	char	   *path = resolve(name, from);
	struct stat st;
	bool		harmless;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		harmless = is_directory_harmless(walk, path, depth);
	else
		harmless = is_file_harmless(walk, path, depth);
	pfree(path);
	return harmless;
}

/* Lines that end with a backslash go on in the next one. */
static void
join_lines(char *text)
{
	char	   *out = text;

	for (const char *in = text; *in != '\0';)
	{
		size_t		skip = in[0] == '\\' ? 1 + strspn(in + 1, "\r") : 0;

		if (skip > 0 && in[skip] == '\n')
			in += skip + 1;
		else
			*out++ = *in++;
	}
	*out = '\0';
}

/* Behind what stands before a word on its line; at a line's end, or the text's, if there is none. */
static char *
skip_to_word(char *at)
{
	at += strspn(at, BETWEEN);
	if (*at == '#')
		at += strcspn(at, "\n");
	return at;
}

/*
 * Takes the word there, without its quotes, and ends it; its text moves within its
 * own place.  Returns where to go on.
 */
static char *
take_word(char *at, Word *word)
{
	bool		in_quote = false;
	char	   *out = at;

	word->text = at;
	word->quoted = *at == '"';
	for (; *at != '\0' && *at != '\n' && (in_quote || strchr(BETWEEN "#", *at) == NULL); at++)
	{
		if (*at != '"')
			*out++ = *at;
		else if (in_quote && at[1] == '"')
			*out++ = *at++;
		else
			in_quote = !in_quote;
	}
	word->length = out - word->text;
	return at;
}

static bool
is_include(const char *word)
{
	return strcmp(word, "include") == 0 || strcmp(word, "include_dir") == 0 ||
		strcmp(word, "include_if_exists") == 0;
}

/* One whose name is cut somewhere on the way to the file may be any. */
static bool
is_word_harmless(Walk *walk, const Word *word, bool included, const char *from, int depth)
{
	bool		listed = !word->quoted && word->text[0] == '@' && word->text[1] != '\0';

	if (!included && !listed)
		return true;
	return word->length < MAXPGPATH &&
		is_named_harmless(walk, word->text + (listed ? 1 : 0), from, depth);
}

static bool
is_text_harmless(Walk *walk, char *text, const char *from, int depth)
{
	bool		included = false;

	join_lines(text);
	for (char *at = skip_to_word(text); *at != '\0'; at = skip_to_word(at))
	{
		Word		word;
		char		after;
		bool		harmless;

		CHECK_FOR_INTERRUPTS();
		if (*at == '\n')
		{
			included = false;
			at++;
			continue;
		}
		at = take_word(at, &word);
		after = word.text[word.length];
		word.text[word.length] = '\0';
		harmless = is_word_harmless(walk, &word, included, from, depth);
		included = is_include(word.text);
		word.text[word.length] = after;
		if (!harmless)
			return false;
	}
	return true;
}

/* Of a file that is open; palloc'd. */
static char *
read_text(int fd, int64 size, int64 *length)
{
	char	   *text = palloc(size + 1);
	ssize_t		n;

	*length = 0;
	while (*length < size && (n = read(fd, text + *length, size - *length)) > 0)
		*length += n;
	text[*length] = '\0';
	return text;
}

static bool
is_file_harmless(Walk *walk, const char *path, int depth)
{
	int			fd;
	struct stat st;
	char	   *text = NULL;
	int64		length = 0;
	bool		harmless;

	/* core fails there, or goes on until it has no file descriptors left */
	if (depth > MAX_DEPTH)
		return false;

	/*
	 * Not fd.c's: since PostgreSQL 18 it looks at shared memory when it
	 * closes one, which the child of the worker has let go of.
	 */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return true;
	harmless = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		++walk->files <= MAX_FILES && (walk->bytes += st.st_size) <= MAX_BYTES;
	if (harmless)
		text = read_text(fd, st.st_size, &length);
	close(fd);
	if (!harmless)
		return false;
	/* behind a NUL core's reader joins lines as it pleases */
	harmless = memchr(text, '\0', length) == NULL && is_text_harmless(walk, text, path, depth + 1);
	pfree(text);
	return harmless;
}

bool
esg_hba_files_are_harmless(const char *path)
{
	Walk		walk = {0, 0};

	return is_file_harmless(&walk, path, 0);
}
