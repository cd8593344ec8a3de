/* sources: files/tls_names files/facts */
/*
 * test_tls_names.c
 *		Where the passphrase pair is looked for.
 */
#include <string.h>

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

int
main(void)
{
	test_beside_the_key();
	test_where_it_is_said();
	test_too_long();
	return done();
}
