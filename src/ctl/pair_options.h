/*
 * ctl/pair_options.h
 *		What the commands that keep a passphrase pair are told.
 */
#ifndef ESG_CTL_PAIR_OPTIONS_H
#define ESG_CTL_PAIR_OPTIONS_H

#include <stdbool.h>

#define ESG_SERVER_KEY "server.key"
#define ESG_CLIENT_KEY "client.key"

/* exit status of these commands for wrong usage */
#define ESG_PAIR_EXIT_USAGE 2

typedef struct EsgPairOptions
{
	const char *directory;
	const char *key_name;
	const char *mode;			/* of which key, or NULL: nobody said */
	const char *key_file;		/* that stands for both; NULL likewise */
	const char *passphrase_file;
	const char *user;			/* the server's, if root said */
	int			max_mode;		/* of key and pair; -1: nobody said */
	bool		force;
} EsgPairOptions;

/*
 * All options of all these commands; what is no option comes to be the end of
 * argv, from optind on.  Returns -1, or the exit status: --help prints help,
 * wrong usage has a message.  command: whose help is recommended; NULL: the
 * program's.
 */
extern int	esg_pair_options_parse(int argc, char **argv, const char *command, const char *help,
								   EsgPairOptions *options);

/* "Try … --help"; ESG_PAIR_EXIT_USAGE */
extern int	esg_pair_options_fail(const char *command);

/* the options that several of them have, for their help */
#define ESG_PAIR_HELP_WHERE \
	"  -D, --directory DIR       where the pair is, or will be\n" \
	"  -M, --mode server|client  the key is server.key [default] or client.key\n" \
	"      --key FILE            the key, of any name, in place of -D and -M; the pair is\n" \
	"                            beside it: FILE.cipher and FILE.rand, so that a directory\n" \
	"                            may have several\n"
#define ESG_PAIR_HELP_USER \
	"      --user USER           name or number of the server's user, whose rights count\n" \
	"                            when root runs this [the owner of the data directory\n" \
	"                            that DIR or the key in it belongs to; else postgres]\n"
#define ESG_PAIR_HELP_END \
	"  -V, --version             print the version\n" \
	"  -h, --help                print this help\n" \
	"\n" \
	"Exit status: 0 done, 1 refused or failed, 2 wrong usage.\n"

#endif							/* ESG_CTL_PAIR_OPTIONS_H */
