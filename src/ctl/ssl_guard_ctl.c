/*
 * ctl/ssl_guard_ctl.c
 *		Keeps the passphrase of a private key in a pair of files.
 *
 * Exit status: 0 done, 1 refused or failed, 2 usage.  docs/passphrase.md
 * describes the files and what they protect against.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "ctl/acl.h"
#include "ctl/data_directory.h"
#include "ctl/key_file.h"
#include "ctl/memory.h"
#include "ctl/message.h"
#include "ctl/pair_writer.h"
#include "ctl/prompt.h"
#include "ctl/rules.h"
#include "ctl/server_user.h"
#include "secret/forget.h"
#include "secret/pair.h"

#define EXIT_USAGE 2
#define SERVER_KEY "server.key"
#define CLIENT_KEY "client.key"
/* so that no name made of it is longer than a file system takes */
#define MAX_KEY_NAME (NAME_MAX - (int) strlen(ESG_UNFINISHED_SUFFIX))

/* as the setting's */
#define DEFAULT_MAX_MODE 0600

typedef struct Options
{
	const char *directory;
	const char *key_name;
	const char *mode;			/* of which key, or NULL: nobody said */
	const char *key_file;		/* that stands for both; NULL likewise */
	const char *passphrase_file;
	const char *user;			/* the server's, if root said */
	int			max_mode;		/* of key and pair; -1: nobody said */
	bool		force;
} Options;

typedef struct Command
{
	const char *name;
	bool		writes;			/* takes --passphrase-file and --force */
	bool		judges;			/* takes --user */
	bool		(*run) (const Options *options, EsgPassphrase *passphrase);
} Command;

static void
print_help(void)
{
	printf("ssl_guard_ctl keeps the passphrase of a private key in a pair of files, from\n"
		   "which PostgreSQL with ext_ssl_guard opens the key at start and at reload.\n"
		   "\n"
		   "Usage:\n"
		   "  ssl_guard_ctl encrypt -D DIR [-M server|client] [--passphrase-file FILE] [--force]\n"
		   "                        [--user USER]\n"
		   "  ssl_guard_ctl decrypt -D DIR [-M server|client]\n"
		   "  ssl_guard_ctl check   -D DIR [-M server|client] [--user USER] [--max-mode MODE]\n"
		   "  ssl_guard_ctl tidy    -D DIR [-M server|client] [--user USER]\n"
		   "  and each with --key FILE in place of -D and -M\n"
		   "\n"
		   "Commands:\n"
		   "  encrypt   ask for the passphrase, try it on the key in DIR, write the pair\n"
		   "  decrypt   print the passphrase\n"
		   "  check     say whether the pair is whole, protected, and opens the key in DIR\n"
		   "  tidy      take away what an interrupted \"encrypt\" has left\n"
		   "\n"
		   "Options:\n"
		   "  -D, --directory DIR       where the pair is, or will be\n"
		   "  -M, --mode server|client  the key is server.key [default] or client.key\n"
		   "      --key FILE            the key, of any name; the pair is beside it: FILE.cipher\n"
		   "                            and FILE.rand, so that a directory may have several\n"
		   "      --passphrase-file FILE\n"
		   "                            take the first line of FILE as the passphrase; without\n"
		   "                            it the terminal is asked twice, or standard input is\n"
		   "                            read if that is not a terminal\n"
		   "      --force               replace an existing pair\n"
		   "      --user USER           name or number of the server's user, whose rights count\n"
		   "                            when root runs this [the owner of the data directory\n"
		   "                            that DIR or the key in it belongs to; else postgres]\n"
		   "      --max-mode MODE       as ext_ssl_guard.max_key_file_mode: what key and pair may\n"
		   "                            have at most, in octal [0600]\n"
		   "  -V, --version             print the version\n"
		   "  -h, --help                print this help\n"
		   "\n"
		   "Exit status: 0 done, 1 refused or failed, 2 wrong usage.\n");
}

static int
fail_usage(void)
{
	fprintf(stderr, "Try \"ssl_guard_ctl --help\" for more information.\n");
	return EXIT_USAGE;
}

/*
 * Tries the passphrase on the key beside the pair.  What is not there cannot be
 * tried: the key may be elsewhere, or come later.  Whoever is about to encrypt
 * a key makes the pair before, so that no restart in between can fail.
 */
static bool
try_key(const Options *options, const EsgPassphrase *passphrase, bool plain_key_allowed)
{
	char		path[ESG_PAIR_PATH_SIZE];
	int			error;

	if (snprintf(path, sizeof(path), "%s/%s", options->directory, options->key_name) >=
		(int) sizeof(path))
		return esg_message_error("the directory's name is too long");
	switch (esg_key_file_test(path, passphrase, &error))
	{
		case ESG_KEY_FILE_OPENED:
			return true;
		case ESG_KEY_FILE_MISSING:
			esg_message_note("there is no \"%s\" to try the passphrase on", path);
			return true;
		case ESG_KEY_FILE_UNREADABLE:
			return esg_message_error("could not read private key file \"%s\": %s",
									 path, strerror(error));
		case ESG_KEY_FILE_NOT_REGULAR:
			return esg_message_error("private key file \"%s\" is not a regular file", path);
		case ESG_KEY_FILE_NO_KEY:
			return esg_message_error("file \"%s\" has no private key that OpenSSL can read", path);
		case ESG_KEY_FILE_NOT_ENCRYPTED:
			if (plain_key_allowed)
			{
				esg_message_warning("private key file \"%s\" is not encrypted: "
									"the passphrase was not tried", path);
				return true;
			}
			return esg_message_error("private key file \"%s\" is not encrypted", path);
		case ESG_KEY_FILE_REFUSED:
			break;
	}
	return esg_message_error("the passphrase does not open private key file \"%s\"", path);
}

/* The rules with what they are about; paths as the server has them, from the root. */
typedef struct Case
{
	char		directory[ESG_PAIR_PATH_SIZE];
	EsgServerUser user;
	EsgRules	rules;
} Case;

/*
 * A path from the working directory is resolved: what it leads over, "..", the
 * server's user need not pass.  Of one from the root nothing is resolved: it may be
 * as the server has it.
 */
static bool
make_absolute(const char *path, char out[ESG_PAIR_PATH_SIZE])
{
	char	   *found = path[0] != '/' ? realpath(path, NULL) : NULL;
	char	   *current = path[0] != '/' && !found ? getcwd(NULL, 0) : NULL;
	int			n;

	if (path[0] == '/' || found)
		n = snprintf(out, ESG_PAIR_PATH_SIZE, "%s", found ? found : path);
	else if (!current)
		return esg_message_error("could not find out the working directory: %s", strerror(errno));
	else
		n = snprintf(out, ESG_PAIR_PATH_SIZE, "%s/%s", current, path);
	free(found);
	free(current);
	return n < ESG_PAIR_PATH_SIZE || esg_message_error("the directory's name is too long");
}

static bool
begin_case(Case *c, const Options *options)
{
	memset(c, 0, sizeof(*c));
	c->rules.user = &c->user;
	c->rules.directory = c->directory;
	c->rules.key_name = options->key_name;
	c->rules.max_mode = options->max_mode < 0 ? DEFAULT_MAX_MODE : (unsigned) options->max_mode;
	return make_absolute(options->directory, c->directory) &&
		esg_server_user_find(options->user, c->directory, options->key_name, &c->user);
}

static void
end_case(Case *c)
{
	OPENSSL_free(c->rules.remedy);
}

static bool
check_key_file(const void *arg)
{
	return esg_rules_check_file(arg, "");
}

static bool
write_pair(const Options *options, const Case *c, EsgPairWriter *writer, EsgPassphrase *passphrase)
{
	return esg_server_user_try(&c->user, check_key_file, &c->rules) &&
		esg_pair_writer_prepare(writer, options->force) &&
		esg_prompt_read(options->passphrase_file, passphrase) &&
		try_key(options, passphrase, true) &&
		esg_pair_writer_write(writer, passphrase);
}

/* To whom root gave it, or gave access to it. */
static void
print_for_user(const EsgServerUser *user)
{
	if (user->is_other)
		printf(" for user \"%s\"", user->name);
	printf("\n");
}

/* A copy of key and pair together is a copy of the key. */
static void
warn_of_backups(const Options *options)
{
	char		found[PATH_MAX];

	if (esg_data_directory_find(options->directory, found))
		esg_message_warning("directory \"%s\" is in the data directory \"%s\": backups take the pair "
							"along with the key", options->directory, found);
}

static bool
run_encrypt(const Options *options, EsgPassphrase *passphrase)
{
	Case		c;
	EsgPairWriter writer;
	bool		good;

	if (!begin_case(&c, options) ||
		!esg_pair_writer_open(&writer, options->directory, &c.rules))
		return false;
	esg_rules_find_remedy(&c.rules, false);
	good = write_pair(options, &c, &writer, passphrase);
	esg_pair_writer_close(&writer);
	if (good)
	{
		warn_of_backups(options);
		printf("wrote \"%s/%s%s\" and \"%s%s\"", options->directory,
			   options->key_name, ESG_CIPHER_SUFFIX, options->key_name, ESG_RANDOM_SUFFIX);
		print_for_user(&c.user);
	}
	end_case(&c);
	return good;
}

static bool
run_tidy(const Options *options, EsgPassphrase *passphrase)
{
	Case		c;
	EsgPairWriter writer;
	bool		good;

	(void) passphrase;
	if (!begin_case(&c, options) ||
		!esg_pair_writer_open(&writer, options->directory, &c.rules))
		return false;
	good = esg_pair_writer_tidy(&writer);
	esg_pair_writer_close(&writer);
	end_case(&c);
	return good;
}

static bool
read_pair(const char *directory, const Options *options, const EsgKeyRule *rule,
		  EsgPassphrase *passphrase, EsgPairStatus *status)
{
	char		reason[ESG_PAIR_REASON_SIZE];

	if (esg_secret_pair_read(directory, options->key_name, rule, passphrase, status))
		return true;
	esg_secret_pair_reason(status, reason, sizeof(reason));
	return esg_message_error("passphrase file \"%s\" cannot be used: %s", status->path, reason);
}

/* write() rather than printf(): no buffer keeps a copy. */
static bool
print_passphrase(EsgPassphrase *passphrase)
{
	const char *p = passphrase->secret;
	size_t		left = passphrase->len + 1;

	passphrase->secret[passphrase->len] = '\n';
	while (left > 0)
	{
		ssize_t		n = write(STDOUT_FILENO, p, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return esg_message_error("could not write to standard output: %s",
									 strerror(n < 0 ? errno : ENOSPC));
		p += n;
		left -= (size_t) n;
	}
	return true;
}

/*
 * Root may look at anybody's pair; its files have one owner all the same.  A
 * pair of root's is there for a server's user in its group, so it is judged as
 * that user would, who is not root.
 */
static uid_t
expected_owner(const Options *options)
{
	char		path[ESG_PAIR_PATH_SIZE];
	struct stat st;

	if (geteuid() == 0 &&
		snprintf(path, sizeof(path), "%s/%s" ESG_CIPHER_SUFFIX, options->directory,
				 options->key_name) < (int) sizeof(path) &&
		stat(path, &st) == 0)
		return st.st_uid != 0 ? st.st_uid : (uid_t) -1;
	return geteuid();
}

static bool
run_decrypt(const Options *options, EsgPassphrase *passphrase)
{
	EsgKeyRule	rule = {expected_owner(options), ESG_KEY_MODE_ANY};
	EsgPairStatus status;

	return read_pair(options->directory, options, &rule, passphrase, &status) &&
		print_passphrase(passphrase);
}

static void
tell_to_tidy(const Case *c)
{
	if (strcmp(c->rules.key_name, SERVER_KEY) == 0)
		esg_rules_tell_command(&c->rules, "ssl_guard_ctl tidy -D");
	else if (strcmp(c->rules.key_name, CLIENT_KEY) == 0)
		esg_rules_tell_command(&c->rules, "ssl_guard_ctl tidy -M client -D");
	else
		esg_rules_tell_key_command(&c->rules, "ssl_guard_ctl tidy --key");
}

/* Whatever the state of the pair. */
static void
tell_leftovers(const Case *c)
{
	static const char *const suffixes[] = {ESG_PENDING_SUFFIX, ESG_UNFINISHED_SUFFIX};
	bool		found = false;
	size_t		i;

	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
	{
		if (!esg_secret_pair_is_leftover(c->directory, c->rules.key_name, suffixes[i]))
			continue;
		found = true;
		esg_message_warning("\"%s/%s%s\" was left behind when an \"encrypt\" was interrupted",
							c->directory, c->rules.key_name, suffixes[i]);
	}
	if (found)
		tell_to_tidy(c);
}

static bool
check_directory(const Case *c)
{
	struct stat st;

	return stat(c->directory, &st) != 0 || esg_rules_check_directory(&c->rules, &st);
}

/* As the server's user. */
static bool
check_pair(const Options *options, const Case *c, EsgPassphrase *passphrase)
{
	EsgKeyRule	rule = {c->user.reader.uid, c->rules.max_mode};
	EsgPairStatus status;

	tell_leftovers(c);
	if (!read_pair(c->directory, options, &rule, passphrase, &status))
	{
		esg_rules_tell_remedy(&c->rules, status.error);
		return false;
	}
	return esg_rules_check_file(&c->rules, "") && try_key(options, passphrase, false) &&
		check_directory(c);
}

/* Only where the group may read does a list say what the mode does not. */
static void
warn_of_list(const Options *options)
{
	static const char *const suffixes[] = {"", ESG_CIPHER_SUFFIX, ESG_RANDOM_SUFFIX, ESG_PENDING_SUFFIX};
	char		path[ESG_PAIR_PATH_SIZE];
	size_t		i;

	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
	{
		snprintf(path, sizeof(path), "%s/%s%s", options->directory, options->key_name, suffixes[i]);
		if (esg_acl_names_reader(path))
			esg_message_warning("by its access control list, others may read file \"%s\"; "
								"\"setfacl -b\" takes the list away", path);
	}
}

static bool
run_check(const Options *options, EsgPassphrase *passphrase)
{
	Case		c;
	Options		absolute = *options;
	bool		good;

	if (!begin_case(&c, options))
		return false;
	absolute.directory = c.directory;
	esg_rules_find_remedy(&c.rules, true);
	good = esg_server_user_become(&c.user) && check_pair(&absolute, &c, passphrase);
	/* by the absolute path: the user may not pass our working directory */
	warn_of_list(&absolute);
	if (good)
	{
		printf("the pair is usable");
		print_for_user(&c.user);
	}
	end_case(&c);
	return good;
}

static const Command commands[] = {
	{"encrypt", true, true, run_encrypt},
	{"decrypt", false, false, run_decrypt},
	{"check", false, true, run_check},
	{"tidy", false, true, run_tidy}
};

static const Command *
find_command(const char *name)
{
	size_t		i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	esg_message_error("unknown command \"%s\"", name);
	return NULL;
}

static bool
parse_mode(const char *mode, Options *options)
{
	if (strcmp(mode, "server") == 0)
		options->key_name = SERVER_KEY;
	else if (strcmp(mode, "client") == 0)
		options->key_name = CLIENT_KEY;
	else
		return esg_message_error("unknown mode \"%s\"", mode);
	options->mode = mode;
	return true;
}

/* What --key stands for: the directory of the key, and its name there. */
static bool
settle_key(Options *options)
{
	static char directory[ESG_PAIR_PATH_SIZE];
	const char *slash;
	int			len;

	if (!options->key_file)
		return true;
	if (options->directory || options->mode)
		return esg_message_error("option --key stands for -D and -M");
	slash = strrchr(options->key_file, '/');
	options->key_name = slash ? slash + 1 : options->key_file;
	if (strcmp(options->key_name, "") == 0 || strcmp(options->key_name, ".") == 0 ||
		strcmp(options->key_name, "..") == 0)
		return esg_message_error("\"%s\" is not the name of a file", options->key_file);
	/* the slash itself where that is the root directory */
	len = slash ? (int) (slash - options->key_file) + (slash == options->key_file) : 0;
	if ((int) strlen(options->key_name) > MAX_KEY_NAME || len >= (int) sizeof(directory))
		return esg_message_error("the name of the key file is too long");
	snprintf(directory, sizeof(directory), "%.*s", len, options->key_file);
	options->directory = slash ? directory : ".";
	return true;
}

static bool
parse_max_mode(const char *mode, Options *options)
{
	char	   *end;
	unsigned long bits = strtoul(mode, &end, 8);

	if (mode[0] < '0' || mode[0] > '7' || *end != '\0' || bits > 0777)
		return esg_message_error("invalid mode \"%s\": octal digits are needed, such as 0400", mode);
	options->max_mode = (int) bits;
	return true;
}

/* False for what is none, or has a faulty value. */
static bool
take_long_option(int c, Options *options)
{
	if (c == 'k')
		options->key_file = optarg;
	if (c == 'U')
		options->user = optarg;
	return c == 'k' || c == 'U' || (c == 'm' && parse_max_mode(optarg, options));
}

static const struct option long_options[] = {
	{"directory", required_argument, NULL, 'D'},
	{"mode", required_argument, NULL, 'M'},
	{"key", required_argument, NULL, 'k'},
	{"passphrase-file", required_argument, NULL, 'f'},
	{"force", no_argument, NULL, 'F'},
	{"user", required_argument, NULL, 'U'},
	{"max-mode", required_argument, NULL, 'm'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0}
};

/*
 * getopt_long() takes "--passphrase=…" for an abbreviation of --passphrase-file,
 * and shows the whole word where it knows no option: whoever writes a passphrase
 * there must be refused, and not be quoted.  So no abbreviations.
 */
static bool
check_long_options(int argc, char **argv)
{
	int			i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
	{
		const struct option *option = long_options;
		const char *name = argv[i] + 2;
		size_t		len;

		if (strncmp(argv[i], "--", 2) != 0)
			continue;
		len = strcspn(name, "=");
		while (option->name && (strlen(option->name) != len || strncmp(option->name, name, len) != 0))
			option++;
		if (!option->name)
			return esg_message_error("unknown option \"--%.*s\"", (int) len, name);
	}
	return true;
}

/* The options before, between and after the command; -1, or the exit status. */
static int
parse_options(int argc, char **argv, Options *options)
{
	int			c;

	if (!check_long_options(argc, argv))
		return fail_usage();
	while ((c = getopt_long(argc, argv, "D:M:Vh", long_options, NULL)) != -1)
	{
		switch (c)
		{
			case 'D':
				options->directory = optarg;
				break;
			case 'M':
				if (!parse_mode(optarg, options))
					return fail_usage();
				break;
			case 'f':
				options->passphrase_file = optarg;
				break;
			case 'F':
				options->force = true;
				break;
			case 'V':
				printf("ssl_guard_ctl (ext_ssl_guard) %s\n", ESG_VERSION);
				return EXIT_SUCCESS;
			case 'h':
				print_help();
				return EXIT_SUCCESS;
			default:
				if (!take_long_option(c, options))
					return fail_usage();
		}
	}
	return settle_key(options) ? -1 : fail_usage();
}

static bool
fits_judging(const Command *command, const Options *options)
{
	if (!command->judges && options->user)
		return esg_message_error("option --user is not for \"%s\"", command->name);
	return command->run == run_check || options->max_mode < 0 ||
		esg_message_error("option --max-mode is for \"check\" only");
}

/* What getopt_long() leaves: exactly one command, and options that fit it. */
static const Command *
parse_command(int argc, char **argv, const Options *options)
{
	const Command *command;

	if (optind == argc)
	{
		esg_message_error("no command given");
		return NULL;
	}
	if (optind + 1 < argc)
	{
		/* the passphrase might be there by mistake: say no more about it */
		esg_message_error("more than one command given");
		return NULL;
	}
	command = find_command(argv[optind]);
	if (!command)
		return NULL;
	if (!options->directory)
	{
		esg_message_error("no directory given: option -D is needed");
		return NULL;
	}
	if (!command->writes && (options->passphrase_file || options->force))
	{
		esg_message_error("options --passphrase-file and --force are for \"encrypt\" only");
		return NULL;
	}
	return fits_judging(command, options) ? command : NULL;
}

/*
 * Whoever closed standard input, output or error must not find there a file
 * that we open: messages would go into it.  Using them fails as if they were
 * closed still.
 */
static bool
occupy_standard_files(void)
{
	int			fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return false;
	return true;
}

static int
run(const Command *command, const Options *options)
{
	EsgPassphrase *passphrase;
	bool		good;

	signal(SIGXFSZ, SIG_IGN);	/* a full disk is an error, not a signal */
	esg_memory_protect();
	passphrase = esg_memory_allocate();
	if (!passphrase)
	{
		esg_message_error("out of memory");
		return EXIT_FAILURE;
	}
	good = command->run(options, passphrase);
	esg_secret_format_wipe(passphrase);
	esg_secret_forget_stack();
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	Options		options = {NULL, SERVER_KEY, NULL, NULL, NULL, NULL, -1, false};
	const Command *command;
	int			status;

	if (!occupy_standard_files())
		return EXIT_FAILURE;
	status = parse_options(argc, argv, &options);
	if (status < 0)
	{
		command = parse_command(argc, argv, &options);
		status = command ? run(command, &options) : fail_usage();
	}
	if (fflush(stdout) != 0 && status == EXIT_SUCCESS)
	{
		esg_message_error("could not write to standard output: %s", strerror(errno));
		status = EXIT_FAILURE;
	}
	return status;
}
