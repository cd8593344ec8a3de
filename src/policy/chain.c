/*
 * policy/chain.c
 *		Judging certificates together: chains, bundles, issuers.
 *
 * First a link is made for each certificate of a file: which certificates have
 * its issuer's name, and whether their keys verify its signature.  Then each
 * check is a predicate over one certificate and these links.  Who can have a
 * finding is in the table of findings.c, so that one table of checks serves
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
	const EsgIssuerIndex *cas;
	EsgSystemRootFn system_root;
	void	   *system_root_arg;
	const EsgPolicy *policy;
	EsgMemo    *memo;
	Link	   *links;
	int		   *first_copies;	/* the same certificate's position before, or
								 * -1 */
	bool	   *in_path;		/* on the way from the leaf up */
	int			leaf;			/* where that way starts */
	int			top;			/* and ends */
	bool		loop;			/* it comes back to itself */
} ChainCase;

typedef bool (*ChainCheckFn) (const ChainCase *c, int at, char *detail, size_t size);

typedef struct ChainCheck
{
	EsgCode		code;
	ChainCheckFn check;
} ChainCheck;

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
			return REFUSES_SIGNATURE;
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
	slot = search_index(c->file, cert, at + 1, c->memo, link, &link->next_rank);
	if (slot >= 0 && !is_same_cert(c->file->infos[slot], cert))
		link->next = c->file->positions[slot];
	slot = search_index(c->cas, cert, -1, c->memo, link, &link->ca_rank);
	if (slot >= 0)
		link->ca = c->cas->infos[slot];
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
	return true;
}

/* ---- checks; a check says whether the certificate at "at" has the finding ---- */

static bool
check_bad_signature(const ChainCase *c, int at, char *detail, size_t size)
{
	(void) detail;
	(void) size;
	return c->links[at].rank == REFUSES_SIGNATURE && !c->links[at].untried;
}

static bool
check_weak_issuer_key(const ChainCase *c, int at, char *detail, size_t size)
{
	const EsgCertInfo *issuer = c->links[at].proved;

	if (issuer == NULL || issuer->key.security_bits < 0 ||
		issuer->key.security_bits >= c->policy->min_security_bits)
		return false;
	snprintf(detail, size, "%s, %d bits", issuer->key.algorithm, issuer->key.bits);
	return true;
}

static bool
check_outlives_issuer(const ChainCase *c, int at, char *detail, size_t size)
{
	const EsgCertInfo *cert = c->certs[at].info;
	const EsgCertInfo *issuer = c->links[at].proved;

	if (issuer == NULL || !esg_policy_time_known(cert->not_after) ||
		cert->not_after.unix_seconds <= issuer->not_after.unix_seconds)
		return false;
	esg_x509_time_text(issuer->not_after, detail, size);
	return true;
}

static void
print_name(const X509_NAME *name, char *buf, size_t size)
{
	char	   *text = esg_x509_name_text(name);

	snprintf(buf, size, "%s", text != NULL ? text : "");
	OPENSSL_free(text);
}

/* Only the leaf is asked: CAs with one key under several names are usual. */
static bool
check_shared_ca_key(const ChainCase *c, int at, char *detail, size_t size)
{
	const EsgCertInfo *cert = c->certs[at].info;
	int			i;

	if (at != c->leaf || cert->is_ca)
		return false;
	for (i = 0; i < c->count; i++)
	{
		const EsgCertInfo *other = c->certs[i].info;

		if (other->is_ca && has_same_key(cert, other))
		{
			print_name(X509_get_subject_name(other->cert), detail, size);
			return true;
		}
	}
	return false;
}

/* The next certificate in the file that is not a copy; count if there is none. */
static int
find_follower(const ChainCase *c, int at)
{
	do
		at++;
	while (at < c->count && c->first_copies[at] >= 0);
	return at;
}

static bool
check_chain_out_of_order(const ChainCase *c, int at, char *detail, size_t size)
{
	const Link *link = &c->links[at];

	if (!c->in_path[at] || link->next < 0)
		return false;
	if (link->next != find_follower(c, at))
	{
		snprintf(detail, size, "that is at position %d", link->next + 1);
		return true;
	}
	if (link->next_rank != UNFIT_ISSUER)
		return false;
	snprintf(detail, size, "%s",
			 X509_verify_cert_error_string(X509_check_issued(c->certs[link->next].info->cert,
															 c->certs[at].info->cert)));
	return true;
}

static bool
check_leaf_not_first(const ChainCase *c, int at, char *detail, size_t size)
{
	snprintf(detail, size, "%d", c->leaf + 1);
	return at == 0 && c->leaf > 0;
}

/*
 * Does a CA of ssl_ca_file stand for a root?  A file of one certificate is sent
 * with the issuers that OpenSSL finds in ssl_ca_file (SSL_CTX_set_mode(3),
 * SSL_MODE_NO_AUTO_CHAIN), a longer one just as it is.
 */
static bool
leads_to_root(const ChainCase *c, const EsgCertInfo *ca)
{
	int			steps;

	for (steps = 0; ca != NULL && steps < ESG_CHAIN_MAX_LENGTH; steps++)
	{
		Link		link;
		int			slot;

		if (is_root(ca))
			return true;
		if (c->count > 1)
			return false;
		memset(&link, 0, sizeof(link));
		slot = search_index(c->cas, ca, -1, c->memo, &link, &link.ca_rank);
		ca = slot >= 0 && link.ca_rank > REFUSES_SIGNATURE ? c->cas->infos[slot] : NULL;
	}
	return false;
}

static bool
check_chain_incomplete(const ChainCase *c, int at, char *detail, size_t size)
{
	const EsgCertInfo *cert = c->certs[at].info;
	const Link *link = &c->links[at];

	if (at != c->top || c->loop || is_root(cert) || link->rank == REFUSES_SIGNATURE)
		return false;
	if (link->ca_rank > REFUSES_SIGNATURE && leads_to_root(c, link->ca))
		return false;
	if (c->system_root != NULL && c->system_root(cert, c->system_root_arg))
		return false;
	print_name(X509_get_issuer_name(cert->cert), detail, size);
	return true;
}

static bool
check_root_in_chain(const ChainCase *c, int at, char *detail, size_t size)
{
	(void) detail;
	(void) size;
	return at > 0 && c->in_path[at] && c->certs[at].info->is_ca &&
		esg_x509_info_self_signed(c->certs[at].info) == ESG_YES;
}

static bool
check_duplicate_certificate(const ChainCase *c, int at, char *detail, size_t size)
{
	snprintf(detail, size, "%d", c->first_copies[at] + 1);
	return c->first_copies[at] >= 0;
}

static bool
check_unrelated_certificate(const ChainCase *c, int at, char *detail, size_t size)
{
	if (at == c->top && c->loop)
		snprintf(detail, size, "its issuers form a loop");
	else if (at >= ESG_CHAIN_MAX_LENGTH)
		snprintf(detail, size, "the file has more than %d certificates", ESG_CHAIN_MAX_LENGTH);
	else if (at > 0 && !c->in_path[at] && c->first_copies[at] < 0)
		snprintf(detail, size, "it did not issue any certificate before it");
	else
		return false;
	return true;
}

static bool
check_not_a_ca(const ChainCase *c, int at, char *detail, size_t size)
{
	(void) detail;
	(void) size;
	return !c->certs[at].info->is_ca;
}

static const ChainCheck chain_checks[] = {
	{ESG_BAD_SIGNATURE, check_bad_signature},
	{ESG_WEAK_ISSUER_KEY, check_weak_issuer_key},
	{ESG_SHARED_CA_KEY, check_shared_ca_key},
	{ESG_OUTLIVES_ISSUER, check_outlives_issuer},
	{ESG_CHAIN_OUT_OF_ORDER, check_chain_out_of_order},
	{ESG_LEAF_NOT_FIRST, check_leaf_not_first},
	{ESG_CHAIN_INCOMPLETE, check_chain_incomplete},
	{ESG_ROOT_IN_CHAIN, check_root_in_chain},
	{ESG_DUPLICATE_CERTIFICATE, check_duplicate_certificate},
	{ESG_UNRELATED_CERTIFICATE, check_unrelated_certificate},
	{ESG_NOT_A_CA, check_not_a_ca},
};

static void
judge_cert(const ChainCase *c, int at)
{
	const EsgChainCert *cert = &c->certs[at];
	char		detail[ESG_MAX_DETAIL + 8];
	size_t		i;

	for (i = 0; i < sizeof(chain_checks) / sizeof(chain_checks[0]); i++)
	{
		EsgCode		code = chain_checks[i].code;

		if ((esg_findings_def(code)->places & cert->place) == 0)
			continue;
		detail[0] = '\0';
		if (chain_checks[i].check(c, at, detail, sizeof(detail)))
			esg_findings_add(cert->findings, code, cert->place, c->policy->overrides,
							 "%s", detail);
	}
	esg_findings_sort(cert->findings);
}

/* Opens, judges and closes the case. */
static void
judge_file(ChainCase *c)
{
	int			i;

	if (c->count <= 0)
		return;
	if (open_case(c))
	{
		for (i = 0; i < c->count; i++)
			judge_cert(c, i);
	}
	else
		c->certs[0].findings->out_of_memory = true;
	close_case(c);
	ERR_clear_error();
}

/* All that can be said of one file's certificates, whichever file it is. */
static void
judge_certs(EsgChainCert *certs, int count, const EsgIssuerIndex *cas,
			EsgSystemRootFn system_root, void *arg, const EsgPolicy *policy, EsgMemo *memo)
{
	ChainCase	c;

	memset(&c, 0, sizeof(c));
	c.certs = certs;
	c.count = count;
	c.cas = cas;
	c.system_root = system_root;
	c.system_root_arg = arg;
	c.policy = policy;
	c.memo = memo;
	judge_file(&c);
}

void
esg_policy_chain_check_server(EsgChainCert *certs, int count, const EsgIssuerIndex *cas,
							  EsgSystemRootFn system_root, void *arg,
							  const EsgPolicy *policy, EsgMemo *memo)
{
	judge_certs(certs, count, cas, system_root, arg, policy, memo);
}

void
esg_policy_chain_check_extra(EsgChainCert *certs, int count, const EsgIssuerIndex *cas,
							 const EsgPolicy *policy, EsgMemo *memo)
{
	judge_certs(certs, count, cas, NULL, NULL, policy, memo);
}

/* ---- the bundle as a whole ---- */

static void
judge_bundle(const EsgChainCert *certs, int count, const EsgPolicy *policy, EsgFindings *out)
{
	int			cas = 0;
	int			i;

	for (i = 0; i < count; i++)
	{
		const char *name = esg_public_roots_name(certs[i].info->fingerprint);

		if (name != NULL)
		{
			esg_findings_add(out, ESG_PUBLIC_ROOT_STORE, ESG_PLACE_FILE, policy->overrides,
							 "%s", name);
			return;
		}
		if (certs[i].info->is_ca)
			cas++;
	}
	if (cas > MAX_BUNDLE_CAS)
		esg_findings_add(out, ESG_PUBLIC_ROOT_STORE, ESG_PLACE_FILE, policy->overrides,
						 "%d CAs", cas);
}

void
esg_policy_chain_check_bundle(EsgChainCert *certs, int count, const EsgPolicy *policy,
							  EsgMemo *memo, EsgFindings *file_findings)
{
	judge_certs(certs, count, NULL, NULL, NULL, policy, memo);
	judge_bundle(certs, count, policy, file_findings);
	esg_findings_sort(file_findings);
}
