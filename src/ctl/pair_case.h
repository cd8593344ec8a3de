/*
 * ctl/pair_case.h
 *		A passphrase pair, its key, and the user for whom they are there.
 *
 * What "encrypt", "decrypt", "check" and "tidy" have in common.
 */
#ifndef ESG_CTL_PAIR_CASE_H
#define ESG_CTL_PAIR_CASE_H

#include <stdbool.h>

#include "ctl/pair_options.h"
#include "ctl/rules.h"
#include "ctl/server_user.h"
#include "secret/pair.h"

/* One of the commands. */
typedef struct EsgPairCommand
{
	const char *name;
	const char *help;
	bool		writes;			/* takes --passphrase-file and --force */
	bool		judges;			/* takes --user */
	bool		compares_modes; /* takes --max-mode */
	bool		(*run) (const EsgPairOptions *options, EsgPassphrase *passphrase);
} EsgPairCommand;

/* Parses, protects the memory, runs; the exit status. */
extern int	esg_pair_case_run(const EsgPairCommand *command, int argc, char **argv);

/* The rules with what they are about; paths as the server has them, from the root. */
typedef struct EsgPairCase
{
	char		directory[ESG_PAIR_PATH_SIZE];
	EsgServerUser user;
	EsgRules	rules;
} EsgPairCase;

/* False with a message; after that there is nothing to end. */
extern bool esg_pair_case_begin(EsgPairCase *c, const EsgPairOptions *options);
extern void esg_pair_case_end(EsgPairCase *c);

/*
 * Tries the passphrase on the key beside the pair.  What is not there cannot be
 * tried: the key may be elsewhere, or come later.  Whoever is about to encrypt
 * a key makes the pair before, so that no restart in between can fail.
 */
extern bool esg_pair_case_try_key(const EsgPairOptions *options, const EsgPassphrase *passphrase,
								  bool plain_key_allowed);

/* False with a message, for which status says why. */
extern bool esg_pair_case_read(const char *directory, const EsgPairOptions *options,
							   const EsgKeyRule *rule, EsgPassphrase *passphrase,
							   EsgPairStatus *status);

/* The end of a line on standard output: to whom root gave it, or gave access to it. */
extern void esg_pair_case_print_user(const EsgServerUser *user);

#endif							/* ESG_CTL_PAIR_CASE_H */
