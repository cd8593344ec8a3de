/*
 * login_guard.c
 *		The checks that a login must pass, and what happens if it does not.
 *
 * A check only says why it would refuse.  Its mode, the exempt roles, the words
 * for the client and the alarm in mode "warn" are dealt with here, once for
 * all of them.
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "alarms.h"
#include "compat.h"
#include "guc.h"
#include "ident_map.h"
#include "identity.h"
#include "login_guard.h"
#include "role_label.h"

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

/* The client learns the code; what was expected of it is for the log. */
static void
refuse(const EsgPeer *peer, const EsgRefusal *refusal)
{
	const char *name = esg_findings_def(refusal->code)->name;
	char	   *detail = psprintf("code=%s %s", name, esg_report_text(refusal->pairs));

	ereport(FATAL,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 peer->cert != NULL ?
			 errmsg("client certificate was refused (%s)", name) :
			 errmsg("connection was refused (%s)", name),
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
	severity = esg_findings_severity(code, ESG_ROLE_SERVER, policy.overrides);
	if (severity == ESG_OK)
		return false;
	role = esg_x509_name_escape((const unsigned char *) peer->role_name,
								strlen(peer->role_name));
	esg_report_server_alarm(code, severity, role ? role : "?", pairs, out);
	OPENSSL_free(role);
	esg_login_peer_object(peer, out->object);
	return true;
}

static void
warn(const EsgPeer *peer, const EsgRefusal *refusal)
{
	EsgAlarm	alarm;

	if (make_alarm(peer, refusal->code, refusal->pairs, &alarm))
		(void) esg_alarms_raise(ESG_SCOPE_LOGIN, &alarm, GetCurrentTimestamp());
}

/* The same client passes now what it was warned about before. */
static void
clear_warning(const EsgPeer *peer, EsgCode code)
{
	char		object[ESG_OBJECT_SIZE];

	esg_login_peer_object(peer, object);
	(void) esg_alarms_clear(ESG_SCOPE_LOGIN, code, object, GetCurrentTimestamp());
}

static void
run_check(const LoginCheck *check, const EsgPeer *peer, bool exempt)
{
	int			mode = *check->mode;
	EsgRefusal	refusal;

	if (mode == ESG_MODE_OFF)
		return;
	check->check(peer, &refusal);
	if (refusal.code == ESG_NO_FINDING)
		clear_warning(peer, check->code);
	else if (mode == ESG_MODE_ENFORCE && !exempt)
		refuse(peer, &refusal);
	else
		warn(peer, &refusal);
}

static void
run_checks(Port *port)
{
	EsgPeer		peer;
	bool		exempt;
	int			i;

	esg_login_peer_read(port, &peer);
	if (peer.local)
		return;
	exempt = esg_guc_is_exempt_role(peer.role_name);
	for (i = 0; i < (int) lengthof(checks); i++)
		run_check(&checks[i], &peer, exempt);
}

void
esg_login_guard_check(Port *port)
{
	MemoryContext context;
	MemoryContext previous;

	esg_ident_map_keep();
	context = AllocSetContextCreate(CurrentMemoryContext, "ext_ssl_guard login",
									ALLOCSET_SMALL_SIZES);
	previous = MemoryContextSwitchTo(context);
	run_checks(port);
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(context);
}
