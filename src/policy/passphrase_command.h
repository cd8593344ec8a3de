/*
 * policy/passphrase_command.h
 *		What the text of ssl_passphrase_command shows without being run.
 *
 * Pure.
 */
#ifndef ESG_POLICY_PASSPHRASE_COMMAND_H
#define ESG_POLICY_PASSPHRASE_COMMAND_H

#include <stdbool.h>

#define ESG_COMMAND_WORD_SIZE 1024
#define ESG_COMMAND_MAX_FILES 4
#define ESG_COMMAND_MAX_VARIABLES 4
#define ESG_COMMAND_NAME_SIZE 32

typedef struct EsgPassphraseCommand
{
	bool		has_secret;		/* the passphrase, or another secret, stands
								 * there */
	bool		asks_person;	/* a terminal, or a window */
	char		program[ESG_COMMAND_WORD_SIZE]; /* the first one; "": none
												 * that is known for certain */
	bool		reads_input;	/* of the server's, or what it is given */
	int			variable_count;
	char		variables[ESG_COMMAND_MAX_VARIABLES][ESG_COMMAND_NAME_SIZE];	/* their values stand
																				 * there */
	bool		files_may_be_missing;	/* it depends on something whether, or
										 * where, they are looked for */
	int			file_count;
	char		files[ESG_COMMAND_MAX_FILES][ESG_COMMAND_WORD_SIZE];	/* it prints them as
																		 * they are */
	char		shown[ESG_COMMAND_WORD_SIZE + 8];	/* the command without
													 * what may be a secret */
} EsgPassphraseCommand;

extern void esg_passphrase_command_read(const char *text, EsgPassphraseCommand *out);

#endif							/* ESG_POLICY_PASSPHRASE_COMMAND_H */
