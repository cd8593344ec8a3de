/*
 * files/tls_names.c
 *		From the settings of a server to the files that they name.
 */
#include "files/tls_names.h"

#include <string.h>

#include "files/facts.h"
#include "secret/pair.h"

static bool
is_set(const char *path)
{
	return path != NULL && path[0] != '\0';
}

void
esg_tls_names_each_own(const EsgTlsNames *names, EsgTlsNameFn visit, void *arg)
{
	visit(arg, "ssl_cert_file", ESG_FILE_CERTIFICATE, names->cert, false);
	visit(arg, "ssl_key_file", ESG_FILE_KEY, names->key, false);
	visit(arg, "ssl_ca_file", ESG_FILE_CA, names->ca, false);
}

/*
 * More of a path, as much as there is room for; false: that was not all.  Each login comes here, and would need snprintf()
 * for nothing else.
 */
static bool
append(char *path, size_t size, const char *text, size_t len)
{
	size_t		used = strlen(path);
	size_t		room = size - used - 1;
	size_t		taken = len < room ? len : room;

	memcpy(path + used, text, taken);
	path[used + taken] = '\0';
	return taken == len;
}

bool
esg_tls_names_pair_directory(const EsgTlsNames *names, char directory[ESG_TLS_PATH_SIZE])
{
	bool		said = is_set(names->passphrase_directory);
	const char *path = said ? names->passphrase_directory : names->key != NULL ? names->key : "";
	const char *slash = strrchr(path, '/');
	size_t		len = 0;

	directory[0] = '\0';
	if (said)
		len = strlen(path);
	else if (slash != NULL)
		len = slash > path ? (size_t) (slash - path) : 1;	/* at least the root
															 * directory */
	if (len > 0 && path[0] == '/')
		return append(directory, ESG_TLS_PATH_SIZE, path, len);
	return append(directory, ESG_TLS_PATH_SIZE, names->data_directory, strlen(names->data_directory)) &&
		(len == 0 || (append(directory, ESG_TLS_PATH_SIZE, "/", 1) && append(directory, ESG_TLS_PATH_SIZE, path, len)));
}

/* Of those of a pair, and of what a writer leaves that is killed, the ones that are there. */
static void
visit_pair(const EsgTlsNames *names, EsgTlsNameFn visit, void *arg)
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
	char		path[2 * ESG_TLS_PATH_SIZE];
	size_t		len;

	if (!is_set(names->key) || !esg_tls_names_pair_directory(names, path))
		return;
	len = strlen(path);
	path[len++] = '/';
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
	{
		EsgFileFacts facts;

		path[len] = '\0';
		if (!append(path, sizeof(path), files[i].name, strlen(files[i].name)))
			continue;
		esg_facts_stat(path, &facts);
		if (facts.exists)
			visit(arg, "ext_ssl_guard.passphrase_directory", files[i].kind, path, true);
	}
}

void
esg_tls_names_each_other(const EsgTlsNames *names, EsgTlsNameFn visit, void *arg)
{
	visit(arg, "ssl_crl_file", ESG_FILE_CRL, names->crl, false);
	visit(arg, "ssl_crl_dir", ESG_FILE_CRL_DIR, names->crl_dir, false);
	visit(arg, "ssl_dh_params_file", ESG_FILE_DH_PARAMS, names->dh_params, false);
	visit_pair(names, visit, arg);
}

static bool
has_suffix(const char *path, const char *suffix)
{
	size_t		len = strlen(path);
	size_t		suffix_len = strlen(suffix);

	return len > suffix_len && strcmp(path + len - suffix_len, suffix) == 0;
}

EsgFileKind
esg_tls_names_kind_of_extra(const EsgTlsNames *names, const char *path)
{
	EsgFileFacts extra;
	EsgFileFacts key;

	if (has_suffix(path, ".key"))
		return ESG_FILE_KEY;
	if (!is_set(names->key))
		return ESG_FILE_EXTRA;
	esg_facts_stat(path, &extra);
	esg_facts_stat(names->key, &key);
	if (extra.exists && key.exists &&
		extra.device == key.device && extra.inode == key.inode)
		return ESG_FILE_KEY;
	return ESG_FILE_EXTRA;
}
