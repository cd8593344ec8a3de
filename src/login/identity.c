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

static void
judge_candidate(const EsgCandidate *candidate, const char *role_name, EsgIdentityRow *row)
{
	row->source = candidate->source;
	row->identity = show(candidate);
	row->matched = false;
	if (candidate->unusable != NULL)
	{
		row->rule = psprintf("never matches: %s", candidate->unusable);
		return;
	}
	if (has_map())
	{
		row->matched = esg_ident_map_accepts(esg_guc_identity_map, role_name, candidate->text);
		row->rule = psprintf(row->matched ? "accepted by map %s" : "no match in map %s", quote_map());
		return;
	}
	row->matched = strcmp(role_name, candidate->text) == 0;
	row->rule = pstrdup(row->matched ? "equals the role name" : "differs from the role name");
}

static void
judge_candidates(const EsgCandidates *candidates, const char *role_name, bool all,
				 EsgIdentityDecision *out)
{
	const EsgIdentityRow *first = NULL;
	int			i;

	out->rows = palloc0(sizeof(EsgIdentityRow) * Max(candidates->count, 1));
	for (i = 0; i < candidates->count && (all || first == NULL); i++)
	{
		EsgIdentityRow *row = &out->rows[out->row_count++];

		judge_candidate(&candidates->items[i], role_name, row);
		if (row->matched && first == NULL)
			first = row;
	}
	out->allowed = first != NULL;
	if (first != NULL)
		out->reason = psprintf("%s %s %s", esg_identities_source_name(first->source),
							   esg_report_quoted(first->identity), first->rule);
	else if (candidates->count == 0)
		out->reason = pstrdup("the certificate has no value of \"ext_ssl_guard.identity_sources\"");
	else
		out->reason = psprintf("no identity %s",
							   has_map() ? psprintf("matches in map %s", quote_map()) :
							   "equals the role name");
}

void
esg_identity_decide(X509 *cert, const char *role_name, bool all, EsgIdentityDecision *out)
{
	EsgCandidates candidates;
	EsgNamesResult result;

	memset(out, 0, sizeof(*out));
	result = esg_identities_candidates(cert, esg_guc_identity_source_list,
									   esg_guc_identity_source_count, &candidates);
	if (result != ESG_NAMES_OK)
	{
		out->reason = pstrdup(esg_identities_result_text(result));
		return;
	}
	PG_TRY();
	{
		judge_candidates(&candidates, role_name, all, out);
	}
	PG_FINALLY();
	{
		esg_identities_candidates_free(&candidates);
	}
	PG_END_TRY();
}

/* cn:"alice", uri:"spiffe://prod/a": what the certificate offered */
static char *
list_identities(const EsgIdentityDecision *decision)
{
	StringInfoData buf;
	int			i;

	initStringInfo(&buf);
	for (i = 0; i < decision->row_count && buf.len < ESG_DETAIL_SIZE; i++)
		appendStringInfo(&buf, "%s%s:%s", i > 0 ? ", " : "",
						 esg_identities_source_name(decision->rows[i].source),
						 esg_report_quoted(decision->rows[i].identity));
	return buf.data;
}

void
esg_identity_check(const EsgPeer *peer, EsgRefusal *out)
{
	EsgIdentityDecision decision;

	memset(out, 0, sizeof(*out));
	if (!peer->line_wants_certificate || peer->cert == NULL)
		return;
	esg_identity_decide(peer->cert, peer->role_name, false, &decision);
	if (decision.allowed)
		return;
	esg_login_peer_begin_refusal(peer, ESG_IDENTITY_MISMATCH, out);
	esg_login_peer_add_pair(out, "reason", decision.reason);
	if (has_map())
		esg_login_peer_add_bytes(out, "map", esg_guc_identity_map);
	if (decision.row_count > 0)
		esg_login_peer_add_pair(out, "identities", list_identities(&decision));
}
