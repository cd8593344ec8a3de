/*
 * policy/revocation.c
 *		Which of many certificates do CRLs list?
 */
#include "compat.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "policy/revocation.h"
#include "x509/time.h"

/* One certificate of somebody's chain. */
typedef struct SoughtCert
{
	uint64_t	key;
	int			owner;
	int			next;			/* in its bucket, -1: none */
	bool		is_leaf;
} SoughtCert;

struct EsgRevocationIndex
{
	uint64_t	seed;
	int			count;
	int			capacity;
	uint32_t	mask;			/* of the buckets' numbers */
	int		   *buckets;
	SoughtCert *entries;
};

/* A CRL, and what it is limited to. */
typedef struct CrlInStore
{
	X509_CRL   *crl;			/* borrowed */
	AUTHORITY_KEYID *akid;		/* NULL: it names no key */
	uint64_t	point;			/* digest of the whole limitation, 0: none */
	bool		usable;			/* OpenSSL does not pass over it */
	bool		users;			/* for certificates that are no CA's */
	bool		authorities;
	bool		current;		/* its nextUpdate is yet to come */
} CrlInStore;

/* One CRL being gone through. */
typedef struct CrlWalk
{
	const EsgRevocationIndex *index;
	const CrlInStore *list;
	X509	   *signer;			/* NULL: not known */
	int			verified;		/* of signer's signature: -1 not tried yet */
	bool	   *revoked;
} CrlWalk;

/* ------------------------------------------------------------------------
 * Keys
 * ------------------------------------------------------------------------ */

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

/* -1 is another number than 1, and has the same octets */
static uint64_t
hash_serial(uint64_t issuer, const ASN1_INTEGER *serial)
{
	bool		negative = (ASN1_STRING_type(serial) & V_ASN1_NEG) != 0;

	return esg_revocation_hash(negative ? ~issuer : issuer, ASN1_STRING_get0_data(serial),
							   (size_t) ASN1_STRING_length(serial));
}

static uint64_t
hash_public_key(uint64_t seed, const X509 *ca)
{
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(ca);

	if (key == NULL)
		return ~seed;
	return esg_revocation_hash(seed, ASN1_STRING_get0_data(key), (size_t) ASN1_STRING_length(key));
}

static uint64_t
hash_name(uint64_t seed, const X509_NAME *name)
{
	const unsigned char *der = NULL;
	size_t		len = 0;

	if (X509_NAME_get0_der((X509_NAME *) name, &der, &len) != 1)
		return ~seed;
	return esg_revocation_hash(~seed, der, len);
}

int
esg_revocation_keys(STACK_OF(X509) *chain, uint64_t seed, EsgRevocationKey *keys)
{
	int			last = sk_X509_num(chain) - 1;
	uint64_t	issuer_key = 0;
	int			count;

	for (count = 0; count <= last && count < ESG_REVOCATION_DEPTH; count++)
	{
		const X509 *cert = sk_X509_value(chain, count);
		const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);

		/* the topmost is its own issuer, whose key was just asked for */
		if (count < last || last == 0)
			issuer_key = hash_public_key(seed, sk_X509_value(chain, count < last ? count + 1 : last));
		keys[count].by_key = hash_serial(issuer_key, serial);
		keys[count].by_name = hash_serial(hash_name(seed, X509_get_issuer_name(cert)), serial);
	}
	return count;
}

uint64_t
esg_revocation_key_of(const X509 *ca, const ASN1_INTEGER *serial, uint64_t seed)
{
	return hash_serial(hash_public_key(seed, ca), serial);
}

/* ------------------------------------------------------------------------
 * The certificates
 * ------------------------------------------------------------------------ */

EsgRevocationIndex *
esg_revocation_index_new(int capacity, uint64_t seed)
{
	EsgRevocationIndex *index = OPENSSL_zalloc(sizeof(*index));
	uint32_t	buckets = 64;

	if (index == NULL)
		return NULL;
	/* two entries for each key, and half of the buckets empty */
	while (buckets < 4 * (uint32_t) capacity)
		buckets *= 2;
	index->seed = seed;
	index->capacity = 2 * capacity;
	index->mask = buckets - 1;
	index->buckets = OPENSSL_malloc(buckets * sizeof(int));
	index->entries = OPENSSL_malloc((2 * (size_t) capacity + 1) * sizeof(SoughtCert));
	if (index->buckets == NULL || index->entries == NULL)
	{
		esg_revocation_index_free(index);
		return NULL;
	}
	memset(index->buckets, -1, buckets * sizeof(int));
	return index;
}

void
esg_revocation_index_free(EsgRevocationIndex *index)
{
	if (index == NULL)
		return;
	OPENSSL_free(index->buckets);
	OPENSSL_free(index->entries);
	OPENSSL_free(index);
}

static void
add_entry(EsgRevocationIndex *index, uint64_t key, int owner, bool is_leaf)
{
	int		   *bucket = &index->buckets[key & index->mask];

	if (index->count == index->capacity)
		return;
	index->entries[index->count] = (SoughtCert)
	{
		.key = key,.owner = owner,.next = *bucket,.is_leaf = is_leaf
	};
	*bucket = index->count++;
}

void
esg_revocation_index_add(EsgRevocationIndex *index, const EsgRevocationKey *keys, int count, int owner)
{
	for (int i = 0; i < count; i++)
	{
		add_entry(index, keys[i].by_key, owner, i == 0);
		add_entry(index, keys[i].by_name, owner, i == 0);
	}
}

/* ------------------------------------------------------------------------
 * CRLs
 * ------------------------------------------------------------------------ */

static void
read_limits(CrlInStore *list)
{
	int			place = X509_CRL_get_ext_by_NID(list->crl, NID_issuing_distribution_point, -1);
	ISSUING_DIST_POINT *limits = X509_CRL_get_ext_d2i(list->crl, NID_issuing_distribution_point, NULL, NULL);

	if (limits == NULL)
		return;
	if (place >= 0)
	{
		const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(X509_CRL_get_ext(list->crl, place));

		list->point = esg_revocation_hash(1, ASN1_STRING_get0_data(value), (size_t) ASN1_STRING_length(value));
	}
	list->usable = limits->indirectCRL <= 0 && limits->onlysomereasons == NULL && limits->onlyattr <= 0;
	list->users = limits->onlyCA <= 0;
	list->authorities = limits->onlyuser <= 0;
	ISSUING_DIST_POINT_free(limits);
}

static void
read_list(X509_CRL *crl, int64_t now, CrlInStore *out)
{
	const ASN1_TIME *end = X509_CRL_get0_nextUpdate(crl);

	*out = (CrlInStore)
	{
		.crl = crl,.usable = true,.users = true,.authorities = true
	};
	out->akid = X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, NULL, NULL);
	out->current = end == NULL || esg_x509_time_read(end).unix_seconds > now;
	read_limits(out);
}

/* May this CA's key have signed it?  The names are equal. */
static bool
is_of_ca(const CrlInStore *list, X509 *ca)
{
	return list->usable && (X509_get_key_usage(ca) & KU_CRL_SIGN) != 0 &&
		(list->akid == NULL || X509_check_akid(ca, list->akid) == X509_V_OK);
}

/* Does OpenSSL take the first rather than the second? */
static bool
is_better(const CrlInStore *first, const CrlInStore *second)
{
	if (first->current != second->current)
		return first->current;
	return ASN1_TIME_compare(X509_CRL_get0_lastUpdate(first->crl),
							 X509_CRL_get0_lastUpdate(second->crl)) > 0;
}

/* Is there a better one of the same CA, for the same certificates?  ca NULL: of any that is not known */
static bool
is_superseded(const CrlInStore *lists, int count, int at, X509 *ca)
{
	for (int i = 0; i < count; i++)
	{
		if (i == at || !lists[i].usable || lists[i].point != lists[at].point ||
			(ca != NULL && !is_of_ca(&lists[i], ca)))
			continue;
		if (is_better(&lists[i], &lists[at]) || (i < at && !is_better(&lists[at], &lists[i])))
			return true;
	}
	return false;
}

/* "removeFromCRL" is the end of a hold. */
static bool
is_lifted(const X509_REVOKED *revoked)
{
	ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i((X509_REVOKED *) revoked, NID_crl_reason, NULL, NULL);
	bool		lifted = reason != NULL && ASN1_ENUMERATED_get(reason) == CRL_REASON_REMOVE_FROM_CRL;

	ASN1_ENUMERATED_free(reason);
	return lifted;
}

/* Costs a digest over the whole CRL: asked only when there is something in it for us. */
static bool
is_signed(CrlWalk *walk)
{
	if (walk->signer == NULL)
		return true;
	if (walk->verified < 0)
		walk->verified = X509_CRL_verify(walk->list->crl, X509_get0_pubkey(walk->signer)) == 1;
	return walk->verified == 1;
}

static void
meet_entry(CrlWalk *walk, uint64_t key, const X509_REVOKED *revoked)
{
	const EsgRevocationIndex *index = walk->index;

	for (int i = index->buckets[key & index->mask]; i >= 0; i = index->entries[i].next)
	{
		const SoughtCert *entry = &index->entries[i];

		if (entry->key == key && !walk->revoked[entry->owner] &&
			(entry->is_leaf ? walk->list->users : walk->list->authorities) &&
			!is_lifted(revoked) && is_signed(walk))
			walk->revoked[entry->owner] = true;
	}
}

static void
go_through(CrlWalk *walk)
{
	uint64_t	seed = walk->index->seed;
	STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(walk->list->crl);
	uint64_t	issuer = walk->signer != NULL ? hash_public_key(seed, walk->signer)
	: hash_name(seed, X509_CRL_get_issuer(walk->list->crl));
	int			count = sk_X509_REVOKED_num(entries);

	for (int i = 0; i < count; i++)
	{
		const X509_REVOKED *revoked = sk_X509_REVOKED_value(entries, i);

		meet_entry(walk, hash_serial(issuer, X509_REVOKED_get0_serialNumber(revoked)), revoked);
	}
}

/* Was there a CA with the same key before? */
static bool
is_repeated(STACK_OF(X509) *cas, int at)
{
	for (int i = 0; i < at; i++)
	{
		if (hash_public_key(0, sk_X509_value(cas, i)) == hash_public_key(0, sk_X509_value(cas, at)))
			return true;
	}
	return false;
}

static void
judge_list(const EsgRevocationIndex *index, const CrlInStore *lists, int count, int at,
		   STACK_OF(X509) *cas, bool *revoked)
{
	CrlWalk		walk = {
		.index = index,.list = &lists[at],.verified = -1,.revoked = revoked
	};
	bool		is_known = false;

	for (int i = 0; i < sk_X509_num(cas); i++)
	{
		if (!is_of_ca(&lists[at], sk_X509_value(cas, i)))
			continue;
		is_known = true;
		walk.signer = sk_X509_value(cas, i);
		walk.verified = -1;
		if (!is_repeated(cas, i) && !is_superseded(lists, count, at, walk.signer))
			go_through(&walk);
	}
	if (is_known || !lists[at].usable || is_superseded(lists, count, at, NULL))
		return;
	walk.signer = NULL;
	go_through(&walk);
}

void
esg_revocation_judge(const EsgRevocationIndex *index, STACK_OF(X509_CRL) *crls,
					 STACK_OF(X509) *cas, int64_t now, bool *revoked)
{
	int			count = sk_X509_CRL_num(crls);
	CrlInStore *lists = count > 0 ? OPENSSL_zalloc((size_t) count * sizeof(CrlInStore)) : NULL;

	for (int i = 0; lists != NULL && i < count; i++)
		read_list(sk_X509_CRL_value(crls, i), now, &lists[i]);
	for (int i = 0; lists != NULL && i < count; i++)
		judge_list(index, lists, count, i, cas, revoked);
	for (int i = 0; lists != NULL && i < count; i++)
		AUTHORITY_KEYID_free(lists[i].akid);
	OPENSSL_free(lists);
	ERR_clear_error();
}
