/*
 * login/session_review.c
 *		The worker's look at the open sessions: ext_ssl_guard.session_check.
 *
 * What was found out about a session is kept in its place in shared memory, so
 * that a worker started anew goes on where the one before it was.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "libpq/libpq.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "login/session_judge.h"
#include "login/session_review.h"
#include "login/session_state.h"
#include "login/sessions.h"
#include "policy/elapsed.h"
#include "policy/policy.h"
#include "server/alarms.h"
#include "server/guc.h"
#include "server/report.h"
#include "server/state.h"

/* without an occasion they are looked at so often; alarms are repeated then */
#define REVIEW_INTERVAL (60 * USECS_PER_SEC)
/* a session that was told to end has so many seconds before that is an alarm */
#define END_PATIENCE 5
/* while the CRLs are asked it is looked so often whether that has ended */
#define JUDGE_POLL (100 * INT64CONST(1000))
/* no place for the process that asks them */
#define NO_PLACE_PAUSE USECS_PER_SEC
/* it has come to no end */
#define FAILED_PAUSE (10 * USECS_PER_SEC)

static const EsgCode codes[] = {
	ESG_SESSION_OUTLIVES_CERTIFICATE, ESG_SESSION_REVOKED, ESG_SESSION_DENIED
};

/* What the worker knows of its own past. */
static struct
{
	bool		idle;			/* the check is off, and nothing is left of it */
	bool		wanted;			/* a look, whatever has happened */
	TimestampTz reviewed_at;
	TimestampTz next;			/* when something is due; DT_NOEND: nothing */
	EsgSessionEvents events;	/* as of the last look */
}			past = {.next = DT_NOEND};

/* The process that asks the CRLs. */
static struct
{
	BackgroundWorkerHandle *handle; /* NULL: none runs */
	uint32		judged;			/* EsgSessionEvents' when it began */
	bool		wanted;			/* there is a reason to start it */
	bool		told;			/* that there is no place for it */
	TimestampTz due_since;		/* 0: nothing is to be judged */
	TimestampTz alarmed_at;		/* 0: that is no alarm */
	uint64		settings;		/* digest of those that decide who is ended */
	uint32		asked;			/* rises when they change */
	uint32		begun;			/* asked, when it was started last */
	uint32		answered;		/* asked, when the one began that came to its
								 * end last */
	TimestampTz retry_at;
}			judge = {.asked = 1};

/* What is to be judged and is not for so long is an alarm. */
#define NOT_JUDGED_PATIENCE (10 * USECS_PER_SEC)

/* With these a session that was judged before may be ended. */
static const char *const deciding_settings[] = {
	"ext_ssl_guard.session_check", "ext_ssl_guard.session_grace",
	"ext_ssl_guard.session_check_replication", "ext_ssl_guard.exempt_roles",
	"ext_ssl_guard.finding_overrides", "ext_ssl_guard.denied_certificates"
};

/* One look. */
typedef struct Review
{
	TimestampTz now;
	int64		unix_now;
	EsgPolicy	policy;
	EsgDeniedIssues denied;
	bool		in_service;		/* there is TLS, and so somebody to be asked */
	EsgSession *sessions;
	int			count;
	EsgSessionState *states;	/* of each session */
	int		   *alarming;		/* the numbers of those with an alarm */
	int			alarm_count;
	TimestampTz next;
} Review;

/* ------------------------------------------------------------------------
 * One session
 * ------------------------------------------------------------------------ */

static TimestampTz
from_unix(int64 unix_seconds)
{
	EsgTime		t = {ESG_TIME_VALID, unix_seconds, false};
	bool		is_null;

	if (unix_seconds == ESG_TIME_NEVER)
		return DT_NOEND;
	return esg_report_timestamp(t, &is_null);
}

/* Remembers since when it is what it is. */
static void
date_session(EsgSession *session, EsgSessionState state, TimestampTz now)
{
	bool		denied = state == ESG_STATE_DENIED;

	if (denied && session->bad_since == 0)
		session->bad_since = now;
	if (!denied && session->denied && !session->revoked)
		session->bad_since = 0;
	session->denied = denied;
}

/* Since when would its certificate not let it in any more? */
static TimestampTz
bad_since(const EsgSession *session)
{
	TimestampTz end = from_unix(session->not_after);

	return session->bad_since != 0 ? Min(session->bad_since, end) : end;
}

static bool
may_be_ended(const EsgSession *session)
{
	return esg_guc_session_check == ESG_MODE_ENFORCE &&
		!esg_guc_is_exempt_role(session->role_name) &&
		(!session->replication || esg_guc_session_check_replication);
}

static const char *
reason_for(EsgSessionState state)
{
	switch (state)
	{
		case ESG_STATE_DENIED:
			return "its client certificate is one of \"ext_ssl_guard.denied_certificates\"";
		case ESG_STATE_REVOKED:
			return "its client certificate was revoked";
		default:
			return "its client certificate has expired";
	}
}

/* Who it is, for DETAIL. */
static void
describe(const EsgSession *session, char *pairs)
{
	char	   *role = esg_report_printable(session->role_name);
	char		text[ESG_FINGERPRINT_TEXT_SIZE];
	char		number[32];
	EsgTime		end = {.state = ESG_TIME_VALID};

	pairs[0] = '\0';
	esg_alarm_text_append_pair(pairs, ESG_DETAIL_SIZE, "role", role);
	snprintf(number, sizeof(number), "%d", session->pid);
	esg_alarm_text_append_pair(pairs, ESG_DETAIL_SIZE, "pid", number);
	StaticAssertStmt(sizeof(text) >= ESG_CLIENT_ADDRESS_TEXT_SIZE, "the longer text has room");
	esg_client_entry_address_text(&session->address, text, sizeof(text));
	esg_alarm_text_append_pair(pairs, ESG_DETAIL_SIZE, "host", text);
	esg_x509_info_fingerprint_text(session->fingerprint, text);
	esg_alarm_text_append_pair(pairs, ESG_DETAIL_SIZE, "fingerprint", text);
	if (session->not_after != ESG_TIME_NEVER)
	{
		end.unix_seconds = session->not_after;
		esg_x509_time_text(end, text, sizeof(text));
		esg_alarm_text_append_pair(pairs, ESG_DETAIL_SIZE, "not_after", text);
	}
	pfree(role);
}

/* The reason comes first: nothing may go between it and the signal. */
static void
log_end(const EsgSession *session, EsgSessionState state)
{
	const EsgFindingDef *def = esg_findings_def(esg_session_state_code(state));
	const char *code = def->sqlstate;
	char		pairs[ESG_DETAIL_SIZE];
	char	   *role = esg_report_printable(session->role_name);

	describe(session, pairs);
	ereport(LOG,
			(errcode(MAKE_SQLSTATE(code[0], code[1], code[2], code[3], code[4])),
			 errmsg("ending session of role %s: %s",
					esg_report_text(esg_report_quoted(role)), reason_for(state)),
			 errdetail_internal("%s", esg_report_with_cluster(psprintf("code=%s %s", def->name,
																	   esg_report_text(pairs))))));
	pfree(role);
}

static void
end_session(Review *review, EsgSession *session, EsgSessionState state)
{
	if (!esg_sessions_is_open(session))
		return;
	log_end(session, state);
	if (esg_sessions_end(session))
		session->ended_at = (uint32) review->unix_now;
}

/*
 * Who changes settings may change the CRL with them: what was found out before is
 * no reason to end anybody by the new ones.
 */
static bool
is_certain(const Review *review, const EsgSession *session)
{
	EsgSession	unjudged = *session;

	if (judge.answered == judge.asked || !review->in_service)
		return true;
	unjudged.revoked = unjudged.listed = false;
	return esg_session_state_code(esg_session_state_of(&unjudged, &review->denied, review->unix_now)) != ESG_NO_FINDING;
}

/* Ends it if it is time to; is it to be an alarm that it goes on? */
static bool
judge_session(Review *review, EsgSession *session, EsgSessionState state, bool alarmed)
{
	TimestampTz end = bad_since(session) + esg_guc_session_grace * USECS_PER_SEC;

	if (!may_be_ended(session))
		return true;
	if (session->ended_at == 0 && review->now >= end)
	{
		if (!is_certain(review, session))
		{
			judge.wanted = true;
			return alarmed;
		}
		end_session(review, session, state);
	}
	if (session->ended_at == 0)
	{
		review->next = Min(review->next, end);
		return end > review->now;
	}
	if (review->unix_now - (int64) session->ended_at >= END_PATIENCE)
		return true;
	review->next = Min(review->next, from_unix((int64) session->ended_at + END_PATIENCE));
	return false;
}

/* ------------------------------------------------------------------------
 * Alarms
 * ------------------------------------------------------------------------ */

static const Review *compared;

/* those with one alarm together */
static int
compare_alarming(const void *a, const void *b)
{
	int			left = *(const int *) a;
	int			right = *(const int *) b;
	const EsgSession *first = &compared->sessions[left];
	const EsgSession *second = &compared->sessions[right];
	int			order = (int) compared->states[left] - (int) compared->states[right];

	if (order == 0)
		order = memcmp(first->fingerprint, second->fingerprint, ESG_DIGEST_SIZE);
	return order != 0 ? order : strcmp(first->role_name, second->role_name);
}

/* Critical where it was to be ended, unless the administrator grades it himself; ESG_OK: it is not looked for. */
static EsgSeverity
severity_of(const Review *review, EsgCode code)
{
	if (esg_guc_session_check == ESG_MODE_ENFORCE && review->policy.overrides[code] < 0)
		return ESG_CRITICAL;
	return esg_findings_severity(code, ESG_PLACE_SERVER, review->policy.overrides);
}

/* One for all sessions of a role with one certificate. */
static void
raise_alarm(const Review *review, int number, int count)
{
	const EsgSession *session = &review->sessions[number];
	EsgCode		code = esg_session_state_code(review->states[number]);
	EsgSeverity severity = severity_of(review, code);
	char		pairs[ESG_DETAIL_SIZE];
	char		text[ESG_FINGERPRINT_TEXT_SIZE];
	char	   *role = esg_report_printable(session->role_name);
	EsgAlarm	alarm;

	describe(session, pairs);
	snprintf(text, sizeof(text), "%d", count);
	esg_alarm_text_append_pair(pairs, sizeof(pairs), "sessions", text);
	esg_report_server_alarm(code, severity, role, pairs, &alarm);
	esg_x509_info_fingerprint_text(session->fingerprint, text);
	snprintf(alarm.object, sizeof(alarm.object), "role %s, %s", esg_report_quoted(role), text);
	memcpy(alarm.fingerprint, session->fingerprint, ESG_DIGEST_SIZE);
	esg_alarms_raise(ESG_SCOPE_LOGIN, &alarm, review->now);
	pfree(role);
}

static void
raise_alarms(Review *review)
{
	int			first = 0;

	compared = review;
	qsort(review->alarming, review->alarm_count, sizeof(int), compare_alarming);
	for (int i = 1; i <= review->alarm_count; i++)
	{
		if (i < review->alarm_count &&
			compare_alarming(&review->alarming[first], &review->alarming[i]) == 0)
			continue;
		raise_alarm(review, review->alarming[first], i - first);
		first = i;
	}
}

/* Those that were not raised since then. */
static void
clear_alarms(TimestampTz before)
{
	for (int i = 0; i < (int) lengthof(codes); i++)
		esg_alarms_expire(ESG_SCOPE_LOGIN, codes[i], before, ESG_FATE_MENDED);
}

/* ------------------------------------------------------------------------
 * All sessions
 * ------------------------------------------------------------------------ */

static void
review_session(Review *review, int number)
{
	EsgSession *session = &review->sessions[number];
	EsgSession	before = *session;
	EsgSessionState state = esg_session_state_of(session, &review->denied, review->unix_now);

	if (esg_session_state_code(state) != ESG_NO_FINDING &&
		severity_of(review, esg_session_state_code(state)) == ESG_OK)
		state = ESG_STATE_VALID;
	review->states[number] = state;
	date_session(session, state, review->now);
	session->alarmed = false;
	if (esg_session_state_code(state) != ESG_NO_FINDING)
		session->alarmed = judge_session(review, session, state, before.alarmed);
	else
	{
		session->ended_at = 0;
		if (session->not_after > review->unix_now)
			review->next = Min(review->next, from_unix(session->not_after));
	}
	if (session->alarmed)
		review->alarming[review->alarm_count++] = number;
	if (memcmp(&before, session, sizeof(before)) != 0)
		esg_sessions_keep(session);
}

static void
review_sessions(TimestampTz now)
{
	Review		review = {.now = now,.unix_now = esg_report_unix_now(),.next = DT_NOEND};
	EsgLoadState load;

	past.wanted = false;
	past.reviewed_at = now;
	esg_sessions_events(&past.events);
	/* what comes from now on is news */
	esg_sessions_forget_end();
	esg_guc_policy(&review.policy);
	esg_session_state_prepare(&review.denied);
	esg_server_state_load(&load);
	review.in_service = load.in_service;
	review.count = esg_sessions_copy(&review.sessions);
	review.states = palloc_extended((Size) Max(review.count, 1) * sizeof(EsgSessionState), MCXT_ALLOC_HUGE);
	review.alarming = palloc_extended((Size) Max(review.count, 1) * sizeof(int), MCXT_ALLOC_HUGE);
	for (int i = 0; i < review.count; i++)
		review_session(&review, i);
	raise_alarms(&review);
	clear_alarms(now);
	past.next = review.next;
}

/* ------------------------------------------------------------------------
 * Revocation
 * ------------------------------------------------------------------------ */

/* Is something in service that the open sessions were not compared with? */
static bool
is_judging_due(const EsgSessionEvents *events)
{
	EsgLoadState load;

	esg_server_state_load(&load);
	if (!load.in_service || load.result == ESG_LOAD_PENDING)
		return false;
	return judge.wanted || events->judged == 0 || events->judged_late != events->late ||
		events->judged_load != load.served_number;
}

/* Has the one that was started come to its end?  If so, *events knows what it did. */
static bool
has_judge_ended(EsgSessionEvents *events, TimestampTz now)
{
	pid_t		pid;

	if (judge.handle == NULL)
		return true;
	if (GetBackgroundWorkerPid(judge.handle, &pid) != BGWH_STOPPED)
		return false;
	pfree(judge.handle);
	judge.handle = NULL;
	esg_sessions_events(events);
	judge.retry_at = 0;
	if (events->judged != judge.judged)
	{
		judge.answered = judge.begun;
		judge.due_since = 0;
	}
	else
	{
		/* what it was started for is still to be done */
		judge.wanted = true;
		judge.retry_at = now + FAILED_PAUSE;
	}
	return true;
}

static void
tell_of_no_place(void)
{
	if (!judge.told)
		ereport(LOG,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("could not look for revoked certificates of open sessions: too many background workers"),
				 errdetail("It is tried again each second."),
				 errhint("You might need to increase \"max_worker_processes\".")));
	judge.told = true;
}

static void
serve_judge(EsgSessionEvents *events, TimestampTz now)
{
	MemoryContext old;

	if (!has_judge_ended(events, now) || now < judge.retry_at || !is_judging_due(events))
		return;
	judge.judged = events->judged;
	judge.begun = judge.asked;
	old = MemoryContextSwitchTo(TopMemoryContext);
	if (esg_session_judge_start(&judge.handle))
		judge.told = judge.wanted = false;
	else
	{
		judge.handle = NULL;
		judge.retry_at = now + NO_PLACE_PAUSE;
		tell_of_no_place();
	}
	MemoryContextSwitchTo(old);
}

static void
raise_not_judged(TimestampTz now)
{
	Review		review = {.now = now};
	EsgSeverity severity;
	EsgAlarm	alarm;

	esg_guc_policy(&review.policy);
	severity = severity_of(&review, ESG_SESSIONS_NOT_JUDGED);
	judge.alarmed_at = now;
	if (severity == ESG_OK)
		return;
	esg_report_server_alarm(ESG_SESSIONS_NOT_JUDGED, severity,
							judge.told ? "there is no free place for a background worker" :
							"the process that does it comes to no good end", "", &alarm);
	esg_alarms_raise(ESG_SCOPE_LOGIN, &alarm, now);
}

static void
clear_not_judged(void)
{
	judge.due_since = judge.alarmed_at = 0;
	esg_alarms_expire(ESG_SCOPE_LOGIN, ESG_SESSIONS_NOT_JUDGED, DT_NOEND, ESG_FATE_MENDED);
}

/* Who relies on sessions being ended has to know when they are not. */
static void
watch_judge(const EsgSessionEvents *events, TimestampTz now)
{
	if (judge.handle == NULL && !is_judging_due(events))
	{
		/* a worker before this one may have raised it */
		if (judge.due_since != 0 || judge.alarmed_at != 0 || past.reviewed_at == 0)
			clear_not_judged();
		return;
	}
	if (judge.due_since == 0)
		judge.due_since = now;
	if (esg_elapsed(judge.due_since, NOT_JUDGED_PATIENCE, now) &&
		(judge.alarmed_at == 0 || esg_elapsed(judge.alarmed_at, REVIEW_INTERVAL, now)))
		raise_not_judged(now);
}

/* ------------------------------------------------------------------------
 * When
 * ------------------------------------------------------------------------ */

static bool
is_review_due(const EsgSessionEvents *events, TimestampTz now)
{
	return past.wanted || past.next <= now || from_unix(events->next_end) <= now ||
		events->judged != past.events.judged || events->gone != past.events.gone ||
		esg_elapsed(past.reviewed_at, REVIEW_INTERVAL, now);
}

void
esg_session_review_serve(void)
{
	TimestampTz now = GetCurrentTimestamp();
	EsgSessionEvents events;

	if (esg_guc_session_check == ESG_MODE_OFF)
	{
		if (!past.idle)
		{
			clear_alarms(DT_NOEND);
			clear_not_judged();
		}
		past.idle = true;
		return;
	}
	past.idle = false;
	esg_sessions_events(&events);
	serve_judge(&events, now);
	watch_judge(&events, now);
	if (!is_review_due(&events, now))
		return;
	review_sessions(now);
	if (judge.wanted)
		serve_judge(&events, now);
}

int64
esg_session_review_time_left(TimestampTz now)
{
	EsgSessionEvents events;
	TimestampTz next;

	if (esg_guc_session_check == ESG_MODE_OFF)
		return PG_INT64_MAX;
	esg_sessions_events(&events);
	next = Min(past.next, from_unix(events.next_end));
	if (judge.handle != NULL)
		next = Min(next, now + JUDGE_POLL);
	else if (judge.retry_at > now)
		next = Min(next, judge.retry_at);
	return next > now ? next - now : 0;
}

static uint64
digest_settings(void)
{
	uint64		digest = 0;

	for (int i = 0; i < (int) lengthof(deciding_settings); i++)
	{
		const char *value = GetConfigOption(deciding_settings[i], true, false);

		if (value != NULL)
			digest = hash_bytes_extended((const unsigned char *) value, (int) strlen(value), digest);
	}
	return digest;
}

void
esg_session_review_request(void)
{
	uint64		settings = digest_settings();

	past.wanted = true;
	judge.asked += settings != judge.settings;
	judge.settings = settings;
	/* also if the TLS files are not loaded */
	judge.wanted |= esg_guc_denied_certificates != NULL && esg_guc_denied_certificates->serial_count > 0;
}

void
esg_session_review_request_crls(void)
{
	if (ssl_crl_dir == NULL || ssl_crl_dir[0] == '\0')
		return;
	judge.wanted = true;
	/* not when something else happens: at once */
	past.next = 0;
}
