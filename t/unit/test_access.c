/* sources: policy/access policy/shell_text */
/*
 * test_access.c
 *		The commands that let a user read a file.
 *
 * Only what does not depend on who runs it: t/053_passphrase_owner.t follows
 * the commands, on files of several users.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "failing.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "policy/access.h"

FAILS(int, getgroups, (int size, gid_t *groups), (size, groups), -1)

static char directory[] = "/tmp/esg_access_XXXXXX";
static char file[64];
static EsgReader owner;
static EsgReader stranger;

static void
expect(const EsgReader *reader, const char *path, const char *want, const char *name)
{
	const char *paths[] = {path, path};
	char	   *got = esg_access_suggestion(reader, paths, 2);

	is_text(got, want, name);
	OPENSSL_free(got);
}

static void
expect_chmod(mode_t mode, const char *want, const char *name)
{
	char		command[128] = "";

	chmod(file, mode);
	if (want)
		snprintf(command, sizeof(command), "chmod %s '%s'", want, file);
	expect(&owner, file, command, name);
}

static void
test_owner(void)
{
	char		command[128];

	expect_chmod(0400, NULL, "readable");
	expect_chmod(0200, "0600", "closed to its owner");
	expect_chmod(0044, "0444", "the owner is not among the others");
	chmod(file, 0400);
	chmod(directory, 0600);
	snprintf(command, sizeof(command), "chmod 0700 '%s'", directory);
	expect(&owner, file, command, "a directory that does not let pass");
	chmod(directory, 0700);
}

/* A number that nobody has. */
static void
test_stranger(void)
{
	char		command[512];

	chmod(file, 0604);
	snprintf(command, sizeof(command), "chgrp 4712 '%s' && chmod 0710 '%s'", directory, directory);
	if (owner.uid == 0 || owner.gid == 0)
		expect(&stranger, file, command, "a directory that is root's");
	chmod(directory, 0701);
	expect(&stranger, file, "", "open to others");
	stranger.groups[0] = owner.gid;
	stranger.group_count = 1;
	ok(esg_access_has_group(&stranger, owner.gid) && esg_access_has_group(&stranger, 4712) &&
	   !esg_access_has_group(&stranger, 4713), "groups");
	snprintf(command, sizeof(command), "chmod 0711 '%s' && chmod 0644 '%s'", directory, file);
	if (owner.uid == 0)
		expect(&stranger, file, command, "its group is not among the others");
	stranger.group_count = 0;
	chmod(file, 0600);
	snprintf(command, sizeof(command), "chown 4711 '%s' && chmod 0400 '%s'", file, file);
	if (owner.uid != 0)
		expect(&stranger, file, command, "somebody's file");
	chmod(directory, 0700);
}

/* What leads to a file by a link is mended as well. */
static void
test_link(void)
{
	char		other[] = "/tmp/esg_access_XXXXXX";
	char		name[64];
	char		command[256];

	if (!ok(mkdtemp(other) != NULL, "a directory"))
		return;
	snprintf(name, sizeof(name), "%s/link", other);
	ok(symlink(file, name) == 0 && chmod(other, 0755) == 0 && chmod(file, 0644) == 0 && chmod(directory, 0700) == 0, "a link");
	snprintf(command, sizeof(command), "chgrp 4712 '%s' && chmod 0710 '%s'", directory, directory);
	expect(&stranger, file, command, "a directory that no group may pass");
	stranger.groups[0] = owner.gid;
	stranger.group_count = 1;
	snprintf(command, sizeof(command), "chmod 0710 '%s'", directory);
	expect(&stranger, file, command, "a directory of a group that the reader is in");
	expect(&stranger, name, command, "by a link");
	stranger.group_count = 0;
	unlink(name);
	rmdir(other);
}

static void
test_others(void)
{
	EsgReader	root = {0};

	chmod(file, 0);
	expect(&root, file, "", "root may read anything");
	expect(&owner, "relative", "", "a relative path");
	expect(&owner, "/nonexistent/file", "", "what is not there");
	expect(&owner, directory, "", "a directory is to be passed");
}

static void
test_long_path(void)
{
	char		path[PATH_MAX + 10];

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	expect(&stranger, path, "", "a path that is too long for any file");
}

/* The commands for the directory and for the file: all of it, or nothing. */
static Outcome
suggest(void)
{
	static char whole[500];
	const char *paths[] = {file};
	char	   *got = esg_access_suggestion(&stranger, paths, 1);
	Outcome		outcome = TOLD;

	if (got != NULL && whole[0] == '\0')
		snprintf(whole, sizeof(whole), "%s", got);
	if (got != NULL)
		outcome = strcmp(got, whole) == 0 && strstr(got, " && ") != NULL ? RIGHT : WRONG;
	OPENSSL_free(got);
	return outcome;
}

static void
test_failing(void)
{
	EsgReader	reader;

	chmod(directory, 0700);
	chmod(file, 0600);
	is_int(suggest(), RIGHT, "what a stranger needs");
	ok(fail_each("what a stranger needs", suggest) > 10, "without memory there is no command");
	failing_countdown = 0;
	esg_access_reader_self(&reader);
	is_int(failing_countdown, -1, "that it has groups was asked for");
	ok(reader.group_count == 0 && reader.uid == geteuid(), "groups that are not known are none");
}

int
main(void)
{
	int			fd;

	if (mkdtemp(directory) == NULL)
		return 1;
	snprintf(file, sizeof(file), "%s/file", directory);
	fd = open(file, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return 1;
	close(fd);
	esg_access_reader_self(&owner);
	owner.numbers = true;
	stranger.uid = 4711;
	stranger.gid = 4712;
	stranger.numbers = true;
	if (owner.uid != 0)
		test_owner();
	test_stranger();
	test_link();
	test_others();
	test_long_path();
	test_failing();
	unlink(file);
	rmdir(directory);
	return done();
}
