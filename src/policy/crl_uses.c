/*
 * policy/crl_uses.c
 *		Which CRL OpenSSL uses for whom.
 */
#include "policy/crl_uses.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#define MAX_STEPS 12			/* of a chain that are looked at */
#define MAX_ISSUERS 64			/* that may lie on the way to a root */
#define MAX_TRIES ESG_CHAIN_MAX_TRIES	/* of one name: keys, points */
#define MAX_UNUSED 256			/* unused CRLs whose CA is looked for */

/* What OpenSSL takes for one certificate of the chain. */
typedef struct Step
{
	X509_CRL   *crl;			/* NULL: none, or it does not look for one */
	X509	   *subject;
	X509	   *signer;
	bool		in_scope;
} Step;

/* A question to OpenSSL: the chain of this client. */
typedef struct Question
{
	X509	   *client;
	X509	   *issuer;
	bool		rooted;			/* the chain has an end */
	Step		steps[MAX_STEPS];	/* by depth, the client's first */
} Question;

/* While the uses are looked for. */
typedef struct Search
{
	const EsgCrlSources *sources;
	EsgMemo    *memo;
	int64_t		now;
	X509_STORE *store;			/* empty, with our callbacks */
	EsgCrlUses *uses;
	bool		failed;			/* out of memory */
} Search;

/* ---- the question; OpenSSL calls back ---- */

static int
take_crl(X509_STORE_CTX *ctx, X509_CRL *crl)
{
	Question   *question = X509_STORE_CTX_get_app_data(ctx);
	int			depth = X509_STORE_CTX_get_error_depth(ctx);

	if (depth >= 0 && depth < MAX_STEPS)
	{
		Step	   *step = &question->steps[depth];

		step->crl = crl;
		step->subject = X509_STORE_CTX_get_current_cert(ctx);
		step->signer = X509_STORE_CTX_get0_current_issuer(ctx);
		step->in_scope = true;
	}
	return 1;
}

/* Whom the CRL revokes does not matter here. */
static int
pass_entries(X509_STORE_CTX *ctx, X509_CRL *crl, X509 *cert)
{
	(void) ctx;
	(void) crl;
	(void) cert;
	return 1;
}

/* Nor do signatures: the client's is another certificate's. */
static int
pass_signatures(X509_STORE_CTX *ctx)
{
	(void) ctx;
	return 1;
}

static int
is_issuer(X509_STORE_CTX *ctx, X509 *cert, X509 *issuer)
{
	Question   *question = X509_STORE_CTX_get_app_data(ctx);

	if (cert == question->client)
		return issuer == question->issuer;
	return X509_check_issued(issuer, cert) == X509_V_OK;
}

static int
note_error(int ok, X509_STORE_CTX *ctx)
{
	Question   *question = X509_STORE_CTX_get_app_data(ctx);
	int			depth = X509_STORE_CTX_get_error_depth(ctx);

	if (ok)
		return 1;
	switch (X509_STORE_CTX_get_error(ctx))
	{
		case X509_V_ERR_UNABLE_TO_GET_CRL:
			/* also said of a CRL that it took, but that is not about this one */
			if (depth >= 0 && depth < MAX_STEPS)
				question->steps[depth].in_scope = false;
			break;
		case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
		case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
			question->rooted = false;
			break;
		default:
			break;
	}
	return 1;
}

static X509_STORE *
make_store(void)
{
	X509_STORE *store = X509_STORE_new();

	if (store == NULL)
		return NULL;
	X509_STORE_set_check_issued(store, is_issuer);
	X509_STORE_set_check_crl(store, take_crl);
	X509_STORE_set_cert_crl(store, pass_entries);
	X509_STORE_set_verify(store, pass_signatures);
	X509_STORE_set_verify_cb(store, note_error);
	return store;
}

static bool
ask(const Search *search, Question *question, STACK_OF(X509) *issuers,
	STACK_OF(X509_CRL) *crls)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool		asked = false;

	if (ctx != NULL && X509_STORE_CTX_init(ctx, search->store, question->client, NULL))
	{
		question->rooted = true;
		X509_STORE_CTX_set_app_data(ctx, question);
		X509_STORE_CTX_set0_trusted_stack(ctx, issuers);
		X509_STORE_CTX_set0_crls(ctx, crls);
		X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
		X509_STORE_CTX_set_time(ctx, 0, (time_t) search->now);
		asked = X509_verify_cert(ctx) >= 0 &&
			X509_STORE_CTX_get_error(ctx) != X509_V_ERR_OUT_OF_MEM;
	}
	X509_STORE_CTX_free(ctx);
	return asked;
}

/* ---- certificates that are made up ---- */

static bool
remove_extensions(X509 *cert)
{
	int			count = X509_get_ext_count(cert);

	/* from the end, which costs least */
	while (count-- > 0)
		X509_EXTENSION_free(X509_delete_ext(cert, count));
	return X509_set_version(cert, 2) == 1;
}

/* A name that is not the issuer's. */
static bool
set_client_name(X509 *client, const X509_NAME *issuer)
{
	X509_NAME  *name = X509_NAME_dup((X509_NAME *) issuer);
	bool		set;

	set = name != NULL &&
		X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC,
								   (const unsigned char *) "client", -1, -1, 0) &&
		X509_set_subject_name(client, name);
	X509_NAME_free(name);
	return set;
}

/* The extension by which a client's certificate names the CRL's distribution point. */
static bool
set_point(X509 *client, const EsgCrlInfo *crl)
{
	ISSUING_DIST_POINT *idp = X509_CRL_get_ext_d2i(crl->crl, NID_issuing_distribution_point, NULL, NULL);
	CRL_DIST_POINTS *points = sk_DIST_POINT_new_null();
	DIST_POINT *point = DIST_POINT_new();
	bool		set = false;

	if (idp != NULL && points != NULL && point != NULL)
	{
		point->distpoint = idp->distpoint;
		idp->distpoint = NULL;
		if (sk_DIST_POINT_push(points, point))
		{
			point = NULL;
			set = X509_add1_ext_i2d(client, NID_crl_distribution_points, points, 0, X509V3_ADD_DEFAULT) == 1;
		}
	}
	DIST_POINT_free(point);
	CRL_DIST_POINTS_free(points);
	ISSUING_DIST_POINT_free(idp);
	return set;
}

/* A certificate that this CA might have issued; crl: it names its distribution point. */
static X509 *
make_client(X509 *issuer, const EsgCrlInfo *crl)
{
	const X509_NAME *name = X509_get_subject_name(issuer);
	X509	   *client = X509_dup(issuer);

	if (client != NULL && remove_extensions(client) &&
		X509_set_issuer_name(client, (X509_NAME *) name) &&
		set_client_name(client, name) &&
		(crl == NULL || set_point(client, crl)))
		return client;
	X509_free(client);
	return NULL;
}

/* Makes it the certificate that authorityKeyIdentifier speaks of. */
static bool
set_key_id(X509 *cert, const AUTHORITY_KEYID *key)
{
	int			i;

	if (key->keyid != NULL &&
		X509_add1_ext_i2d(cert, NID_subject_key_identifier, key->keyid, 0, X509V3_ADD_DEFAULT) != 1)
		return false;
	if (key->serial != NULL && !X509_set_serialNumber(cert, key->serial))
		return false;
	for (i = 0; i < sk_GENERAL_NAME_num(key->issuer); i++)
	{
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(key->issuer, i);

		if (name->type == GEN_DIRNAME)
			return X509_set_issuer_name(cert, name->d.directoryName) == 1;
	}
	return true;
}

/* A CA that might have made this CRL, out of any certificate. */
static X509 *
make_stranger(X509 *any, const EsgCrlInfo *crl)
{
	X509_NAME  *name = (X509_NAME *) X509_CRL_get_issuer(crl->crl);
	AUTHORITY_KEYID *key = X509_CRL_get_ext_d2i(crl->crl, NID_authority_key_identifier, NULL, NULL);
	X509	   *stranger = X509_dup(any);
	bool		made;

	made = stranger != NULL && remove_extensions(stranger) &&
		X509_set_issuer_name(stranger, name) && X509_set_subject_name(stranger, name) &&
		(key == NULL || set_key_id(stranger, key));
	AUTHORITY_KEYID_free(key);
	if (made)
		return stranger;
	X509_free(stranger);
	return NULL;
}

/* ---- CRLs by name ---- */

static const X509_NAME *
issuer_of(const EsgCrlSources *sources, int crl)
{
	return X509_CRL_get_issuer(sources->crls[crl]->crl);
}

typedef struct NamedCrl
{
	const X509_NAME *name;
	int			crl;
} NamedCrl;

static int
compare_named_crls(const void *a, const void *b)
{
	const NamedCrl *left = a;
	const NamedCrl *right = b;
	int			order = X509_NAME_cmp(left->name, right->name);

	return order != 0 ? order : (left->crl > right->crl) - (left->crl < right->crl);
}

static bool
sort_crls(EsgCrlUses *uses)
{
	size_t		count = (size_t) uses->sources->crl_count;
	NamedCrl   *sorted = OPENSSL_malloc((count + 1) * sizeof(NamedCrl));
	size_t		i;

	if (sorted == NULL)
		return false;
	for (i = 0; i < count; i++)
	{
		sorted[i].name = issuer_of(uses->sources, (int) i);
		sorted[i].crl = (int) i;
	}
	qsort(sorted, count, sizeof(NamedCrl), compare_named_crls);
	for (i = 0; i < count; i++)
		uses->by_name[i] = sorted[i].crl;
	OPENSSL_free(sorted);
	return true;
}

/* How many CRLs sort before that issuer's; with_equal: before or with them. */
static int
count_before(const EsgCrlUses *uses, const X509_NAME *issuer, bool with_equal)
{
	int			low = 0;
	int			high = uses->sources->crl_count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		int			order = X509_NAME_cmp(issuer_of(uses->sources, uses->by_name[middle]), issuer);

		if (order < 0 || (with_equal && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const int *
esg_crl_uses_named(const EsgCrlUses *uses, const X509_NAME *issuer, int *count)
{
	int			first = count_before(uses, issuer, false);

	*count = count_before(uses, issuer, true) - first;
	return *count > 0 ? uses->by_name + first : NULL;
}

static bool
push_crls(const Search *search, const X509_NAME *issuer, STACK_OF(X509_CRL) *crls)
{
	int			count;
	const int  *named = esg_crl_uses_named(search->uses, issuer, &count);
	int			i;

	for (i = 0; i < count; i++)
	{
		if (!sk_X509_CRL_push(crls, search->sources->crls[named[i]]->crl))
			return false;
	}
	return true;
}

/* ---- what the question is about ---- */

static bool
has_cert(const STACK_OF(X509) *certs, const X509 *cert)
{
	int			i;

	for (i = 0; i < sk_X509_num(certs); i++)
	{
		if (sk_X509_value(certs, i) == cert)
			return true;
	}
	return false;
}

/* Adds whatever in ssl_ca_file has the name of this one's issuer. */
static bool
push_issuers(const Search *search, const X509 *cert, STACK_OF(X509) *certs)
{
	int			count;
	const EsgCertInfo *const *found;
	int			i;

	found = esg_policy_chain_find(search->sources->index, X509_get_issuer_name(cert), &count);
	for (i = 0; i < count && i < MAX_TRIES && sk_X509_num(certs) < MAX_ISSUERS; i++)
	{
		if (!has_cert(certs, found[i]->cert) && !sk_X509_push(certs, found[i]->cert))
			return false;
	}
	return true;
}

/* A CA and what may lie between it and its root. */
static STACK_OF(X509) *
collect_issuers(const Search *search, X509 *ca)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	bool		done = certs != NULL && sk_X509_push(certs, ca);
	int			i;

	for (i = 0; done && i < sk_X509_num(certs); i++)
		done = push_issuers(search, sk_X509_value(certs, i), certs);
	if (done)
		return certs;
	sk_X509_free(certs);
	return NULL;
}

/* The CRLs of all of them, each once. */
static STACK_OF(X509_CRL) *
collect_crls(const Search *search, const STACK_OF(X509) *issuers)
{
	STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
	bool		done = crls != NULL;
	int			i;
	int			k;

	for (i = 0; done && i < sk_X509_num(issuers); i++)
	{
		const X509_NAME *name = X509_get_subject_name(sk_X509_value(issuers, i));

		for (k = 0; k < i; k++)
		{
			if (X509_NAME_cmp(X509_get_subject_name(sk_X509_value(issuers, k)), name) == 0)
				break;
		}
		done = k < i || push_crls(search, name, crls);
	}
	if (done)
		return crls;
	sk_X509_CRL_free(crls);
	return NULL;
}

/* ---- the answer ---- */

static bool
append_use(EsgCrlUses *uses, const EsgCrlUse *use)
{
	if (uses->count == uses->capacity)
	{
		int			capacity = uses->capacity > 0 ? 2 * uses->capacity : 16;
		EsgCrlUse  *grown = OPENSSL_realloc(uses->uses, (size_t) capacity * sizeof(EsgCrlUse));

		if (grown == NULL)
			return false;
		uses->uses = grown;
		uses->capacity = capacity;
	}
	uses->uses[uses->count] = *use;
	uses->uses[uses->count].next = uses->first[use->crl];
	uses->first[use->crl] = uses->count++;
	uses->known[use->crl] |= use->ca != NULL;
	return true;
}

static int
find_crl(const Search *search, const X509_CRL *crl)
{
	int			count;
	const int  *named = esg_crl_uses_named(search->uses, X509_CRL_get_issuer(crl), &count);
	int			i;

	for (i = 0; i < count; i++)
	{
		if (search->sources->crls[named[i]]->crl == crl)
			return named[i];
	}
	return -1;
}

/* NULL for one that is made up. */
static const EsgCertInfo *
find_ca(const Search *search, const X509 *cert)
{
	const EsgCertInfo *const *found;
	int			count;
	int			i;

	if (cert == NULL)
		return NULL;
	found = esg_policy_chain_find(search->sources->index, X509_get_subject_name(cert), &count);
	for (i = 0; i < count; i++)
	{
		if (found[i]->cert == cert)
			return found[i];
	}
	return NULL;
}

static void
note_steps(Search *search, const Question *question, const EsgCertInfo *ca, int point)
{
	int			last = question->rooted && ca != NULL ? MAX_STEPS : 1;
	int			i;

	for (i = 0; i < last; i++)
	{
		const Step *step = &question->steps[i];
		EsgCrlUse	use = {.ca = ca,.in_scope = step->in_scope,.point = point};

		if (step->crl == NULL)
			continue;
		use.crl = find_crl(search, step->crl);
		use.subject = find_ca(search, step->subject);
		use.signer = find_ca(search, step->signer);
		if (use.crl >= 0 && !append_use(search->uses, &use))
			search->failed = true;
	}
}

/* ca is NULL for an issuer that is made up; point is the CRL whose distribution point is named, or -1. */
static void
ask_about(Search *search, X509 *issuer, const EsgCertInfo *ca, int point,
		  STACK_OF(X509) *issuers, STACK_OF(X509_CRL) *crls)
{
	Question	question = {.issuer = issuer};

	question.client = make_client(issuer, point >= 0 ? search->sources->crls[point] : NULL);
	if (question.client != NULL && ask(search, &question, issuers, crls))
		note_steps(search, &question, ca, point);
	else
		search->uses->incomplete = true;
	X509_free(question.client);
}

/* Asks for clients that name no distribution point, then for those that name one. */
static void
ask_for_clients(Search *search, X509 *issuer, const EsgCertInfo *ca)
{
	STACK_OF(X509) *issuers = collect_issuers(search, issuer);
	STACK_OF(X509_CRL) *crls = issuers != NULL ? collect_crls(search, issuers) : NULL;
	int			count;
	const int  *named = esg_crl_uses_named(search->uses, X509_get_subject_name(issuer), &count);
	int			tries = 0;
	int			i;

	search->failed |= crls == NULL;
	if (crls != NULL)
		ask_about(search, issuer, ca, -1, issuers, crls);
	for (i = 0; i < count && tries < MAX_TRIES && !search->failed; i++)
	{
		if ((search->sources->crls[named[i]]->scope & ESG_SCOPE_POINT) == 0)
			continue;
		ask_about(search, issuer, ca, named[i], issuers, crls);
		tries++;
	}
	sk_X509_CRL_free(crls);
	sk_X509_free(issuers);
}

/* Where a CA has no CRL at all, there is nothing to ask. */
static void
ask_for_cas(Search *search)
{
	const EsgCrlSources *sources = search->sources;
	int			count;
	int			i;

	for (i = 0; i < sources->ca_count && !search->failed; i++)
	{
		const EsgCertInfo *ca = sources->cas[i];

		if (ca->is_ca &&
			esg_crl_uses_named(search->uses, X509_get_subject_name(ca->cert), &count) != NULL)
			ask_for_clients(search, ca->cert, ca);
	}
}

/* ---- CRLs of CAs that are not in ssl_ca_file ---- */

bool
esg_crl_uses_is_of(const EsgCrlInfo *crl, const EsgCertInfo *ca, EsgMemo *memo)
{
	switch (esg_crl_info_fits_key(crl, ca->cert))
	{
		case ESG_YES:
			return true;
		case ESG_NO:
			return false;
		case ESG_UNKNOWN:
			break;
	}
	return esg_crl_info_verify(crl, ca, memo) != ESG_NO;
}

static bool
is_of_some(const Search *search, int crl, int *tries)
{
	const EsgCrlSources *sources = search->sources;
	int			count;
	const EsgCertInfo *const *cas;
	int			i;

	cas = esg_policy_chain_find(sources->index, issuer_of(sources, crl), &count);
	if (count > 0 && (*tries)++ >= MAX_UNUSED)
		return true;
	for (i = 0; i < count; i++)
	{
		if (i >= MAX_TRIES || esg_crl_uses_is_of(sources->crls[crl], cas[i], search->memo))
			return true;
	}
	return false;
}

/* More than can be tried are not held against their files. */
static void
find_known(Search *search)
{
	int			tries = 0;
	int			i;

	for (i = 0; i < search->sources->crl_count; i++)
	{
		if (!search->uses->known[i])
			search->uses->known[i] = is_of_some(search, i, &tries);
	}
}

/* Of the CRLs of one CA only those that are used count. */
static void
pass_over_unused(Search *search, const int *named, int count, X509 *stranger, bool *done)
{
	int			i;

	for (i = 0; i < count; i++)
	{
		int			crl = named[i];

		if (esg_crl_info_fits_key(search->sources->crls[crl], stranger) == ESG_NO)
			continue;
		done[crl] = true;
		search->uses->known[crl] |= search->uses->first[crl] < 0;
	}
}

/*
 * The CRLs of one name that no CA in ssl_ca_file has: a CA of each key that they
 * name is made up.  done: those that need not be asked about any more.
 */
static void
ask_for_strangers_named(Search *search, const int *named, int count, bool *done)
{
	const EsgCrlSources *sources = search->sources;
	int			tries = 0;
	int			i;

	for (i = 0; i < count && tries < MAX_TRIES && !search->failed; i++)
	{
		int			before = search->uses->count;
		X509	   *stranger;

		if (done[named[i]])
			continue;
		tries++;
		stranger = make_stranger(sources->cas[0]->cert, sources->crls[named[i]]);
		if (stranger == NULL)
		{
			search->uses->incomplete = true;
			continue;
		}
		ask_for_clients(search, stranger, NULL);
		if (search->uses->count > before)
			pass_over_unused(search, named, count, stranger, done);
		X509_free(stranger);
	}
}

static void
ask_for_strangers(Search *search)
{
	const EsgCrlSources *sources = search->sources;
	const int  *by_name = search->uses->by_name;
	bool	   *done = OPENSSL_zalloc((size_t) sources->crl_count + 1);
	int			i;

	search->failed |= done == NULL;
	for (i = 0; i < sources->crl_count && !search->failed;)
	{
		const X509_NAME *name = issuer_of(sources, by_name[i]);
		int			crls;
		int			cas;

		(void) esg_crl_uses_named(search->uses, name, &crls);
		if (esg_policy_chain_find(sources->index, name, &cas) == NULL)
			ask_for_strangers_named(search, by_name + i, crls, done);
		i += crls;
	}
	OPENSSL_free(done);
}

/* ---- the whole ---- */

static EsgCrlUses *
make_uses(const EsgCrlSources *sources)
{
	size_t		count = (size_t) sources->crl_count;
	EsgCrlUses *uses = OPENSSL_zalloc(sizeof(EsgCrlUses));
	size_t		i;

	if (uses == NULL)
		return NULL;
	uses->sources = sources;
	/* one more, as of nothing OpenSSL gives NULL */
	uses->by_name = OPENSSL_malloc((count + 1) * sizeof(int));
	uses->first = OPENSSL_malloc((count + 1) * sizeof(int));
	uses->known = OPENSSL_zalloc((count + 1) * sizeof(bool));
	if (uses->by_name == NULL || uses->first == NULL || uses->known == NULL || !sort_crls(uses))
	{
		esg_crl_uses_free(uses);
		return NULL;
	}
	for (i = 0; i < count; i++)
		uses->first[i] = -1;
	return uses;
}

/* Without a CA nobody gets in, whatever the CRLs say. */
EsgCrlUses *
esg_crl_uses_find(const EsgCrlSources *sources, EsgMemo *memo, int64_t now)
{
	Search		search = {.sources = sources,.memo = memo,.now = now};

	search.uses = make_uses(sources);
	search.store = make_store();
	search.failed = search.uses == NULL || search.store == NULL;
	if (!search.failed && sources->ca_count > 0)
	{
		ask_for_cas(&search);
		find_known(&search);
		ask_for_strangers(&search);
	}
	X509_STORE_free(search.store);
	ERR_clear_error();
	if (!search.failed)
		return search.uses;
	esg_crl_uses_free(search.uses);
	return NULL;
}

void
esg_crl_uses_free(EsgCrlUses *uses)
{
	if (uses == NULL)
		return;
	OPENSSL_free(uses->uses);
	OPENSSL_free(uses->by_name);
	OPENSSL_free(uses->first);
	OPENSSL_free(uses->known);
	OPENSSL_free(uses);
}

/* It is a use of a CRL with the CA's name. */
const EsgCrlUse *
esg_crl_uses_of_clients(const EsgCrlUses *uses, const EsgCertInfo *ca)
{
	int			count;
	const int  *named = esg_crl_uses_named(uses, X509_get_subject_name(ca->cert), &count);
	int			i;
	int			at;

	for (i = 0; i < count; i++)
	{
		for (at = uses->first[named[i]]; at >= 0; at = uses->uses[at].next)
		{
			const EsgCrlUse *use = &uses->uses[at];

			if (use->ca == ca && use->subject == NULL && use->point < 0)
				return use;
		}
	}
	return NULL;
}
