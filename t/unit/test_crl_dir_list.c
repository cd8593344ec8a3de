/* sources: files/crl_dir_list files/facts policy/crl_names policy/findings policy/policy x509/cut_text x509/time */
/*
 * test_crl_dir_list.c
 *		What of a directory is looked at as a CRL.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "esg_test.h"
#include "files/crl_dir_list.h"

static char directory[] = "/tmp/esg_crl_list.XXXXXX";

static const char *
at(const char *name)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void
put(const char *name)
{
	int			fd = open(at(name), O_WRONLY | O_CREAT, 0600);

	if (fd < 0 || close(fd) != 0)
		abort();
}

/* The names, each with a blank behind it. */
static void
lists_as(const char *wanted, bool depends, const char *what)
{
	EsgCrlDirList list;
	char		names[1000] = "";
	size_t		used = 0;

	esg_crl_dir_list_read(directory, &list);
	for (int i = 0; i < list.count; i++)
		used += (size_t) snprintf(names + used, sizeof(names) - used, "%s ", strrchr(list.paths[i], '/') + 1);
	is_text(names, wanted, what);
	is_int(list.depends, depends, "does it depend on what links lead to");
	is_int(list.error, 0, "no error");
	esg_crl_dir_list_free(&list);
}

static void
test_kinds(void)
{
	lists_as("", false, "nothing");
	put("b.pem");
	put("a.crl");
	put(".hidden");
	(void) mkdir(at("sub"), 0700);
	(void) mkdir(at("01234567.r1"), 0700);
	(void) symlink("nowhere", at("01234567.r0"));
	lists_as("01234567.r0 01234567.r1 a.crl b.pem ", false, "files, and what has the name of a hash, whatever it is");
	(void) symlink("a.crl", at("link"));
	lists_as("01234567.r0 01234567.r1 a.crl b.pem link ", true, "a link to a file");
	(void) symlink("nowhere", at("lost"));
	(void) symlink("sub", at("other"));
	(void) mkfifo(at("pipe"), 0600);
	lists_as("01234567.r0 01234567.r1 a.crl b.pem link ", true, "not what leads elsewhere, nor a pipe");
}

static void
test_none(void)
{
	EsgCrlDirList list;

	esg_crl_dir_list_read("/nonexistent", &list);
	ok(list.error == ENOENT && list.count == 0 && list.paths == NULL, "no directory");
	esg_crl_dir_list_free(&list);
	esg_crl_dir_list_read(at("a.crl"), &list);
	ok(list.error == ENOTDIR && list.count == 0, "a file");
	esg_crl_dir_list_free(&list);
}

static void
test_many(void)
{
	EsgCrlDirList list;
	char		name[32];

	/* five are there */
	for (int i = 0; i < ESG_MAX_CRL_DIR_FILES - 4; i++)
	{
		snprintf(name, sizeof(name), "n%d", i);
		put(name);
		if (i < ESG_MAX_CRL_DIR_FILES - 6)
			continue;
		esg_crl_dir_list_read(directory, &list);
		is_int(list.error, i < ESG_MAX_CRL_DIR_FILES - 5 ? 0 : EFBIG, name);
		is_int(list.count, ESG_MAX_CRL_DIR_FILES, "as many as are looked at");
		esg_crl_dir_list_free(&list);
	}
}

int
main(void)
{
	char		command[100];

	if (mkdtemp(directory) == NULL)
		return 1;
	test_kinds();
	test_none();
	test_many();
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	ok(system(command) == 0, "tidied up");
	return done();
}
