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
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/acl.h"
#include "ctl/data_directory.h"
#include "ctl/key_file.h"
#include "ctl/memory.h"
#include "ctl/message.h"
#include "ctl/pair_writer.h"
#include "ctl/prompt.h"
#include "secret/forget.h"
#include "secret/pair.h"

#define EXIT_USAGE 2

typedef struct Options
{
	const char *directory;
	const char *key_name;
	const char *passphrase_file;
	bool		force;
} Options;

typedef struct Command
{
	const char *name;
	bool		writes;			/* takes --passphrase-file and --force */
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
		   "  ssl_guard_ctl decrypt -D DIR [-M server|client]\n"
		   "  ssl_guard_ctl check   -D DIR [-M server|client]\n"
		   "\n"
		   "Commands:\n"
		   "  encrypt   ask for the passphrase, try it on the key in DIR, write the pair\n"
		   "  decrypt   print the passphrase\n"
		   "  check     say whether the pair is whole, protected, and opens the key in DIR\n"
		   "\n"
		   "Options:\n"
		   "  -D, --directory DIR       where the pair is, or will be\n"
		   "  -M, --mode server|client  the key is server.key [default] or client.key\n"
		   "      --passphrase-file FILE\n"
		   "                            take the first line of FILE as the passphrase; without\n"
		   "                            it the terminal is asked twice, or standard input is\n"
		   "                            read if that is not a terminal\n"
		   "      --force               replace an existing pair\n"
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
	EsgPairWriter writer;
	bool		good;

	if (!esg_pair_writer_open(&writer, options->directory, options->key_name, options->force))
		return false;
	good = esg_prompt_read(options->passphrase_file, passphrase) &&
		try_key(options, passphrase, true) &&
		esg_pair_writer_write(&writer, passphrase);
	esg_pair_writer_close(&writer);
	if (good)
	{
		warn_of_backups(options);
		printf("wrote \"%s/%s%s\" and \"%s%s\"\n", options->directory,
			   options->key_name, ESG_CIPHER_SUFFIX, options->key_name, ESG_RANDOM_SUFFIX);
	}
	return good;
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
read_pair(const Options *options, EsgPassphrase *passphrase, EsgPairStatus *status)
{
	char		reason[ESG_PAIR_REASON_SIZE];

	if (esg_secret_pair_read(options->directory, options->key_name,
							 expected_owner(options), passphrase, status))
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

static bool
run_decrypt(const Options *options, EsgPassphrase *passphrase)
{
	EsgPairStatus status;

	return read_pair(options, passphrase, &status) && print_passphrase(passphrase);
}

/* Others could take the pair away, or put another key beside it. */
static void
warn_of_directory(const Options *options)
{
	struct stat st;

	if (stat(options->directory, &st) == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)))
		esg_message_warning("directory \"%s\" is writable by others: mode %04o",
							options->directory, (unsigned) st.st_mode & 07777);
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
	EsgPairStatus status;

	if (!read_pair(options, passphrase, &status) || !try_key(options, passphrase, false))
		return false;
	warn_of_directory(options);
	warn_of_list(options);
	if (status.pending)
		esg_message_note("an \"encrypt\" was interrupted: the pair is usable, \"%s/%s%s\" "
						 "takes the place of \"%s%s\"", options->directory,
						 options->key_name, ESG_PENDING_SUFFIX,
						 options->key_name, ESG_RANDOM_SUFFIX);
	printf("the pair is usable\n");
	return true;
}

static const Command commands[] = {
	{"encrypt", true, run_encrypt},
	{"decrypt", false, run_decrypt},
	{"check", false, run_check}
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
		options->key_name = "server.key";
	else if (strcmp(mode, "client") == 0)
		options->key_name = "client.key";
	else
		return esg_message_error("unknown mode \"%s\"", mode);
	return true;
}

static const struct option long_options[] = {
	{"directory", required_argument, NULL, 'D'},
	{"mode", required_argument, NULL, 'M'},
	{"passphrase-file", required_argument, NULL, 'f'},
	{"force", no_argument, NULL, 'F'},
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
				return fail_usage();
		}
	}
	return -1;
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
	return command;
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
	Options		options = {NULL, "server.key", NULL, false};
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
