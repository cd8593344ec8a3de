/*
 * ctl/decrypt.c
 *		ssl_guard_ctl decrypt: prints the passphrase.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/decrypt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/message.h"
#include "ctl/pair_case.h"

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
expected_owner(const EsgPairOptions *options)
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
run_decrypt(const EsgPairOptions *options, EsgPassphrase *passphrase)
{
	EsgKeyRule	rule = {expected_owner(options), ESG_KEY_MODE_ANY};
	EsgPairStatus status;

	return esg_pair_case_read(options->directory, options, &rule, passphrase, &status) &&
		print_passphrase(passphrase);
}

static const EsgPairCommand command = {
	.name = "decrypt",
	.run = run_decrypt,
	.help =
	"ssl_guard_ctl decrypt prints the passphrase, for the server's setting\n"
	"ssl_passphrase_command, or for a client.\n"
	"\n"
	"Usage:\n"
	"  ssl_guard_ctl decrypt -D DIR [-M server|client]\n"
	"\n"
	"Options:\n"
	ESG_PAIR_HELP_WHERE
	ESG_PAIR_HELP_END
};

int
esg_decrypt_run(int argc, char **argv)
{
	return esg_pair_case_run(&command, argc, argv);
}
