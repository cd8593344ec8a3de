/*
 * login/identity.c
 *		May this certificate be this role?  ext_ssl_guard.identity_check.
 */
#include "postgres.h"

#include <openssl/crypto.h>

#include "lib/stringinfo.h"

#include "compat.h"
#include "login/ident_map.h"
#include "login/identity.h"
#include "server/guc.h"

#define CA_DIGITS_LOGGED 16

/* A candidate for a reader, UTF-8, palloc'd. */
static char *
show(const EsgCandidate *candidate)
{
	char	   *shown = esg_identities_shown(candidate);
	char	   *copy = pstrdup(shown ? shown : "");

	OPENSSL_free(shown);
	return copy;
}

/* identity_map in quotes, palloc'd */
static char *
quote_map(void)
{
	return esg_report_quoted(esg_report_printable(esg_guc_identity_map));
}

static bool
has_map(void)
{
	return esg_guc_identity_map[0] != '\0';
}

static char *
name_entry(const EsgSourceEntry *entry)
{
	const char *name = esg_identities_source_name(entry->source);
	char		ca[ESG_FINGERPRINT_TEXT_SIZE];

	if (!entry->has_ca)
		return pstrdup(name);
	esg_x509_info_fingerprint_text(entry->ca, ca);
	return psprintf("%s@%s", name, ca);
}

static bool
has_cas(const EsgSourceList *sources)
{
	for (int i = 0; i < sources->entry_count; i++)
	{
		if (sources->entries[i].has_ca)
			return true;
	}
	return false;
}

/* A certificate of the chain: which entries it lets count; true: any. */
static bool
note_ca(const EsgSourceList *sources, const X509 *ca, bool *counts)
{
	unsigned char digest[ESG_DIGEST_SIZE];
	bool		named = false;

	if (!esg_x509_info_fingerprint(ca, digest))
		return false;
	for (int i = 0; i < sources->entry_count; i++)
	{
		const EsgSourceEntry *entry = &sources->entries[i];

		if (!entry->has_ca || memcmp(entry->ca, digest, sizeof(digest)) != 0)
			continue;
		counts[i] = true;
		named = true;
	}
	return named;
}

/*
 * Which entries of identity_sources count for a client with this chain: those
 * without a CA, and those whose CA is in it.  The first of the chain is the
 * client's own certificate, which is no CA of its.
 */
static bool *
find_counting(const EsgSourceList *sources, STACK_OF(X509) *chain, EsgIdentityDecision *out)
{
	bool	   *counts = palloc(sizeof(bool) * sources->entry_count);

	for (int i = 0; i < sources->entry_count; i++)
		counts[i] = !sources->entries[i].has_ca;
	if (chain == NULL || !has_cas(sources))
		return counts;
	out->names_ca = palloc0(sizeof(bool) * (sk_X509_num(chain) + 1));
	for (int i = 1; i < sk_X509_num(chain); i++)
		out->names_ca[i] = note_ca(sources, sk_X509_value(chain, i), counts);
	return counts;
}

/* What a login wants to know. */
static bool
is_accepted(const EsgCandidate *candidate, const char *role_name)
{
	if (candidate->unusable != NULL)
		return false;
	if (has_map())
		return esg_ident_map_accepts(esg_guc_identity_map, role_name, candidate->text);
	return strcmp(role_name, candidate->text) == 0;
}

static void
judge_candidate(const EsgCandidate *candidate, const char *role_name, EsgIdentityRow *row)
{
	if (candidate->unusable != NULL)
	{
		row->rule = psprintf("never matches: %s", candidate->unusable);
		return;
	}
	row->matched = is_accepted(candidate, role_name);
	if (has_map())
	{
		row->rule = psprintf(row->matched ? "accepted by map %s" : "no match in map %s", quote_map());
		return;
	}
	row->rule = pstrdup(row->matched ? "equals the role name" : "differs from the role name");
}

/* One login, or dry run, on its way through the sources. */
typedef struct Trial
{
	const char *role_name;
	STACK_OF(X509) *chain;
	const bool *counts;			/* each entry of identity_sources */
	const EsgCandidates *candidates;
} Trial;

/* Without a word. */
static bool
is_any_accepted(const Trial *trial)
{
	for (int number = 0; number < esg_guc_identity_sources->entry_count; number++)
	{
		const EsgSourceEntry *entry = &esg_guc_identity_sources->entries[number];

		for (int i = 0; trial->counts[number] && i < trial->candidates->count; i++)
		{
			if (trial->candidates->items[i].source == entry->source &&
				is_accepted(&trial->candidates->items[i], trial->role_name))
				return true;
		}
	}
	return false;
}

/* The values of one entry. */
static void
judge_entry(const Trial *trial, int number, EsgIdentityDecision *out)
{
	const EsgSourceEntry *entry = &esg_guc_identity_sources->entries[number];

	for (int i = 0; i < trial->candidates->count; i++)
	{
		const EsgCandidate *candidate = &trial->candidates->items[i];
		EsgIdentityRow *row = &out->rows[out->row_count];

		if (candidate->source != entry->source)
			continue;
		out->row_count++;
		row->source = name_entry(entry);
		row->identity = show(candidate);
		if (trial->counts[number])
			judge_candidate(candidate, trial->role_name, row);
		else
			row->rule = psprintf("does not count: the certificate's chain %s",
								 trial->chain == NULL ? "is not known" : "has no such CA");
		out->allowed = out->allowed || row->matched;
	}
}

static char *
explain_allowed(const EsgIdentityDecision *decision)
{
	const EsgIdentityRow *first = decision->rows;

	while (!first->matched)
		first++;
	return psprintf("%s %s %s", first->source, esg_report_quoted(first->identity), first->rule);
}

static char *
explain_refused(const Trial *trial, const EsgIdentityDecision *decision)
{
	const EsgSourceList *sources = esg_guc_identity_sources;

	if (decision->row_count == 0)
		return pstrdup("the certificate has no value of \"ext_ssl_guard.identity_sources\"");
	if (memchr(trial->counts, true, sources->entry_count) == NULL)
		return pstrdup(trial->chain == NULL ? "the certificate's chain is not known" :
					   "the certificate's chain has no CA of \"ext_ssl_guard.identity_sources\"");
	return psprintf("no identity %s",
					has_map() ? psprintf("matches in map %s", quote_map()) :
					"equals the role name");
}

static void
judge_candidates(const Trial *trial, EsgIdentityDecision *out)
{
	int			entries = esg_guc_identity_sources->entry_count;

	out->rows = palloc0(sizeof(EsgIdentityRow) * Max(trial->candidates->count * entries, 1));
	for (int i = 0; i < entries; i++)
		judge_entry(trial, i, out);
	out->reason = out->allowed ? explain_allowed(out) : explain_refused(trial, out);
}

void
esg_identity_decide(X509 *cert, STACK_OF(X509) *chain, const char *role_name, bool explain,
					EsgIdentityDecision *out)
{
	const EsgSourceList *sources = esg_guc_identity_sources;
	EsgCandidates candidates;
	EsgNamesResult result;
	Trial		trial = {role_name, chain, NULL, &candidates};

	memset(out, 0, sizeof(*out));
	trial.counts = find_counting(sources, chain, out);
	result = esg_identities_candidates(cert, sources->sources, sources->source_count, &candidates);
	if (result != ESG_NAMES_OK)
	{
		out->reason = pstrdup(esg_identities_result_text(result));
		return;
	}
	PG_TRY();
	{
		out->allowed = !explain && is_any_accepted(&trial);
		if (!out->allowed)
			judge_candidates(&trial, out);
	}
	PG_FINALLY();
	{
		esg_identities_candidates_free(&candidates);
	}
	PG_END_TRY();
}

/* cn:"alice", uri@9f86d081884c7d65:"spiffe://prod/a": what the certificate offered */
static char *
list_identities(const EsgIdentityDecision *decision)
{
	StringInfoData buf;
	int			i;

	initStringInfo(&buf);
	for (i = 0; i < decision->row_count && buf.len < ESG_DETAIL_SIZE; i++)
	{
		const EsgIdentityRow *row = &decision->rows[i];

		/* room is short: of a CA no more than tells it from others */
		appendStringInfo(&buf, "%s%.*s:%s", i > 0 ? ", " : "",
						 (int) strcspn(row->source, "@") + 1 + CA_DIGITS_LOGGED, row->source,
						 esg_report_quoted(row->identity));
	}
	return buf.data;
}

void
esg_identity_check(const EsgPeer *peer, EsgRefusal *out)
{
	EsgIdentityDecision decision;

	memset(out, 0, sizeof(*out));
	if (!peer->line_wants_certificate || peer->cert == NULL)
		return;
	esg_identity_decide(peer->cert, peer->chain, peer->role_name, false, &decision);
	if (decision.allowed)
		return;
	esg_login_peer_begin_refusal(peer, ESG_IDENTITY_MISMATCH, out);
	esg_login_peer_add_pair(out, "reason", decision.reason);
	if (has_map())
		esg_login_peer_add_bytes(out, "map", esg_guc_identity_map);
	if (decision.row_count > 0)
		esg_login_peer_add_pair(out, "identities", list_identities(&decision));
}
