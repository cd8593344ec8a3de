/*
 * ctl/crl_target.c
 *		Where CRLs lie: a file, or a directory with names as "openssl rehash" has
 *		them.
 *
 * New files are made beside the old ones, ".NAME.new", all of them before the
 * first is renamed.  A name with a dot in front is nothing to OpenSSL, nor to the
 * server's audit, should it be left over.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/crl_target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "compat.h"
#include "ctl/message.h"
#include "ctl/rules.h"
#include "ctl/whole_file.h"
#include "policy/crl_names.h"
#include "x509/crl_text.h"

#define PATIENCE 10000			/* milliseconds, for the lock */
#define SIZE_LIMIT ((size_t) 1 << 30)	/* as for the server's audit */
#define MAX_FILES 4096			/* the same */
#define NAME_SIZE (NAME_MAX + 1)
/* room for the dot and the suffix */
#define MAX_NAME (NAME_MAX - 5)

/* ---- opening ---- */

static bool
name_too_long(const char *path)
{
	return esg_message_error("the path \"%s\" is too long", path);
}

static bool
add_file(EsgCrlTarget *target, const char *name)
{
	EsgCrlFile *grown;
	int			i;

	for (i = 0; i < target->count; i++)
	{
		if (strcmp(target->files[i].name, name) == 0)
			return true;
	}
	if (target->count == MAX_FILES)
		return esg_message_error("there are more than %d CRL files in directory \"%s\"", MAX_FILES,
								 target->directory);
	grown = OPENSSL_realloc(target->files, ((size_t) target->count + 1) * sizeof(EsgCrlFile));
	if (!grown)
		return esg_message_error("out of memory");
	target->files = grown;
	memset(&grown[target->count], 0, sizeof(EsgCrlFile));
	snprintf(grown[target->count++].name, NAME_SIZE, "%s", name);
	return true;
}

/* The directory of a file, and its name there. */
static bool
split_path(EsgCrlTarget *target)
{
	const char *slash = strrchr(target->path, '/');
	const char *name = slash ? slash + 1 : target->path;

	/* the slash itself where that is the root directory */
	int			len = slash ? (int) (slash - target->path) + (slash == target->path) : 1;

	if (strcmp(name, "") == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return esg_message_error("\"%s\" is not the name of a file", target->path);
	if (strlen(name) > MAX_NAME || len >= PATH_MAX)
		return name_too_long(target->path);
	snprintf(target->directory, PATH_MAX, "%.*s", len, slash ? target->path : ".");
	return add_file(target, name);
}

static bool
find_directory(EsgCrlTarget *target)
{
	size_t		len = strlen(target->path);
	struct stat st;

	target->is_directory = (len > 0 && target->path[len - 1] == '/') ||
		(stat(target->path, &st) == 0 && S_ISDIR(st.st_mode));
	if (!target->is_directory)
		return split_path(target);
	return snprintf(target->directory, PATH_MAX, "%s", target->path) < PATH_MAX || name_too_long(target->path);
}

/* Who may write there could have us keep, or read, what is none of ours. */
static bool
check_directory(const EsgCrlTarget *target)
{
	EsgRules	rules = {.user = target->user,.directory = target->directory,.key_name = ""};
	struct stat st;

	if (fstat(target->writer.fd, &st) != 0)
		return esg_message_error("could not stat directory \"%s\": %s", target->directory, strerror(errno));
	return esg_rules_check_directory(&rules, &st);
}

bool
esg_crl_target_open(EsgCrlTarget *target, const char *path, const EsgServerUser *user)
{
	memset(target, 0, sizeof(*target));
	target->path = path;
	target->user = user;
	target->new_mode = -1;
	if (!find_directory(target) || !esg_file_writer_open(&target->writer, target->directory))
	{
		OPENSSL_free(target->files);
		return false;
	}
	if (esg_file_writer_lock(&target->writer, PATIENCE) && check_directory(target))
		return true;
	esg_crl_target_close(target);
	return false;
}

void
esg_crl_target_close(EsgCrlTarget *target)
{
	int			i;

	for (i = 0; i < target->count; i++)
		sk_X509_CRL_pop_free(target->files[i].crls, X509_CRL_free);
	OPENSSL_free(target->files);
	esg_file_writer_close(&target->writer);
	memset(target, 0, sizeof(*target));
}

/* ---- reading ---- */

/* What a link of "openssl rehash" leads to is beside it; others are not followed. */
static bool
resolve_link(const EsgCrlTarget *target, const char *name, char end[NAME_SIZE])
{
	ssize_t		n = readlinkat(target->writer.fd, name, end, NAME_SIZE - 1);

	if (n < 0)
		return esg_file_writer_report(&target->writer, "read link", name, errno);
	end[n] = '\0';
	if (strchr(end, '/') || strlen(end) > MAX_NAME)
		return esg_message_error("\"%s/%s\" is a symbolic link out of its directory, which is not "
								 "followed or replaced", target->directory, name);
	return true;
}

static bool
add_entry(EsgCrlTarget *target, const char *name)
{
	char		end[NAME_SIZE];
	struct stat st;

	if (!esg_crl_names_is_hash(name))
		return true;
	if (fstatat(target->writer.fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
		return resolve_link(target, name, end) && add_file(target, end);
	return add_file(target, name);
}

static int
compare_files(const void *a, const void *b)
{
	return strcmp(((const EsgCrlFile *) a)->name, ((const EsgCrlFile *) b)->name);
}

static bool
list_directory(EsgCrlTarget *target)
{
	int			fd = openat(target->writer.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR		   *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	bool		good = true;

	if (!dir && fd >= 0)
		close(fd);
	if (!dir)
		return esg_message_error("could not open directory \"%s\": %s", target->directory, strerror(errno));
	while (good && (errno = 0, entry = readdir(dir)) != NULL)
		good = add_entry(target, entry->d_name);
	if (good && errno != 0)
		good = esg_message_error("could not read directory \"%s\": %s", target->directory, strerror(errno));
	closedir(dir);
	if (target->count > 0)
		qsort(target->files, (size_t) target->count, sizeof(EsgCrlFile), compare_files);
	return good;
}

static bool
read_file(const EsgCrlTarget *target, EsgCrlFile *file)
{
	char		reason[ESG_CRL_TEXT_REASON_SIZE];
	char	   *text;
	size_t		len;
	int			there = esg_file_writer_look_at(&target->writer, file->name, &file->st);
	int			error;

	if (there <= 0)
		return there == 0;
	error = esg_whole_file_read(target->writer.fd, file->name, false, SIZE_LIMIT, &file->st, &text, &len);
	if (error != 0)
		return esg_file_writer_report(&target->writer, "read", file->name, error);
	file->exists = true;
	file->crls = esg_crl_text_parse_file(text, len, reason);
	OPENSSL_free(text);
	return file->crls || esg_message_error("file \"%s/%s\" %s, so that nothing of it can be replaced",
										   target->directory, file->name, reason);
}

bool
esg_crl_target_read(EsgCrlTarget *target)
{
	int			i;

	if (target->is_directory && !list_directory(target))
		return false;
	for (i = 0; i < target->count; i++)
	{
		if (!read_file(target, &target->files[i]))
			return false;
	}
	return true;
}

/* ---- writing ---- */

static void
name_new(const char *name, char new_name[NAME_SIZE + 8])
{
	snprintf(new_name, NAME_SIZE + 8, ".%s.new", name);
}

/* Owner and mode are kept; new files are of the owner of their directory, if root makes them. */
static bool
choose_owner(EsgCrlTarget *target, const EsgCrlFile *file)
{
	EsgFileWriter *writer = &target->writer;
	struct stat st;
	mode_t		mask;

	writer->keeps_owner = file->exists;
	if (file->exists)
		st = file->st;
	else if (fstat(writer->fd, &st) != 0)
		return esg_message_error("could not stat directory \"%s\": %s", target->directory, strerror(errno));
	writer->uid = st.st_uid;
	writer->gid = st.st_gid;
	if (file->exists)
	{
		writer->mode = st.st_mode & 07777;
		return true;
	}
	mask = umask(0);
	umask(mask);
	writer->mode = target->new_mode >= 0 ? (mode_t) target->new_mode : 0644 & ~mask;
	return true;
}

static bool
make_text(STACK_OF(X509_CRL) *crls, BIO *out)
{
	int			i;

	for (i = 0; out && i < sk_X509_CRL_num(crls); i++)
	{
		if (!esg_crl_text_append(out, sk_X509_CRL_value(crls, i)))
			return false;
	}
	return out != NULL;
}

static bool
create_new(EsgCrlTarget *target, const EsgCrlFile *file, STACK_OF(X509_CRL) *crls)
{
	char		new_name[NAME_SIZE + 8];
	BIO		   *out = BIO_new(BIO_s_mem());
	char	   *text = NULL;
	bool		good;

	name_new(file->name, new_name);
	good = make_text(crls, out) || esg_message_error("out of memory");
	if (good)
	{
		size_t		len = (size_t) BIO_get_mem_data(out, &text);

		/* what an interrupted one has left */
		good = choose_owner(target, file) && esg_file_writer_remove(&target->writer, new_name) &&
			esg_file_writer_create(&target->writer, new_name, (const unsigned char *) text, len);
	}
	BIO_free(out);
	ERR_clear_error();
	return good;
}

/* As the server's user. */
static bool
can_read(const void *arg)
{
	const char *path = arg;
	int			fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* A file that the server cannot read would keep it from starting. */
static bool
check_reader(const EsgCrlTarget *target, const char *name)
{
	char		new_name[NAME_SIZE + 8];
	char		path[PATH_MAX + NAME_SIZE + 16];

	name_new(name, new_name);
	snprintf(path, sizeof(path), "%s/%s", target->directory, new_name);
	return esg_server_user_try(target->user, can_read, path) ||
		esg_message_error("user \"%s\" could not read file \"%s/%s\" as it would be written",
						  target->user->name, target->directory, name);
}

/* Is it still what was read? */
static bool
is_unchanged(const EsgCrlTarget *target, const EsgCrlFile *file)
{
	struct stat st;
	int			there = esg_file_writer_look_at(&target->writer, file->name, &st);

	if (there < 0)
		return false;
	if (there == 1 && file->exists && st.st_ino == file->st.st_ino && st.st_dev == file->st.st_dev &&
		st.st_size == file->st.st_size && st.st_mtim.tv_sec == file->st.st_mtim.tv_sec &&
		st.st_mtim.tv_nsec == file->st.st_mtim.tv_nsec)
		return true;
	return (there == 0 && !file->exists) ||
		esg_message_error("file \"%s/%s\" was changed by somebody else meanwhile", target->directory, file->name);
}

/* ---- names with hashes ---- */

static void
name_hash(const X509_CRL *crl, int number, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "%08lx.r%d",
			 X509_NAME_hash_ex(X509_CRL_get_issuer(crl), NULL, NULL, NULL), number);
}

static bool
is_taken(const EsgCrlTarget *target, const char *name)
{
	struct stat st;
	int			i;

	for (i = 0; i < target->count; i++)
	{
		if (strcmp(target->files[i].name, name) == 0)
			return true;
	}
	return fstatat(target->writer.fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A file of the next free name. */
static bool
add_hashed(EsgCrlTarget *target, X509_CRL *crl)
{
	char		name[NAME_SIZE];
	int			number = 0;

	do
		name_hash(crl, number++, name);
	while (is_taken(target, name));
	return add_file(target, name);
}

/* The last of a hash takes the place of the one that is gone, as OpenSSL stops at a gap. */
static bool
close_gap(const EsgCrlTarget *target, const char *gone)
{
	char		hash[16];
	char		name[NAME_SIZE];
	char		last[NAME_SIZE] = "";
	struct stat st;
	int			number = atoi(strchr(gone, 'r') + 1) + 1;

	snprintf(hash, sizeof(hash), "%.8s", gone);
	for (;; number++)
	{
		snprintf(name, sizeof(name), "%s.r%d", hash, number);
		if (fstatat(target->writer.fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			break;
		memcpy(last, name, sizeof(last));
	}
	return last[0] == '\0' || esg_file_writer_rename(&target->writer, last, gone);
}

/* Every name that leads to this file; the file itself if its name is none of these. */
static bool
take_away(const EsgCrlTarget *target, const EsgCrlFile *file)
{
	char		end[NAME_SIZE];
	char		name[NAME_SIZE];
	int			number;
	ssize_t		n;

	if (sk_X509_CRL_num(file->crls) == 0)
		return true;
	if (!esg_crl_names_is_hash(file->name) && !esg_file_writer_remove(&target->writer, file->name))
		return false;
	for (number = 0;; number++)
	{
		name_hash(sk_X509_CRL_value(file->crls, 0), number, name);
		if (!is_taken(target, name))
			return true;
		n = readlinkat(target->writer.fd, name, end, sizeof(end) - 1);
		end[n > 0 ? n : 0] = '\0';
		if (strcmp(n > 0 ? end : name, file->name) != 0)
			continue;
		return esg_file_writer_remove(&target->writer, name) && close_gap(target, name);
	}
}

/* ---- all of them ---- */

/* What each file is to have: those of the caller, then the new ones, one each. */
static STACK_OF(X509_CRL) *
content_of(STACK_OF(X509_CRL) *const *contents, int old_count, STACK_OF(X509_CRL) **singles, int i)
{
	return i < old_count ? contents[i] : singles[i - old_count];
}

static void
remove_new(const EsgCrlTarget *target)
{
	char		new_name[NAME_SIZE + 8];
	int			i;

	for (i = 0; i < target->count; i++)
	{
		name_new(target->files[i].name, new_name);
		(void) unlinkat(target->writer.fd, new_name, 0);
	}
}

typedef struct Change
{
	STACK_OF(X509_CRL) *const *contents;
	STACK_OF(X509_CRL) **singles;
	int			old_count;
} Change;

static bool
prepare(EsgCrlTarget *target, const Change *change)
{
	int			i;

	for (i = 0; i < target->count; i++)
	{
		STACK_OF(X509_CRL) *crls = content_of(change->contents, change->old_count, change->singles, i);

		if (crls && sk_X509_CRL_num(crls) > 0 &&
			(!create_new(target, &target->files[i], crls) || !check_reader(target, target->files[i].name)))
			return false;
	}
	for (i = 0; i < target->count; i++)
	{
		if (content_of(change->contents, change->old_count, change->singles, i) &&
			!is_unchanged(target, &target->files[i]))
			return false;
	}
	return esg_file_writer_sync(&target->writer);
}

static bool
commit(EsgCrlTarget *target, const Change *change)
{
	char		new_name[NAME_SIZE + 8];
	int			i;

	for (i = 0; i < target->count; i++)
	{
		STACK_OF(X509_CRL) *crls = content_of(change->contents, change->old_count, change->singles, i);

		name_new(target->files[i].name, new_name);
		if (crls && sk_X509_CRL_num(crls) > 0 &&
			!esg_file_writer_rename(&target->writer, new_name, target->files[i].name))
			return false;
	}
	for (i = 0; i < target->count; i++)
	{
		STACK_OF(X509_CRL) *crls = content_of(change->contents, change->old_count, change->singles, i);

		if (crls && sk_X509_CRL_num(crls) == 0 && !take_away(target, &target->files[i]))
			return false;
	}
	return true;
}

static STACK_OF(X509_CRL) **
make_singles(EsgCrlTarget *target, STACK_OF(X509_CRL) *added)
{
	int			count = sk_X509_CRL_num(added);
	STACK_OF(X509_CRL) **singles = OPENSSL_zalloc(((size_t) count + 1) * sizeof(*singles));
	int			i;

	for (i = 0; singles && i < count; i++)
	{
		singles[i] = sk_X509_CRL_new_null();
		if (!singles[i] || !sk_X509_CRL_push(singles[i], sk_X509_CRL_value(added, i)) ||
			!add_hashed(target, sk_X509_CRL_value(added, i)))
			break;
	}
	if (singles && i == count)
		return singles;
	for (i = 0; singles && i < count; i++)
		sk_X509_CRL_free(singles[i]);
	OPENSSL_free(singles);
	esg_message_error("out of memory");
	return NULL;
}

bool
esg_crl_target_write(EsgCrlTarget *target, STACK_OF(X509_CRL) *const *contents,
					 STACK_OF(X509_CRL) *added)
{
	Change		change = {contents, NULL, target->count};
	bool		good;
	int			i;

	change.singles = make_singles(target, added);
	if (!change.singles)
		return false;
	good = prepare(target, &change) && commit(target, &change);
	remove_new(target);
	for (i = 0; i < sk_X509_CRL_num(added); i++)
		sk_X509_CRL_free(change.singles[i]);
	OPENSSL_free(change.singles);
	return good;
}
