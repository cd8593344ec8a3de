/* sources: files/tls_names files/facts */
/*
 * test_tls_names.c
 *		Where the passphrase pair is looked for.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "esg_test.h"
#include "files/tls_names.h"

static char directory[ESG_TLS_PATH_SIZE];

static bool
find(const char *key, const char *passphrase_directory)
{
	EsgTlsNames names = {.data_directory = "/srv/pg",.key = key,.passphrase_directory = passphrase_directory};

	memset(directory, 'x', sizeof(directory));
	return esg_tls_names_pair_directory(&names, directory);
}

static void
test_beside_the_key(void)
{
	ok(find("server.key", ""), "a key in the data directory");
	is_text(directory, "/srv/pg", "the pair is there, too");
	ok(find("tls/server.key", NULL), "a key below it");
	is_text(directory, "/srv/pg/tls", "the pair is beside it");
	ok(find("/etc/tls/server.key", NULL), "a key elsewhere");
	is_text(directory, "/etc/tls", "the pair is beside it");
	ok(find("/server.key", NULL), "a key in the root directory");
	is_text(directory, "/", "the pair is beside it");
	ok(find(NULL, NULL), "no key");
	is_text(directory, "/srv/pg", "the data directory");
}

static void
test_where_it_is_said(void)
{
	ok(find("/etc/tls/server.key", "/run/pair"), "a directory");
	is_text(directory, "/run/pair", "as it is said");
	ok(find("/etc/tls/server.key", "pair"), "a relative one");
	is_text(directory, "/srv/pg/pair", "is in the data directory");
}

static void
test_too_long(void)
{
	char		path[2 * ESG_TLS_PATH_SIZE];

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[ESG_TLS_PATH_SIZE - 1] = '\0';
	ok(find(NULL, path), "the longest");
	is_text(directory, path, "is whole");
	path[ESG_TLS_PATH_SIZE - 1] = 'a';
	path[ESG_TLS_PATH_SIZE] = '\0';
	ok(!find(NULL, path), "a byte more is too much");
	path[ESG_TLS_PATH_SIZE - 1] = '\0';
	is_text(directory, path, "of which as much is named as there is room for");
	ok(!find(NULL, path + 1), "a relative one that is too long in the data directory");
	ok(strncmp(directory, "/srv/pg/aaaa", 12) == 0, "is named, too");
	is_int((int) strlen(directory), ESG_TLS_PATH_SIZE - 1, "as far as that goes");
}

/* "setting kind path optional|...", without the directory */
static char visited[2000];
static char top[] = "/tmp/esg_names.XXXXXX";

static void
visit(void *arg, const char *setting, EsgFileKind kind, const char *path, bool optional)
{
	size_t		used = strlen(visited);

	(void) arg;
	if (path != NULL && strncmp(path, top, strlen(top)) == 0)
		path += strlen(top) + 1;
	snprintf(visited + used, sizeof(visited) - used, "%s%s %d %s %d", used > 0 ? "|" : "", setting, kind,
			 path != NULL ? path : "-", optional);
}

static const char *
at(const char *name)
{
	static char paths[4][200];
	static int	next;
	char	   *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", top, name);
	return path;
}

static void
put(const char *name)
{
	FILE	   *out = fopen(at(name), "w");

	if (out == NULL || fclose(out) != 0)
		abort();
}

static void
visits(const EsgTlsNames *names, const char *wanted, const char *what)
{
	visited[0] = '\0';
	esg_tls_names_each_other(names, visit, NULL);
	is_text(visited, wanted, what);
}

/* Of a pair only what is there. */
static void
test_files(void)
{
	EsgTlsNames names = {.data_directory = top,.cert = "server.crt",.crl = "root.crl",.crl_dir = ""};
	char		others[200];
	char		wanted[1000];

	snprintf(others, sizeof(others), "ssl_crl_file %d root.crl 0|ssl_crl_dir %d  0|ssl_dh_params_file %d - 0", ESG_FILE_CRL,
			 ESG_FILE_CRL_DIR, ESG_FILE_DH_PARAMS);
	visited[0] = '\0';
	esg_tls_names_each_own(&names, visit, NULL);
	snprintf(wanted, sizeof(wanted), "ssl_cert_file %d server.crt 0|ssl_key_file %d - 0|ssl_ca_file %d - 0", ESG_FILE_CERTIFICATE,
			 ESG_FILE_KEY, ESG_FILE_CA);
	is_text(visited, wanted, "its own, set or not");
	put("server.key.cipher");
	visits(&names, others, "without a key there is no pair");
	names.key = "";
	visits(&names, others, "nor with an empty name");
	names.key = "server.key";
	snprintf(wanted, sizeof(wanted), "%s|ext_ssl_guard.passphrase_directory %d server.key.cipher 1", others, ESG_FILE_PASSPHRASE);
	visits(&names, wanted, "half a pair");
	put("server.key.rand.new");
	snprintf(wanted, sizeof(wanted), "%s|ext_ssl_guard.passphrase_directory %d server.key.cipher 1|"
			 "ext_ssl_guard.passphrase_directory %d server.key.rand.new 1", others, ESG_FILE_PASSPHRASE, ESG_FILE_LEFTOVER);
	visits(&names, wanted, "and what a writer has left");
}

static void
no_visits(const char *directory_text, const char *what)
{
	EsgTlsNames names = {.data_directory = top,.key = "server.key",.passphrase_directory = directory_text};

	visited[0] = '\0';
	esg_tls_names_each_other(&names, visit, NULL);
	ok(strstr(visited, "passphrase") == NULL, "%s", what);
}

static void
test_no_pair(void)
{
	char		path[2 * ESG_TLS_PATH_SIZE];

	no_visits("/nonexistent", "no directory, no pair");
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	no_visits(path, "a directory with a name that is too long");
}

static void
test_extra(void)
{
	EsgTlsNames names = {.data_directory = top};

	is_int(esg_tls_names_kind_of_extra(&names, "/etc/x.key"), ESG_FILE_KEY, "a key by its name");
	is_int(esg_tls_names_kind_of_extra(&names, ".key"), ESG_FILE_EXTRA, "nothing but an ending");
	put("one");
	put("two");
	if (link(at("one"), at("same")) != 0)
		abort();
	is_int(esg_tls_names_kind_of_extra(&names, at("one")), ESG_FILE_EXTRA, "the server has no key");
	names.key = at("one");
	is_int(esg_tls_names_kind_of_extra(&names, at("same")), ESG_FILE_KEY, "another name of the server's key");
	is_int(esg_tls_names_kind_of_extra(&names, at("two")), ESG_FILE_EXTRA, "another file");
	is_int(esg_tls_names_kind_of_extra(&names, at("none")), ESG_FILE_EXTRA, "no file");
	is_int(esg_tls_names_kind_of_extra(&names, "/dev/null"), ESG_FILE_EXTRA, "of another file system");
	names.key = "/nonexistent";
	is_int(esg_tls_names_kind_of_extra(&names, at("two")), ESG_FILE_EXTRA, "there is no key");
}

int
main(void)
{
	char		command[100];

	if (mkdtemp(top) == NULL)
		return 1;
	test_files();
	test_no_pair();
	test_extra();
	snprintf(command, sizeof(command), "rm -rf '%s'", top);
	ok(system(command) == 0, "tidied up");
	test_beside_the_key();
	test_where_it_is_said();
	test_too_long();
	return done();
}
