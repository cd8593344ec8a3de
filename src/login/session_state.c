/*
 * login/session_state.c
 *		Would its certificate let the client of an open session in again?
 */
#include "postgres.h"

#include "login/session_state.h"
#include "server/guc.h"

static const struct
{
	const char *name;
	EsgCode		code;
}			states[] = {
	[ESG_STATE_NO_CERTIFICATE] = {"no_certificate", ESG_NO_FINDING},
	[ESG_STATE_VALID] = {"valid", ESG_NO_FINDING},
	[ESG_STATE_EXPIRED] = {"expired", ESG_SESSION_OUTLIVES_CERTIFICATE},
	[ESG_STATE_REVOKED] = {"revoked", ESG_SESSION_REVOKED},
	[ESG_STATE_DENIED] = {"denied", ESG_SESSION_DENIED},
};

static int
compare_issues(const void *a, const void *b)
{
	uint64		left = *(const uint64 *) a;
	uint64		right = *(const uint64 *) b;

	return left < right ? -1 : left > right;
}

void
esg_session_state_prepare(EsgDeniedIssues *out)
{
	const EsgDenyList *list = esg_guc_denied_certificates;

	out->count = 0;
	out->issues = NULL;
	if (list == NULL || list->serial_count == 0)
		return;
	out->issues = palloc_extended((Size) list->serial_count * sizeof(uint64), MCXT_ALLOC_HUGE);
	for (int i = 0; i < list->count; i++)
	{
		if (list->entries[i].serial[0] != '\0')
			out->issues[out->count++] = esg_sessions_hash_issue(list->entries[i].serial,
																list->entries[i].digest);
	}
	qsort(out->issues, out->count, sizeof(uint64), compare_issues);
}

static bool
is_denied(const EsgSession *session, const EsgDeniedIssues *denied)
{
	if (esg_deny_list_find(esg_guc_denied_certificates, NULL, session->fingerprint) != NULL)
		return true;
	if (session->listed && esg_guc_denied_certificates != NULL && esg_guc_session_check != ESG_MODE_OFF)
		return true;
	return session->has_issue && denied->count > 0 &&
		bsearch(&session->issue, denied->issues, denied->count, sizeof(uint64), compare_issues) != NULL;
}

EsgSessionState
esg_session_state_of(const EsgSession *session, const EsgDeniedIssues *denied, int64 now)
{
	if (!session->has_cert)
		return ESG_STATE_NO_CERTIFICATE;
	if (is_denied(session, denied))
		return ESG_STATE_DENIED;
	if (session->revoked && esg_guc_session_check != ESG_MODE_OFF)
		return ESG_STATE_REVOKED;
	return session->not_after <= now ? ESG_STATE_EXPIRED : ESG_STATE_VALID;
}

const char *
esg_session_state_name(EsgSessionState state)
{
	return states[state].name;
}

EsgCode
esg_session_state_code(EsgSessionState state)
{
	return states[state].code;
}
