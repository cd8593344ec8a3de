/*
 * audit/probe.c
 *		The self-probe: the worker's own TLS handshakes with the server.
 *
 * A pass asks for what is in service once: with one certificate that is one
 * handshake, with the hosts of pg_hosts.conf one for each, in rounds with a pause
 * between them.  A child does each round.  A load that begins or ends meanwhile
 * makes the pass worthless, and it starts over.
 *
 * The postmaster answers while it starts up and shuts down, too; a connection
 * made after the signal of a reload is answered when the reload has been done.
 * Whatever goes wrong once may be the machine's load: the alarm waits for the
 * second time in a row.
 */
#include "postgres.h"

#include <signal.h>

#include <openssl/err.h>

#include "access/xlog.h"
#include "libpq/libpq.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "postmaster/postmaster.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "audit/child.h"
#include "audit/probe.h"
#include "compat.h"
#include "policy/elapsed.h"
#include "server/guc.h"
#include "server/listeners.h"
#include "server/probed.h"
#include "server/report.h"
#include "server/served_cert.h"
#include "server/served_hosts.h"
#include "server/state.h"
#include "wire/tls_client.h"
#include "x509/info.h"

/* for all handshakes of a round, milliseconds */
#define TIME_LIMIT 5000
/* A round that has no end by then hangs at a name server, milliseconds. */
#define PATIENCE (TIME_LIMIT + 1000)
/* of the server's addresses so many are tried, if the ones before fail */
#define MAX_TRIES 3
/* hosts of a round, and the pause to the next one, microseconds */
#define ROUND_SIZE 16
#define ROUND_PAUSE USECS_PER_SEC

/* From a failure to the next probe: once soon, then later and later, microseconds. */
#define CONFIRM_PAUSE (5 * USECS_PER_SEC)
#define RETRY_PAUSE (60 * USECS_PER_SEC)
#define MAX_DOUBLINGS 4
/* while a child is at work, or a load's end is not known, microseconds */
#define SHORT_PAUSE (USECS_PER_SEC / 5)

/* no host's name (RFC 2606), so the certificate for all that are not listed is shown */
#define ABSENT_NAME "self-probe.invalid"
#define MAX_NAME 255

/* What a round asks for. */
typedef struct Round
{
	int			count;
	const char *names[ROUND_SIZE];	/* NULL: for none */
	const char *groups;			/* the server's own, so that there is one in
								 * common */
} Round;

/* What it has found; without pointers. */
typedef struct Sight
{
	bool		known;
	unsigned char fingerprint[ESG_DIGEST_SIZE];
	int64		not_after_unix;
} Sight;

typedef struct Report
{
	bool		no_address;
	char		reason[ESG_PROBED_REASON_SIZE]; /* of the first failure; ""
												 * for none */
	Sight		sights[ROUND_SIZE];
	int			chain_count;	/* of the last one seen */
	unsigned char chain[ESG_PROBED_CHAIN][ESG_DIGEST_SIZE];
} Report;

/* Freeing takes no time: it only waits. */
static EsgChild prober =
{
	.purpose = "probe the server",
	.title = "probing TLS",
	.end_signal = SIGKILL,
	.end_patience = 20,
	.bare = true,
	.fd = -1
};

static bool requested = false;

/* The round under way, and the pass that it belongs to. */
static bool under_way = false;
static instr_time started_at;	/* by a clock that nobody sets */
static uint32 sequence = 0;		/* EsgLoadState's, at the begin of the pass */
static uint32 served_number = 0;	/* the same */
static int	host_count = 0;		/* in service; 0: no host is asked for */
static int	next_host = 0;		/* of the next round; 0: there is no pass */
static int	round_count = 0;	/* asked for in the round under way */
static EsgProbed pass;			/* what has come out so far */

static TimestampTz ended_at = 0;	/* of the last round */
static int	failures = 0;		/* passes in a row */

/* Milliseconds since then. */
static int
elapsed(instr_time since)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, since);
	return (int) INSTR_TIME_GET_MILLISEC(now);
}

/* ------------------------------------------------------------------------
 * In the child
 * ------------------------------------------------------------------------ */

/* What the child goes by. */
typedef struct Asking
{
	const Round *round;
	EsgListeners listeners;
	int			listener;		/* the one that has answered last */
	instr_time	began;
	Report	   *report;
} Asking;

static int
time_left(const Asking *asking)
{
	return Max(TIME_LIMIT - elapsed(asking->began), 0);
}

/* The first failure is the one that is told. */
static void
note_failure(Asking *asking, const EsgListener *listener, const char *name, const char *reason)
{
	Report	   *report = asking->report;
	const char *printable = name != NULL ? esg_report_printable(name) : NULL;
	char		address[128];

	if (report->reason[0] != '\0')
		return;
	esg_listeners_text(listener, address, sizeof(address));
	if (printable != NULL && strlen(printable) <= MAX_NAME)
		snprintf(report->reason, sizeof(report->reason), "%s %s when asked for host \"%s\"",
				 address, esg_report_printable(reason), printable);
	else
		snprintf(report->reason, sizeof(report->reason), "%s %s", address,
				 esg_report_printable(reason));
}

static bool
take_sight(const EsgTlsAnswer *answer, Sight *sight, Report *report)
{
	int			count = Min(sk_X509_num(answer->chain), ESG_PROBED_CHAIN);

	sight->known = esg_served_cert_identify(sk_X509_value(answer->chain, 0), sight->fingerprint,
											&sight->not_after_unix);
	for (int i = 0; i < count; i++)
		sight->known &= esg_x509_info_fingerprint(sk_X509_value(answer->chain, i), report->chain[i]);
	report->chain_count = count;
	ERR_clear_error();
	return sight->known;
}

/* One handshake; false if another address may do better. */
static bool
ask_listener(Asking *asking, int listener, const char *name, int time_limit, Sight *sight)
{
	const EsgListener *item = &asking->listeners.items[listener];
	EsgTlsQuestion question = {
		.address = (const struct sockaddr *) &item->address,
		.address_size = item->size,
		.host_name = name,
		.groups = asking->round->groups,
		.time_limit = time_limit
	};
	EsgTlsAnswer answer;
	bool		final;

	if (esg_tls_client_ask(&question, &answer) != ESG_TLS_SHOWN)
		note_failure(asking, item, name, answer.reason);
	else if (!take_sight(&answer, sight, asking->report))
		note_failure(asking, item, name, "shows a certificate of which there is no fingerprint");
	final = answer.end == ESG_TLS_SHOWN || answer.end == ESG_TLS_REFUSED;
	esg_tls_client_forget(&answer);
	return final;
}

/* All addresses show the same.  False if none has answered. */
static bool
ask_host(Asking *asking, const char *name, Sight *sight)
{
	int			count = asking->listeners.count;
	int			tries = Min(count, MAX_TRIES);
	char		before[ESG_PROBED_REASON_SIZE];

	strlcpy(before, asking->report->reason, sizeof(before));
	for (int i = 0; i < tries; i++)
	{
		int			listener = (asking->listener + i) % count;

		if (!ask_listener(asking, listener, name, time_left(asking) / (tries - i), sight))
			continue;
		asking->listener = listener;
		/* another address was at fault, but this one does */
		if (sight->known)
			strlcpy(asking->report->reason, before, sizeof(before));
		return true;
	}
	return false;
}

/* EsgChildWorkFn */
static void *
ask_server(void *arg, Size *size)
{
	Asking	   *asking = palloc0(sizeof(Asking));
	Report	   *report = palloc0(sizeof(Report));

	*size = sizeof(Report);
	asking->round = arg;
	asking->report = report;
	pqsignal(SIGPIPE, PG_SIG_IGN);
	INSTR_TIME_SET_CURRENT(asking->began);
	esg_listeners_find(&asking->listeners);
	report->no_address = asking->listeners.count == 0;
	for (int i = 0; i < asking->round->count && !report->no_address; i++)
		if (!ask_host(asking, asking->round->names[i], &report->sights[i]))
			break;
	return report;
}

/* ------------------------------------------------------------------------
 * What to ask for
 * ------------------------------------------------------------------------ */

/* A name by which the host's certificate is shown; NULL: by asking for none. */
static const char *
choose_name(const EsgHost *host)
{
	const char *chosen = NULL;
	ListCell   *cell;

	foreach(cell, host->names)
	{
		const char *name = lfirst(cell);

		if (strcmp(name, ESG_HOST_ANY) == 0)
			chosen = ABSENT_NAME;
		else if (strcmp(name, ESG_HOST_UNNAMED) != 0 && strlen(name) <= MAX_NAME)
			return name;
	}
	return chosen;
}

/* False if it is not known what hosts there are. */
static bool
fill_round(Round *round, const EsgLoadState *load)
{
	bool		exact = false;
	const EsgHosts *hosts = esg_served_hosts(&exact);
	const char *groups = GetConfigOption("ssl_ecdh_curve", true, false);

	round->groups = groups != NULL ? pstrdup(groups) : NULL;
	host_count = hosts->hosts != NIL && exact ? Min(list_length(hosts->hosts), ESG_MAX_HOSTS) : 0;
	if (hosts->hosts == NIL && load->served_count <= 1)
		round->count = 1;
	for (int i = next_host; i < host_count && round->count < ROUND_SIZE; i++)
		round->names[round->count++] = choose_name(list_nth(hosts->hosts, i));
	return round->count > 0;
}

/* ------------------------------------------------------------------------
 * In the worker
 * ------------------------------------------------------------------------ */

static bool
is_wanted(void)
{
	return esg_guc_self_probe && EnableSSL;
}

static void
begin_pass(const EsgLoadState *load)
{
	requested = false;
	next_host = 0;
	sequence = load->sequence;
	served_number = load->served_number;
	memset(&pass, 0, sizeof(pass));
	pass.outcome = ESG_PROBED_OK;
	pass.load_sequence = sequence;
}

static bool conclude_pass(void);

/* True if something has changed: there may be nothing to ask for. */
static bool
start_round(const EsgLoadState *load)
{
	Round	   *round;

	/* before what may fail, so that it counts as a failure */
	under_way = true;
	INSTR_TIME_SET_CURRENT(started_at);
	if (next_host == 0)
		begin_pass(load);
	round = palloc0(sizeof(Round));
	if (!fill_round(round, load))
	{
		under_way = false;
		pass.outcome = ESG_PROBED_NO_HOSTS;
		return conclude_pass();
	}
	round_count = round->count;
	esg_child_start(&prober, ask_server, round);
	return false;
}

static void
note_pass_failure(const char *reason)
{
	if (pass.outcome == ESG_PROBED_FAILED)
		return;
	pass.outcome = ESG_PROBED_FAILED;
	strlcpy(pass.reason, reason, sizeof(pass.reason));
}

/* The alarm needs a second failure in a row, and a server that has come up. */
static bool
is_alarming(const EsgProbed *before)
{
	return pass.outcome == ESG_PROBED_FAILED && before->outcome == ESG_PROBED_FAILED &&
		GetRecoveryState() != RECOVERY_STATE_CRASH;
}

/* Puts down how it has ended; is there another alarm than before? */
static bool
conclude_pass(void)
{
	EsgProbed	before;

	esg_probed_get(&before);
	next_host = 0;
	failures = pass.outcome == ESG_PROBED_FAILED ? failures + 1 : 0;
	ended_at = pass.at = GetCurrentTimestamp();
	pass.number = before.number + 1;
	pass.alarming = is_alarming(&before);
	/* what is shown depends on who asks */
	if (pass.outcome != ESG_PROBED_OK || host_count > 1)
		pass.chain_count = 0;
	esg_probed_set(&pass);
	return pass.alarming != before.alarming ||
		(pass.alarming && strcmp(pass.reason, before.reason) != 0);
}

/* Is that another certificate of the host than was known? */
static bool
take_host(int host, const Sight *sight)
{
	EsgServedSet *set = palloc(sizeof(EsgServedSet));
	const unsigned char *known;
	bool		news;

	(void) esg_server_state_served_set(set);
	known = esg_server_state_set_get(set, host);
	news = known == NULL || memcmp(known, sight->fingerprint, ESG_DIGEST_SIZE) != 0;
	esg_probed_set_host(served_number, host, sight->fingerprint);
	pfree(set);
	return news;
}

static bool
take_report(const Report *report)
{
	bool		news = false;

	if (report->no_address)
		pass.outcome = ESG_PROBED_NO_ADDRESS;
	else if (report->reason[0] != '\0')
		note_pass_failure(report->reason);
	for (int i = 0; i < round_count; i++)
	{
		const Sight *sight = &report->sights[i];

		if (!sight->known)
			continue;
		esg_server_state_report_served(ESG_SEEN_PROBE, sight->fingerprint, sight->not_after_unix,
									   GetCurrentTimestamp());
		if (host_count > 0)
			news |= take_host(next_host + i, sight);
	}
	pass.chain_count = report->chain_count;
	memcpy(pass.chain, report->chain, sizeof(pass.chain));
	return news;
}

/* Has the server's TLS been loaded anew since the pass began? */
static bool
is_moot(void)
{
	EsgLoadState load;

	esg_server_state_load(&load);
	return load.sequence != sequence;
}

/* The next round has what is left. */
static bool
end_round(bool news)
{
	next_host += round_count;
	ended_at = GetCurrentTimestamp();
	if (next_host < host_count && pass.outcome != ESG_PROBED_NO_ADDRESS)
		return news;
	return conclude_pass() || news;
}

static bool
finish_round(void)
{
	const Report *report = NULL;
	Size		size;
	bool		news = false;

	if (!esg_child_is_running(&prober))
		note_pass_failure("there is no process to do it");
	else if ((report = esg_child_take(&prober, &size)) == NULL)
	{
		if (elapsed(started_at) < PATIENCE)
			return false;
		esg_child_end(&prober);
		note_pass_failure("it does not come to an end");
	}
	under_way = false;
	if (is_moot())
	{
		next_host = 0;
		requested = true;
		return false;
	}
	if (report != NULL)
		news = take_report(report);
	return end_round(news);
}

/* There is nothing to probe. */
static bool
forget(void)
{
	EsgProbed	before;

	esg_child_end(&prober);
	under_way = requested = false;
	next_host = failures = 0;
	esg_probed_get(&before);
	if (before.outcome == ESG_PROBED_NOT_YET)
		return false;
	memset(&pass, 0, sizeof(pass));
	pass.number = before.number;
	esg_probed_set(&pass);
	return before.alarming;
}

/* From the end of the last round to the next one, if there is one. */
static int64
get_pause(void)
{
	if (next_host > 0)
		return ROUND_PAUSE;
	/* also if another check asks for it */
	if (failures == 1)
		return CONFIRM_PAUSE;
	if (requested || failures == 0)
		return 0;
	return RETRY_PAUSE << Min(failures - 2, MAX_DOUBLINGS);
}

static bool
is_due(void)
{
	return (requested || next_host > 0 || failures > 0) &&
		esg_elapsed(ended_at, get_pause(), GetCurrentTimestamp());
}

void
esg_probe_request(void)
{
	requested = true;
}

bool
esg_probe_is_open(void)
{
	return is_wanted() && (requested || under_way || next_host > 0);
}

bool
esg_probe_serve(void)
{
	EsgLoadState load;

	if (!is_wanted())
		return forget();
	if (under_way)
		return finish_round();
	if (!is_due())
		return false;
	esg_server_state_load(&load);
	if (load.result == ESG_LOAD_PENDING)
		return false;
	return load.in_service ? start_round(&load) : forget();
}

int64
esg_probe_time_left(TimestampTz now)
{
	int64		left;

	if (!is_wanted() || !(under_way || requested || next_host > 0 || failures > 0))
		return PG_INT64_MAX;
	left = under_way ? 0 : esg_elapsed_left(ended_at, get_pause(), now);
	return Max(left, SHORT_PAUSE);
}
