/* sources: files/pair_place files/facts */
/*
 * test_pair_place.c
 *		Is a passphrase pair where backups take it along?
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "esg_test.h"
#include "files/pair_place.h"

static char top[] = "/tmp/esg_place.XXXXXX";

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
is_taken(const char *directory, bool wanted, const char *what)
{
	is_int(esg_pair_place_is_in_backup(at(directory), at("data")), wanted, what);
}

int
main(void)
{
	char		command[100];
	char		path[2 * PATH_MAX];

	if (mkdtemp(top) == NULL)
		return 1;
	is_taken("data", false, "no data directory");
	(void) mkdir(at("data"), 0700);
	(void) mkdir(at("data/tls"), 0700);
	(void) mkdir(at("data2"), 0700);
	(void) symlink("data2", at("data/link"));
	(void) symlink("data/tls", at("alias"));
	is_taken("data/tls", false, "no pair");
	put("data/tls/server.key.rand");
	is_taken("data/tls", false, "half of one");
	put("data/tls/server.key.cipher");
	is_taken("data/tls", true, "a pair");
	is_taken("alias", true, "under another name");
	(void) unlink(at("data/tls/server.key.rand"));
	is_taken("data/tls", false, "the other half");
	put("data/tls/server.key.rand.new");
	is_taken("data/tls", true, "with a half that was not put in its place yet");
	put("data2/server.key.cipher");
	put("data2/server.key.rand");
	is_taken("data2", false, "a directory that begins like the data directory");
	is_taken("nowhere", false, "no directory");
	(void) symlink("../data2", at("data/pg_tblspc"));
	is_taken("data/pg_tblspc", false, "a link that leads out of it");
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	ok(!esg_pair_place_is_in_backup(path, at("data")), "a path that is too long");
	snprintf(command, sizeof(command), "rm -rf '%s'", top);
	ok(system(command) == 0, "tidied up");
	return done();
}
