/*
 * policy/deny_list.c
 *		Certificates that are denied by name: a list, parsed and looked up.
 */
#include "policy/deny_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#define BLANKS " \t\r\n\v\f"

static bool
is_blank(char c)
{
	return c != '\0' && strchr(BLANKS, c) != NULL;
}

size_t
esg_deny_list_size(const char *text)
{
	size_t		count = 1;

	if (text[strspn(text, BLANKS)] == '\0')
		return 0;
	for (; (text = strchr(text, ',')) != NULL; text++)
		count++;
	return offsetof(EsgDenyList, entries) + count * sizeof(EsgDenyEntry);
}

static char
upper_hex(char digit)
{
	return digit >= 'a' ? (char) (digit - 'a' + 'A') : digit;
}

/*
 * Upper case, without colons and leading zeros; "-" before a negative one.  The
 * rest of out is zeroes, so that entries can be compared as bytes.
 */
static bool
normalize_serial(const char *text, size_t len, char *out)
{
	size_t		used = 0;
	size_t		digits = 0;
	size_t		i;

	memset(out, 0, ESG_DENY_SERIAL_SIZE);
	if (len > 0 && text[0] == '-')
		out[used++] = '-';
	for (i = used; i < len; i++)
	{
		/* a colon stands between two digits */
		if (text[i] == ':' && digits > 0 && text[i - 1] != ':' && i + 1 < len)
			continue;
		if (OPENSSL_hexchar2int((unsigned char) text[i]) < 0)
			return false;
		digits++;
		if (text[i] == '0' && (used == 0 || out[used - 1] == '-'))
			continue;
		if (used == ESG_DENY_SERIAL_SIZE - 1)
			return false;
		out[used++] = upper_hex(text[i]);
	}
	/* zero has no sign */
	if (digits > 0 && (used == 0 || out[used - 1] == '-'))
		memcpy(out, "0", 2);
	return digits > 0;
}

/* NULL: the entry is good */
static const char *
parse_entry(const char *item, size_t len, EsgDenyEntry *out)
{
	const char *at = memchr(item, '@', len);
	const char *digest = at != NULL ? at + 1 : item;

	memset(out, 0, sizeof(*out));
	if (len == 0)
		return "is empty";
	if (at != NULL && !normalize_serial(item, (size_t) (at - item), out->serial))
		return "has no serial number of at most 47 hexadecimal digits before the \"@\"";
	if (!esg_x509_info_fingerprint_parse(digest, (size_t) (item + len - digest), out->digest))
		return at != NULL ? "has no SHA-256 fingerprint of an issuer behind the \"@\"" :
			"is neither a SHA-256 fingerprint nor of the form serial@fingerprint";
	return NULL;
}

static int
compare_entries(const void *a, const void *b)
{
	const EsgDenyEntry *left = a;
	const EsgDenyEntry *right = b;
	int			order = strcmp(left->serial, right->serial);

	return order != 0 ? order : memcmp(left->digest, right->digest, ESG_DIGEST_SIZE);
}

static void
sort_entries(EsgDenyList *list)
{
	int			kept = 0;
	int			i;

	qsort(list->entries, (size_t) list->count, sizeof(EsgDenyEntry), compare_entries);
	for (i = 0; i < list->count; i++)
	{
		if (kept > 0 && compare_entries(&list->entries[kept - 1], &list->entries[i]) == 0)
			continue;
		list->entries[kept++] = list->entries[i];
		list->serial_count += list->entries[i].serial[0] != '\0';
	}
	list->count = kept;
}

bool
esg_deny_list_parse(const char *text, EsgDenyList *out, EsgDenyError *error)
{
	const char *item = text;

	memset(error, 0, sizeof(*error));
	out->count = out->serial_count = 0;
	for (;;)
	{
		const char *end;
		size_t		len;

		item += strspn(item, BLANKS);
		end = item + strcspn(item, ",");
		for (len = (size_t) (end - item); len > 0 && is_blank(item[len - 1]);)
			len--;
		error->reason = parse_entry(item, len, &out->entries[out->count]);
		if (error->reason != NULL)
		{
			error->entry = out->count + 1;
			error->position = (int) (item - text) + 1;
			return false;
		}
		out->count++;
		if (*end == '\0')
			break;
		item = end + 1;
	}
	sort_entries(out);
	return true;
}

const EsgDenyEntry *
esg_deny_list_find(const EsgDenyList *list, const char *serial, const unsigned char *digest)
{
	EsgDenyEntry wanted;

	if (list == NULL || (serial != NULL && list->serial_count == 0))
		return NULL;
	memset(&wanted, 0, sizeof(wanted));
	if (serial != NULL && !normalize_serial(serial, strlen(serial), wanted.serial))
		return NULL;
	memcpy(wanted.digest, digest, ESG_DIGEST_SIZE);
	return bsearch(&wanted, list->entries, (size_t) list->count, sizeof(wanted), compare_entries);
}

static int
compare_serial(const void *serial, const void *entry)
{
	return strcmp(serial, ((const EsgDenyEntry *) entry)->serial);
}

int
esg_deny_list_serial_range(const EsgDenyList *list, const char *serial, int *first)
{
	char		wanted[ESG_DENY_SERIAL_SIZE];
	const EsgDenyEntry *found = NULL;
	int			last;

	*first = 0;
	if (list != NULL && list->serial_count > 0 &&
		normalize_serial(serial, strlen(serial), wanted))
		found = bsearch(wanted, list->entries, (size_t) list->count, sizeof(*found),
						compare_serial);
	if (found == NULL)
		return 0;
	*first = last = (int) (found - list->entries);
	while (*first > 0 && strcmp(list->entries[*first - 1].serial, wanted) == 0)
		(*first)--;
	while (last < list->count && strcmp(list->entries[last].serial, wanted) == 0)
		last++;
	return last;
}

bool
esg_deny_list_has_serial(const EsgDenyList *list, const char *serial)
{
	int			first;

	return esg_deny_list_serial_range(list, serial, &first) > 0;
}

bool
esg_deny_list_matches(const EsgDenyList *list, const unsigned char *fingerprint,
					  const char *serial, const unsigned char *issuer)
{
	if (list == NULL)
		return false;
	return esg_deny_list_find(list, NULL, fingerprint) != NULL ||
		(issuer != NULL && esg_deny_list_find(list, serial, issuer) != NULL);
}

void
esg_deny_list_entry_text(const EsgDenyEntry *entry, char *buf)
{
	char		digest[ESG_FINGERPRINT_TEXT_SIZE];

	esg_x509_info_fingerprint_text(entry->digest, digest);
	snprintf(buf, ESG_DENY_TEXT_SIZE, "%s%s%s", entry->serial,
			 entry->serial[0] != '\0' ? "@" : "", digest);
}
