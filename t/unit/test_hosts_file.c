/* sources: policy/auth_text policy/hosts_line files/hosts_file files/hosts_include files/path files/content files/facts files/arena */
/*
 * test_hosts_file.c
 *		pg_hosts.conf with what it includes, in a directory of its own.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "esg_test.h"
#include "files/hosts_file.h"
#include "files/hosts_include.h"
#include "files/path.h"

static char dir[64];

static const char *
name(const char *file)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return path;
}

static void
put(const char *file, const char *text)
{
	FILE	   *out;

	(void) unlink(name(file));
	out = fopen(name(file), "w");
	if (out == NULL || fputs(text, out) < 0 || fclose(out) != 0)
		abort();
}

/* "names cert key ca command reload file:line|...", or the fault as "!file:line text"; without the directory */
static void
print_list(const EsgHostsFile *list, char *out, size_t size)
{
	size_t		cut = strlen(dir) + 1;

	out[0] = '\0';
	if (list->fault.text != NULL)
		snprintf(out, size, "!%s:%d %s", list->fault.file + cut, list->fault.line, list->fault.text);
	for (const EsgListedHost *host = list->hosts; host != NULL; host = host->next)
		snprintf(out + strlen(out), size - strlen(out), "%s%s %s %s %s %s %d %s:%d", out[0] != '\0' ? "|" : "", host->names,
				 host->is.cert + cut, host->is.key + cut, host->is.ca[0] != '\0' ? host->is.ca + cut : "-",
				 host->is.command[0] != '\0' ? host->is.command : "-", host->is.command_at_reload, host->file + cut, host->line);
}

static void
reads_as(const char *expected, EsgHostsState state, const char *what)
{
	EsgHostsFile list;
	char		found[4096];

	esg_hosts_file_read(name("hosts"), dir, &list);
	print_list(&list, found, sizeof(found));
	is_text(found, expected, what);
	is_int(list.state, state, what);
	esg_hosts_file_free(&list);
}

/* "%s" in the text is the directory */
static void
fails_with(const char *format, const char *what)
{
	char		expected[1024];

	snprintf(expected, sizeof(expected), format, dir);
	reads_as(expected, ESG_HOSTS_UNUSABLE, what);
}

static void
test_plain(void)
{
	(void) unlink(name("hosts"));
	reads_as("", ESG_HOSTS_NONE, "no list");
	put("hosts", "# nothing\n\n");
	reads_as("", ESG_HOSTS_NONE, "nothing in it");
	put("hosts", "# first\na.test,b.test a.crt a.key root.crt \"echo x\" on\n\n* \\\n  b.crt b.key");
	reads_as("a.test,b.test a.crt a.key root.crt echo x 1 hosts:2|* b.crt b.key - - 0 hosts:4", ESG_HOSTS_LISTED, "two hosts");
	put("hosts", "a.test a.crt a.key\nb.test b.crt\nc.test\n");
	fails_with("!hosts:2 missing entry at end of line", "the first bad line is told");
	put("hosts", "a.test a.crt a.key\n\nb.test,A.TEST a.crt a.key\n");
	fails_with("!hosts:3 multiple entries for host \"A.TEST\" specified", "a name twice");
	put("hosts", "* a.crt a.key\n* a.crt a.key\n");
	fails_with("!hosts:2 multiple default hosts specified", "two defaults");
}

static void
test_includes(void)
{
	(void) mkdir(name("more"), 0700);
	(void) mkdir(name("more/deep.conf"), 0700);
	put("more/b.conf", "b.test b.crt b.key\n");
	put("more/a.conf", "a.test a.crt a.key\ninclude ../c\n");
	put("more/.c.conf", "bad\n");
	put("more/c.text", "bad\n");
	put("c", "c.test c.crt c.key\n");
	put("names", "x.test, y.test\n# no\n\"z.test\"\n");
	put("hosts", "include c\n");
	reads_as("c.test c.crt c.key - - 0 c:1", ESG_HOSTS_LISTED, "a file");
	put("hosts", "include_dir more\n");
	reads_as("a.test a.crt a.key - - 0 more/a.conf:1|c.test c.crt c.key - - 0 c:1|b.test b.crt b.key - - 0 more/b.conf:1",
			 ESG_HOSTS_LISTED, "a directory, sorted; relative to the file that includes");
	put("hosts", "include_if_exists c\ninclude_if_exists gone\n");
	reads_as("c.test c.crt c.key - - 0 c:1", ESG_HOSTS_LISTED, "what need not be there");
	put("hosts", "a.test,@names,b.test a.crt a.key\n");
	reads_as("a.test,x.test,y.test,z.test,b.test a.crt a.key - - 0 hosts:1", ESG_HOSTS_LISTED, "words of a file");
	put("hosts", "\"@names\" a.crt a.key\n");
	reads_as("@names a.crt a.key - - 0 hosts:1", ESG_HOSTS_LISTED, "quoted it is a name");
	put("hosts", "include c x\n");
	reads_as("include c x - - 0 hosts:1", ESG_HOSTS_LISTED, "three words are a host");
	put("empty", "");
	put("hosts", "@empty a.test a.crt a.key\n");
	reads_as("a.test a.crt a.key - - 0 hosts:1", ESG_HOSTS_LISTED, "no words are no field");
}

static void
test_faults(void)
{
	put("hosts", "a.test\ninclude gone\n");
	fails_with("!hosts:2 could not open file \"%s/gone\": No such file or directory", "what is not there, rather than a bad line before");
	put("hosts", "a.test,@gone a.crt a.key\n");
	fails_with("!hosts:1 could not open file \"%s/gone\": No such file or directory", "words that are not there");
	put("hosts", "include_dir gone\n");
	fails_with("!hosts:1 could not open configuration directory \"%s/gone\": No such file or directory", "a directory that is not there");
	put("hosts", "include_dir \" \"\n");
	fails_with("!hosts:1 empty configuration directory name: \" \"", "no directory");
	put("hosts", "\ninclude hosts\n");
	fails_with("!hosts:2 could not open file \"%s/hosts\": maximum nesting depth exceeded", "a file that includes itself");
	put("hosts", "@hosts\n");
	fails_with("!hosts:1 could not open file \"%s/hosts\": maximum nesting depth exceeded", "and its own words");
	put("c", "\nc.test\n");
	put("hosts", "include c\n");
	fails_with("!c:2 missing entry at end of line", "a bad line of another file");
	if (symlink("/nowhere", name("more/z.conf")) != 0)
		abort();
	put("hosts", "include_dir more\n");
	fails_with("!hosts:1 could not stat file \"%s/more/z.conf\": No such file or directory", "a link that leads nowhere");
	(void) unlink(name("more/z.conf"));
}

/* What would be waited for, or takes too long. */
static void
test_bounds(void)
{
	(void) unlink(name("hosts"));
	if (mkfifo(name("hosts"), 0600) != 0 || mkfifo(name("pipe"), 0600) != 0)
		abort();
	fails_with("!hosts:0 it is a named pipe", "a named pipe");
	put("hosts", "include pipe\n");
	fails_with("!hosts:1 file \"%s/pipe\" is a named pipe", "one that is included");
	put("hosts", "@pipe a.crt a.key\n");
	fails_with("!hosts:1 file \"%s/pipe\" is a named pipe", "one with words");
	put("hosts", "include /dev/tty\n");
	fails_with("!hosts:1 file \"/dev/tty\" is not a regular file", "a device");
	put("hosts", "include /dev/null\ninclude more\n");
	reads_as("", ESG_HOSTS_NONE, "what is empty: the null device, and a directory to whoever reads it");
	put("more/a.conf", "include_dir .\n");
	put("more/b.conf", "include_dir .\n");
	put("hosts", "include_dir more\n");
	fails_with("!more/a.conf:1 could not open file \"%s/more/a.conf\": maximum nesting depth exceeded", "directories without end");
	put("more/a.conf", "include_if_exists x1\n");
	put("hosts", "");
	(void) truncate(name("hosts"), ESG_MAX_HOSTS_BYTES + 1);
	fails_with("!hosts:0 it has, or includes, more than can be looked at", "a large file");
}

/* What is not a file, at the places where one is asked for. */
static void
test_others(void)
{
	EsgHostsFile list;

	put("file", "");
	put("hosts", "include_if_exists file/below\n");
	fails_with("!hosts:1 could not open file \"%s/file/below\": Not a directory", "what may be missing, and cannot be told to be");
	put("big", "");
	(void) truncate(name("big"), ESG_MAX_HOSTS_BYTES + 1);
	put("hosts", "a.test a.crt a.key\ninclude big\n");
	fails_with("!hosts:2 it has, or includes, more than can be looked at", "a large file that is included");
	(void) unlink(name("hosts"));
	(void) mkdir(name("hosts"), 0700);
	reads_as("", ESG_HOSTS_NONE, "a directory in its place");
	(void) rmdir(name("hosts"));
	esg_hosts_file_read("/dev/zero", dir, &list);
	is_int(list.state, ESG_HOSTS_UNUSABLE, "a device in its place");
	is_text(list.fault.text, "file \"/dev/zero\" is not a regular file", "is said");
	esg_hosts_file_free(&list);
	esg_hosts_file_read("/dev/null", dir, &list);
	is_int(list.state, ESG_HOSTS_NONE, "the null device is empty");
	esg_hosts_file_free(&list);
}

static void
put_often(const char *line, int times)
{
	FILE	   *out = fopen(name("hosts"), "w");

	for (int i = 0; out != NULL && i < times; i++)
		(void) fputs(line, out);
	if (out == NULL || fclose(out) != 0)
		abort();
}

/* As often as it takes to be given up. */
static void
test_many(void)
{
	put_often("a a a\n", ESG_MAX_LISTED_HOSTS + 1);
	fails_with("!hosts:20001 it has, or includes, more than can be looked at", "too many hosts");
	put("empty", "");
	put_often("include empty\n", ESG_MAX_HOSTS_FILES + 1);
	fails_with("!hosts:4096 it has, or includes, more than can be looked at", "too many files");
	(void) mkdir(name("void"), 0700);
	put_often("include_dir void\n", ESG_MAX_HOSTS_FILES + 1);
	fails_with("!hosts:4096 it has, or includes, more than can be looked at", "too many directories");
	(void) mkdir(name("many"), 0700);
	put("many/conf", "");
	put("many/.conf", "bad\n");
	put("many/a.conf.old", "bad\n");
	for (int i = 0; i < 995; i++)
	{
		char		file[32];

		snprintf(file, sizeof(file), "many/%d", i);
		put(file, "");
	}
	/* a thousand entries each time, "." and ".." among them */
	put_often("include_dir many\n", ESG_MAX_INCLUDE_ENTRIES / 1000);
	reads_as("", ESG_HOSTS_NONE, "as many entries of directories as are looked at");
	put_often("include_dir many\n", ESG_MAX_INCLUDE_ENTRIES / 1000 + 1);
	fails_with("!hosts:101 directory \"%s/many\" has more than can be looked at", "one directory more");
}

static void
test_files(void)
{
	EsgHostsFile list;
	int			count = 0;

	put("c", "c.test c.crt c.key\n");
	put("hosts", "include c\ninclude c\n@names a.crt a.key\ninclude_if_exists gone\n");
	esg_hosts_file_read(name("hosts"), dir, &list);
	for (const EsgListedFile *file = list.files; file != NULL; file = file->next)
		count++;
	is_int(count, 3, "each file once, if it is there");
	is_text(list.files->path, name("hosts"), "the list itself first");
	esg_hosts_file_free(&list);
}

static void
test_paths(void)
{
	static const char *const cases[][3] = {
		{"/a/b", "c", "/a/c"}, {"/a/b", "/c//d", "/c//d"}, {"/a/b", "../c", "/c"}, {"/a/b", "../../../c", "/c"}, {"/a/b", ".", "/a"},
		{"/a/b", "./c/../d//e/.", "/a/d/e"}, {"/b", "c", "/c"}, {"/b", "..", "/"}, {"/a//x/b", "c", "/a/x/c"}, {"/a/b", "...", "/a/..."}
	};
	EsgArena	arena = {NULL, 0, false};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_text(esg_path_beside(&arena, cases[i][0], cases[i][1]), cases[i][2], cases[i][1]);
	is_text(esg_path_below(&arena, "/data", "c"), "/data/c", "below a directory");
	is_text(esg_path_below(&arena, "/data", "/c"), "/c", "from the root");
	esg_arena_free(&arena);
}

int
main(void)
{
	char		command[128];

	snprintf(dir, sizeof(dir), "/tmp/esg_hosts.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return 1;
	test_plain();
	test_includes();
	test_faults();
	test_bounds();
	test_others();
	test_many();
	test_files();
	test_paths();
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	if (system(command) != 0)
		return 1;
	return done();
}
