/*
 * fuzz_deny.c
 *		Lists of denied certificates as they stand in a setting.
 *
 * The first octet chooses what is looked for; the rest is the list.  What is taken is
 * found again, by what is written of it, too; a fault is within the text.
 */
#include <stdint.h>

#include "checks.h"
#include "policy/deny_list.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The entry's own words make a list of that entry. */
static void
check_text_of(const EsgDenyEntry *entry)
{
	EsgDenyList *again = malloc(sizeof(EsgDenyList) + sizeof(EsgDenyEntry));
	EsgDenyError error;
	char		text[ESG_DENY_TEXT_SIZE];

	esg_deny_list_entry_text(entry, text);
	must(again != NULL && esg_deny_list_size(text) <= sizeof(EsgDenyList) + sizeof(EsgDenyEntry));
	must(esg_deny_list_parse(text, again, &error) && again->count == 1);
	must(memcmp(&again->entries[0], entry, sizeof(*entry)) == 0);
	free(again);
}

static void
check_found(const EsgDenyList *list, const EsgDenyEntry *entry)
{
	static const unsigned char other[ESG_DIGEST_SIZE] = {0xA5};
	const char *serial = entry->serial[0] != '\0' ? entry->serial : NULL;
	int			first;
	int			end;

	must(esg_deny_list_find(list, serial, entry->digest) == entry);
	if (serial == NULL)
	{
		must(esg_deny_list_matches(list, entry->digest, "00", NULL));
		return;
	}
	must(esg_deny_list_matches(list, other, serial, entry->digest));
	must(esg_deny_list_has_serial(list, serial));
	end = esg_deny_list_serial_range(list, serial, &first);
	must(first <= entry - list->entries && entry - list->entries < end && end <= list->count);
}

/* Every certificate that it denies is one that it names. */
static void
check_others(const EsgDenyList *list, const unsigned char *digest)
{
	bool		named = false;

	for (int i = 0; i < list->count; i++)
	{
		const EsgDenyEntry *entry = &list->entries[i];

		named = named || (entry->serial[0] == '\0' && memcmp(entry->digest, digest, ESG_DIGEST_SIZE) == 0);
	}
	must(esg_deny_list_matches(list, digest, "00", NULL) == named);
}

static void
check_list(const EsgDenyList *list, unsigned chosen)
{
	unsigned char near[ESG_DIGEST_SIZE];

	must(list->count > 0 && list->serial_count <= list->count);
	for (int i = 0; i < list->count; i++)
	{
		const EsgDenyEntry *entry = &list->entries[i];

		must(memchr(entry->serial, '\0', ESG_DENY_SERIAL_SIZE) != NULL);
		must((i < list->count - list->serial_count) == (entry->serial[0] == '\0'));
		check_found(list, entry);
		check_text_of(entry);
	}
	memcpy(near, list->entries[chosen % (unsigned) list->count].digest, sizeof(near));
	check_others(list, near);
	near[chosen % ESG_DIGEST_SIZE] ^= 1;
	check_others(list, near);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *text = copy_text(data, size);
	EsgDenyError error;
	EsgDenyList *list;
	size_t		needed;

	needed = size > 0 ? esg_deny_list_size(text + 1) : 0;
	list = needed > 0 ? malloc(needed) : NULL;
	if (list != NULL && esg_deny_list_parse(text + 1, list, &error))
		check_list(list, data[0]);
	else if (list != NULL)
		must(error.reason != NULL && error.entry > 0 && error.position > 0 &&
			 (size_t) error.position <= strlen(text + 1) + 1);
	free(list);
	free(text);
	return 0;
}
