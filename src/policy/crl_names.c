/*
 * policy/crl_names.c
 *		Names of the files in ssl_crl_dir, as OpenSSL looks for CRLs.
 */
#include "policy/crl_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "compat.h"

#define HASH_LENGTH 8
#define FIRST_DIGIT (HASH_LENGTH + 2)	/* behind ".r" */

typedef struct HashName
{
	char		hash[HASH_LENGTH + 1];
	int			number;
	bool		passed;			/* the search goes on behind it */
	bool		reached;		/* those before it are there and are passed */
} HashName;

struct EsgCrlNames
{
	int			count;
	HashName	items[];		/* sorted */
};

static const char *
skip_directory(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* a decimal number as OpenSSL writes it: no sign, no leading zero */
static bool
is_plain_number(const char *text)
{
	if (text[0] == '0')
		return text[1] == '\0';
	return text[0] != '\0' && strlen(text) <= 9 &&
		strspn(text, "0123456789") == strlen(text);
}

bool
esg_crl_names_is_hash(const char *path)
{
	const char *name = skip_directory(path);

	return strspn(name, "0123456789abcdef") == HASH_LENGTH &&
		strncmp(name + HASH_LENGTH, ".r", 2) == 0 && is_plain_number(name + FIRST_DIGIT);
}

/* A name of that kind. */
static void
read_name(const char *path, HashName *out)
{
	const char *name = skip_directory(path);

	memset(out, 0, sizeof(*out));
	memcpy(out->hash, name, HASH_LENGTH);
	out->number = atoi(name + FIRST_DIGIT);
}

static void
print_hash(const X509_CRL *crl, char *hash, size_t size)
{
	snprintf(hash, size, "%08lx", X509_NAME_hash_ex(X509_CRL_get_issuer(crl), NULL, NULL, NULL));
	ERR_clear_error();
}

static int
compare_names(const void *a, const void *b)
{
	const HashName *left = a;
	const HashName *right = b;
	int			order = strcmp(left->hash, right->hash);

	return order != 0 ? order : (left->number > right->number) - (left->number < right->number);
}

/* Does the search for a hash go on from one name to the other? */
static bool
goes_on(const HashName *from, const HashName *to)
{
	return from->reached && from->passed && to->number == from->number + 1 &&
		strcmp(from->hash, to->hash) == 0;
}

EsgCrlNames *
esg_crl_names_make(const EsgCrlFileName *files, int count, bool passes_over)
{
	EsgCrlNames *names = OPENSSL_zalloc(sizeof(EsgCrlNames) + (size_t) count * sizeof(HashName));
	int			i;

	if (names == NULL)
		return NULL;
	for (i = 0; i < count; i++)
	{
		HashName   *name = &names->items[names->count];

		if (!esg_crl_names_is_hash(files[i].path))
			continue;
		read_name(files[i].path, name);
		name->passed = files[i].loads || passes_over;
		names->count++;
	}
	qsort(names->items, (size_t) names->count, sizeof(HashName), compare_names);
	for (i = 0; i < names->count; i++)
		names->items[i].reached = names->items[i].number == 0 ||
			(i > 0 && goes_on(&names->items[i - 1], &names->items[i]));
	return names;
}

void
esg_crl_names_free(EsgCrlNames *names)
{
	OPENSSL_free(names);
}

static const HashName *
find_name(const EsgCrlNames *names, const char *hash, int number)
{
	HashName	key = {.number = number};

	memcpy(key.hash, hash, HASH_LENGTH);
	return bsearch(&key, names->items, (size_t) names->count, sizeof(HashName), compare_names);
}

bool
esg_crl_names_finds(const EsgCrlNames *names, const char *path, const X509_CRL *crl)
{
	char		hash[32];
	HashName	name;
	const HashName *found;

	if (!esg_crl_names_is_hash(path))
		return false;
	read_name(path, &name);
	print_hash(crl, hash, sizeof(hash));
	found = find_name(names, hash, name.number);
	return strcmp(hash, name.hash) == 0 && found != NULL && found->reached;
}

void
esg_crl_names_remark(const EsgCrlNames *names, const X509_CRL *crl, EsgRemark *remark)
{
	char		hash[32];
	const HashName *name;
	int			number = 0;

	print_hash(crl, hash, sizeof(hash));
	while ((name = find_name(names, hash, number)) != NULL && name->passed)
		number++;
	if (name != NULL)
		esg_remark_say(remark, "it stops at file \"%s.r%d\"", hash, number);
	else
		esg_remark_say(remark, "no file with its content is named \"%s.r%d\"", hash, number);
}
