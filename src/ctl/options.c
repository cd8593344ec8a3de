/*
 * ctl/options.c
 *		What the options of all commands have in common.
 */
#include "ctl/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/message.h"

bool
esg_options_check_long(int argc, char **argv, const struct option *known)
{
	int			i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
	{
		const struct option *option = known;
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

int
esg_options_print_version(void)
{
	printf("ssl_guard_ctl (ext_ssl_guard) %s\n", ESG_VERSION);
	return EXIT_SUCCESS;
}

int
esg_options_print_help(const char *help)
{
	fputs(help, stdout);
	return EXIT_SUCCESS;
}
