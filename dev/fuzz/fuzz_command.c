/*
 * fuzz_command.c
 *		A passphrase command that others wrote, read without being run.
 *
 * What is found has its bounds and ends.  What is shown can be shown; a secret that
 * stands behind "echo" and in quotes is not in it.
 */
#include <stdint.h>
#include <stdio.h>

#include "checks.h"
#include "policy/passphrase_command.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ENDS(text) (memchr(text, '\0', sizeof(text)) != NULL)

static void
look_at(const EsgPassphraseCommand *command)
{
	must(command->file_count >= 0 && command->file_count <= ESG_COMMAND_MAX_FILES);
	must(command->variable_count >= 0 && command->variable_count <= ESG_COMMAND_MAX_VARIABLES);
	must(ENDS(command->program) && ENDS(command->shown));
	for (int i = 0; i < command->file_count; i++)
		must(ENDS(command->files[i]));
	for (int i = 0; i < command->variable_count; i++)
		must(ENDS(command->variables[i]) && command->variables[i][0] != '\0');
}

static void
read_command(const char *text)
{
	EsgPassphraseCommand first;
	EsgPassphraseCommand again;

	memset(&first, 0x55, sizeof(first));
	esg_passphrase_command_read(text, &first);
	look_at(&first);
	memset(&again, 0xAA, sizeof(again));
	esg_passphrase_command_read(text, &again);
	must(first.has_secret == again.has_secret && first.asks_person == again.asks_person);
	must(first.reads_input == again.reads_input && first.file_count == again.file_count);
	must(strcmp(first.program, again.program) == 0 && strcmp(first.shown, again.shown) == 0);
}

/* Between single quotes everything is what is printed, but options of "echo". */
static void
read_secret(const char *secret)
{
	static EsgPassphraseCommand command;
	char		text[256];

	if (strcmp(secret, "/dev/tty") == 0 || strlen(secret) < 8 || strlen(secret) > 64 || strpbrk(secret, "'%\\\n") != NULL ||
		strstr("echo ...", secret) != NULL || (secret[0] == '-' && secret[1 + strspn(secret + 1, "neE")] == '\0'))
		return;
	snprintf(text, sizeof(text), "echo '%s'", secret);
	esg_passphrase_command_read(text, &command);
	must(command.has_secret && strstr(command.shown, secret) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *text = copy_text(data, size);

	read_command(text);
	read_secret(text);
	free(text);
	return 0;
}
