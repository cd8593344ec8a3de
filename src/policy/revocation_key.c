/*
 * policy/revocation_key.c
 *		A certificate as CRLs name it: its serial number, and whose it is.
 */
#include "policy/revocation_key.h"

#include <string.h>

#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "compat.h"

static uint64_t
mix(uint64_t hash)
{
	hash *= UINT64_C(0x9e3779b97f4a7c15);
	hash ^= hash >> 32;
	hash *= UINT64_C(0xd6e8feb86659fd93);
	return hash ^ (hash >> 32);
}

uint64_t
esg_revocation_hash(uint64_t seed, const void *data, size_t len)
{
	const unsigned char *at = data;
	uint64_t	hash = mix(seed ^ (uint64_t) len);
	uint64_t	word;

	for (; len >= sizeof(word); len -= sizeof(word), at += sizeof(word))
	{
		memcpy(&word, at, sizeof(word));
		hash = mix(hash ^ word);
	}
	word = 0;
	if (len > 0)
		memcpy(&word, at, len);
	return mix(hash ^ word);
}

/* ------------------------------------------------------------------------
 * Names
 * ------------------------------------------------------------------------ */

static bool
is_space(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static unsigned char
fold_case(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char) (c - 'A' + 'a') : c;
}

/* Letters of ASCII without case, spaces at the ends not at all, several as one. */
static uint64_t
hash_text(uint64_t hash, const unsigned char *text, int len)
{
	unsigned char folded[128];
	size_t		used = 0;
	bool		begun = false;
	bool		gap = false;
	int			i;

	for (i = 0; i < len; i++)
	{
		if (is_space(text[i]))
		{
			gap = begun;
			continue;
		}
		if (used + 2 > sizeof(folded))
		{
			hash = esg_revocation_hash(hash, folded, used);
			used = 0;
		}
		if (gap)
			folded[used++] = ' ';
		folded[used++] = fold_case(text[i]);
		begun = true;
		gap = false;
	}
	return esg_revocation_hash(hash, folded, used);
}

/* of another encoding */
static uint64_t
hash_converted(uint64_t hash, const ASN1_STRING *value)
{
	unsigned char *text = NULL;
	int			len = ASN1_STRING_to_UTF8(&text, value);

	if (len < 0)
		return ~hash;
	hash = hash_text(hash, text, len);
	OPENSSL_free(text);
	return hash;
}

static uint64_t
hash_value(uint64_t hash, const ASN1_STRING *value)
{
	int			type = ASN1_STRING_type(value);

	switch (type)
	{
		case V_ASN1_UTF8STRING:
		case V_ASN1_PRINTABLESTRING:
		case V_ASN1_IA5STRING:
			return hash_text(hash, ASN1_STRING_get0_data(value), ASN1_STRING_length(value));
		case V_ASN1_T61STRING:
		case V_ASN1_VISIBLESTRING:
		case V_ASN1_BMPSTRING:
		case V_ASN1_UNIVERSALSTRING:
			return hash_converted(hash, value);
		default:
			return esg_revocation_hash(hash ^ (uint64_t) type, ASN1_STRING_get0_data(value),
									   (size_t) ASN1_STRING_length(value));
	}
}

uint64_t
esg_revocation_name(const X509_NAME *name, uint64_t seed)
{
	uint64_t	hash = ~seed;
	int			count = X509_NAME_entry_count(name);
	int			i;

	for (i = 0; i < count; i++)
	{
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
		const ASN1_OBJECT *kind = X509_NAME_ENTRY_get_object(entry);

		hash = esg_revocation_hash(hash ^ (uint64_t) X509_NAME_ENTRY_set(entry),
								   OBJ_get0_data(kind), OBJ_length(kind));
		hash = hash_value(hash, X509_NAME_ENTRY_get_data(entry));
	}
	return hash;
}

/* ------------------------------------------------------------------------
 * Certificates
 * ------------------------------------------------------------------------ */

/* -1 is another number than 1, and has the same octets */
uint64_t
esg_revocation_number(uint64_t issuer_name, const ASN1_INTEGER *serial)
{
	bool		negative = (ASN1_STRING_type(serial) & V_ASN1_NEG) != 0;

	return esg_revocation_hash(negative ? ~issuer_name : issuer_name, ASN1_STRING_get0_data(serial),
							   (size_t) ASN1_STRING_length(serial));
}

uint64_t
esg_revocation_issuer(const X509 *ca, uint64_t seed)
{
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(ca);
	uint64_t	hash = esg_revocation_name(X509_get_subject_name(ca), seed);

	if (key == NULL)
		return ~hash;
	return esg_revocation_hash(hash, ASN1_STRING_get0_data(key), (size_t) ASN1_STRING_length(key));
}

uint32_t
esg_revocation_key_id(const ASN1_OCTET_STRING *id, uint64_t seed)
{
	uint32_t	digest;

	if (id == NULL)
		return 0;
	digest = (uint32_t) esg_revocation_hash(seed, ASN1_STRING_get0_data(id), (size_t) ASN1_STRING_length(id));
	return digest != 0 ? digest : 1;
}

/* The CA of the same name nearest above the issuer that has another key. */
static void
find_above(STACK_OF(X509) *chain, int issuer, uint64_t seed, EsgRevocationKey *key)
{
	const X509_NAME *name = X509_get_subject_name(sk_X509_value(chain, issuer));
	int			i;

	for (i = issuer + 1; i < sk_X509_num(chain) && key->above == 0; i++)
	{
		X509	   *ca = sk_X509_value(chain, i);
		uint64_t	hash;

		if (X509_NAME_cmp(X509_get_subject_name(ca), name) != 0 ||
			(hash = esg_revocation_issuer(ca, seed)) == key->issuer)
			continue;
		key->above = hash;
		key->above_id = esg_revocation_key_id(X509_get0_subject_key_id(ca), seed);
	}
}

static void
describe_issuer(X509 *issuer, uint64_t seed, EsgRevocationKey *key)
{
	key->issuer = esg_revocation_issuer(issuer, seed);
	key->issuer_id = esg_revocation_key_id(X509_get0_subject_key_id(issuer), seed);
}

int
esg_revocation_keys(STACK_OF(X509) *chain, uint64_t seed, EsgRevocationKey *keys)
{
	int			last = sk_X509_num(chain) - 1;
	int			count;

	for (count = 0; count <= last && count < ESG_REVOCATION_DEPTH; count++)
	{
		const X509 *cert = sk_X509_value(chain, count);
		EsgRevocationKey *key = &keys[count];

		/* the topmost is its own issuer, and that of the one below it */
		int			above = count < last ? count + 1 : last;

		memset(key, 0, sizeof(*key));
		key->number = esg_revocation_number(esg_revocation_name(X509_get_issuer_name(cert), seed),
											X509_get0_serialNumber(cert));
		if (count < last || count == 0)
			describe_issuer(sk_X509_value(chain, above), seed, key);
		else
		{
			key->issuer = key[-1].issuer;
			key->issuer_id = key[-1].issuer_id;
		}
		find_above(chain, above, seed, key);
	}
	return count;
}
