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

/* longer than any name */
static const char *
long_target(void)
{
	static char target[NAME_MAX + 10];

	memset(target, '/', sizeof(target) - 1);
	memcpy(target, "sub/..", 6);
	memcpy(target + sizeof(target) - 5, "file", 4);
	return target;
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
	put_link("..", "sub/up");
	put_link(long_target(), "far");
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

/* Each of what is compared makes a difference, and nothing else does. */
static void
test_same(void)
{
	struct stat st;
	EsgFileFacts facts;
	EsgFileFacts other;

	(void) stat(at("file"), &st);
	esg_facts_take(&st, &facts);
	ok(esg_facts_same(&st, &facts), "it is as it was");
	other = facts;
	other.error = EACCES;
	ok(esg_facts_same(&st, &other), "who may read it does not count");
#define OTHER(field) \
	do \
	{ \
		other = facts; \
		other.field = !other.field; \
		ok(!esg_facts_same(&st, &other), "another " #field); \
	} while (0)
	OTHER(exists);
	OTHER(ctime_ns);
	OTHER(mode);
	OTHER(uid);
	OTHER(gid);
	OTHER(size);
	OTHER(mtime);
	OTHER(device);
	OTHER(inode);
#undef OTHER
}

static void
test_at_rest(void)
{
	EsgFileFacts facts = {.ctime_ns = INT64_C(1780000000123456789)};

	is_int(esg_facts_at_rest(&facts) - facts.ctime_ns, 20000000, "a clock with fractions of a second ticks often");
	facts.ctime_ns = INT64_C(1780000000000000000);
	is_int(esg_facts_at_rest(&facts) - facts.ctime_ns, 2000000000, "one without does not");
}

/* Where a path is as long as may be, within a directory or by itself. */
static void
test_long_paths(EsgFactsDirectory *directory)
{
	char		name[NAME_MAX + 1];
	char		path[PATH_MAX + 2 * NAME_MAX];
	size_t		len;

	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	if (chdir(top) != 0)
		return;
	len = strlen(top);
	/* each has room for one more name, but for the last, whose files have none */
	while (len + 1 + NAME_MAX < PATH_MAX - 60 && mkdir(name, 0700) == 0 && chdir(name) == 0)
		len += 1 + NAME_MAX;
	name[PATH_MAX - 60 - len > NAME_MAX ? NAME_MAX : PATH_MAX - 60 - len] = '\0';
	if (mkdir(name, 0700) != 0 || chdir(name) != 0 || getcwd(path, sizeof(path)) == NULL)
	{
		ok(0, "a long path: %s", strerror(errno));
		return;
	}
	memset(name, 'l', sizeof(name) - 1);
	name[NAME_MAX] = '\0';
	(void) symlink(name, "link");
	(void) close(open(name, O_WRONLY | O_CREAT, 0600));
	len = strlen(path);
	snprintf(path + len, sizeof(path) - len, "/link");
	compare(directory, path);
	snprintf(path + len, sizeof(path) - len, "/%s", name);
	compare(directory, path);
	(void) chdir("/");
}

static void
remove_all(void)
{
	char		command[PATH_MAX + 20];

	snprintf(command, sizeof(command), "rm -rf '%s'", top);
	ok(system(command) == 0, "tidied up");
}

int
main(void)
{
	static const char *const names[] = {
		"file", "link", "chain", "deeper", "sub", "sublink", "sub/inner", "sublink/inner", "sub/back",
		"sublink/back", "dangling", "loop", "up", "here", "absolute", "far", "sub/up", "sub/nothing", "nothing", "nothing/file", "file/file",
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
	snprintf(long_path + PATH_MAX + 10, 10, "/file");
	compare(&directory, long_path);
	test_same();
	test_at_rest();
	test_long_paths(&directory);
	esg_facts_leave(&directory);
	ok(!directory.is_open, "left");
	esg_facts_leave(&directory);
	remove_all();
	return done();
}
