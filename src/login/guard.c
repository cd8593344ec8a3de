/*
 * login/guard.c
 *		The checks that a login must pass, and what happens if it does not.
 *
 * A check only says why it would refuse.  Its mode, the exempt roles, the words
 * for the client and the alarm in mode "warn" are dealt with here, once for
 * all of them.
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "login/client_check.h"
#include "login/file_guard.h"
#include "login/guard.h"
#include "login/ident_map.h"
#include "login/identity.h"
#include "login/role_label.h"
#include "server/alarms.h"
#include "server/guc.h"
#include "server/state.h"

/* One login on its way through the checks. */
typedef struct Login
{
	EsgPeer		peer;
	bool		exempt;
	bool		countable;		/* the role could log in: it is worth a place
								 * in our tables */
	bool		known;			/* facts are there */
	bool		alarming;		/* it is time to raise the certificate's
								 * alarms */
	EsgClientFacts facts;
} Login;

typedef struct LoginCheck
{
	const int  *mode;			/* EsgMode */
	EsgCode		code;			/* what it refuses with */
	void		(*check) (const EsgPeer *peer, EsgRefusal *out);
} LoginCheck;

/* in this order; the first that refuses ends the login */
static const LoginCheck checks[] = {
	{&esg_guc_identity_check, ESG_IDENTITY_MISMATCH, esg_identity_check},
	{&esg_guc_role_label_check, ESG_ROLE_LABEL_MISMATCH, esg_role_label_check},
};

/*
 * Counts the login in the registry of client certificates, then raises the
 * certificate's alarms: the worker clears those of certificates that are not in
 * the registry.
 */
static void
record(const Login *login, bool denied)
{
	EsgPolicy	policy;
	int64		began = esg_report_unix_now();
	EsgClientLogin entry = {
		.facts = &login->facts,
		.role_name = login->peer.role_name,
		.denied = denied,
		.alarmed = login->alarming,
		.at = GetCurrentTimestamp(),
		.tls_version = SSL_get_version(login->peer.ssl),
		.cipher = SSL_get_cipher_name(login->peer.ssl),
	};

	if (!login->countable)
		return;
	esg_client_entry_set_address(login->peer.address, &entry.address);
	esg_clients_record(&entry);
	if (!login->alarming)
		return;
	esg_guc_policy(&policy);
	esg_client_check_alarm(&login->facts, login->peer.role_name, &policy, GetCurrentTimestamp());
	/* after the entry: who forgets the moment now will see it there */
	esg_server_state_note_client_change(esg_client_check_next_change(&login->facts, &policy, began));
}

/* The client learns the code; what was expected of it is for the log. */
static void
refuse(const Login *login, const EsgRefusal *refusal)
{
	const EsgFindingDef *def = esg_findings_def(refusal->code);

	/* the server's own files are no fault of the certificate */
	bool		about_cert = login->peer.cert != NULL && !(def->enforced & ESG_PLACE_FILE);
	char	   *detail = psprintf("code=%s %s", def->name, esg_report_text(refusal->pairs));

	if (login->known)
		record(login, true);
	ereport(FATAL,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 about_cert ?
			 errmsg("client certificate was refused (%s)", def->name) :
			 errmsg("connection was refused (%s)", def->name),
			 errdetail_log("%s", detail)));
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
	esg_login_peer_object(peer, out->object);
	return true;
}

static void
warn(const Login *login, const EsgRefusal *refusal)
{
	EsgAlarm	alarm;

	if (login->countable && make_alarm(&login->peer, refusal->code, refusal->pairs, &alarm))
		esg_alarms_raise(ESG_SCOPE_LOGIN, &alarm, GetCurrentTimestamp());
}

/* The same client passes now what it was warned about before. */
static void
clear_warning(const EsgPeer *peer, EsgCode code)
{
	char		object[ESG_OBJECT_SIZE];

	esg_login_peer_object(peer, object);
	esg_alarms_clear(ESG_SCOPE_LOGIN, code, object);
}

/* A check has spoken: refuse, warn, or take an earlier warning back. */
static void
conclude(const Login *login, EsgCode code, int mode, const EsgRefusal *refusal)
{
	if (refusal->code == ESG_NO_FINDING)
		clear_warning(&login->peer, code);
	else if (mode == ESG_MODE_ENFORCE && !login->exempt)
		refuse(login, refusal);
	else
		warn(login, refusal);
}

static void
run_check(const LoginCheck *check, const Login *login)
{
	EsgRefusal	refusal;

	if (*check->mode == ESG_MODE_OFF)
		return;
	check->check(&login->peer, &refusal);
	conclude(login, check->code, *check->mode, &refusal);
}

/* In mode "warn" it is the worker that looks at the files, and raises alarms. */
static void
check_files(const Login *login)
{
	EsgFileViolation violation;
	EsgRefusal	refusal;

	if (!login->peer.tls || login->exempt || esg_guc_file_permission_check != ESG_MODE_ENFORCE)
		return;
	esg_file_guard_check(&violation);
	if (violation.code == ESG_NO_FINDING)
		return;
	esg_login_peer_begin_refusal(&login->peer, violation.code, &refusal);
	esg_login_peer_add_pair(&refusal, "path", violation.path);
	esg_login_peer_add_pair(&refusal, "fault", violation.message);
	esg_login_peer_add_pair(&refusal, "remedy", violation.suggestion);
	/* who is refused shall find the alarm about it */
	esg_server_state_note_refusal();
	refuse(login, &refusal);
}

/* Every finding is an alarm, raised by record(); some are reasons to refuse. */
static void
judge_facts(Login *login, const EsgPolicy *policy, bool fresh)
{
	EsgRefusal	refusal;
	EsgCode		code;

	login->alarming = fresh;
	if (esg_guc_client_certificate_check != ESG_MODE_ENFORCE || login->exempt)
		return;
	code = esg_client_check_refused(&login->facts, policy, esg_report_unix_now());
	if (code == ESG_NO_FINDING)
		return;
	esg_login_peer_begin_refusal(&login->peer, code, &refusal);
	esg_login_peer_add_pair(&refusal, "subject", login->facts.subject);
	esg_login_peer_add_pair(&refusal, "serial", login->facts.serial_number);
	refuse(login, &refusal);
}

/* The registry knows every certificate, whatever the mode of the check. */
static void
check_certificate(Login *login)
{
	int			mode = esg_guc_client_certificate_check;
	EsgPolicy	policy;
	EsgRefusal	refusal = {ESG_NO_FINDING, ""};
	bool		fresh;

	if (login->peer.cert == NULL)
		return;
	esg_guc_policy(&policy);
	login->known = esg_client_check_facts(&login->peer, &policy, &login->facts, &fresh);
	if (mode == ESG_MODE_OFF)
		return;
	if (!login->known)
		esg_login_peer_begin_refusal(&login->peer, ESG_CERTIFICATE_NOT_JUDGED, &refusal);
	conclude(login, ESG_CERTIFICATE_NOT_JUDGED, mode, &refusal);
	if (login->known)
		judge_facts(login, &policy, fresh);
}

static void
run_checks(Port *port)
{
	Login		login;

	memset(&login, 0, sizeof(login));
	esg_login_peer_read(port, &login.peer);
	/* over a Unix socket there is no TLS, so no certificate, and no denial */
	if (login.peer.local)
		return;
	login.exempt = esg_guc_is_exempt_role(login.peer.role_name);
	login.countable = esg_login_peer_may_log_in(&login.peer);
	check_certificate(&login);
	check_files(&login);
	for (int i = 0; i < (int) lengthof(checks); i++)
		run_check(&checks[i], &login);
	if (login.known)
		record(&login, false);
}

void
esg_login_guard_check(Port *port)
{
	MemoryContext context;
	MemoryContext previous;

	esg_ident_map_keep(port->hba);
	context = AllocSetContextCreate(CurrentMemoryContext, "ext_ssl_guard login",
									ALLOCSET_SMALL_SIZES);
	previous = MemoryContextSwitchTo(context);
	run_checks(port);
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(context);
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
esg_login_guard_review(void)
{
	TimestampTz now = GetCurrentTimestamp();
	EsgPolicy	policy;

	esg_guc_policy(&policy);
	expire_warnings(ESG_CERTIFICATE_NOT_JUDGED, esg_guc_client_certificate_check, &policy, now);
	for (int i = 0; i < (int) lengthof(checks); i++)
		expire_warnings(checks[i].code, *checks[i].mode, &policy, now);
}
