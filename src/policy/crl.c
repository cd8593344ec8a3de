/*
 * policy/crl.c
 *		Judging CRLs as OpenSSL uses them for the server's clients.
 */
#include "policy/crl.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "x509/cut_text.h"

#define MAX_NAME 96				/* bytes of a name in a remark */
#define MAX_CRLS_OF_CA 256		/* that are verified to find its own */

/* What a check looks at. */
typedef struct CrlCase
{
	const EsgCrlInfo *crl;		/* NULL for a check of a CA's CRLs */
	EsgCrlPlace place;
	int			index;
	const EsgCertInfo *ca;		/* NULL for a check of a CRL */
	const EsgCrlContext *context;
	const EsgUsual *usual;		/* or NULL */
	int64_t		now;
} CrlCase;

typedef bool (*CrlCheckFn) (const CrlCase *c, EsgRemark *remark);

/* Does a use of the CRL fail, in one respect? */
typedef bool (*UseTestFn) (const CrlCase *c, const EsgCrlUse *use);

/* ---- uses ---- */

static const EsgCrlUse *
first_use(const CrlCase *c)
{
	const EsgCrlUses *uses = c->context->uses;
	int			first = uses != NULL && c->place == ESG_CRL_LOADED ? uses->first[c->index] : -1;

	return first >= 0 ? &uses->uses[first] : NULL;
}

static const EsgCrlUse *
next_use(const CrlCase *c, const EsgCrlUse *use)
{
	return use->next >= 0 ? &c->context->uses->uses[use->next] : NULL;
}

/*
 * A CRL that OpenSSL uses for nobody, as another is better, says nothing about
 * this server.  Where it cannot be known what it uses, each is judged.
 */
static bool
is_judged(const CrlCase *c)
{
	if (c->place == ESG_CRL_LOADED && c->context->uses != NULL && c->context->sources.ca_count > 0)
		return first_use(c) != NULL || c->context->uses->incomplete;
	return c->place != ESG_CRL_IGNORED;
}

/* Rather the clients of the CA that made it than those further below; rather all than some. */
static int
rank_use(const EsgCrlUse *use)
{
	return (use->point < 0 ? 2 : 0) + (use->ca == use->signer ? 1 : 0);
}

static bool
any_use(const CrlCase *c, const EsgCrlUse *use)
{
	(void) c;
	(void) use;
	return true;
}

/* The use to speak of among those that fail; they are listed last to first. */
static const EsgCrlUse *
find_use(const CrlCase *c, UseTestFn fails)
{
	const EsgCrlUse *best = NULL;
	const EsgCrlUse *use;

	for (use = first_use(c); use != NULL; use = next_use(c, use))
	{
		if (fails(c, use) && (best == NULL || rank_use(use) >= rank_use(best)))
			best = use;
	}
	return best;
}

/* ---- whose clients ---- */

static const EsgCertInfo *const *
find_cas(const CrlCase *c, const X509_NAME *name, int *count)
{
	const EsgCertInfo *const *cas = esg_policy_chain_find(c->context->sources.index, name, count);

	if (*count > ESG_CHAIN_MAX_TRIES)
		*count = ESG_CHAIN_MAX_TRIES;
	return cas;
}

/* Is there another CA of that name, with another key? */
static bool
is_ambiguous(const CrlCase *c, const EsgCertInfo *ca)
{
	int			count;
	const EsgCertInfo *const *cas = find_cas(c, X509_get_subject_name(ca->cert), &count);
	int			i;

	for (i = 0; i < count; i++)
	{
		if (memcmp(cas[i]->key.digest, ca->key.digest, ESG_DIGEST_SIZE) != 0)
			return true;
	}
	return false;
}

/* In quotes, into a buffer of MAX_NAME; frees str, which is OpenSSL's. */
static void
take_quoted(char *buf, char *str)
{
	esg_cut_text_quote(buf, MAX_NAME, str != NULL ? str : "");
	OPENSSL_free(str);
}

/* a CA's name as a remark has it: clients of "CN=x"; with its serial number if need be */
static void
print_clients(const CrlCase *c, const EsgCertInfo *ca, char *buf, size_t size)
{
	const X509_NAME *name = ca != NULL ? X509_get_subject_name(ca->cert) : X509_CRL_get_issuer(c->crl->crl);
	char		text[MAX_NAME];
	char		serial[MAX_NAME];

	take_quoted(text, esg_x509_name_text(name));
	snprintf(buf, size, "clients of %s", text);
	if (ca == NULL || !is_ambiguous(c, ca))
		return;
	esg_cut_text_take(serial, sizeof(serial), esg_x509_info_serial_text(X509_get0_serialNumber(ca->cert)));
	snprintf(buf, size, "clients of %s (serial number %s)", text, serial);
}

/* Would a client's certificate that names the CRL's distribution point do? */
static bool
is_nameless(const CrlCase *c, const EsgCrlUse *use)
{
	return use->point < 0 && use->subject == NULL && !use->in_scope &&
		(c->crl->scope & ESG_SCOPE_POINT) != 0;
}

/* Whom the use is about, a distribution point included. */
static void
print_users(const CrlCase *c, const EsgCrlUse *use, char *buf, size_t size)
{
	const EsgCrlInfo *named = use->point >= 0 ? c->context->sources.crls[use->point] : NULL;
	bool		must_name = is_nameless(c, use);
	char		clients[2 * MAX_NAME + 40];
	char		point[MAX_NAME];

	print_clients(c, use->ca, clients, sizeof(clients));
	if (named == NULL && !must_name)
	{
		snprintf(buf, size, "%s", clients);
		return;
	}
	take_quoted(point, esg_crl_info_point_text(named != NULL ? named : c->crl));
	snprintf(buf, size, "%s whose certificates %sname %s", clients, must_name ? "do not " : "", point);
}

/* "<fact>, so clients of "CN=x" are refused"; without a use the fact alone */
static void
say_refused(const CrlCase *c, EsgRemark *remark, const char *fact, const EsgCrlUse *use)
{
	char		users[4 * MAX_NAME];

	if (use == NULL)
	{
		esg_remark_say(remark, "%s", fact);
		return;
	}
	print_users(c, use, users, sizeof(users));
	esg_remark_say(remark, "%s, so %s are refused", fact, users);
}

/* ---- time ---- */

/* Microsoft's extension; what cannot be is not there. */
static bool
says_next_publish(const EsgCrlInfo *crl)
{
	return crl->next_publish.state == ESG_TIME_VALID && crl->next_update.state == ESG_TIME_VALID &&
		crl->next_publish.unix_seconds < crl->next_update.unix_seconds &&
		crl->next_publish.unix_seconds >= crl->this_update.unix_seconds;
}

/* The policy with the shares of lifetime that are for CRLs. */
static EsgPolicy
with_crl_shares(const EsgPolicy *policy)
{
	EsgPolicy	shares = *policy;

	shares.alert_lifetime_percent = policy->crl_alert_lifetime_percent;
	shares.critical_lifetime_percent = policy->crl_critical_lifetime_percent;
	return shares;
}

/* Seconds before the end: half of the time in which there are two. */
static int64_t
half_overlap(const EsgCrlInfo *crl)
{
	return (crl->next_update.unix_seconds - crl->next_publish.unix_seconds) / 2;
}

EsgTimeLeft
esg_policy_crl_time_left(const EsgCrlInfo *crl, const EsgPolicy *policy, int64_t now, int64_t *left)
{
	EsgPolicy	shares = with_crl_shares(policy);
	EsgTimeLeft stage = esg_policy_time_left(crl->this_update, crl->next_update, &shares, now, left);

	if (stage == ESG_LEFT_NOTHING || !says_next_publish(crl))
		return stage;
	if (*left > half_overlap(crl))
		return ESG_LEFT_ENOUGH;
	return stage == ESG_LEFT_ENOUGH ? ESG_LEFT_SOON : stage;
}

int64_t
esg_policy_crl_time_next(const EsgCrlInfo *crl, const EsgPolicy *policy, int64_t now)
{
	EsgPolicy	shares = with_crl_shares(policy);
	int64_t		next = esg_policy_time_next(crl->this_update, crl->next_update, &shares, now);

	if (says_next_publish(crl))
	{
		int64_t		soon = crl->next_update.unix_seconds - half_overlap(crl);

		if (soon > now && soon < next)
			next = soon;
	}
	return next;
}

static bool
is_at_stage(const CrlCase *c, EsgTimeLeft stage, char *span, size_t size)
{
	int64_t		left;

	if (!is_judged(c) ||
		esg_policy_crl_time_left(c->crl, c->context->policy, c->now, &left) != stage)
		return false;
	esg_x509_time_span_text(left, span, size);
	return true;
}

static bool
check_expired(const CrlCase *c, EsgRemark *remark)
{
	char		span[40];
	char		fact[48];

	if (!is_at_stage(c, ESG_LEFT_NOTHING, span, sizeof(span)))
		return false;
	snprintf(fact, sizeof(fact), "%s ago", span);
	say_refused(c, remark, fact, find_use(c, any_use));
	return true;
}

static bool
will_expire(const CrlCase *c, EsgRemark *remark, EsgTimeLeft stage)
{
	const EsgCrlUse *use = find_use(c, any_use);
	char		users[4 * MAX_NAME] = "";
	char		span[40];

	if (!is_at_stage(c, stage, span, sizeof(span)))
		return false;
	if (use != NULL)
		print_users(c, use, users, sizeof(users));
	esg_remark_say(remark, "%s%s%s%s", span, use != NULL ? ", and then " : "", users,
				   use != NULL ? " will be refused" : "");
	return true;
}

static bool
check_expires_very_soon(const CrlCase *c, EsgRemark *remark)
{
	return will_expire(c, remark, ESG_LEFT_VERY_SOON);
}

/* While it is renewed as it used to be, nobody need do anything. */
static bool
check_expires_soon(const CrlCase *c, EsgRemark *remark)
{
	if (esg_renewal_as_usual(c->usual, c->crl->next_update, c->now))
		remark->severity = ESG_NOTICE;
	return will_expire(c, remark, ESG_LEFT_SOON);
}

static bool
check_renewal_overdue(const CrlCase *c, EsgRemark *remark)
{
	return is_judged(c) &&
		esg_renewal_is_overdue(c->usual, c->crl->next_update, c->now, remark);
}

static bool
check_not_yet_valid(const CrlCase *c, EsgRemark *remark)
{
	EsgRemark	when;

	if (!is_judged(c) || !esg_policy_is_before(c->crl->this_update, c->now, &when))
		return false;
	say_refused(c, remark, when.detail, find_use(c, any_use));
	return true;
}

static bool
check_no_next_update(const CrlCase *c, EsgRemark *remark)
{
	(void) remark;
	return is_judged(c) && c->crl->next_update.state == ESG_TIME_ABSENT;
}

static bool
check_invalid_time(const CrlCase *c, EsgRemark *remark)
{
	EsgTime		end = c->crl->next_update;
	bool		bad_begin = esg_policy_time_unusable(c->crl->this_update);

	/* absent is another finding */
	bool		bad_end = end.state != ESG_TIME_ABSENT && esg_policy_time_unusable(end);
	char		fact[40];

	if (!is_judged(c) || (!bad_begin && !bad_end))
		return false;
	snprintf(fact, sizeof(fact), "%s%s%s", bad_begin ? "thisUpdate" : "",
			 bad_begin && bad_end ? " and " : "", bad_end ? "nextUpdate" : "");
	say_refused(c, remark, fact, find_use(c, any_use));
	return true;
}

/* ---- issuer and signature ---- */

static EsgVerdict
verify(const CrlCase *c, const EsgCrlInfo *crl, const EsgCertInfo *ca)
{
	return esg_crl_info_verify(crl, ca, c->context->memo);
}

/* Is there a CA in ssl_ca_file whose CRL it is, by its signature? */
static bool
is_some_ca_s(const CrlCase *c, const EsgCrlInfo *crl)
{
	int			count;
	const EsgCertInfo *const *cas = find_cas(c, X509_CRL_get_issuer(crl->crl), &count);
	int			i;

	for (i = 0; i < count; i++)
	{
		if (verify(c, crl, cas[i]) == ESG_YES)
			return true;
	}
	return false;
}

static bool
check_unknown_issuer(const CrlCase *c, EsgRemark *remark)
{
	(void) remark;
	return c->place == ESG_CRL_LOADED && c->context->uses != NULL && !c->context->uses->known[c->index];
}

/* RFC 5280 section 4.2.1.3: a key usage extension must name cRLSign; OpenSSL does not ask that of a delta CRL */
static bool
is_forbidden(const CrlCase *c, const EsgCrlUse *use)
{
	return use->signer != NULL && !c->crl->delta &&
		use->signer->has_key_usage && (use->signer->key_usage & KU_CRL_SIGN) == 0;
}

/* What OpenSSL cannot verify, be it for lack of the algorithm, it does not accept. */
static bool
is_refuted(const CrlCase *c, const EsgCrlUse *use)
{
	return use->signer != NULL && verify(c, c->crl, use->signer) != ESG_YES;
}

/* The CRL of an extra file, whose CA happens to be known. */
static bool
is_extra_refuted(const CrlCase *c)
{
	int			count;
	const EsgCertInfo *const *cas = find_cas(c, X509_CRL_get_issuer(c->crl->crl), &count);
	int			i;

	for (i = 0; i < count; i++)
	{
		if (esg_crl_info_fits_key(c->crl, cas[i]->cert) == ESG_YES && verify(c, c->crl, cas[i]) == ESG_NO)
			return true;
	}
	return false;
}

/*
 * A good CRL that is taken for another CA of the same name is not to blame:
 * check_unusable() and check_missing() speak of that.
 */
static bool
check_bad_signature(const CrlCase *c, EsgRemark *remark)
{
	const EsgCrlUse *use = find_use(c, is_refuted);

	if (c->place == ESG_CRL_EXTRA && is_extra_refuted(c))
	{
		esg_remark_say(remark, "its CA's key does not verify it");
		return true;
	}
	if (use != NULL &&
		(esg_crl_info_fits_key(c->crl, use->signer->cert) == ESG_YES || !is_some_ca_s(c, c->crl)))
	{
		say_refused(c, remark, "its CA's key does not verify it", use);
		return true;
	}
	use = find_use(c, is_forbidden);
	if (use == NULL || is_refuted(c, use))
		return false;
	say_refused(c, remark, "its CA lacks key usage cRLSign", use);
	return true;
}

/* Unlike certificates there is one code only: unknown is not fine either. */
static bool
check_weak_signature(const CrlCase *c, EsgRemark *remark)
{
	esg_remark_say(remark, "%s", c->crl->signature.algorithm);
	return is_judged(c) &&
		esg_policy_signature_weak(&c->crl->signature, c->context->policy) != ESG_NO;
}

/* ---- CRLs that are not what OpenSSL needs ---- */

static bool
is_out_of_scope(const CrlCase *c, const EsgCrlUse *use)
{
	(void) c;
	return !use->in_scope;
}

/* Every client, whatever distribution point it names. */
static bool
is_out_of_scope_for_all(const CrlCase *c, const EsgCrlUse *use)
{
	return is_out_of_scope(c, use) &&
		(use->subject != NULL || (c->crl->scope & (ESG_SCOPE_ATTRIBUTES | ESG_SCOPE_CAS)) != 0 ||
		 (c->crl->scope & ESG_SCOPE_POINT) == 0);
}

static const char *
describe_scope(const CrlCase *c, const EsgCrlUse *use)
{
	unsigned	scope = c->crl->scope;

	if (scope & ESG_SCOPE_ATTRIBUTES)
		return "it covers only attribute certificates";
	if (use->subject == NULL && (scope & ESG_SCOPE_CAS))
		return "it covers only CA certificates";
	if (use->subject != NULL && (scope & ESG_SCOPE_USERS))
		return "it covers only certificates that are no CA's";
	return "it covers only a distribution point";
}

/* What OpenSSL uses, but not for what it was made, or to refuse. */
static bool
is_misfit(const CrlCase *c, EsgRemark *remark)
{
	const EsgCrlUse *use;
	char		fact[160];

	if (c->crl->critical || c->crl->critical_entry)
	{
		snprintf(fact, sizeof(fact), "%s has a critical extension that OpenSSL does not know (%s)",
				 c->crl->critical ? "it" : "an entry", c->crl->critical_oid);
		say_refused(c, remark, fact, find_use(c, any_use));
		return true;
	}
	use = find_use(c, is_out_of_scope_for_all);
	if (use == NULL)
	{
		use = find_use(c, is_out_of_scope);
		/* who of them names it only their certificates know */
		if (use != NULL)
			remark->severity = ESG_NOTICE;
	}
	if (use != NULL)
		say_refused(c, remark, describe_scope(c, use), use);
	else if (c->crl->delta)
		esg_remark_say(remark, "it is a delta CRL, so what its base revokes does not count");
	return use != NULL || c->crl->delta;
}

const char *
esg_policy_crl_unused_reason(const EsgCrlInfo *crl)
{
	if (crl->delta)
		return "it is a delta CRL";
	if (crl->scope & ESG_SCOPE_REASONS)
		return "it covers only some reasons";
	if (crl->scope & ESG_SCOPE_INDIRECT)
		return "it is an indirect CRL";
	return NULL;
}

static const char *
describe_unused(const EsgCrlInfo *crl)
{
	const char *reason = esg_policy_crl_unused_reason(crl);

	return reason != NULL ? reason : "OpenSSL does not take it";
}

/* Does OpenSSL take another CA's CRL of that name, which is good for the other one, in its place? */
static bool
is_displaced(const CrlCase *c, const EsgCrlUse *use)
{
	const EsgCrlInfo *taken = c->context->sources.crls[use->crl];

	return !c->crl->delta && use->crl != c->index && use->signer != NULL &&
		verify(c, taken, use->signer) != ESG_YES && is_some_ca_s(c, taken);
}

/* Is it the CRL of this CA, and has OpenSSL no use for it, and none for a better one? */
static bool
is_unused_of(const CrlCase *c, const EsgCertInfo *ca, EsgRemark *remark)
{
	const EsgCrlUse *use;
	EsgCrlUse	refused = {.ca = ca,.in_scope = true,.point = -1};

	if (!ca->is_ca || !esg_crl_uses_is_of(c->crl, ca, c->context->memo))
		return false;
	use = esg_crl_uses_of_clients(c->context->uses, ca);
	if (use == NULL)
		say_refused(c, remark, describe_unused(c->crl), &refused);
	else if (is_displaced(c, use))
		say_refused(c, remark, "OpenSSL takes another CA's CRL of that name for it, as not both name their keys",
					&refused);
	else
		return false;
	return true;
}

/* The same for a CA that is not in ssl_ca_file. */
static bool
is_unused_of_stranger(const CrlCase *c, EsgRemark *remark)
{
	EsgCrlUse	refused = {.in_scope = true,.point = -1};
	const EsgCrlUses *uses = c->context->uses;
	int			count;
	const int  *named = esg_crl_uses_named(uses, X509_CRL_get_issuer(c->crl->crl), &count);
	int			i;

	for (i = 0; i < count; i++)
	{
		if (uses->first[named[i]] >= 0)
			return false;
	}
	say_refused(c, remark, describe_unused(c->crl), &refused);
	return true;
}

static bool
check_unusable(const CrlCase *c, EsgRemark *remark)
{
	int			count;
	const EsgCertInfo *const *cas;
	int			i;

	if (c->place != ESG_CRL_LOADED || c->context->uses == NULL || c->context->sources.ca_count == 0)
		return false;
	if (is_judged(c))
		return is_misfit(c, remark);

	/* it is known that OpenSSL uses it for nobody */
	cas = find_cas(c, X509_CRL_get_issuer(c->crl->crl), &count);
	for (i = 0; i < count; i++)
	{
		if (is_unused_of(c, cas[i], remark))
			return true;
	}
	return count == 0 && is_unused_of_stranger(c, remark);
}

/* ---- the CRL and the server's own certificates ---- */

/*
 * Names and serial numbers are the same; are the keys?  Whoever made the CRL, if
 * he is known, must have made the certificate; and the other way round.
 */
static bool
is_same_issuer(const CrlCase *c, const EsgCertInfo *cert)
{
	const X509_NAME *issuer = X509_CRL_get_issuer(c->crl->crl);
	int			tries = 0;
	int			i;

	if (esg_crl_info_same_key(c->crl, cert->cert) == ESG_NO)
		return false;
	for (i = 0; i < c->context->own_count && tries < ESG_CHAIN_MAX_TRIES; i++)
	{
		const EsgCertInfo *ca = c->context->own[i];
		EsgVerdict	made_crl;
		EsgVerdict	made_cert;

		if (X509_NAME_cmp(X509_get_subject_name(ca->cert), issuer) != 0)
			continue;
		tries++;
		made_crl = verify(c, c->crl, ca);
		made_cert = esg_x509_info_verify(cert, ca, c->context->memo);
		if (made_crl == ESG_YES || made_cert == ESG_YES)
			return made_crl != ESG_NO && made_cert != ESG_NO;
	}
	return true;
}

/* Does the CRL make OpenSSL refuse the clients of a CA, as the CA is revoked? */
static const EsgCrlUse *
find_use_for(const CrlCase *c, const EsgCertInfo *ca)
{
	const EsgCrlUse *use;

	for (use = first_use(c); use != NULL; use = next_use(c, use))
	{
		if (use->subject != NULL &&
			memcmp(use->subject->fingerprint, ca->fingerprint, ESG_DIGEST_SIZE) == 0)
			return use;
	}
	return NULL;
}

static bool
check_revokes_own(const CrlCase *c, EsgRemark *remark)
{
	int			scans = 0;
	int			i;

	for (i = 0; i < c->context->own_count && is_judged(c); i++)
	{
		const EsgCertInfo *own = c->context->own[i];
		EsgCrlUse	clients = {.ca = own,.in_scope = true,.point = -1};
		char		name[MAX_NAME];
		char		fact[MAX_NAME + 40];

		if (!esg_crl_info_lists(c->crl, own->cert, &scans) || !is_same_issuer(c, own))
			continue;
		take_quoted(name, esg_x509_name_text(X509_get_subject_name(own->cert)));
		snprintf(fact, sizeof(fact), "certificate %s, which this server uses", name);
		say_refused(c, remark, fact, find_use_for(c, own) != NULL ? &clients : NULL);
		return true;
	}
	return false;
}

/* ---- CRLs of a CA ---- */

/* A complete CRL of its own; more than can be tried are not held against it. */
static bool
has_crl(const CrlCase *c)
{
	const EsgCrlSources *sources = &c->context->sources;
	int			count;
	const int  *crls = esg_crl_uses_named(c->context->uses, X509_get_subject_name(c->ca->cert), &count);
	int			i;

	for (i = 0; i < count; i++)
	{
		const EsgCrlInfo *crl = sources->crls[crls[i]];

		if (i >= MAX_CRLS_OF_CA ||
			(!crl->delta && esg_crl_uses_is_of(crl, c->ca, c->context->memo)))
			return true;
	}
	return false;
}

static bool
check_missing(const CrlCase *c, EsgRemark *remark)
{
	const EsgCrlUse *use;
	const EsgCrlInfo *taken;

	if (!c->ca->is_ca || c->context->uses == NULL || has_crl(c))
		return false;
	use = esg_crl_uses_of_clients(c->context->uses, c->ca);
	taken = use != NULL ? c->context->sources.crls[use->crl] : NULL;
	if (taken == NULL && c->context->uses->incomplete)
		return false;
	if (taken == NULL || (use->signer != NULL && verify(c, taken, use->signer) != ESG_YES))
	{
		esg_remark_say(remark, "its clients are refused");
		return true;
	}
	/* of a CA further up the chain with the same name, which is fine */
	if (!taken->delta)
		return false;
	esg_remark_say(remark, "most of its revocations do not count");
	return true;
}

/* ---- names in ssl_crl_dir ---- */

/* Also under a second name, as openssl rehash leaves it. */
static bool
is_found_elsewhere(const CrlCase *c)
{
	const EsgCrlSources *sources = &c->context->sources;
	int			i;

	for (i = c->context->first_in_dir; i < sources->crl_count; i++)
	{
		if (memcmp(sources->crls[i]->fingerprint, c->crl->fingerprint, ESG_DIGEST_SIZE) == 0)
			return true;
	}
	return false;
}

static bool
check_not_hashed(const CrlCase *c, EsgRemark *remark)
{
	if (c->place != ESG_CRL_IGNORED || c->context->names == NULL || is_found_elsewhere(c))
		return false;
	esg_crl_names_remark(c->context->names, c->crl->crl, remark);
	return true;
}

/* ---- all of them ---- */

#define BY_CRL(check) check
#define BY_CERTIFICATE_AND_CRL(check) check
#define FINDING(code, name, state, severity, places, enforced, message, hint, check) [ESG_##code] = check,

static const CrlCheckFn crl_checks[ESG_CODE_COUNT] = {
#include "policy/finding_list.h"
};

#define BY_CRLS_OF_CA(check) check
#define FINDING(code, name, state, severity, places, enforced, message, hint, check) [ESG_##code] = check,

static const CrlCheckFn ca_checks[ESG_CODE_COUNT] = {
#include "policy/finding_list.h"
};

static void
judge(const CrlCheckFn *checks, const CrlCase *c, EsgPlace place, EsgFindings *out)
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
	ERR_clear_error();
}

void
esg_policy_crl_check_watched(const EsgCrlInfo *crl, EsgCrlPlace place, int index,
							 const EsgCrlContext *context, const EsgUsual *usual, int64_t now,
							 EsgFindings *out)
{
	CrlCase		c = {crl, place, index, NULL, context, usual, now};

	judge(crl_checks, &c, ESG_PLACE_CRL, out);
}

void
esg_policy_crl_check(const EsgCrlInfo *crl, EsgCrlPlace place, int index,
					 const EsgCrlContext *context, int64_t now, EsgFindings *out)
{
	esg_policy_crl_check_watched(crl, place, index, context, NULL, now, out);
}

void
esg_policy_crl_check_ca(const EsgCertInfo *ca, const EsgCrlContext *context, EsgFindings *out)
{
	CrlCase		c = {.ca = ca,.context = context};

	judge(ca_checks, &c, ESG_PLACE_CA, out);
}
