/* sources: files/known_dir files/facts files/crl_dir_list policy/crl_names policy/findings policy/policy x509/cut_text x509/time */
/*
 * test_known_dir.c
 *		Whatever happens in a directory, what is known of it is what listing it and
 *		stat(2) say.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "esg_test.h"
#include "files/facts.h"
#include "files/known_dir.h"

#define TICK_US 30000

static char top[PATH_MAX];
static EsgKnownDir known;

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
put_file(const char *name, const char *text)
{
	int			fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) < 0 || close(fd) != 0)
		printf("# could not write %s: %s\n", name, strerror(errno));
}

static void
put_link(const char *target, const char *name)
{
	(void) unlink(at(name));
	if (symlink(target, at(name)) != 0)
		printf("# could not link %s: %s\n", name, strerror(errno));
}

static int64_t
now_ns(void)
{
	struct timespec now;

	(void) clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static bool
same_facts(const EsgFileFacts *a, const EsgFileFacts *b)
{
	return a->exists == b->exists && a->error == b->error && a->mode == b->mode &&
		a->uid == b->uid && a->gid == b->gid && a->size == b->size && a->mtime == b->mtime &&
		a->ctime_ns == b->ctime_ns && a->device == b->device && a->inode == b->inode;
}

static bool
is_true(const EsgKnownFile *file)
{
	char		resolved[PATH_MAX];
	bool		resolves = esg_facts_resolve(file->path, resolved);
	EsgFileFacts facts;

	esg_facts_stat(file->path, &facts);
	if (!same_facts(&facts, &file->facts) || resolves != (file->resolved != NULL) ||
		(resolves && strcmp(resolved, file->resolved) != 0))
	{
		printf("# %s is not as it is known\n", file->path);
		return false;
	}
	return true;
}

/* Is all as it is?  Asked by other means. */
static void
compare(const char *path, const char *what)
{
	EsgCrlDirList list;
	bool		same;

	ok(esg_known_dir_look(&known, path, now_ns()), what);
	esg_crl_dir_list_read(path, &list);
	same = list.count == known.count;
	for (int i = 0; i < known.count && same; i++)
		same = strcmp(list.paths[i], known.files[i].path) == 0 && is_true(&known.files[i]);
	if (list.count != known.count)
		printf("# %d files, %d are known\n", list.count, known.count);
	ok(same, "all as it is");
	esg_crl_dir_list_free(&list);
}

/* After a change, and again when it is at rest; news: the digest tells. */
static void
meet(const char *path, const char *what, int news)
{
	unsigned char before[ESG_DIGEST_SIZE];

	memcpy(before, known.digest, sizeof(before));
	compare(path, what);
	is_int(memcmp(before, known.digest, sizeof(before)) != 0, news, what);
	memcpy(before, known.digest, sizeof(before));
	(void) usleep(TICK_US);
	compare(path, what);
	compare(path, what);
	is_int(memcmp(before, known.digest, sizeof(before)), 0, "then it is at rest");
}

/* longer than any name */
static const char *
long_target(void)
{
	static char target[NAME_MAX + 10];

	memset(target, '/', sizeof(target) - 1);
	memcpy(target, "..", 2);
	memcpy(target + sizeof(target) - 8, "outside", 7);
	return target;
}

static void
make_files(void)
{
	(void) mkdir(at("dir"), 0700);
	put_file("outside", "outside");
	put_file("dir/a.pem", "a");
	put_file("dir/b.pem", "b");
	put_file("dir/.hidden", "h");
	put_link("a.pem", "dir/00000001.r0");
	put_link("b.pem", "dir/00000001.r1");
	put_link("00000001.r0", "dir/00000002.r0");
	put_link("../outside", "dir/00000003.r0");
	put_link("nothing", "dir/00000004.r0");
	put_link(".hidden", "dir/00000005.r0");
	put_link("00000006.r0", "dir/00000006.r0");
	put_link("sub", "dir/00000007.r0");
	put_link("../later", "dir/later.pem");
	put_link(long_target(), "dir/00000008.r0");
	(void) mkdir(at("dir/sub"), 0700);
	put_file("dir/sub/inner", "i");
}

/* The same size, the time put back. */
static void
overwrite(const char *name, const char *text)
{
	struct stat st;
	struct timespec times[2];

	(void) stat(at(name), &st);
	put_file(name, text);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	(void) utimensat(AT_FDCWD, at(name), times, 0);
}

static void
change_files(const char *dir)
{
	overwrite("dir/a.pem", "A");
	meet(dir, "overwritten", 1);
	(void) chmod(at("dir/b.pem"), 0644);
	meet(dir, "another mode", 1);
	overwrite("outside", "OUTSIDE");
	meet(dir, "overwritten elsewhere", 1);
	(void) unlink(at("dir/b.pem"));
	meet(dir, "removed, and a link leads nowhere", 1);
	put_file("dir/b.pem", "b");
	meet(dir, "there again", 1);
	put_link("a.pem", "dir/00000001.r1");
	meet(dir, "a link to another file", 1);
	(void) rename(at("dir/a.pem"), at("dir/c.pem"));
	meet(dir, "renamed", 1);
	put_link("c.pem", "dir/b.pem");
	meet(dir, "a link in place of a file", 1);
	put_file("later", "l");
	meet(dir, "what a link of another name leads to has come", 1);
	(void) unlink(at("later"));
	meet(dir, "and gone", 1);
	(void) mkdir(at("later"), 0700);
	meet(dir, "a directory there", 0);
	(void) unlink(at("dir/.hidden"));
	meet(dir, "a target that is not listed is gone", 1);
	meet(dir, "nothing", 0);
}

static void
change_directory(const char *dir)
{
	unsigned char before[ESG_DIGEST_SIZE];

	(void) rename(dir, at("aside"));
	compare(dir, "no directory");
	is_int(known.count, 0, "has no files");
	(void) mkdir(dir, 0700);
	put_file("dir/a.pem", "a");
	meet(dir, "another in its place", 1);
	memcpy(before, known.digest, sizeof(before));
	(void) rename(dir, at("other"));
	(void) symlink("aside", dir);
	meet(dir, "a link in its place", 1);
	(void) unlink(dir);
	(void) symlink("other", dir);
	meet(dir, "which leads elsewhere", 1);
	ok(memcmp(before, known.digest, sizeof(before)) != 0, "what it is resolved to counts");
	compare(at("aside"), "another path");
	compare(at("sub/../aside/"), "a detour over nothing");
	compare(at("aside/"), "a slash at the end");
	compare(at("outside"), "a file");
	compare("", "no path");
}

static void
change_list(const char *dir)
{
	(void) unlink(dir);
	(void) mkdir(dir, 0700);
	compare(dir, "an empty one");
	is_int(known.count, 0, "has no files");
	for (int i = 0; i < 50; i++)
	{
		char		name[32];

		snprintf(name, sizeof(name), "dir/%d.pem", i);
		put_file(name, "x");
		compare(dir, "one more at once");
	}
	is_int(known.count, 50, "all are seen without a pause");
	is_int(known.files[7].target, -1, "none is a link");
}

int
main(void)
{
	char		dir[PATH_MAX + 10];

	snprintf(top, sizeof(top), "%s/known.XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (mkdtemp(top) == NULL)
		return 1;
	snprintf(dir, sizeof(dir), "%s/dir", top);
	make_files();
	compare(dir, "the first look");
	(void) usleep(TICK_US);
	compare(dir, "the second");
	/* "later.pem" leads nowhere yet */
	ok(!known.holds, "a link of any name depends on what it leads to");
	change_files(dir);
	change_directory(dir);
	change_list(dir);
	esg_known_dir_free(&known);
	esg_known_dir_free(&known);
	return done();
}
