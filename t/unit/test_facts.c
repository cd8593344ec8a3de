/* sources: files/facts */
/*
 * test_facts.c
 *		A file looked at within its directory is what realpath(3) and stat(2) say of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "esg_test.h"
#include "files/facts.h"

static char top[PATH_MAX];

static const char *
at(const char *name)
{
	static char paths[4][2 * PATH_MAX];
	static int	next;
	char	   *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s%s%s", top, name[0] != '\0' ? "/" : "", name);
	return path;
}

static void
put_file(const char *name, mode_t mode)
{
	int			fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, name, strlen(name)) < 0 || fchmod(fd, mode) != 0 || close(fd) != 0)
		printf("# could not write %s: %s\n", name, strerror(errno));
}

static void
put_link(const char *target, const char *name)
{
	if (symlink(target, at(name)) != 0)
		printf("# could not link %s: %s\n", name, strerror(errno));
}

static void
make_files(void)
{
	put_file("file", 0644);
	put_file("secret", 0000);
	(void) mkdir(at("sub"), 0700);
	put_file("sub/inner", 0600);
	put_link("file", "link");
	put_link("link", "chain");
	put_link("sub/inner", "deeper");
	put_link("sub", "sublink");
	put_link("nothing", "dangling");
	put_link("loop", "loop");
	put_link("..", "up");
	put_link(".", "here");
	put_link(at("file"), "absolute");
	put_link("../file", "sub/back");
}

static int
same_facts(const EsgFileFacts *a, const EsgFileFacts *b)
{
	return a->exists == b->exists && a->error == b->error && a->mode == b->mode &&
		a->uid == b->uid && a->gid == b->gid && a->size == b->size && a->mtime == b->mtime &&
		a->ctime_ns == b->ctime_ns && a->device == b->device && a->inode == b->inode;
}

static void
compare(EsgFactsDirectory *directory, const char *path)
{
	char		want[PATH_MAX] = "";
	char		got[PATH_MAX] = "";
	EsgFileFacts wanted;
	EsgFileFacts facts;
	int			resolves = esg_facts_resolve(path, want);

	esg_facts_stat(path, &wanted);
	is_int(esg_facts_look(directory, path, got, &facts), resolves, path);
	if (resolves)
		is_text(got, want, "the same path");
	ok(same_facts(&facts, &wanted), "the same facts");
}

int
main(void)
{
	static const char *const names[] = {
		"file", "link", "chain", "deeper", "sub", "sublink", "sub/inner", "sublink/inner", "sub/back",
		"sublink/back", "dangling", "loop", "up", "here", "absolute", "nothing", "nothing/file", "file/file",
		"sub/", "sub/.", "sub/..", "sub/../file", "here/link", "secret", "", "sub//inner",
	};
	EsgFactsDirectory directory = {0};
	char		long_path[PATH_MAX + 100];

	snprintf(top, sizeof(top), "%s/facts.XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (mkdtemp(top) == NULL)
		return 1;
	make_files();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		compare(&directory, at(names[i]));
	/* in another order, so that directories come again */
	for (size_t i = sizeof(names) / sizeof(names[0]); i-- > 0;)
		compare(&directory, at(names[i]));
	compare(&directory, "/");
	compare(&directory, "/etc");
	compare(&directory, "relative");
	compare(&directory, "");
	memset(long_path, 'a', sizeof(long_path) - 1);
	long_path[0] = '/';
	long_path[sizeof(long_path) - 1] = '\0';
	compare(&directory, long_path);
	esg_facts_leave(&directory);
	ok(!directory.is_open, "left");
	esg_facts_leave(&directory);
	return done();
}
