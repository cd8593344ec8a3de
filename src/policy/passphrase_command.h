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

typedef struct EsgPassphraseCommand
{
	bool		has_secret;		/* the passphrase, or another secret, stands
								 * there */
	bool		asks_person;	/* a terminal, or a window */
	char		program[ESG_COMMAND_WORD_SIZE]; /* the first one; "": none
												 * that is known for certain */
	int			file_count;
	char		files[ESG_COMMAND_MAX_FILES][ESG_COMMAND_WORD_SIZE];	/* it prints them as
																		 * they are */
	char		shown[ESG_COMMAND_WORD_SIZE + 8];	/* the command without
													 * what may be a secret */
} EsgPassphraseCommand;

extern void esg_passphrase_command_read(const char *text, EsgPassphraseCommand *out);

#endif							/* ESG_POLICY_PASSPHRASE_COMMAND_H */
