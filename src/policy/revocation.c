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
	EsgRevocationKey key;
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
	uint32_t	key_id;			/* digest of the key's identifier in it; 0:
								 * there is none */
	uint64_t	point;			/* digest of the whole limitation, 0: none */
	bool		usable;			/* OpenSSL does not pass over it */
	bool		users;			/* for certificates that are no CA's */
	bool		authorities;
	bool		current;		/* its nextUpdate is yet to come */
} CrlInStore;

typedef struct KnownCa
{
	X509	   *cert;			/* borrowed */
	uint64_t	digest;			/* see EsgRevocationKey's issuer */
} KnownCa;

/* Has that CA signed that CRL? */
typedef enum Signature
{
	NOT_TRIED = 0,				/* as memory begins */
	SIGNED,
	NOT_SIGNED
} Signature;

/* All that there are of one name. */
typedef struct Judge
{
	const EsgRevocationIndex *index;
	CrlInStore *lists;
	int			list_count;
	KnownCa    *cas;
	int			ca_count;
	Signature  *signatures;		/* of each CRL, by each CA */
	bool	   *revoked;
} Judge;

/* Who vouches for a CRL about a certificate, the better the greater. */
typedef enum Voucher
{
	NOBODY,						/* it is not about that certificate */
	CA_ABOVE,					/* of the issuer's name, in the same chain */
	ISSUER
} Voucher;

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
	while (buckets < 2 * (uint32_t) capacity)
		buckets *= 2;
	index->seed = seed;
	index->capacity = capacity;
	index->mask = buckets - 1;
	index->buckets = OPENSSL_malloc(buckets * sizeof(int));
	index->entries = OPENSSL_malloc(((size_t) capacity + 1) * sizeof(SoughtCert));
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

void
esg_revocation_index_add(EsgRevocationIndex *index, const EsgRevocationKey *keys, int count, int owner)
{
	for (int i = 0; i < count && index->count < index->capacity; i++)
	{
		int		   *bucket = &index->buckets[keys[i].number & index->mask];

		index->entries[index->count] = (SoughtCert)
		{
			.key = keys[i],.owner = owner,.next = *bucket,.is_leaf = i == 0
		};
		*bucket = index->count++;
	}
}

/* The first one with that number from an entry on, or NULL. */
static const SoughtCert *
find_from(const EsgRevocationIndex *index, int at, uint64_t number)
{
	while (at >= 0 && index->entries[at].key.number != number)
		at = index->entries[at].next;
	return at >= 0 ? &index->entries[at] : NULL;
}

static const SoughtCert *
find_first(const EsgRevocationIndex *index, uint64_t number)
{
	return find_from(index, index->buckets[number & index->mask], number);
}

static const SoughtCert *
find_next(const EsgRevocationIndex *index, const SoughtCert *cert)
{
	return find_from(index, cert->next, cert->key.number);
}

void
esg_revocation_find(const EsgRevocationIndex *index, const X509 *ca,
					const ASN1_INTEGER *serial, bool *found)
{
	uint64_t	issuer = esg_revocation_issuer(ca, index->seed);
	uint64_t	name = esg_revocation_name(X509_get_subject_name(ca), index->seed);
	const SoughtCert *cert = find_first(index, esg_revocation_number(name, serial));

	for (; cert != NULL; cert = find_next(index, cert))
	{
		if (cert->is_leaf && cert->key.issuer == issuer)
			found[cert->owner] = true;
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
read_list(X509_CRL *crl, int64_t now, uint64_t seed, CrlInStore *out)
{
	const ASN1_TIME *end = X509_CRL_get0_nextUpdate(crl);

	*out = (CrlInStore)
	{
		.crl = crl,.usable = true,.users = true,.authorities = true
	};
	out->akid = X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, NULL, NULL);
	if (out->akid != NULL)
		out->key_id = esg_revocation_key_id(out->akid->keyid, seed);
	out->current = end == NULL || esg_x509_time_read(end).unix_seconds > now;
	read_limits(out);
}

/* May this CA's key have signed it?  The names are equal. */
static bool
is_of_ca(const CrlInStore *list, X509 *ca)
{
	return (X509_get_key_usage(ca) & KU_CRL_SIGN) != 0 &&
		(list->akid == NULL || X509_check_akid(ca, list->akid) == X509_V_OK);
}

/* The same for one of whom only the digests are known, unless the server knows it. */
static bool
is_of(const Judge *judge, const CrlInStore *list, uint64_t ca, uint32_t key_id)
{
	bool		known = false;

	for (int i = 0; i < judge->ca_count; i++)
	{
		if (judge->cas[i].digest != ca)
			continue;
		if (is_of_ca(list, judge->cas[i].cert))
			return true;
		known = true;
	}
	return !known && (list->key_id == 0 || key_id == 0 || list->key_id == key_id);
}

static Voucher
find_voucher(const Judge *judge, const CrlInStore *list, const SoughtCert *cert)
{
	if (!list->usable || !(cert->is_leaf ? list->users : list->authorities))
		return NOBODY;
	if (is_of(judge, list, cert->key.issuer, cert->key.issuer_id))
		return ISSUER;
	if (cert->key.above != 0 && is_of(judge, list, cert->key.above, cert->key.above_id))
		return CA_ABOVE;
	return NOBODY;
}

/* Which does OpenSSL take?  Greater than 0: the first one. */
static int
compare_lists(const CrlInStore *first, Voucher first_voucher,
			  const CrlInStore *second, Voucher second_voucher)
{
	if (first->current != second->current)
		return first->current ? 1 : -1;
	if (first_voucher != second_voucher)
		return first_voucher > second_voucher ? 1 : -1;
	return ASN1_TIME_compare(X509_CRL_get0_lastUpdate(first->crl),
							 X509_CRL_get0_lastUpdate(second->crl));
}

/* Is there a better one for that certificate, with the same limits? */
static bool
is_superseded(const Judge *judge, int at, Voucher voucher, const SoughtCert *cert)
{
	const CrlInStore *list = &judge->lists[at];

	for (int i = 0; i < judge->list_count; i++)
	{
		const CrlInStore *other = &judge->lists[i];
		Voucher		others;
		int			order;

		if (i == at || other->point != list->point)
			continue;
		others = find_voucher(judge, other, cert);
		order = others != NOBODY ? compare_lists(other, others, list, voucher) : -1;
		if (order > 0 || (order == 0 && i < at))
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
is_signed(const Judge *judge, int at, uint64_t signer)
{
	for (int i = 0; i < judge->ca_count; i++)
	{
		Signature  *signature = &judge->signatures[at * judge->ca_count + i];

		if (judge->cas[i].digest != signer)
			continue;
		if (*signature == NOT_TRIED)
			*signature = X509_CRL_verify(judge->lists[at].crl, X509_get0_pubkey(judge->cas[i].cert)) == 1 ?
				SIGNED : NOT_SIGNED;
		return *signature == SIGNED;
	}
	return true;
}

static bool
is_revoked(const Judge *judge, int at, const X509_REVOKED *entry, const SoughtCert *cert)
{
	Voucher		voucher = find_voucher(judge, &judge->lists[at], cert);

	return voucher != NOBODY && !is_lifted(entry) && !is_superseded(judge, at, voucher, cert) &&
		is_signed(judge, at, voucher == ISSUER ? cert->key.issuer : cert->key.above);
}

static void
go_through(const Judge *judge, int at)
{
	const EsgRevocationIndex *index = judge->index;
	X509_CRL   *crl = judge->lists[at].crl;
	STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);
	uint64_t	name = esg_revocation_name(X509_CRL_get_issuer(crl), index->seed);
	int			count = sk_X509_REVOKED_num(entries);

	for (int i = 0; i < count; i++)
	{
		const X509_REVOKED *entry = sk_X509_REVOKED_value(entries, i);
		const SoughtCert *cert = find_first(index, esg_revocation_number(name, X509_REVOKED_get0_serialNumber(entry)));

		for (; cert != NULL; cert = find_next(index, cert))
		{
			if (!judge->revoked[cert->owner] && is_revoked(judge, at, entry, cert))
				judge->revoked[cert->owner] = true;
		}
	}
}

static void
free_judge(Judge *judge)
{
	for (int i = 0; judge->lists != NULL && i < judge->list_count; i++)
		AUTHORITY_KEYID_free(judge->lists[i].akid);
	OPENSSL_free(judge->lists);
	OPENSSL_free(judge->cas);
	OPENSSL_free(judge->signatures);
}

/* False: no memory. */
static bool
prepare_judge(Judge *judge, STACK_OF(X509_CRL) *crls, STACK_OF(X509) *cas, int64_t now)
{
	size_t		lists = sk_X509_CRL_num(crls) > 0 ? (size_t) sk_X509_CRL_num(crls) : 0;
	size_t		known = sk_X509_num(cas) > 0 ? (size_t) sk_X509_num(cas) : 0;

	judge->lists = OPENSSL_zalloc((lists + 1) * sizeof(CrlInStore));
	judge->cas = OPENSSL_zalloc((known + 1) * sizeof(KnownCa));
	judge->signatures = OPENSSL_zalloc((lists * known + 1) * sizeof(Signature));
	if (judge->lists == NULL || judge->cas == NULL || judge->signatures == NULL)
		return false;
	for (; judge->list_count < (int) lists; judge->list_count++)
		read_list(sk_X509_CRL_value(crls, judge->list_count), now, judge->index->seed,
				  &judge->lists[judge->list_count]);
	for (; judge->ca_count < (int) known; judge->ca_count++)
	{
		KnownCa    *ca = &judge->cas[judge->ca_count];

		ca->cert = sk_X509_value(cas, judge->ca_count);
		ca->digest = esg_revocation_issuer(ca->cert, judge->index->seed);
	}
	return true;
}

bool
esg_revocation_judge(const EsgRevocationIndex *index, STACK_OF(X509_CRL) *crls,
					 STACK_OF(X509) *cas, int64_t now, bool *revoked)
{
	Judge		judge = {.index = index,.revoked = revoked};
	bool		prepared = prepare_judge(&judge, crls, cas, now);

	for (int i = 0; prepared && i < judge.list_count; i++)
		go_through(&judge, i);
	free_judge(&judge);
	ERR_clear_error();
	return prepared;
}
