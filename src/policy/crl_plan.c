/*
 * policy/crl_plan.c
 *		Which of fetched CRLs may take which place among those that are there?
 */
#include "policy/crl_plan.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "x509/cut_text.h"

#define MAX_NAME 96

/* Of every item, and every CA, what is said about a set of CRLs. */
typedef struct Verdict
{
	EsgFindings *of_items;		/* empty for those that are not in the set */
	EsgFindings *of_cas;
	bool	   *used;			/* of every item: it is in the set, and
								 * OpenSSL takes it for somebody */
	int			crls;			/* in the set */
} Verdict;

typedef bool (*MemberFn) (const EsgCrlPlanItem *item);

static bool
refuse(EsgCrlPlanItem *item, const char *before, const char *words)
{
	item->fate = ESG_CRL_IS_REFUSED;
	(void) snprintf(item->reason, sizeof(item->reason), "%s%s", before, words);
	return false;
}

/* ---- whose it is ---- */

/* The CA that has signed it; else the one whose key it names. */
static void
find_ca(const EsgCrlPlan *plan, const EsgIssuerIndex *index, EsgCrlPlanItem *item)
{
	int			count;
	const EsgCertInfo *const *cas;
	int			i;

	cas = esg_policy_chain_find(index, X509_CRL_get_issuer(item->info->crl), &count);
	for (i = 0; i < count && i < ESG_CHAIN_MAX_TRIES; i++)
	{
		EsgVerdict	fits = esg_crl_info_fits_key(item->info, cas[i]->cert);

		if (fits == ESG_NO)
			continue;
		if (esg_crl_info_verify(item->info, cas[i], plan->memo) == ESG_YES)
		{
			item->ca = cas[i];
			item->is_signed = true;
			return;
		}
		if (fits == ESG_YES && item->ca == NULL)
			item->ca = cas[i];
	}
}

static bool
has_ca(const EsgIssuerIndex *index, EsgCrlPlanItem *item)
{
	int			count;

	if (item->is_signed)
		return true;
	if (item->ca != NULL)
		return refuse(item, "", "is not signed by the key of its CA");
	if (esg_policy_chain_find(index, X509_CRL_get_issuer(item->info->crl), &count) != NULL)
		return refuse(item, "", "is of another key than the CA of that name has here");
	return refuse(item, "", "is of no CA that is known here");
}

/* ---- of one scope ---- */

/* The octets of the extension; NULL if it has none. */
static const ASN1_OCTET_STRING *
find_scope(const EsgCrlInfo *crl)
{
	int			at = X509_CRL_get_ext_by_NID(crl->crl, NID_issuing_distribution_point, -1);

	return at >= 0 ? X509_EXTENSION_get_data(X509_CRL_get_ext(crl->crl, at)) : NULL;
}

/* Of one CA key, of which there may be several certificates, and for the same certificates? */
static bool
is_same_series(const EsgCrlPlanItem *a, const EsgCrlPlanItem *b)
{
	const ASN1_OCTET_STRING *scope = find_scope(a->info);
	const ASN1_OCTET_STRING *other = find_scope(b->info);

	if (a->ca == NULL || b->ca == NULL || a->info->delta != b->info->delta ||
		memcmp(a->ca->key.digest, b->ca->key.digest, ESG_DIGEST_SIZE) != 0 ||
		X509_NAME_cmp(X509_CRL_get_issuer(a->info->crl), X509_CRL_get_issuer(b->info->crl)) != 0)
		return false;
	if (scope == NULL || other == NULL)
		return scope == other;
	return ASN1_OCTET_STRING_cmp(scope, other) == 0;
}

static bool
is_same(const EsgCrlPlanItem *a, const EsgCrlPlanItem *b)
{
	return memcmp(a->info->fingerprint, b->info->fingerprint, ESG_DIGEST_SIZE) == 0;
}

static bool
refuse_older(EsgCrlPlanItem *item, const EsgCrlPlanItem *present)
{
	char		text[ESG_TIME_TEXT_SIZE];
	char		other[ESG_TIME_TEXT_SIZE];
	char		words[2 * ESG_TIME_TEXT_SIZE + 80];

	if (item->worth.begin.unix_seconds >= present->worth.begin.unix_seconds)
		return refuse(item, "", "has a lower number than the one that is there");
	esg_x509_time_text(item->worth.begin, text, sizeof(text));
	esg_x509_time_text(present->worth.begin, other, sizeof(other));
	(void) snprintf(words, sizeof(words), "is older (%s) than the one that is there (%s)", text, other);
	return refuse(item, "", words);
}

/* ---- by itself ---- */

static bool
is_sound(const EsgCrlPlan *plan, EsgCrlPlanItem *item)
{
	const char *unused = esg_policy_crl_unused_reason(item->info);
	EsgTime		begin = item->info->this_update;
	char		text[ESG_TIME_TEXT_SIZE];
	int64_t		left;

	if (unused != NULL)
		return refuse(item, "cannot be used by PostgreSQL: ", unused);
	if (item->info->scope & ESG_SCOPE_ATTRIBUTES)
		return refuse(item, "cannot be used by PostgreSQL: ", "it covers only attribute certificates");
	if (esg_policy_crl_time_left(item->info, plan->policy, plan->now, &left) == ESG_LEFT_NOTHING)
	{
		esg_x509_time_text(item->info->next_update, text, sizeof(text));
		return refuse(item, "has expired: ", text);
	}
	if (begin.state == ESG_TIME_VALID && begin.unix_seconds > plan->now)
	{
		esg_x509_time_text(begin, text, sizeof(text));
		return refuse(item, "is not valid yet: from ", text);
	}
	return true;
}

/* ---- places ---- */

/* Beside one that is there, or was fetched before; false: it need not come. */
static bool
compare(EsgCrlPlanItem *items, int at, int other)
{
	EsgCrlPlanItem *item = &items[at];
	EsgCrlPlanItem *present = &items[other];

	if (is_same(item, present))
	{
		item->fate = present->fetched ? present->fate == ESG_CRL_COMES ? ESG_CRL_IS_SURPASSED :
			present->fate : ESG_CRL_IS_THERE;
		return false;
	}
	if (present->is_signed && esg_worth_crl_is_older(&item->worth, &present->worth))
	{
		if (!present->fetched)
			return refuse_older(item, present);
		item->fate = ESG_CRL_IS_SURPASSED;
		return false;
	}
	return true;
}

static bool
counts_beside(const EsgCrlPlanItem *item)
{
	return item->fetched ? item->fate == ESG_CRL_COMES : item->fate != ESG_CRL_IS_REFUSED;
}

/* All of its series go, where it is not older than any of them. */
static void
find_place(EsgCrlPlan *plan, int at)
{
	EsgCrlPlanItem *items = plan->items;
	int			i;

	items[at].place = -1;
	for (i = 0; i < at; i++)
	{
		if (counts_beside(&items[i]) && is_same_series(&items[i], &items[at]) &&
			!compare(items, at, i))
			return;
	}
	items[at].fate = ESG_CRL_COMES;
	for (i = 0; i < at; i++)
	{
		if (!counts_beside(&items[i]) || !is_same_series(&items[i], &items[at]))
			continue;
		if (items[i].fetched)
		{
			items[i].fate = ESG_CRL_IS_SURPASSED;
			continue;
		}
		items[i].fate = ESG_CRL_GOES;
		if (items[at].place < 0)
			items[at].place = i;
	}
}

/* From the start; what has been refused stays so. */
static void
find_places(EsgCrlPlan *plan)
{
	int			i;

	for (i = 0; i < plan->count; i++)
	{
		EsgCrlPlanItem *item = &plan->items[i];

		if (!item->fetched)
			item->fate = ESG_CRL_STAYS;
		else if (item->fate != ESG_CRL_IS_REFUSED)
			find_place(plan, i);
	}
}

/* ---- the set ---- */

static bool
was_there(const EsgCrlPlanItem *item)
{
	return !item->fetched;
}

static bool
will_be_there(const EsgCrlPlanItem *item)
{
	return item->fate == ESG_CRL_STAYS || item->fate == ESG_CRL_COMES;
}

static void
free_verdict(const EsgCrlPlan *plan, Verdict *verdict)
{
	int			i;

	for (i = 0; verdict->of_items != NULL && i < plan->count; i++)
		esg_findings_free(&verdict->of_items[i]);
	for (i = 0; verdict->of_cas != NULL && i < plan->ca_count; i++)
		esg_findings_free(&verdict->of_cas[i]);
	OPENSSL_free(verdict->of_items);
	OPENSSL_free(verdict->of_cas);
	OPENSSL_free(verdict->used);
	memset(verdict, 0, sizeof(*verdict));
}

static bool
judge_members(const EsgCrlPlan *plan, MemberFn is_member, EsgCrlContext *context, Verdict *out)
{
	EsgCrlUses *uses = esg_crl_uses_find(&context->sources, plan->memo, plan->now);
	int			member = 0;
	int			i;

	if (uses == NULL)
		return false;
	context->uses = uses;
	for (i = 0; i < plan->count; i++)
	{
		if (!is_member(&plan->items[i]))
			continue;
		out->used[i] = uses->incomplete || plan->ca_count == 0 || uses->first[member] >= 0;
		esg_policy_crl_check(plan->items[i].info, ESG_CRL_LOADED, member++, context,
							 plan->now, &out->of_items[i]);
	}
	for (i = 0; i < plan->ca_count; i++)
		esg_policy_crl_check_ca(plan->cas[i], context, &out->of_cas[i]);
	esg_crl_uses_free(uses);
	return true;
}

/* What the server's own audit would say of these CRLs. */
static bool
judge_set(const EsgCrlPlan *plan, const EsgIssuerIndex *index, MemberFn is_member, Verdict *out)
{
	const EsgCrlInfo **crls = OPENSSL_malloc(((size_t) plan->count + 1) * sizeof(*crls));
	EsgCrlContext context = {
		.sources = {.cas = plan->cas,.ca_count = plan->ca_count,.index = index,.crls = crls},
		.own = plan->cas,.own_count = plan->ca_count,.policy = plan->policy,.memo = plan->memo
	};
	bool		judged;
	int			i;

	out->of_items = OPENSSL_zalloc(((size_t) plan->count + 1) * sizeof(EsgFindings));
	out->of_cas = OPENSSL_zalloc(((size_t) plan->ca_count + 1) * sizeof(EsgFindings));
	out->used = OPENSSL_zalloc(((size_t) plan->count + 1) * sizeof(bool));
	if (crls == NULL || out->of_items == NULL || out->of_cas == NULL || out->used == NULL)
	{
		OPENSSL_free(crls);
		return false;
	}
	for (i = 0; i < plan->count; i++)
	{
		if (is_member(&plan->items[i]))
			crls[context.sources.crl_count++] = plan->items[i].info;
	}
	out->crls = context.first_in_dir = context.sources.crl_count;
	judged = judge_members(plan, is_member, &context, out);
	OPENSSL_free(crls);
	return judged;
}

/* ---- what is worse than before ---- */

/* A finding for which clients are refused, or revocations do not count. */
static bool
is_grave(const EsgCrlPlan *plan, const EsgFinding *finding)
{
	switch (finding->code)
	{
		case ESG_CRL_REVOKES_OWN:
			return !plan->allow_revoked;
		case ESG_CRL_UNUSABLE:
			/* a notice is of one that is for those who name it */
			return finding->severity > ESG_NOTICE;
		case ESG_CRL_BAD_SIGNATURE:
		case ESG_CRL_EXPIRED:
		case ESG_CRL_NOT_YET_VALID:
		case ESG_INVALID_TIME:
			return true;
		default:
			return false;
	}
}

static const EsgFinding *
find_grave(const EsgCrlPlan *plan, const EsgFindings *after, const EsgFindings *before)
{
	int			i;

	for (i = 0; i < after->count; i++)
	{
		if (is_grave(plan, &after->items[i]) && !esg_findings_has(before, after->items[i].code))
			return &after->items[i];
	}
	return NULL;
}

static void
refuse_for(EsgCrlPlanItem *item, const char *before, const EsgFinding *finding)
{
	char		words[ESG_CRL_REASON_SIZE];

	(void) snprintf(words, sizeof(words), "%s (%s)", esg_findings_def(finding->code)->name, finding->detail);
	(void) refuse(item, before, words);
}

/* What OpenSSL takes for nobody would only seem to be of use. */
static bool
refuse_unused(EsgCrlPlan *plan, const Verdict *after)
{
	bool		any = false;
	int			i;

	for (i = 0; i < plan->count; i++)
	{
		if (plan->items[i].fate != ESG_CRL_COMES || after->used[i])
			continue;
		any = true;
		(void) refuse(&plan->items[i], "", "would be used for nobody: for its CA, OpenSSL takes another CRL");
	}
	return any;
}

/* One that comes answers for itself; for harm to one that stays all that come do. */
static bool
refuse_grave(EsgCrlPlan *plan, const Verdict *before, const Verdict *after)
{
	bool		any = false;
	int			i;
	int			k;

	for (i = 0; i < plan->count; i++)
	{
		const EsgFinding *found = find_grave(plan, &after->of_items[i], &before->of_items[i]);

		if (found == NULL || !will_be_there(&plan->items[i]))
			continue;
		any = true;
		if (plan->items[i].fetched)
			refuse_for(&plan->items[i], "would be in use with finding ", found);
		for (k = 0; !plan->items[i].fetched && k < plan->count; k++)
		{
			if (plan->items[k].fate == ESG_CRL_COMES)
				refuse_for(&plan->items[k], "would give another CRL finding ", found);
		}
	}
	return any;
}

/* As soon as there is one CRL, each CA has to have one.  One that has expired has no clients. */
static void
find_missing(EsgCrlPlan *plan, const Verdict *before, const Verdict *after)
{
	int			i;

	for (i = 0; i < plan->ca_count && plan->coming > 0 && !plan->allow_missing; i++)
	{
		EsgTime		end = plan->cas[i]->not_after;
		char	   *name;

		if (!esg_findings_has(&after->of_cas[i], ESG_CRL_MISSING) ||
			(before->crls > 0 && esg_findings_has(&before->of_cas[i], ESG_CRL_MISSING)) ||
			(end.state == ESG_TIME_VALID && end.unix_seconds <= plan->now))
			continue;
		name = esg_x509_name_text(X509_get_subject_name(plan->cas[i]->cert));
		esg_cut_text_quote(plan->missing, MAX_NAME, name != NULL ? name : "");
		OPENSSL_free(name);
		return;
	}
}

static void
count_fates(EsgCrlPlan *plan)
{
	int			i;

	plan->coming = 0;
	plan->refused = 0;
	for (i = 0; i < plan->count; i++)
	{
		plan->coming += plan->items[i].fate == ESG_CRL_COMES;
		plan->refused += plan->items[i].fate == ESG_CRL_IS_REFUSED;
	}
}

static void
take_findings(EsgCrlPlan *plan, Verdict *after)
{
	int			i;

	for (i = 0; i < plan->count; i++)
	{
		plan->items[i].findings = after->of_items[i];
		memset(&after->of_items[i], 0, sizeof(EsgFindings));
	}
}

/* With others refused the set is another one, and is judged again. */
static bool
judge_plan(EsgCrlPlan *plan, const EsgIssuerIndex *index, const Verdict *before)
{
	Verdict		after = {NULL, NULL, NULL, 0};
	bool		again;

	do
	{
		free_verdict(plan, &after);
		find_places(plan);
		if (!judge_set(plan, index, will_be_there, &after))
		{
			free_verdict(plan, &after);
			return false;
		}
		again = refuse_grave(plan, before, &after) || refuse_unused(plan, &after);
	} while (again);
	count_fates(plan);
	find_missing(plan, before, &after);
	take_findings(plan, &after);
	free_verdict(plan, &after);
	return true;
}

/* ---- the whole ---- */

static bool
start_items(EsgCrlPlan *plan, const EsgIssuerIndex *index)
{
	bool		read = true;
	int			i;

	for (i = 0; i < plan->count; i++)
	{
		EsgCrlPlanItem *item = &plan->items[i];

		item->fate = ESG_CRL_STAYS;
		item->place = -1;
		item->ca = NULL;
		item->is_signed = false;
		item->reason[0] = '\0';
		memset(&item->findings, 0, sizeof(item->findings));
		read &= esg_worth_read_crl(item->info, &item->worth);
		find_ca(plan, index, item);
		if (item->fetched && has_ca(index, item))
			(void) is_sound(plan, item);
	}
	return read;
}

/* All or nothing, unless it is to go on. */
static void
give_up(EsgCrlPlan *plan)
{
	int			i;

	if (plan->missing[0] == '\0' && (plan->refused == 0 || plan->keep_going))
		return;
	for (i = 0; i < plan->count; i++)
	{
		if (plan->items[i].fate == ESG_CRL_GOES)
			plan->items[i].fate = ESG_CRL_STAYS;
	}
	plan->coming = 0;
}

void
esg_crl_plan_make(EsgCrlPlan *plan)
{
	EsgIssuerIndex *index = esg_policy_chain_index(plan->cas, plan->ca_count);
	Verdict		before = {NULL, NULL, NULL, 0};

	plan->missing[0] = '\0';
	plan->coming = plan->refused = 0;
	plan->out_of_memory = index == NULL || !start_items(plan, index) ||
		!judge_set(plan, index, was_there, &before) || !judge_plan(plan, index, &before);
	free_verdict(plan, &before);
	esg_policy_chain_index_free(index);
	if (!plan->out_of_memory)
		give_up(plan);
	ERR_clear_error();
}

void
esg_crl_plan_free(EsgCrlPlan *plan)
{
	int			i;

	for (i = 0; i < plan->count; i++)
		esg_findings_free(&plan->items[i].findings);
}
