/*
 * server/tls_files.c
 *		Files named by TLS settings: which they are, their state, their content.
 *
 * stat, read, hash and release raise no error and allocate nothing of
 * PostgreSQL's, so that they also serve in the postmaster and between the
 * making and the freeing of OpenSSL's objects.
 */
#include "postgres.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "libpq/libpq.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "storage/fd.h"
#include "utils/guc.h"

#include "compat.h"
#include "policy/crl_names.h"
#include "secret/pair.h"
#include "server/guc.h"
#include "server/served_hosts.h"
#include "server/tls_files.h"

#define EXTRA_SETTING "ext_ssl_guard.extra_files"
#define HOSTS_SETTING "hosts_file"
#define FIRST_CAPACITY 8
#define READ_CHUNK 65536

typedef struct FileList
{
	EsgTlsFile *items;
	int			count;
	int			capacity;
} FileList;

/* ------------------------------------------------------------------------
 * Which files
 * ------------------------------------------------------------------------ */

char *
esg_tls_files_absolute(const char *path)
{
	if (path[0] == '/')
		return pstrdup(path);
	return psprintf("%s/%s", DataDir, path);
}

/* kind -1: whatever it is listed as */
static bool
list_has(const FileList *list, int kind, const char *path)
{
	for (int i = 0; i < list->count; i++)
	{
		if ((kind == -1 || (int) list->items[i].kind == kind) &&
			strcmp(list->items[i].path, path) == 0)
			return true;
	}
	return false;
}

static void
append_file(FileList *list, const char *setting, EsgFileKind kind,
			const char *path, bool optional)
{
	EsgTlsFile	file = {setting, kind, NULL, optional, 0, NULL, 0};

	if (path == NULL || path[0] == '\0')
		return;
	if (list->count == list->capacity)
	{
		list->capacity *= 2;
		list->items = repalloc(list->items, list->capacity * sizeof(EsgTlsFile));
	}
	file.path = esg_tls_files_absolute(path);
	list->items[list->count++] = file;
}

static bool
has_suffix(const char *path, const char *suffix)
{
	size_t		len = strlen(path);
	size_t		suffix_len = strlen(suffix);

	return len > suffix_len && strcmp(path + len - suffix_len, suffix) == 0;
}

/*
 * What nobody said.  A key among the extra files is recognised by its name, or because it is the
 * server's own key, since it must not be opened to find out.
 */
static EsgFileKind
classify_extra(const char *path)
{
	EsgFileFacts extra;
	EsgFileFacts key;

	if (has_suffix(path, ".key"))
		return ESG_FILE_KEY;
	if (ssl_key_file == NULL || ssl_key_file[0] == '\0')
		return ESG_FILE_EXTRA;
	esg_tls_files_stat(path, &extra);
	esg_tls_files_stat(ssl_key_file, &key);
	if (extra.exists && key.exists &&
		extra.device == key.device && extra.inode == key.inode)
		return ESG_FILE_KEY;
	return ESG_FILE_EXTRA;
}

static void
append_extra_files(FileList *list)
{
	for (int i = 0; i < esg_guc_extra_file_count(); i++)
	{
		EsgFileKind kind;
		char	   *absolute = esg_tls_files_absolute(esg_guc_extra_file(i, &kind));
		bool		said = kind != ESG_FILE_EXTRA;

		/* a file may be one thing to the server and another to a client */
		if (!list_has(list, said ? (int) kind : -1, absolute))
			append_file(list, EXTRA_SETTING, said ? kind : classify_extra(absolute), absolute,
						false);
		pfree(absolute);
	}
}

bool
esg_tls_files_passphrase_directory(char *directory)
{
	const char *setting = esg_guc_passphrase_directory;
	bool		is_set = setting[0] != '\0';
	const char *path = is_set ? setting : ssl_key_file;
	const char *slash = strrchr(path, '/');
	int			len = 0;
	int			n;

	if (is_set)
		len = (int) strlen(path);
	else if (slash != NULL)
		len = Max((int) (slash - path), 1); /* at least the root directory */
	if (len > 0 && path[0] == '/')
		n = snprintf(directory, MAXPGPATH, "%.*s", len, path);
	else if (len > 0)
		n = snprintf(directory, MAXPGPATH, "%s/%.*s", DataDir, len, path);
	else
		n = snprintf(directory, MAXPGPATH, "%s", DataDir);
	return n >= 0 && n < MAXPGPATH;
}

/* Of those of a pair, and of what a writer leaves that is killed, the ones that are there. */
static void
append_passphrase_files(FileList *list)
{
	static const struct
	{
		const char *name;
		EsgFileKind kind;
	}			files[] = {
		{ESG_SERVER_KEY_NAME ESG_CIPHER_SUFFIX, ESG_FILE_PASSPHRASE},
		{ESG_SERVER_KEY_NAME ESG_RANDOM_SUFFIX, ESG_FILE_PASSPHRASE},
		{ESG_SERVER_KEY_NAME ESG_PENDING_SUFFIX, ESG_FILE_LEFTOVER},
		{ESG_SERVER_KEY_NAME ESG_UNFINISHED_SUFFIX, ESG_FILE_LEFTOVER}
	};
	char		directory[MAXPGPATH];

	if (ssl_key_file == NULL || ssl_key_file[0] == '\0' ||
		!esg_tls_files_passphrase_directory(directory))
		return;
	for (int i = 0; i < (int) lengthof(files); i++)
	{
		char		path[2 * MAXPGPATH];
		EsgFileFacts facts;

		snprintf(path, sizeof(path), "%s/%s", directory, files[i].name);
		esg_tls_files_stat(path, &facts);
		if (facts.exists)
			append_file(list, "ext_ssl_guard.passphrase_directory", files[i].kind, path, true);
	}
}

/* The entry of that kind and path, which another host may have, too. */
static EsgTlsFile *
find_host_file(FileList *list, EsgFileKind kind, const char *path)
{
	for (int i = 0; i < list->count; i++)
	{
		if (list->items[i].kind == kind && list->items[i].host != NULL &&
			strcmp(list->items[i].path, path) == 0)
			return &list->items[i];
	}
	return NULL;
}

/* Thousands of hosts may share a certificate. */
static void
add_names(EsgTlsFile *item, const char *names)
{
	size_t		len = strlen(item->host);

	if (len < ESG_MAX_HOST_NAMES)
		item->host = psprintf("%s,%s", item->host, names);
	else if (strcmp(item->host + len - 4, ",...") != 0)
		item->host = psprintf("%s,...", item->host);
}

static void
append_host_file(FileList *list, EsgFileKind kind, const char *path, const EsgHost *host, int index)
{
	char	   *absolute;
	char	   *names;
	EsgTlsFile *item;

	if (path[0] == '\0')
		return;
	absolute = esg_tls_files_absolute(path);
	names = esg_sni_hosts_names(host);
	item = find_host_file(list, kind, absolute);
	if (item != NULL)
		add_names(item, names);
	else
	{
		append_file(list, HOSTS_SETTING, kind, absolute, false);
		item = &list->items[list->count - 1];
		item->line = host->line;
		item->host = names;
		item->host_index = index;
	}
	pfree(absolute);
}

static void
append_host_files(FileList *list, const EsgHosts *hosts)
{
	int			index = 0;
	ListCell   *cell;

	foreach(cell, hosts->hosts)
	{
		const EsgHost *host = lfirst(cell);

		append_host_file(list, ESG_FILE_CERTIFICATE, host->cert, host, index);
		append_host_file(list, ESG_FILE_KEY, host->key, host, index);
		append_host_file(list, ESG_FILE_CA, host->ca, host, index);
		index++;
	}
}

/* That it is not there is no fault: without it the server goes by its settings. */
static void
append_hosts_list(FileList *list, const char *path)
{
	char	   *absolute = esg_tls_files_absolute(path);
	EsgFileFacts facts;

	esg_tls_files_stat(absolute, &facts);
	if (facts.exists && !list_has(list, ESG_FILE_HOSTS, absolute))
		append_file(list, HOSTS_SETTING, ESG_FILE_HOSTS, absolute, true);
	pfree(absolute);
}

/* The list of hosts itself, and the files that it includes. */
static void
append_hosts_lists(FileList *list, const EsgHosts *hosts)
{
	ListCell   *cell;
	ListCell   *inner;

	append_hosts_list(list, HostsFileName);
	foreach(cell, hosts->hosts)
	{
		const EsgHost *host = lfirst(cell);

		append_hosts_list(list, host->file);
		foreach(inner, host->token_files)
			append_hosts_list(list, lfirst(inner));
	}
}

static void
append_server_files(FileList *list)
{
	append_file(list, "ssl_cert_file", ESG_FILE_CERTIFICATE, ssl_cert_file, false);
	append_file(list, "ssl_key_file", ESG_FILE_KEY, ssl_key_file, false);
	append_file(list, "ssl_ca_file", ESG_FILE_CA, ssl_ca_file, false);
}

bool
esg_tls_files_is_extra(const EsgTlsFile *file)
{
	return strcmp(file->setting, EXTRA_SETTING) == 0;
}

static FileList
start_list(void)
{
	FileList	list = {palloc(FIRST_CAPACITY * sizeof(EsgTlsFile)), 0, FIRST_CAPACITY};

	return list;
}

static void
append_loaded_files(FileList *list)
{
	const EsgHosts *hosts;

	if (!EnableSSL)
		return;
	hosts = esg_served_hosts(NULL);
	append_host_files(list, hosts);
	if (hosts->state == ESG_HOSTS_NONE)
		append_server_files(list);
	if (hosts->state != ESG_HOSTS_NONE || ssl_sni)
		append_hosts_lists(list, hosts);
	append_file(list, "ssl_crl_file", ESG_FILE_CRL, ssl_crl_file, false);
	append_file(list, "ssl_crl_dir", ESG_FILE_CRL_DIR, ssl_crl_dir, false);
	append_file(list, "ssl_dh_params_file", ESG_FILE_DH_PARAMS, ssl_dh_params_file, false);
	append_passphrase_files(list);
}

int
esg_tls_files_list_loaded(EsgTlsFile **out)
{
	FileList	list = start_list();

	append_loaded_files(&list);
	*out = list.items;
	return list.count;
}

int
esg_tls_files_list(EsgTlsFile **out)
{
	FileList	list = start_list();

	append_loaded_files(&list);
	append_extra_files(&list);
	*out = list.items;
	return list.count;
}

static int
compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/*
 * What is neither named as OpenSSL looks for it nor a file is none of ours: a
 * subdirectory, a socket.
 */
static bool
is_crl_candidate(const char *path)
{
	EsgFileFacts facts;

	if (esg_crl_names_is_hash(path))
		return true;
	esg_tls_files_stat(path, &facts);
	return facts.exists && S_ISREG(facts.mode);
}

static int
read_crl_dir(DIR *handle, const char *dir, char ***paths, int *error)
{
	struct dirent *entry;
	int			capacity = 16;
	char	  **items = palloc(capacity * sizeof(char *));
	int			count = 0;

	while (*error == 0 && (errno = 0, entry = readdir(handle)) != NULL)
	{
		/* also the "..data" of a Kubernetes volume */
		if (entry->d_name[0] == '.')
			continue;
		if (count == capacity)
		{
			capacity *= 2;
			items = repalloc(items, capacity * sizeof(char *));
		}
		items[count] = psprintf("%s/%s", dir, entry->d_name);
		if (!is_crl_candidate(items[count]))
			pfree(items[count]);
		else if (count == ESG_MAX_CRL_DIR_FILES)
			*error = EFBIG;
		else
			count++;
	}
	if (*error == 0)
		*error = errno;
	qsort(items, count, sizeof(char *), compare_paths);
	*paths = items;
	return count;
}

int
esg_tls_files_list_crl_dir(const char *dir, char ***paths, int *error)
{
	DIR		   *handle;
	volatile int count = 0;

	*paths = NULL;
	*error = 0;
	handle = AllocateDir(dir);
	if (handle == NULL)
	{
		*error = errno;
		return 0;
	}
	PG_TRY();
	{
		count = read_crl_dir(handle, dir, paths, error);
	}
	PG_FINALLY();
	{
		FreeDir(handle);
	}
	PG_END_TRY();
	return count;
}

int64
esg_tls_files_limit(EsgFileKind kind)
{
	switch (kind)
	{
		case ESG_FILE_CA:
			return ESG_CA_FILE_LIMIT;
		case ESG_FILE_EXTRA:	/* may hold a CA bundle */
			return ESG_CA_FILE_LIMIT;
		case ESG_FILE_CRL:
			return ESG_CRL_FILE_LIMIT;
		default:
			return ESG_CERT_FILE_LIMIT;
	}
}

/* ------------------------------------------------------------------------
 * State
 * ------------------------------------------------------------------------ */

static void
copy_stat(const struct stat *st, EsgFileFacts *out)
{
	memset(out, 0, sizeof(*out));
	out->exists = true;
	out->mode = st->st_mode;
	out->uid = st->st_uid;
	out->gid = st->st_gid;
	out->size = (int64_t) st->st_size;
	out->mtime = (int64_t) st->st_mtim.tv_sec;
	out->ctime_ns = (int64_t) st->st_ctim.tv_sec * INT64CONST(1000000000) +
		st->st_ctim.tv_nsec;
	out->device = (uint64_t) st->st_dev;
	out->inode = (uint64_t) st->st_ino;
}

void
esg_tls_files_stat(const char *path, EsgFileFacts *out)
{
	struct stat st;

	memset(out, 0, sizeof(*out));
	if (stat(path, &st) != 0)
	{
		out->error = errno;
		return;
	}
	copy_stat(&st, out);
	/* a key is not opened to find out */
	if (S_ISREG(st.st_mode) && access(path, R_OK) != 0)
		out->error = errno;
}

void
esg_tls_files_stat_directory(const char *path, EsgFileFacts *out)
{
	struct statvfs system;

	esg_tls_files_stat(path, out);
	out->read_only = out->exists && statvfs(path, &system) == 0 && (system.f_flag & ST_RDONLY) != 0;
}

char *
esg_tls_files_resolve(const char *path)
{
	char		buf[PATH_MAX];

	if (realpath(path, buf) == NULL)
		return NULL;
	return pstrdup(buf);
}

char *
esg_tls_files_owner_name(uid_t uid)
{
	const struct passwd *found = getpwuid(uid);

	return found != NULL ? pstrdup(found->pw_name) : psprintf("%u", (unsigned) uid);
}

char *
esg_tls_files_group_name(gid_t gid)
{
	const struct group *found = getgrgid(gid);

	return found != NULL ? pstrdup(found->gr_name) : psprintf("%u", (unsigned) gid);
}

/* ------------------------------------------------------------------------
 * Content
 * ------------------------------------------------------------------------ */

/*
 * Opens a regular file of at most limit bytes; -1 if it is something else, the
 * reason is in facts.  The look before the opening spares devices, on which
 * opening alone can have effects; the one after it is what counts.
 */
static int
open_regular(const char *path, int64 limit, EsgFileFacts *facts)
{
	struct stat st;
	int			fd;

	esg_tls_files_stat(path, facts);
	if (!facts->exists || !S_ISREG(facts->mode))
		return -1;
	do
		fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
	{
		facts->error = errno;
		return -1;
	}
	if (fstat(fd, &st) != 0)
	{
		facts->error = errno;
		close(fd);
		return -1;
	}
	copy_stat(&st, facts);
	facts->too_large = S_ISREG(facts->mode) && facts->size > limit;
	if (!S_ISREG(facts->mode) || facts->too_large)
	{
		close(fd);
		return -1;
	}
	return fd;
}

static ssize_t
read_some(int fd, char *buf, size_t size)
{
	ssize_t		n;

	do
		n = read(fd, buf, size);
	while (n < 0 && errno == EINTR);
	return n;
}

static EVP_MD_CTX *
start_hash(void)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();

	if (hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1)
	{
		EVP_MD_CTX_free(hash);
		hash = NULL;
	}
	return hash;
}

/* True if buf has room for another byte, wiping what it outgrows. */
static bool
make_room(EsgContent *content, size_t *capacity)
{
	char	   *larger;

	if (content->len < *capacity)
		return true;
	larger = malloc(*capacity * 2);
	if (larger == NULL)
		return false;
	memcpy(larger, content->data, content->len);
	OPENSSL_cleanse(content->data, content->len);
	free(content->data);
	content->data = larger;
	*capacity *= 2;
	return true;
}

/* Reads to the end, but no more than limit; 0 or an errno. */
static int
read_all(int fd, int64 limit, EsgFileFacts *facts, EsgContent *out)
{
	/* one byte more than the size, so that the end is seen without growing */
	size_t		capacity = (size_t) facts->size + 1;

	out->data = malloc(capacity);
	if (out->data == NULL)
		return ENOMEM;
	for (;;)
	{
		ssize_t		n;

		if (!make_room(out, &capacity))
			return ENOMEM;
		n = read_some(fd, out->data + out->len, capacity - out->len);
		if (n < 0)
			return errno;
		if (n == 0)
			return 0;
		out->len += n;
		/* what was read is what counts: files in /proc have size 0 */
		facts->size = Max(facts->size, (int64) out->len);
		if ((int64) out->len > limit)
		{
			/* grew while it was read */
			facts->too_large = true;
			return EFBIG;
		}
	}
}

bool
esg_tls_files_read(const char *path, int64 limit, EsgFileFacts *facts, EsgContent *out)
{
	int			fd;
	int			error;

	memset(out, 0, sizeof(*out));
	fd = open_regular(path, limit, facts);
	if (fd < 0)
		return false;
	error = read_all(fd, limit, facts, out);
	close(fd);
	if (error != 0)
	{
		if (!facts->too_large)
			facts->error = error;
		esg_tls_files_release(out);
		return false;
	}
	out->hashed = EVP_Digest(out->data, out->len, out->sha256, NULL, EVP_sha256(), NULL) == 1;
	ERR_clear_error();
	return true;
}

/* Feeds the file into hash; 0 or an errno. */
static int
hash_all(int fd, int64 limit, EsgFileFacts *facts, EVP_MD_CTX *hash)
{
	char		chunk[READ_CHUNK];
	int64		total = 0;
	int			error = 0;

	for (;;)
	{
		ssize_t		n = read_some(fd, chunk, sizeof(chunk));

		if (n <= 0)
		{
			error = n < 0 ? errno : 0;
			break;
		}
		total += n;
		facts->size = Max(facts->size, total);
		if (total > limit)
		{
			facts->too_large = true;
			error = EFBIG;
			break;
		}
		if (EVP_DigestUpdate(hash, chunk, n) != 1)
		{
			error = ENOMEM;
			break;
		}
	}
	OPENSSL_cleanse(chunk, sizeof(chunk));
	return error;
}

bool
esg_tls_files_hash(const char *path, int64 limit, EsgFileFacts *facts, unsigned char *sha256)
{
	EVP_MD_CTX *hash;
	int			fd;
	int			error = ENOMEM;

	memset(sha256, 0, ESG_DIGEST_SIZE);
	fd = open_regular(path, limit, facts);
	if (fd < 0)
		return false;
	hash = start_hash();
	if (hash != NULL)
	{
		error = hash_all(fd, limit, facts, hash);
		if (error == 0 && EVP_DigestFinal_ex(hash, sha256, NULL) != 1)
			error = ENOMEM;
		EVP_MD_CTX_free(hash);
	}
	close(fd);
	if (error != 0 && !facts->too_large)
		facts->error = error;
	ERR_clear_error();
	return error == 0;
}

void
esg_tls_files_release(EsgContent *content)
{
	if (content->data != NULL)
	{
		OPENSSL_cleanse(content->data, content->len);
		free(content->data);
	}
	memset(content, 0, sizeof(*content));
}
