/*
 * login/guard.c
 *		The checks that a login must pass, and what happens if it does not.
 *
 * A check only says why it would refuse.  Its mode, the exempt roles, the words
 * for the client and the alarm in mode "warn" are dealt with here, once for
 * all of them.
 */
#include "postgres.h"

#include "postmaster/postmaster.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "login/barrier.h"
#include "login/ca_usage.h"
#include "login/client_check.h"
#include "login/denied.h"
#include "login/fallback.h"
#include "login/file_guard.h"
#include "login/guard.h"
#include "login/ident_map.h"
#include "login/identity.h"
#include "login/role_label.h"
#include "login/sessions.h"
#include "login/transport.h"
#include "server/alarms.h"
#include "server/guc.h"
#include "server/state.h"

/* verdicts of one login that take an earlier warning back */
#define MAX_PASSED 5

/* One login on its way through the steps. */
typedef struct Login
{
	EsgPeer		peer;
	int			next;			/* the one of steps[] at work */
	bool		exempt;
	bool		countable;		/* the role could log in: it is worth a place
								 * in our tables */
	bool		fallback;		/* in plaintext, after it was refused over TLS */
	bool		known;			/* facts are there */
	bool		alarming;		/* it is time to raise the certificate's
								 * alarms */
	EsgClientFacts facts;
	EsgGoodSpan good;			/* of the facts */
	EsgCode		passed[MAX_PASSED]; /* warned about before, maybe; not now */
	int			passed_count;
	bool		denied;
} Login;

/* What a login has to go through; see steps[]. */
typedef struct Step
{
	/*
	 * false: nothing to conclude; else *out, which is empty, is filled if it
	 * would refuse
	 */
	bool		(*take) (Login *login, const struct Step *step, EsgRefusal *out);
	/* NULL: whatever goes wrong is no reason to refuse anybody */
	void		(*conclude) (Login *login, const struct Step *step, const EsgRefusal *refusal);
	const int  *mode;			/* EsgMode */
	EsgCode		code;			/* what it refuses with if it ends with an
								 * ERROR */
	void		(*check) (const EsgPeer *peer, EsgRefusal *out);
} Step;

/* ------------------------------------------------------------------------
 * What a login leaves behind
 * ------------------------------------------------------------------------ */

/* After the entry is there: who forgets the moment of the next change now, will see it there. */
static void
raise_alarms(const Login *login, int64 began)
{
	EsgPolicy	policy;

	esg_guc_policy(&policy);
	esg_client_check_alarm(&login->facts, login->peer.role_name, &policy, GetCurrentTimestamp());
	esg_server_state_note_client_change(esg_client_check_next_change(&login->facts, &policy, began));
}

/*
 * Counts the login in the registry of client certificates, then raises the
 * certificate's alarms: the worker clears those of certificates that are not in
 * the registry.
 */
static void
record(const Login *login)
{
	int64		began = login->alarming ? esg_report_unix_now() : 0;
	EsgClientLogin entry = {
		.facts = &login->facts,
		.role_name = login->peer.role_name,
		.denied = login->denied,
		.alarmed = login->alarming,
		.good = login->good,
		.at = GetCurrentTimestamp(),
		.tls_version = SSL_get_version(login->peer.ssl),
		.cipher = SSL_get_cipher_name(login->peer.ssl),
	};

	if (!login->countable)
		return;
	esg_client_entry_set_address(login->peer.address, &entry.address);
	esg_clients_record(&entry);
	if (login->alarming)
		raise_alarms(login, began);
}

/*
 * What the alarm is about.  Of a certificate that cannot be judged there may be
 * no fingerprint: the next one of that role that can be clears it.
 */
static void
set_object(const EsgPeer *peer, EsgCode code, char *object)
{
	EsgPeer		who = *peer;

	if (code == ESG_CERTIFICATE_NOT_JUDGED)
		who.has_fingerprint = false;
	esg_login_peer_object(&who, object);
}

/* The alarm about this role and certificate; false: regraded to "off". */
static bool
make_alarm(const EsgPeer *peer, EsgCode code, const char *pairs, EsgAlarm *out)
{
	EsgPolicy	policy;
	EsgSeverity severity;
	char	   *role;

	esg_guc_policy(&policy);
	severity = esg_findings_severity(code, ESG_PLACE_SERVER, policy.overrides);
	if (severity == ESG_OK)
		return false;
	role = esg_report_printable(peer->role_name);
	esg_report_server_alarm(code, severity, role, pairs, out);
	pfree(role);
	set_object(peer, code, out->object);
	if (peer->has_fingerprint)
		memcpy(out->fingerprint, peer->fingerprint, ESG_DIGEST_SIZE);
	return true;
}

/* What was warned about before is good now. */
static void
take_warnings_back(const Login *login)
{
	char		object[ESG_OBJECT_SIZE];

	if (!esg_alarms_may_be_cleared(ESG_SCOPE_LOGIN))
		return;
	for (int i = 0; i < login->passed_count; i++)
	{
		set_object(&login->peer, login->passed[i], object);
		esg_alarms_clear(ESG_SCOPE_LOGIN, login->passed[i], object);
	}
}

/* EsgBarrierFn */
static void
keep_books(void *arg)
{
	const Login *login = arg;

	take_warnings_back(login);
	if (login->known)
		record(login);
	if (login->peer.tls && login->denied)
		esg_fallback_note_refused(&login->peer);
	else if (login->peer.tls)
		esg_fallback_note_accepted(&login->peer);
}

/* EsgBarrierFn */
static void
note_refused(void *arg)
{
	esg_fallback_note_refused(arg);
}

/* An alarm to be raised. */
typedef struct Warning
{
	const Login *login;
	const EsgRefusal *refusal;
} Warning;

/* EsgBarrierFn */
static void
raise_warning(void *arg)
{
	const Warning *warning = arg;
	EsgAlarm	alarm;

	if (warning->login->countable &&
		make_alarm(&warning->login->peer, warning->refusal->code, warning->refusal->pairs, &alarm))
		esg_alarms_raise(ESG_SCOPE_LOGIN, &alarm, GetCurrentTimestamp());
}

/* What cannot be written down is no reason to refuse anybody. */
static void
log_not_noted(const EsgPeer *peer, ErrorData *error)
{
	ereport(LOG,
			(errcode(error->sqlerrcode),
			 errmsg("could not take note of a login of role %s: %s",
					esg_report_text(esg_report_quoted(esg_report_printable(peer->role_name))),
					error->message ? error->message : "")));
	FreeErrorData(error);
}

static void
write_down(EsgBarrierFn work, void *arg, const EsgPeer *peer)
{
	ErrorData  *error = esg_barrier_run(work, arg);

	if (error != NULL)
		log_not_noted(peer, error);
}

/* ------------------------------------------------------------------------
 * What becomes of a verdict
 * ------------------------------------------------------------------------ */

/* The client learns the code; what was expected of it is for the log. */
static void
refuse(Login *login, const EsgRefusal *refusal)
{
	const EsgFindingDef *def = esg_findings_def(refusal->code);

	/* the server's own files are no fault of the certificate */
	bool		about_cert = login->peer.cert != NULL && !(def->enforced & ESG_PLACE_FILE);
	char	   *detail = psprintf("code=%s %s", def->name, esg_report_text(refusal->pairs));

	detail = esg_report_with_cluster(detail);
	login->denied = true;
	write_down(keep_books, login, &login->peer);
	ereport(FATAL,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 about_cert ?
			 errmsg("client certificate was refused (%s)", def->name) :
			 errmsg("connection was refused (%s)", def->name),
			 errdetail_log("%s", detail)));
}

/* A check has spoken: refuse, warn, or take an earlier warning back. */
static void
conclude(Login *login, const Step *step, const EsgRefusal *refusal)
{
	Warning		warning = {login, refusal};

	if (*step->mode == ESG_MODE_OFF)
		return;
	if (refusal->code == ESG_NO_FINDING)
		login->passed[login->passed_count++] = step->code;
	else if (*step->mode == ESG_MODE_ENFORCE && !login->exempt)
		refuse(login, refusal);
	else
		write_down(raise_warning, &warning, &login->peer);
}

/* For what is judged only where it can refuse: in mode "warn" others raise the alarms. */
static void
conclude_enforced(Login *login, const Step *step, const EsgRefusal *refusal)
{
	if (refusal->code == ESG_NO_FINDING)
		return;
	/* who is refused for the files' sake shall find the alarm about it */
	if (step->mode == &esg_guc_file_permission_check)
		esg_server_state_note_refusal();
	refuse(login, refusal);
}

static bool
is_enforced(const Login *login, const Step *step)
{
	return *step->mode == ESG_MODE_ENFORCE && !login->exempt;
}

/* ------------------------------------------------------------------------
 * The steps, each of which may end with an ERROR
 * ------------------------------------------------------------------------ */

/* Before anything is judged. */
static bool
open_books(Login *login, const Step *step, EsgRefusal *out)
{
	login->countable = esg_login_peer_may_log_in(&login->peer);
	if (login->countable && login->peer.plaintext)
		login->fallback = esg_fallback_note_plaintext(&login->peer);
	return false;
}

/* Can the certificate be read at all?  The registry knows each, whatever the mode. */
static bool
read_facts(Login *login, const Step *step, EsgRefusal *out)
{
	EsgPolicy	policy;
	bool		fresh;

	if (login->peer.cert == NULL)
		return false;
	esg_guc_policy(&policy);
	login->known = esg_client_check_facts(&login->peer, &policy, &login->facts, &login->good,
										  &fresh);
	login->alarming = *step->mode != ESG_MODE_OFF && login->known && fresh;
	if (!login->known)
		esg_login_peer_begin_refusal(&login->peer, step->code, out);
	return true;
}

/* Every finding is an alarm, raised by record(); some are reasons to refuse. */
static bool
judge_facts(Login *login, const Step *step, EsgRefusal *out)
{
	EsgPolicy	policy;
	EsgCode		code;

	if (!login->known || !is_enforced(login, step))
		return false;
	esg_guc_policy(&policy);
	code = esg_client_check_refused(&login->facts, &policy, esg_report_unix_now(), &login->good);
	if (code == ESG_NO_FINDING)
		return false;
	esg_login_peer_begin_refusal(&login->peer, code, out);
	esg_login_peer_add_pair(out, "subject", login->facts.subject);
	esg_login_peer_add_pair(out, "serial", login->facts.serial_number);
	return true;
}

/*
 * Do connections like this one depend on the TLS files?  A client that would take
 * TLS or plaintext, on a line that does, is refused over TLS and then would come
 * in plaintext.  A line of type hostnossl is the administrator's own word.
 */
static bool
depends_on_files(const EsgPeer *peer)
{
	return peer->tls || (peer->plaintext && peer->line_takes_both && EnableSSL);
}

static bool
judge_files(Login *login, const Step *step, EsgRefusal *out)
{
	EsgFileViolation violation;

	if (!depends_on_files(&login->peer) || !is_enforced(login, step))
		return false;
	esg_file_guard_check(&violation);
	if (violation.code == ESG_NO_FINDING)
		return false;
	esg_login_peer_begin_refusal(&login->peer, violation.code, out);
	esg_login_peer_add_pair(out, "path", violation.path);
	esg_login_peer_add_pair(out, "fault", violation.message);
	esg_login_peer_add_pair(out, "remedy", violation.suggestion);
	return true;
}

static bool
ask_check(Login *login, const Step *step, EsgRefusal *out)
{
	if (*step->mode == ESG_MODE_OFF)
		return false;
	step->check(&login->peer, out);
	return true;
}

static bool
close_books(Login *login, const Step *step, EsgRefusal *out)
{
	keep_books(login);
	if (!login->countable)
		return false;
	esg_transport_note(&login->peer, login->fallback, GetCurrentTimestamp());
	if (login->peer.chain != NULL)
		esg_ca_usage_note(&login->peer, GetCurrentTimestamp());
	return false;
}

/* The server refuses what is not countable right after this. */
static bool
open_session(Login *login, const Step *step, EsgRefusal *out)
{
	if (login->countable)
		esg_sessions_open(&login->peer, login->known ? &login->facts : NULL);
	return false;
}

/* in this order; the first that refuses ends the login */
static const Step steps[] = {
	{.take = open_books},
	{read_facts, conclude, &esg_guc_client_certificate_check, ESG_CERTIFICATE_NOT_JUDGED, NULL},
	{ask_check, conclude, &esg_guc_denied_mode, ESG_CERTIFICATE_DENIED, esg_denied_check},
	{judge_facts, conclude_enforced, &esg_guc_client_certificate_check, ESG_CERTIFICATE_NOT_JUDGED, NULL},
	{judge_files, conclude_enforced, &esg_guc_file_permission_check, ESG_FILE_UNREADABLE, NULL},
	{ask_check, conclude, &esg_guc_identity_check, ESG_IDENTITY_MISMATCH, esg_identity_check},
	{ask_check, conclude, &esg_guc_role_label_check, ESG_ROLE_LABEL_MISMATCH, esg_role_label_check},
	{.take = close_books},
	{.take = open_session},
};

StaticAssertDecl(lengthof(steps) - 4 <= MAX_PASSED, "each verdict needs a place");

/* ------------------------------------------------------------------------
 * From the first to the last of them
 * ------------------------------------------------------------------------ */

/* EsgBarrierFn: what is left of the steps. */
static void
go_on(void *arg)
{
	Login	   *login = arg;
	EsgRefusal	refusal;

	for (; login->next < (int) lengthof(steps); login->next++)
	{
		const Step *step = &steps[login->next];

		memset(&refusal, 0, sizeof(refusal));
		if (step->take(login, step, &refusal))
			step->conclude(login, step, &refusal);
	}
}

/* An ERROR is a verdict like others: nobody knows whether the login is good. */
static void
conclude_error(Login *login, ErrorData *error)
{
	const Step *step = &steps[login->next++];
	EsgRefusal	refusal;

	if (step->conclude == NULL)
	{
		log_not_noted(&login->peer, error);
		return;
	}
	esg_login_peer_begin_refusal(&login->peer, step->code, &refusal);
	esg_login_peer_add_pair(&refusal, "reason", "could not be judged");
	esg_login_peer_add_pair(&refusal, "sqlstate", unpack_sql_state(error->sqlerrcode));
	esg_login_peer_add_bytes(&refusal, "error", error->message ? error->message : "");
	FreeErrorData(error);
	step->conclude(login, step, &refusal);
}

/*
 * One barrier for all of the steps: they leave nothing with the server when they
 * end, so that an ERROR takes nothing from those before, and those after it go on
 * behind another barrier.  What they allocate goes with core's transaction, which
 * ends as soon as the login is through.
 */
static void
run_steps(Port *port)
{
	Login		login;
	ErrorData  *error;

	memset(&login, 0, sizeof(login));
	esg_login_peer_read(port, &login.peer);
	/* over a Unix socket there is no TLS, so no certificate, and no denial */
	if (login.peer.local)
		return;
	login.exempt = esg_guc_is_exempt_role(login.peer.role_name);
	while ((error = esg_barrier_run(go_on, &login)) != NULL)
		conclude_error(&login, error);
}

void
esg_login_guard_check(Port *port)
{
	esg_ident_map_keep(port->hba);
	run_steps(port);
}

void
esg_login_guard_refused(Port *port)
{
	EsgPeer		peer;

	esg_login_peer_read(port, &peer);
	if (peer.tls)
		write_down(note_refused, &peer, &peer);
}

void
esg_login_guard_turned_away(const Port *port)
{
	EsgPeer		peer = {.role_name = port->user_name,.address = &port->raddr};

	if (port->user_name != NULL)
		esg_fallback_note_refused(&peer);
}

static void
expire_warnings(EsgCode code, int mode, const EsgPolicy *policy, TimestampTz now)
{
	TimestampTz idle = now - ESG_CLIENT_IDLE_DAYS * USECS_PER_DAY;

	if (mode == ESG_MODE_OFF ||
		esg_findings_severity(code, ESG_PLACE_SERVER, policy->overrides) == ESG_OK)
		esg_alarms_expire(ESG_SCOPE_LOGIN, code, DT_NOEND, ESG_FATE_MENDED);
	else
		esg_alarms_expire(ESG_SCOPE_LOGIN, code, idle, ESG_FATE_UNTRACKED);
}

void
esg_login_guard_forget(void)
{
	for (int i = 0; i < (int) lengthof(steps); i++)
	{
		if (steps[i].conclude == conclude)
			esg_alarms_expire(ESG_SCOPE_LOGIN, steps[i].code, DT_NOEND, ESG_FATE_UNTRACKED);
	}
}

void
esg_login_guard_review(void)
{
	TimestampTz now = GetCurrentTimestamp();
	EsgPolicy	policy;

	esg_guc_policy(&policy);
	expire_warnings(ESG_PLAINTEXT_FALLBACK, ESG_MODE_WARN, &policy, now);
	for (int i = 0; i < (int) lengthof(steps); i++)
	{
		if (steps[i].conclude == conclude)
			expire_warnings(steps[i].code, *steps[i].mode, &policy, now);
	}
}
