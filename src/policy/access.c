/*
 * policy/access.c
 *		Why a user cannot read a file, in the form of the command that mends it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "policy/access.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "policy/shell_text.h"

#define MODE_BITS 07777
#define MAY_READ 4
#define MAY_PASS 1

/* One step of the way to a file, or the file. */
typedef struct Step
{
	const char *path;
	const struct stat *st;
	unsigned	need;			/* MAY_READ, MAY_PASS */
	gid_t		above;			/* group of the directory that it lies in */
} Step;

typedef struct Mender
{
	const EsgReader *reader;
	EsgShellText text;
} Mender;

void
esg_access_reader_self(EsgReader *out)
{
	memset(out, 0, sizeof(*out));
	out->uid = geteuid();
	out->gid = getegid();
	out->group_count = getgroups(ESG_READER_GROUPS, out->groups);
	if (out->group_count < 0)
		out->group_count = 0;
}

bool
esg_access_has_group(const EsgReader *reader, gid_t gid)
{
	int			i;

	for (i = 0; i < reader->group_count; i++)
	{
		if (reader->groups[i] == gid)
			return true;
	}
	return reader->gid == gid;
}

/* Only the first class that fits counts. */
static bool
is_allowed(const EsgReader *reader, const Step *step)
{
	unsigned	bits = step->st->st_mode;

	if (reader->uid == 0)
		return true;
	if (step->st->st_uid == reader->uid)
		bits >>= 6;
	else if (esg_access_has_group(reader, step->st->st_gid))
		bits >>= 3;
	return (bits & step->need) != 0;
}

static void
append_group(EsgShellText *t, const EsgReader *reader, gid_t gid)
{
	const struct group *found = reader->numbers ? NULL : getgrgid(gid);
	char		number[32];

	snprintf(number, sizeof(number), "%lu", (unsigned long) gid);
	esg_shell_text_append_name(t, found ? found->gr_name : number);
}

/* usermod wants a name */
static void
append_login(EsgShellText *t, const EsgReader *reader)
{
	const struct passwd *found = reader->numbers ? NULL : getpwuid(reader->uid);
	char		number[32];

	snprintf(number, sizeof(number), "$(id -nu %lu)", (unsigned long) reader->uid);
	if (found)
		esg_shell_text_append_name(t, found->pw_name);
	else
		esg_shell_text_append(t, number);
}

static void
append_chmod(EsgShellText *t, unsigned mode, const char *path)
{
	char		word[32];

	snprintf(word, sizeof(word), "chmod %04o ", mode & MODE_BITS);
	esg_shell_text_append(t, word);
	esg_shell_text_append_quoted(t, path);
}

/* A file of somebody who is neither root nor the reader: it has to be the reader's. */
static void
append_chown(EsgShellText *t, const EsgReader *reader, const Step *step)
{
	char		word[32];

	snprintf(word, sizeof(word), "chown %lu ", (unsigned long) reader->uid);
	esg_shell_text_append(t, word);
	esg_shell_text_append_quoted(t, step->path);
	esg_shell_text_append(t, " && ");
	append_chmod(t, S_IRUSR, step->path);
}

/*
 * A group that somebody uses already is not taken away: the reader joins it.
 * Another is replaced, for a file by that of its directory, if it will do.
 */
static void
append_group_change(EsgShellText *t, const EsgReader *reader, const Step *step)
{
	unsigned	mode = step->st->st_mode;

	if (step->st->st_gid != 0 && (mode & (step->need << 3)) != 0)
	{
		esg_shell_text_append(t, "usermod -a -G ");
		append_group(t, reader, step->st->st_gid);
		esg_shell_text_append(t, " ");
		append_login(t, reader);
		return;
	}
	esg_shell_text_append(t, "chgrp ");
	append_group(t, reader, esg_access_has_group(reader, step->above) ? step->above : reader->gid);
	esg_shell_text_append(t, " ");
	esg_shell_text_append_quoted(t, step->path);
	esg_shell_text_append(t, " && ");
	append_chmod(t, mode | step->need << 3, step->path);
}

static void
append_remedy(EsgShellText *t, const EsgReader *reader, const Step *step)
{
	unsigned	mode = step->st->st_mode;

	if (step->st->st_uid == reader->uid)
		append_chmod(t, mode | step->need << 6, step->path);
	else if (step->need == MAY_READ && step->st->st_uid != 0)
		append_chown(t, reader, step);
	else if (esg_access_has_group(reader, step->st->st_gid))
		append_chmod(t, mode | step->need << 3, step->path);
	else
		append_group_change(t, reader, step);
}

/* Two files have their directories in common. */
static void
mend_step(Mender *mender, const Step *step)
{
	EsgShellText remedy = {NULL, 0, false};
	char	   *command;

	if (is_allowed(mender->reader, step))
		return;
	append_remedy(&remedy, mender->reader, step);
	command = esg_shell_text_take(&remedy);
	if (command == NULL)
		mender->text.out_of_memory = true;
	else if (mender->text.text == NULL || strstr(mender->text.text, command) == NULL)
	{
		if (mender->text.len > 0)
			esg_shell_text_append(&mender->text, " && ");
		esg_shell_text_append(&mender->text, command);
	}
	OPENSSL_free(command);
}

/* From the root directory down to the file, as far as this process can see. */
static void
mend_path(Mender *mender, const char *path)
{
	char		part[PATH_MAX];
	size_t		len = strlen(path);
	size_t		i;
	gid_t		above = 0;

	if (path[0] != '/' || len >= sizeof(part))
		return;
	for (i = 1; i <= len; i++)
	{
		struct stat st;
		Step		step = {part, &st, MAY_PASS, above};

		if (i < len && path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (stat(part, &st) != 0)
			return;
		if (!S_ISDIR(st.st_mode))
			step.need = MAY_READ;
		mend_step(mender, &step);
		above = st.st_gid;
	}
}

/* Symbolic links lead over directories of their own. */
char *
esg_access_suggestion(const EsgReader *reader, const char *const *paths, int count)
{
	Mender		mender = {reader, {NULL, 0, false}};
	char		resolved[PATH_MAX];
	int			i;

	for (i = 0; i < count; i++)
	{
		mend_path(&mender, paths[i]);
		if (realpath(paths[i], resolved) != NULL && strcmp(resolved, paths[i]) != 0)
			mend_path(&mender, resolved);
	}
	return esg_shell_text_take(&mender.text);
}
