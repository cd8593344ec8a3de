/*
 * files/known_dir.c
 *		A directory of many files that is looked at again and again.
 */
#include "files/known_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "files/facts.h"

/* One look. */
typedef struct Look
{
	EsgKnownDir *dir;
	int			fd;				/* of the directory */
	int64_t		now_ns;
	bool		changed;		/* something is not as it was */
	EsgFactsDirectory directory;	/* for what is not so simple */
} Look;

void
esg_known_dir_free(EsgKnownDir *dir)
{
	for (int i = 0; i < dir->count; i++)
	{
		OPENSSL_free(dir->files[i].path);
		OPENSSL_free(dir->files[i].resolved);
	}
	OPENSSL_free(dir->files);
	OPENSSL_free(dir->path);
	OPENSSL_free(dir->resolved);
	memset(dir, 0, sizeof(*dir));
}

static const char *
name_of(const EsgKnownFile *file)
{
	return strrchr(file->path, '/') + 1;
}

/* ------------------------------------------------------------------------
 * What lies there
 * ------------------------------------------------------------------------ */

/* Takes the paths over.  False: out of memory, and nothing is taken. */
static bool
take_list(EsgKnownDir *dir, EsgCrlDirList *list)
{
	dir->files = OPENSSL_zalloc(((size_t) list->count + 1) * sizeof(EsgKnownFile));
	if (dir->files == NULL)
		return false;
	for (int i = 0; i < list->count; i++)
	{
		dir->files[i].path = list->paths[i];
		dir->files[i].target = -1;
		list->paths[i] = NULL;
	}
	dir->count = list->count;
	dir->error = list->error;
	dir->holds = list->error == 0 && !list->depends;
	return true;
}

static bool
list_anew(Look *look, const char *path, const char *resolved, const struct stat *st)
{
	EsgKnownDir *dir = look->dir;
	EsgCrlDirList list;
	bool		taken;

	esg_known_dir_free(dir);
	look->changed = true;
	esg_crl_dir_list_read(path, &list);
	dir->path = OPENSSL_strdup(path);
	dir->resolved = OPENSSL_strdup(resolved);
	taken = dir->path != NULL && dir->resolved != NULL && take_list(dir, &list);
	esg_crl_dir_list_free(&list);
	esg_facts_take(st, &dir->facts);
	/* what was changed just before may be once more without a trace */
	dir->holds &= esg_facts_at_rest(&dir->facts) <= look->now_ns;
	return taken;
}

static bool
is_as_listed(const EsgKnownDir *dir, const char *path, const char *resolved, const struct stat *st)
{
	return dir->holds && strcmp(dir->path, path) == 0 && strcmp(dir->resolved, resolved) == 0 &&
		esg_facts_same(st, &dir->facts);
}

static int
compare_names(const void *name, const void *file)
{
	return strcmp(name, name_of(file));
}

/* The file here that the link leads to, and nowhere else on its way; -1: it does not. */
static int
find_target(const Look *look, const char *name)
{
	char		target[NAME_MAX + 1];
	const EsgKnownFile *found = NULL;
	ssize_t		length = readlinkat(look->fd, name, target, sizeof(target));

	if (length > 0 && length < (ssize_t) sizeof(target))
	{
		target[length] = '\0';
		found = bsearch(target, look->dir->files, (size_t) look->dir->count,
						sizeof(EsgKnownFile), compare_names);
	}
	return found != NULL && found->is_plain ? (int) (found - look->dir->files) : -1;
}

/* What kind of file is each?  A link may lead to one that comes later. */
static void
sort_out(const Look *look)
{
	EsgKnownDir *dir = look->dir;
	struct stat st;

	for (int i = 0; i < dir->count; i++)
		dir->files[i].is_plain = fstatat(look->fd, name_of(&dir->files[i]), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(st.st_mode);
	for (int i = 0; i < dir->count; i++)
	{
		if (!dir->files[i].is_plain)
			dir->files[i].target = find_target(look, name_of(&dir->files[i]));
	}
}

/* ------------------------------------------------------------------------
 * How is each
 * ------------------------------------------------------------------------ */

/* NULL: it has none.  False: out of memory. */
static bool
set_resolved(EsgKnownFile *file, const char *resolved)
{
	if (resolved != NULL && file->resolved != NULL && strcmp(file->resolved, resolved) == 0)
		return true;
	OPENSSL_free(file->resolved);
	file->resolved = resolved != NULL ? OPENSSL_strdup(resolved) : NULL;
	return resolved == NULL || file->resolved != NULL;
}

/* dir->resolved/name */
static bool
resolve_plain(const EsgKnownDir *dir, EsgKnownFile *file)
{
	char		resolved[PATH_MAX];
	int			length = snprintf(resolved, sizeof(resolved), "%s%s%s", dir->resolved,
								  strcmp(dir->resolved, "/") == 0 ? "" : "/", name_of(file));

	return set_resolved(file, length > 0 && length < (int) sizeof(resolved) ? resolved : NULL);
}

/* It is no longer what it was: the list is not true, whatever the directory says. */
static bool
lose(Look *look, EsgKnownFile *file, int error)
{
	look->dir->holds = false;
	look->changed = true;
	memset(&file->facts, 0, sizeof(file->facts));
	file->facts.error = error;
	file->is_settled = false;
	return set_resolved(file, NULL);
}

/*
 * Who may read a file shows in its mode, or is changed with its change time, as an
 * access control list is.
 */
static bool
look_at_plain(Look *look, EsgKnownFile *file)
{
	struct stat st;
	bool		is_there = fstatat(look->fd, name_of(file), &st, AT_SYMLINK_NOFOLLOW) == 0;

	if (!is_there || !S_ISREG(st.st_mode))
		return lose(look, file, is_there ? ENOENT : errno);
	if (file->is_settled && esg_facts_same(&st, &file->facts))
		return true;
	look->changed = true;
	esg_facts_take(&st, &file->facts);
	if (faccessat(look->fd, name_of(file), R_OK, 0) != 0)
		file->facts.error = errno;
	file->is_settled = esg_facts_at_rest(&file->facts) <= look->now_ns;
	return resolve_plain(look->dir, file);
}

/* A link to elsewhere, or what is no file. */
static bool
look_at_other(Look *look, EsgKnownFile *file)
{
	char		resolved[PATH_MAX];
	bool		is_resolved = esg_facts_look(&look->directory, file->path, resolved, &file->facts);

	look->changed = true;
	return set_resolved(file, is_resolved ? resolved : NULL);
}

static bool
look_at_files(Look *look)
{
	EsgKnownDir *dir = look->dir;
	bool		done = true;

	for (int i = 0; i < dir->count && done; i++)
	{
		if (dir->files[i].is_plain)
			done = look_at_plain(look, &dir->files[i]);
		else if (dir->files[i].target < 0)
			done = look_at_other(look, &dir->files[i]);
	}
	for (int i = 0; i < dir->count && done && look->changed; i++)
	{
		EsgKnownFile *file = &dir->files[i];

		if (file->target < 0)
			continue;
		file->facts = dir->files[file->target].facts;
		done = set_resolved(file, dir->files[file->target].resolved);
	}
	return done;
}

/* ------------------------------------------------------------------------
 * All of it
 * ------------------------------------------------------------------------ */

static bool
add_text(EVP_MD_CTX *hash, const char *text)
{
	return EVP_DigestUpdate(hash, text, strlen(text) + 1) == 1;
}

static bool
add_file(EVP_MD_CTX *hash, const EsgKnownFile *file)
{
	const EsgFileFacts *facts = &file->facts;
	const int64_t numbers[] = {
		facts->error, facts->exists, facts->mode, facts->uid, facts->gid, facts->size, facts->mtime,
		facts->ctime_ns, (int64_t) facts->device, (int64_t) facts->inode
	};

	return add_text(hash, file->path) &&
		add_text(hash, file->resolved != NULL ? file->resolved : "") &&
		EVP_DigestUpdate(hash, numbers, sizeof(numbers)) == 1;
}

/* False: out of memory. */
static bool
sum_up(EsgKnownDir *dir)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	bool		done = hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1;

	dir->at_rest_ns = 0;
	for (int i = 0; i < dir->count && done; i++)
	{
		int64_t		at_rest = esg_facts_at_rest(&dir->files[i].facts);

		if (at_rest > dir->at_rest_ns)
			dir->at_rest_ns = at_rest;
		done = add_file(hash, &dir->files[i]);
	}
	done = done && EVP_DigestFinal_ex(hash, dir->digest, NULL) == 1;
	EVP_MD_CTX_free(hash);
	ERR_clear_error();
	return done;
}

static bool
look_inside(Look *look, const char *path, const char *resolved)
{
	struct stat st;

	if (fstat(look->fd, &st) != 0)
		return false;
	if (!is_as_listed(look->dir, path, resolved, &st))
	{
		if (!list_anew(look, path, resolved, &st))
			return false;
		sort_out(look);
	}
	return look_at_files(look) && (!look->changed || sum_up(look->dir));
}

bool
esg_known_dir_look(EsgKnownDir *dir, const char *path, int64_t now_ns)
{
	Look		look = {.dir = dir,.now_ns = now_ns};
	char		resolved[PATH_MAX];
	bool		done;

	look.fd = realpath(path, resolved) == NULL ? -1 :
		open(resolved, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (look.fd < 0)
	{
		esg_known_dir_free(dir);
		return true;
	}
	done = look_inside(&look, path, resolved);
	esg_facts_leave(&look.directory);
	(void) close(look.fd);
	if (!done)
		esg_known_dir_free(dir);
	return done;
}
