/*
 * fuzz_setting.c
 *		Settings as they stand in configuration files that others wrote.
 *
 * What is taken is within its bounds; a list ends, and no item of it is longer than
 * the text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "policy/setting_text.h"
#include "policy/tls_settings.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_list(const char *text, size_t size)
{
	const char *rest = text;
	char	   *item = malloc(size + 1);
	size_t		count = 0;

	must(item != NULL);
	while (rest != NULL && esg_setting_text_next_path(&rest, item, size + 1))
	{
		const char *path = item;

		(void) esg_setting_text_take_kind(&path);
		must(strlen(item) <= size && ++count <= size + 1);
	}
	free(item);
}

static void
read_values(const char *text)
{
	EsgOverrides overrides;
	EsgSettingFault fault;
	unsigned	mode;
	int64_t		number;

	if (esg_setting_text_mode(text, &mode))
		must(mode <= 0777);
	if (esg_setting_text_seconds(text, &number))
		must(number >= 0);
	(void) esg_setting_text_number(text, &number);
	(void) esg_tls_settings_reach_others(text);
	if (!esg_setting_text_overrides(text, overrides, &fault))
		must(fault.detail[0] != '\0' && strlen(fault.detail) < sizeof(fault.detail));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *text = copy_text(data, size);

	read_values(text);
	read_list(text, size);
	free(text);
	return 0;
}
