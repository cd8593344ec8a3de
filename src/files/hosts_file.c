/*
 * files/hosts_file.c
 *		pg_hosts.conf and what it includes, where no server reads it.
 */
#include "files/hosts_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "files/content.h"
#include "files/hosts_include.h"
#include "files/path.h"

/* as deep as PostgreSQL goes */
#define MAX_DEPTH 10
#define FAULT_SIZE 1024

#define GIVEN_UP "it has, or includes, more than can be looked at"

/* What is being read. */
typedef struct Reading
{
	EsgHostsFile *out;
	const char *data_directory;
	EsgListedHost **end_of_hosts;
	EsgListedFile **end_of_files;
	int			visits;			/* of files and directories */
	int			host_count;
	int			entries;		/* of directories */
	int64_t		bytes;
	EsgHostsFault bad_line;		/* the first one; what cannot be read counts
								 * more, as the server reads all first */
} Reading;

/* A line, and how deep it is in files that include each other. */
typedef struct Place
{
	const char *file;
	int			line;			/* 0: the list itself is asked for */
	int			depth;
} Place;

static void read_file(Reading *r, const Place *by, const char *path, bool may_miss, EsgAuthField *into);

static bool
is_done(const Reading *r)
{
	return r->out->fault.text != NULL || r->out->arena.out_of_memory;
}

/* The first fault is the one. */
static void
			stop(Reading *r, const Place *at, const char *fmt,...)
			__attribute__((format(printf, 3, 4)));

static void
stop(Reading *r, const Place *at, const char *fmt,...)
{
	char		text[FAULT_SIZE];
	va_list		ap;

	if (is_done(r))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->out->fault.file = at->file;
	r->out->fault.line = at->line;
	r->out->fault.text = esg_arena_copy(&r->out->arena, text);
}

/* ---- files ---- */

static void
list_file(Reading *r, const char *path)
{
	EsgListedFile *file;

	for (file = r->out->files; file != NULL; file = file->next)
	{
		if (strcmp(file->path, path) == 0)
			return;
	}
	file = esg_arena_take(&r->out->arena, sizeof(EsgListedFile));
	if (file == NULL)
		return;
	file->path = path;
	*r->end_of_files = file;
	r->end_of_files = &file->next;
}

static bool
is_null_device(const char *path)
{
	struct stat st;
	struct stat null;

	return stat(path, &st) == 0 && stat("/dev/null", &null) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == null.st_rdev;
}

/* Why it was not read.  A directory and the null device are empty to the server. */
static void
judge_unread(Reading *r, const Place *by, const char *path, const EsgFileFacts *facts, bool may_miss)
{
	if (!facts->exists && facts->error == ENOENT && may_miss)
		return;
	if (facts->exists && (S_ISDIR(facts->mode) || is_null_device(path)))
		return;
	if (facts->too_large)
		stop(r, by, GIVEN_UP);
	else if (facts->exists && S_ISFIFO(facts->mode) && by->line == 0)
		stop(r, by, "it is a named pipe");
	else if (facts->exists && !S_ISREG(facts->mode))
		stop(r, by, "file \"%s\" is %s", path, S_ISFIFO(facts->mode) ? "a named pipe" : "not a regular file");
	else
		stop(r, by, "could not open file \"%s\": %s", path, esg_content_reason(facts));
}

static bool
read_content(Reading *r, const Place *by, const char *path, bool may_miss, EsgContent *content)
{
	EsgFileFacts facts;
	bool		there;

	if (by->depth > MAX_DEPTH)
		stop(r, by, "could not open file \"%s\": maximum nesting depth exceeded", path);
	else if (++r->visits > ESG_MAX_HOSTS_FILES)
		stop(r, by, GIVEN_UP);
	if (is_done(r))
		return false;
	there = esg_content_read(path, ESG_MAX_HOSTS_BYTES - r->bytes, &facts, content);
	if (there || (facts.exists && by->line == 0))
		list_file(r, path);
	if (!there)
		judge_unread(r, by, path, &facts, may_miss);
	else
		r->bytes += (int64_t) content->len;
	return there;
}

/* ---- fields ---- */

static void
append_word(Reading *r, EsgAuthField *field, const char *text)
{
	EsgAuthWord *word = esg_arena_take(&r->out->arena, sizeof(EsgAuthWord));

	if (word == NULL)
		return;
	word->text = esg_arena_copy(&r->out->arena, text);
	if (word->text == NULL)
		return;
	if (field->last != NULL)
		field->last->next = word;
	else
		field->first = word;
	field->last = word;
}

/* "@file": the words of that file */
static void
append_words_of(Reading *r, const Place *at, const char *name, EsgAuthField *field)
{
	Place		within = {at->file, at->line, at->depth + 1};
	char	   *path = esg_path_beside(&r->out->arena, at->file, name);

	if (path != NULL)
		read_file(r, &within, path, false, field);
}

/* The words up to the next white space; NULL if there are none. */
static EsgAuthField *
read_field(Reading *r, const Place *at, const char **rest, EsgAuthToken *token)
{
	EsgAuthField *field = esg_arena_take(&r->out->arena, sizeof(EsgAuthField));

	if (field == NULL)
		return NULL;
	do
	{
		if (!esg_auth_text_word(rest, token))
			break;
		if (!token->quoted && token->text[0] == '@' && token->text[1] != '\0')
			append_words_of(r, at, token->text + 1, field);
		else
			append_word(r, field, token->text);
	} while (token->more && !is_done(r));
	return field->first != NULL ? field : NULL;
}

static void
move_words(EsgAuthField *from, EsgAuthField *into)
{
	for (; from != NULL; from = from->next)
	{
		if (into->last != NULL)
			into->last->next = from->first;
		else
			into->first = from->first;
		into->last = from->last;
	}
}

/* ---- hosts ---- */

static const char *
join_names(Reading *r, const EsgAuthField *names)
{
	size_t		size = 0;
	char	   *joined;
	char	   *end;

	for (const EsgAuthWord *word = names->first; word != NULL; word = word->next)
		size += strlen(word->text) + 1;
	joined = end = esg_arena_take(&r->out->arena, size + 1);
	for (const EsgAuthWord *word = names->first; joined != NULL && word != NULL; word = word->next)
	{
		size_t		len = strlen(word->text);

		memcpy(end, word->text, len);
		end += len;
		*end++ = word->next != NULL ? ',' : '\0';
	}
	return joined;
}

static void
make_absolute(Reading *r, const char **path)
{
	if ((*path)[0] != '\0')
		*path = esg_path_below(&r->out->arena, r->data_directory, *path);
}

static void
append_host(Reading *r, const Place *at, const EsgAuthField *fields)
{
	EsgListedHost *host = esg_arena_take(&r->out->arena, sizeof(EsgListedHost));
	const char *fault;

	if (host == NULL)
		return;
	if (++r->host_count > ESG_MAX_LISTED_HOSTS)
		stop(r, at, GIVEN_UP);
	fault = esg_hosts_line_parse(fields, &host->is);
	if (fault != NULL)
	{
		EsgHostsFault bad = {fault, at->file, at->line};

		if (r->bad_line.text == NULL)
			r->bad_line = bad;
		return;
	}
	host->file = at->file;
	host->line = at->line;
	host->names = join_names(r, fields);
	make_absolute(r, &host->is.cert);
	make_absolute(r, &host->is.key);
	make_absolute(r, &host->is.ca);
	*r->end_of_hosts = host;
	r->end_of_hosts = &host->next;
}

/* ---- lines ---- */

static void
include_directory(Reading *r, const Place *at, const char *name, EsgAuthField *into)
{
	Place		within = {at->file, at->line, at->depth + 1};
	char		fault[FAULT_SIZE];
	char	  **paths;
	int			count;

	if (++r->visits > ESG_MAX_HOSTS_FILES)
	{
		stop(r, at, GIVEN_UP);
		return;
	}
	count = esg_hosts_include_list(&r->out->arena, at->file, name, &r->entries, &paths, fault, sizeof(fault));
	if (count < 0)
		stop(r, at, "%s", fault);
	for (int i = 0; i < count && !is_done(r); i++)
		read_file(r, &within, paths[i], false, into);
}

/* True if it is such a line. */
static bool
include(Reading *r, const Place *at, const EsgAuthField *fields, EsgAuthField *into)
{
	Place		within = {at->file, at->line, at->depth + 1};
	const char *verb = fields->first->text;
	const char *name;
	bool		may_miss = strcmp(verb, "include_if_exists") == 0;
	char	   *path;

	if (fields->next == NULL || fields->next->next != NULL)
		return false;
	name = fields->next->first->text;
	if (strcmp(verb, "include_dir") == 0)
	{
		include_directory(r, at, name, into);
		return true;
	}
	if (!may_miss && strcmp(verb, "include") != 0)
		return false;
	path = esg_path_beside(&r->out->arena, at->file, name);
	if (path != NULL)
		read_file(r, &within, path, may_miss, into);
	return true;
}

/* into: a field that takes in all words; NULL: the lines are hosts */
static void
read_line(Reading *r, const Place *at, const char *line, EsgAuthToken *token, EsgAuthField *into)
{
	EsgAuthField *fields = NULL;
	EsgAuthField **end = &fields;

	while (*line != '\0' && !is_done(r))
	{
		EsgAuthField *field = read_field(r, at, &line, token);

		if (field == NULL)
			continue;
		*end = field;
		end = &field->next;
	}
	if (fields == NULL || is_done(r) || include(r, at, fields, into))
		return;
	if (into != NULL)
		move_words(fields, into);
	else
		append_host(r, at, fields);
}

static void
read_file(Reading *r, const Place *by, const char *path, bool may_miss, EsgAuthField *into)
{
	Place		at = {.file = path,.depth = by->depth};
	EsgAuthToken token;
	EsgAuthText text = {NULL, 0, 0, 0};
	EsgContent	content;
	char	   *line;

	if (!read_content(r, by, path, may_miss, &content))
		return;
	text.data = content.data;
	text.len = content.len;
	line = esg_arena_take(&r->out->arena, content.len + 1);
	token.text = esg_arena_take(&r->out->arena, content.len + 1);
	while (!is_done(r) && esg_auth_text_line(&text, line, &at.line))
		read_line(r, &at, line, &token, into);
	esg_content_release(&content);
}

/* ---- the whole ---- */

static EsgHostName *
list_names(EsgHostsFile *file, int *count)
{
	EsgHostName *names;
	int			n = 0;

	for (const EsgListedHost *host = file->hosts; host != NULL; host = host->next)
	{
		for (const EsgAuthWord *word = host->is.names->first; word != NULL; word = word->next)
			n++;
	}
	names = esg_arena_take(&file->arena, (size_t) (n + 1) * sizeof(EsgHostName));
	*count = 0;
	for (const EsgListedHost *host = file->hosts; names != NULL && host != NULL; host = host->next)
	{
		for (const EsgAuthWord *word = host->is.names->first; word != NULL; word = word->next)
		{
			EsgHostName name = {word->text, host->file, host->line};

			names[(*count)++] = name;
		}
	}
	return names;
}

/* What the server finds only when it has read all. */
static void
find_double(Reading *r)
{
	int			count;
	EsgHostName *names = list_names(r->out, &count);
	const EsgHostName *twice = names != NULL ? esg_hosts_line_find_double(names, count) : NULL;
	char		fault[FAULT_SIZE];

	if (twice != NULL)
	{
		Place		at = {.file = twice->file,.line = twice->line};

		esg_hosts_line_say_double(twice, fault, sizeof(fault));
		stop(r, &at, "%s", fault);
	}
}

void
esg_hosts_file_read(const char *path, const char *data_directory, EsgHostsFile *out)
{
	Reading		r = {.out = out,.data_directory = data_directory};
	Place		nowhere = {.line = 0};

	memset(out, 0, sizeof(*out));
	r.end_of_hosts = &out->hosts;
	r.end_of_files = &out->files;
	nowhere.file = esg_arena_copy(&out->arena, path);
	if (nowhere.file != NULL)
		read_file(&r, &nowhere, nowhere.file, true, NULL);
	if (out->fault.text == NULL)
		out->fault = r.bad_line;
	if (out->fault.text == NULL)
		find_double(&r);
	if (out->fault.text != NULL)
		out->state = ESG_HOSTS_UNUSABLE;
	else if (out->hosts != NULL)
		out->state = ESG_HOSTS_LISTED;
	if (out->state != ESG_HOSTS_LISTED)
		out->hosts = NULL;
}

void
esg_hosts_file_free(EsgHostsFile *file)
{
	esg_arena_free(&file->arena);
	memset(file, 0, sizeof(*file));
}
