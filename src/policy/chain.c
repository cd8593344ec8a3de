/*
 * policy/chain.c
 *		Judging certificates together: chains, bundles, issuers.
 *
 * First a link is made for each certificate of a file: which certificates have
 * its issuer's name, and whether their keys verify its signature.  Then each
 * check is a predicate over one certificate and these links.  Who can have a
 * finding is in the rows of finding_list.h, so that the same checks serve
 * ssl_cert_file, ssl_ca_file and further files.
 */
#include "policy/chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "policy/public_roots.h"
#include "policy/verify.h"

#define MAX_BUNDLE_CAS 20		/* more look like a public root store */

struct EsgIssuerIndex
{
	int			count;
	const EsgCertInfo **infos;	/* sorted by subject, then by position */
	int		   *positions;		/* in the caller's array */
};

/* an index while it is being sorted */
typedef struct NamedCert
{
	const X509_NAME *name;
	const EsgCertInfo *info;
	int			position;
} NamedCert;

/* What a certificate of the right name is to another; the better, the higher. */
typedef enum IssuerRank
{
	NOT_ISSUER = 0,
	REFUSES_SIGNATURE,			/* its key does not verify */
	MAY_BE_ISSUER,				/* OpenSSL cannot tell */
	UNFIT_ISSUER,				/* verifies, but X509_check_issued() objects */
	PROVED_ISSUER
} IssuerRank;

/* What was found out about a certificate's issuer. */
typedef struct Link
{
	IssuerRank	rank;			/* the best found, anywhere */
	int			next;			/* position of the issuer in the file, or -1 */
	IssuerRank	next_rank;
	const EsgCertInfo *ca;		/* the issuer in ssl_ca_file, or NULL */
	IssuerRank	ca_rank;
	const EsgCertInfo *proved;	/* the proved issuer that ends last, or NULL */
	bool		untried;		/* there were more than could be tried */
} Link;

/* A file under judgement; positions count from 0. */
typedef struct ChainCase
{
	EsgChainCert *certs;
	int			count;
	const EsgIssuerIndex *file;
	const EsgChainContext *context;
	Link	   *links;
	int		   *first_copies;	/* the same certificate's position before, or
								 * -1 */
	bool	   *in_path;		/* on the way from the leaf up */
	int			at;				/* the certificate that is judged */
	int			leaf;			/* where that way starts */
	int			top;			/* and ends */
	bool		loop;			/* it comes back to itself */
	int			refused;		/* whom clients refuse, or -1; and why */
	const char *refusal;
} ChainCase;

typedef bool (*ChainCheckFn) (const ChainCase *c, EsgRemark *remark);

/* ---- the index ---- */

static int
compare_named_certs(const void *a, const void *b)
{
	const NamedCert *left = a;
	const NamedCert *right = b;
	int			order = X509_NAME_cmp(left->name, right->name);

	if (order != 0)
		return order;
	return (left->position > right->position) - (left->position < right->position);
}

/* Borrows the infos.  NULL if memory ran out; an index of nothing is not NULL. */
EsgIssuerIndex *
esg_policy_chain_index(const EsgCertInfo *const *certs, int count)
{
	size_t		slots = count > 0 ? (size_t) count : 1;
	EsgIssuerIndex *index = OPENSSL_zalloc(sizeof(EsgIssuerIndex));
	NamedCert  *sorted = OPENSSL_malloc(slots * sizeof(NamedCert));
	int			i;

	if (index == NULL || sorted == NULL)
		goto no_memory;
	index->infos = OPENSSL_malloc(slots * sizeof(index->infos[0]));
	index->positions = OPENSSL_malloc(slots * sizeof(int));
	if (index->infos == NULL || index->positions == NULL)
		goto no_memory;
	for (i = 0; i < count; i++)
	{
		sorted[i].name = X509_get_subject_name(certs[i]->cert);
		sorted[i].info = certs[i];
		sorted[i].position = i;
	}
	qsort(sorted, (size_t) count, sizeof(NamedCert), compare_named_certs);
	for (i = 0; i < count; i++)
	{
		index->infos[i] = sorted[i].info;
		index->positions[i] = sorted[i].position;
	}
	index->count = count;
	OPENSSL_free(sorted);
	return index;

no_memory:
	OPENSSL_free(sorted);
	esg_policy_chain_index_free(index);
	return NULL;
}

void
esg_policy_chain_index_free(EsgIssuerIndex *index)
{
	if (index == NULL)
		return;
	OPENSSL_free(index->infos);
	OPENSSL_free(index->positions);
	OPENSSL_free(index);
}

/* How many subjects sort before name; with_equal: before or the same. */
static int
count_before(const EsgIssuerIndex *index, const X509_NAME *name, bool with_equal)
{
	int			low = 0;
	int			high = index->count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		int			order = X509_NAME_cmp(X509_get_subject_name(index->infos[middle]->cert), name);

		if (order < 0 || (with_equal && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Where the certificates of that subject start; *count is how many there are. */
static int
find_range(const EsgIssuerIndex *index, const X509_NAME *subject, int *count)
{
	int			first;

	*count = 0;
	if (index == NULL)
		return 0;
	first = count_before(index, subject, false);
	*count = count_before(index, subject, true) - first;
	return first;
}

const EsgCertInfo *const *
esg_policy_chain_find(const EsgIssuerIndex *index, const X509_NAME *subject, int *count)
{
	int			first = find_range(index, subject, count);

	return *count > 0 ? (const EsgCertInfo *const *) index->infos + first : NULL;
}

/* ---- links ---- */

static bool
is_same_cert(const EsgCertInfo *a, const EsgCertInfo *b)
{
	return memcmp(a->fingerprint, b->fingerprint, ESG_DIGEST_SIZE) == 0;
}

static bool
has_same_key(const EsgCertInfo *a, const EsgCertInfo *b)
{
	return memcmp(a->key.digest, b->key.digest, ESG_DIGEST_SIZE) == 0;
}

/* proved self-signed, or named so and beyond what OpenSSL can verify */
static bool
is_root(const EsgCertInfo *cert)
{
	return esg_x509_info_self_signed(cert) != ESG_NO;
}

/*
 * May a certificate whose issuer's name is its own, but which it did not sign,
 * count as its own issuer?  Not if its key identifiers speak of another key:
 * then it is one of a CA that changed its key (RFC 5280 section 3.2).
 */
static IssuerRank
rank_itself(const EsgCertInfo *cert)
{
	AUTHORITY_KEYID *issuer_key;
	int			code;

	/* X509_check_issued() looks at the signature first since 4.0 */
	issuer_key = X509_get_ext_d2i(cert->cert, NID_authority_key_identifier, NULL, NULL);
	code = X509_check_akid(cert->cert, issuer_key);
	AUTHORITY_KEYID_free(issuer_key);
	ERR_clear_error();
	return code == X509_V_OK ? REFUSES_SIGNATURE : NOT_ISSUER;
}

/*
 * Does cert speak of another key than this issuer's?  A CA renewed under its old
 * name has several certificates, and which one issued it says the
 * authorityKeyIdentifier (RFC 5280 section 4.2.1.1).
 */
static bool
names_other_key(const EsgCertInfo *cert, const EsgCertInfo *issuer)
{
	AUTHORITY_KEYID *key_id = X509_get_ext_d2i(cert->cert, NID_authority_key_identifier, NULL, NULL);
	bool		other = key_id != NULL && X509_check_akid(issuer->cert, key_id) != X509_V_OK;

	AUTHORITY_KEYID_free(key_id);
	ERR_clear_error();
	return other;
}

/* issuer has the name that cert gives as its issuer's. */
static IssuerRank
rank_issuer(const EsgCertInfo *cert, const EsgCertInfo *issuer, EsgMemo *memo)
{
	bool		fits;

	if (is_same_cert(cert, issuer))
		return rank_itself(cert);
	fits = X509_check_issued(issuer->cert, cert->cert) == X509_V_OK;
	switch (esg_x509_info_verify(cert, issuer, memo))
	{
		case ESG_YES:
			return fits ? PROVED_ISSUER : UNFIT_ISSUER;
		case ESG_NO:
			return names_other_key(cert, issuer) ? NOT_ISSUER : REFUSES_SIGNATURE;
		case ESG_UNKNOWN:
			break;
	}
	return fits ? MAY_BE_ISSUER : NOT_ISSUER;
}

/* Of two proved issuers, the one that ends last decides how long a chain holds. */
static void
note_proved_issuer(Link *link, const EsgCertInfo *issuer)
{
	if (!esg_policy_time_known(issuer->not_after))
		return;
	if (link->proved == NULL ||
		link->proved->not_after.unix_seconds < issuer->not_after.unix_seconds)
		link->proved = issuer;
}

/*
 * Tries the certificates of an index.  Returns the slot of the best, or -1.
 * Of equals, the one at preferred wins, then a root, then the first.
 */
static int
search_index(const EsgIssuerIndex *index, const EsgCertInfo *cert, int preferred,
			 EsgMemo *memo, Link *link, IssuerRank *best_rank)
{
	int			count;
	int			first = find_range(index, X509_get_issuer_name(cert->cert), &count);
	int			best = -1;
	int			i;

	*best_rank = NOT_ISSUER;
	if (count > ESG_CHAIN_MAX_TRIES)
	{
		count = ESG_CHAIN_MAX_TRIES;
		link->untried = true;
	}
	for (i = first; i < first + count; i++)
	{
		const EsgCertInfo *issuer = index->infos[i];
		IssuerRank	rank = rank_issuer(cert, issuer, memo);
		bool		better = rank > *best_rank;

		if (rank == PROVED_ISSUER)
			note_proved_issuer(link, issuer);
		if (rank == *best_rank && best >= 0 && index->positions[best] != preferred)
			better = index->positions[i] == preferred ||
				(is_root(issuer) && !is_root(index->infos[best]));
		if (better)
		{
			best = i;
			*best_rank = rank;
		}
	}
	return best;
}

static void
make_link(const ChainCase *c, int at)
{
	const EsgCertInfo *cert = c->certs[at].info;
	Link	   *link = &c->links[at];
	int			slot;

	memset(link, 0, sizeof(*link));
	link->next = -1;
	if (is_root(cert))
		return;
	slot = search_index(c->file, cert, at + 1, c->context->memo, link, &link->next_rank);
	if (slot >= 0 && !is_same_cert(c->file->infos[slot], cert))
		link->next = c->file->positions[slot];
	slot = search_index(c->context->cas, cert, -1, c->context->memo, link, &link->ca_rank);
	if (slot >= 0)
		link->ca = c->context->cas->infos[slot];
	link->rank = link->next_rank > link->ca_rank ? link->next_rank : link->ca_rank;
}

/* ---- the shape of the file ---- */

typedef struct DigestRef
{
	const unsigned char *digest;
	int			position;
} DigestRef;

static int
compare_digest_refs(const void *a, const void *b)
{
	const DigestRef *left = a;
	const DigestRef *right = b;
	int			order = memcmp(left->digest, right->digest, ESG_DIGEST_SIZE);

	if (order != 0)
		return order;
	return (left->position > right->position) - (left->position < right->position);
}

static bool
find_copies(ChainCase *c)
{
	DigestRef  *refs = OPENSSL_malloc((size_t) c->count * sizeof(DigestRef));
	int			first = 0;
	int			i;

	if (refs == NULL)
		return false;
	for (i = 0; i < c->count; i++)
	{
		refs[i].digest = c->certs[i].info->fingerprint;
		refs[i].position = i;
	}
	qsort(refs, (size_t) c->count, sizeof(DigestRef), compare_digest_refs);
	for (i = 0; i < c->count; i++)
	{
		if (memcmp(refs[i].digest, refs[first].digest, ESG_DIGEST_SIZE) != 0)
			first = i;
		c->first_copies[refs[i].position] = i > first ? refs[first].position : -1;
	}
	OPENSSL_free(refs);
	return true;
}

/* The server's own certificate: the first, or, if that is a CA, the first that is none. */
static int
find_leaf(const ChainCase *c)
{
	int			i;

	for (i = 0; i < c->count; i++)
	{
		if (!c->certs[i].info->is_ca)
			return i;
	}
	return 0;
}

/* Follows the links from the leaf up. */
static void
walk_path(ChainCase *c)
{
	int			at;

	c->leaf = find_leaf(c);
	for (at = c->leaf;; at = c->links[at].next)
	{
		c->in_path[at] = true;
		c->top = at;
		if (c->links[at].next < 0)
			return;
		if (c->in_path[c->links[at].next])
		{
			c->loop = true;
			return;
		}
	}
}

/* "unable to get issuer": of an issuer that is there, what about it does not fit */
static const char *
refusal_text(const EsgCertInfo *cert, const EsgCertInfo *issuer, int error)
{
	if (error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY && issuer != NULL &&
		X509_check_issued(issuer->cert, cert->cert) != X509_V_OK)
		error = X509_check_issued(issuer->cert, cert->cert);
	return X509_verify_cert_error_string(error);
}

/* Asks OpenSSL what a client would say of the path from the leaf to the top. */
static bool
verify_path(ChainCase *c)
{
	X509	   *path[ESG_CHAIN_MAX_LENGTH];
	int			positions[ESG_CHAIN_MAX_LENGTH];
	EsgChainFault fault;
	int			count = 0;
	int			at = c->leaf;

	c->refused = -1;
	if (c->certs[0].place != ESG_PLACE_LEAF || c->loop)
		return true;
	for (; at >= 0 && count < ESG_CHAIN_MAX_LENGTH; at = c->links[at].next)
	{
		positions[count] = at;
		path[count++] = c->certs[at].info->cert;
	}
	if (!esg_policy_verify_path(path, count, &fault))
		return false;
	if (fault.error == X509_V_OK || fault.depth >= count)
		return true;
	c->refused = positions[fault.depth];
	c->refusal = refusal_text(c->certs[c->refused].info,
							  fault.depth + 1 < count ? c->certs[positions[fault.depth + 1]].info : NULL,
							  fault.error);
	return true;
}

static void
close_case(ChainCase *c)
{
	OPENSSL_free(c->links);
	OPENSSL_free(c->first_copies);
	OPENSSL_free(c->in_path);
	esg_policy_chain_index_free((EsgIssuerIndex *) c->file);
}

/* Links and shape of c->certs, of which there is at least one. */
static bool
open_case(ChainCase *c)
{
	size_t		count = (size_t) c->count;
	const EsgCertInfo **infos = OPENSSL_malloc(count * sizeof(infos[0]));
	int			i;

	c->links = OPENSSL_malloc(count * sizeof(Link));
	c->first_copies = OPENSSL_malloc(count * sizeof(int));
	c->in_path = OPENSSL_zalloc(count * sizeof(bool));
	if (infos != NULL)
	{
		for (i = 0; i < c->count; i++)
			infos[i] = c->certs[i].info;
		c->file = esg_policy_chain_index(infos, c->count);
		OPENSSL_free(infos);
	}
	if (c->links == NULL || c->first_copies == NULL || c->in_path == NULL ||
		c->file == NULL || !find_copies(c))
		return false;
	for (i = 0; i < c->count; i++)
		make_link(c, i);
	walk_path(c);
	return verify_path(c);
}

/* ---- checks: has the certificate that is judged the finding? ---- */

static bool
check_bad_signature(const ChainCase *c, EsgRemark *remark)
{
	(void) remark;
	return c->links[c->at].rank == REFUSES_SIGNATURE && !c->links[c->at].untried;
}

static bool
check_weak_issuer_key(const ChainCase *c, EsgRemark *remark)
{
	const EsgCertInfo *issuer = c->links[c->at].proved;

	return issuer != NULL && esg_policy_key_weak(&issuer->key, c->context->policy, remark);
}

static bool
check_outlives_issuer(const ChainCase *c, EsgRemark *remark)
{
	const EsgCertInfo *cert = c->certs[c->at].info;
	const EsgCertInfo *issuer = c->links[c->at].proved;

	int64_t		left;

	if (issuer == NULL || !esg_policy_time_known(cert->not_after) ||
		cert->not_after.unix_seconds <= issuer->not_after.unix_seconds + ESG_SECONDS_PER_DAY)
		return false;
	/* the chain ends when the issuer does, so its thresholds count */
	if (esg_policy_time_left(issuer->not_before, issuer->not_after, c->context->policy,
							 c->context->now, &left) != ESG_LEFT_ENOUGH)
		remark->severity = ESG_WARNING;
	esg_x509_time_text(issuer->not_after, remark->detail, sizeof(remark->detail));
	return true;
}

static void
say_name(EsgRemark *remark, const X509_NAME *name)
{
	char	   *text = esg_x509_name_text(name);

	esg_remark_say(remark, "%s", text != NULL ? text : "");
	OPENSSL_free(text);
}

/* Only the leaf is asked: CAs with one key under several names are usual. */
static bool
check_shared_ca_key(const ChainCase *c, EsgRemark *remark)
{
	const EsgCertInfo *cert = c->certs[c->at].info;
	int			i;

	if (c->at != c->leaf || cert->is_ca)
		return false;
	for (i = 0; i < c->count; i++)
	{
		const EsgCertInfo *other = c->certs[i].info;

		if (other->is_ca && has_same_key(cert, other))
		{
			say_name(remark, X509_get_subject_name(other->cert));
			return true;
		}
	}
	return false;
}

/* The next certificate in the file that is not a copy; count if there is none. */
static int
find_follower(const ChainCase *c)
{
	int			at = c->at;

	do
		at++;
	while (at < c->count && c->first_copies[at] >= 0);
	return at;
}

static bool
check_chain_out_of_order(const ChainCase *c, EsgRemark *remark)
{
	const Link *link = &c->links[c->at];

	if (!c->in_path[c->at] || link->next < 0 || link->next == find_follower(c))
		return false;
	esg_remark_say(remark, "that is at position %d", link->next + 1);
	return true;
}

static bool
check_leaf_not_first(const ChainCase *c, EsgRemark *remark)
{
	esg_remark_say(remark, "%d", c->leaf + 1);
	return c->at == 0 && c->leaf > 0;
}

/* The best of an index to have issued cert; NULL if there is none that may. */
static const EsgCertInfo *
find_issuer(const ChainCase *c, const EsgIssuerIndex *index, const EsgCertInfo *cert)
{
	Link		link = {NOT_ISSUER, -1, NOT_ISSUER, NULL, NOT_ISSUER, NULL, false};
	IssuerRank	rank;
	int			slot = search_index(index, cert, -1, c->context->memo, &link, &rank);

	return slot >= 0 && rank > REFUSES_SIGNATURE ? index->infos[slot] : NULL;
}

/* Is there a root of this name and key?  Then cert is its cross-signed twin. */
static bool
has_root_twin(const EsgIssuerIndex *index, const EsgCertInfo *cert)
{
	int			count;
	int			first = find_range(index, X509_get_subject_name(cert->cert), &count);
	int			i;

	for (i = first; i < first + count && i < first + ESG_CHAIN_MAX_TRIES; i++)
	{
		if (has_same_key(index->infos[i], cert) && is_root(index->infos[i]))
			return true;
	}
	return false;
}

/* What is known of the issuer of cert, which is no root: by files, then by the system. */
static EsgKnownIssuer
know_issuer(const ChainCase *c, const EsgCertInfo *cert)
{
	const EsgCertInfo *issuer;

	if (has_root_twin(c->context->cas, cert) || has_root_twin(c->context->extras, cert))
		return ESG_ISSUER_ROOT;
	issuer = find_issuer(c, c->context->cas, cert);
	if (issuer == NULL)
		issuer = find_issuer(c, c->context->extras, cert);
	if (issuer != NULL)
		return is_root(issuer) ? ESG_ISSUER_ROOT : ESG_ISSUER_INTERMEDIATE;
	return c->context->system_issuer != NULL ? c->context->system_issuer(cert) : ESG_ISSUER_UNKNOWN;
}

/*
 * Where what is sent ends.  A file of one certificate is sent with the issuers
 * that OpenSSL finds in ssl_ca_file (SSL_CTX_set_mode(3),
 * SSL_MODE_NO_AUTO_CHAIN), a longer one just as it is.
 */
static const EsgCertInfo *
last_sent(const ChainCase *c)
{
	const EsgCertInfo *last = c->certs[c->top].info;
	int			steps;

	for (steps = 0; c->count == 1 && !is_root(last) && steps < ESG_CHAIN_MAX_LENGTH; steps++)
	{
		const EsgCertInfo *issuer = find_issuer(c, c->context->cas, last);

		if (issuer == NULL)
			break;
		last = issuer;
	}
	return last;
}

/*
 * That clients have the root is their affair: only an issuer that is known to be
 * an intermediate is missing, or one of which nothing is known but where to
 * fetch it.
 */
static bool
check_chain_incomplete(const ChainCase *c, EsgRemark *remark)
{
	const EsgCertInfo *last;

	if (c->at != c->top || c->loop || c->links[c->at].rank == REFUSES_SIGNATURE)
		return false;
	last = last_sent(c);
	if (is_root(last))
		return false;
	switch (know_issuer(c, last))
	{
		case ESG_ISSUER_ROOT:
			return false;
		case ESG_ISSUER_INTERMEDIATE:
			break;
		case ESG_ISSUER_UNKNOWN:
			if (!esg_x509_info_says_where_issuer_is(last->cert))
				return false;
			remark->severity = ESG_NOTICE;
			break;
	}
	say_name(remark, X509_get_issuer_name(last->cert));
	return true;
}

static bool
check_chain_refused(const ChainCase *c, EsgRemark *remark)
{
	if (c->at != c->refused)
		return false;
	esg_remark_say(remark, "%s", c->refusal);
	return true;
}

static bool
check_root_in_chain(const ChainCase *c, EsgRemark *remark)
{
	(void) remark;
	return c->at > 0 && c->in_path[c->at] && c->certs[c->at].info->is_ca &&
		esg_x509_info_self_signed(c->certs[c->at].info) == ESG_YES;
}

static bool
check_duplicate_certificate(const ChainCase *c, EsgRemark *remark)
{
	esg_remark_say(remark, "%d", c->first_copies[c->at] + 1);
	return c->first_copies[c->at] >= 0;
}

/*
 * Is it another certificate of a member of the chain, its subject and key under
 * another issuer, or on the way up from one?  Clients take the way they know.
 */
static bool
is_variant(const ChainCase *c, int at)
{
	const EsgCertInfo *cert = c->certs[at].info;
	int			i;

	for (i = 0; i < c->count && i < ESG_CHAIN_MAX_LENGTH; i++)
	{
		const EsgCertInfo *other = c->certs[i].info;

		if (c->in_path[i] && has_same_key(cert, other) &&
			X509_NAME_cmp(X509_get_subject_name(cert->cert), X509_get_subject_name(other->cert)) == 0)
			return true;
		if (i < at && !c->in_path[i] && c->links[i].next == at && is_variant(c, i))
			return true;
	}
	return false;
}

static bool
check_unrelated_certificate(const ChainCase *c, EsgRemark *remark)
{
	if (c->at == c->top && c->loop)
		esg_remark_say(remark, "its issuers form a loop");
	else if (c->at >= ESG_CHAIN_MAX_LENGTH)
		esg_remark_say(remark, "the file has more than %d certificates", ESG_CHAIN_MAX_LENGTH);
	else if (c->at > 0 && !c->in_path[c->at] && c->first_copies[c->at] < 0 && !is_variant(c, c->at))
		esg_remark_say(remark, "it did not issue any certificate before it");
	else
		return false;
	return true;
}

static bool
check_not_a_ca(const ChainCase *c, EsgRemark *remark)
{
	const EsgCertInfo *cert = c->certs[c->at].info;

	(void) remark;
	return X509_check_ca(cert->cert) == 0 && esg_x509_info_self_signed(cert) != ESG_YES;
}

/* Of the file as a whole. */
static bool
check_public_root_store(const ChainCase *c, EsgRemark *remark)
{
	int			cas = 0;
	int			i;

	for (i = 0; i < c->count; i++)
	{
		const char *name = esg_public_roots_name(c->certs[i].info->fingerprint, ESG_DIGEST_SIZE);

		if (name != NULL)
		{
			esg_remark_say(remark, "%s", name);
			return true;
		}
		if (c->certs[i].info->is_ca)
			cas++;
	}
	esg_remark_say(remark, "%d CAs", cas);
	return cas > MAX_BUNDLE_CAS;
}

#define BY_CHAIN(check) check
#define FINDING(code, name, state, severity, places, enforced, message, hint, check) [ESG_##code] = check,

static const ChainCheckFn checks[ESG_CODE_COUNT] = {
#include "policy/finding_list.h"
};

static void
judge(const ChainCase *c, EsgPlace place, EsgFindings *out)
{
	EsgRemark	remark;
	int			code;

	for (code = 0; code < ESG_CODE_COUNT; code++)
	{
		if (checks[code] != NULL && esg_remark_start(&remark, (EsgCode) code, place) &&
			checks[code] (c, &remark))
			esg_findings_add(out, &remark, c->context->policy->overrides);
	}
	esg_findings_sort(out);
}

void
esg_policy_chain_check(EsgChainCert *certs, int count, const EsgChainContext *context,
					   EsgFindings *file_findings)
{
	ChainCase	c = {.certs = certs,.count = count,.context = context};

	if (file_findings != NULL)
		judge(&c, ESG_PLACE_FILE, file_findings);
	if (count <= 0)
		return;
	if (open_case(&c))
	{
		for (c.at = 0; c.at < count; c.at++)
			judge(&c, certs[c.at].place, certs[c.at].findings);
	}
	else
		certs[0].findings->out_of_memory = true;
	close_case(&c);
	ERR_clear_error();
}

void
esg_policy_chain_check_client(const EsgCertInfo *cert, const EsgCertInfo *issuer,
							  const EsgPolicy *policy, EsgFindings *out)
{
	EsgChainCert certs[1] = {{cert, ESG_PLACE_CLIENT, out}};
	EsgChainContext context = {.policy = policy};
	Link		links[1] = {{.rank = PROVED_ISSUER,.next = -1,.proved = issuer}};
	int			first_copies[1] = {-1};
	bool		in_path[1] = {true};
	ChainCase	c = {
		.certs = certs,.count = 1,.context = &context,.links = links,
		.first_copies = first_copies,.in_path = in_path,.refused = -1
	};

	judge(&c, ESG_PLACE_CLIENT, out);
}
