/*
 * audit/alarm_command.c
 *		Alarms for a person: ext_ssl_guard.alarm_command, run by the worker.
 *
 * One run at a time tells all that is news when it starts.  What happens
 * meanwhile waits for the next one; if it fails, all that is news by then is
 * tried again, later and later.  The facts are given in the environment and on
 * standard input, never as a part of the command.
 */
#include "postgres.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "postmaster/postmaster.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "audit/alarm_command.h"
#include "audit/child.h"
#include "audit/command.h"
#include "compat.h"
#include "policy/alarm_event.h"
#include "policy/elapsed.h"
#include "server/alarms.h"
#include "server/guc.h"

/*
 * From one run to the next, microseconds.  Some alarms come and go as often as
 * a client likes, which shall not be as many mails.
 */
#define RUN_PAUSE (3 * USECS_PER_SEC)

/*
 * Its process sees to the time limit and to the end of the command.  One that has
 * not done so by then, microseconds later, never will: the command has stopped it.
 */
#define PATIENCE (10 * USECS_PER_SEC)

/* for the alarms=, tries=, output= of a failure, the last with each byte escaped */
#define FAILURE_DETAIL_SIZE (4 * ESG_COMMAND_OUTPUT + 128)

/* The facts about an alarm, in the order in which they are told. */
typedef enum Fact
{
	FACT_EVENT,
	FACT_CODE,
	FACT_SEVERITY,
	FACT_OBJECT,
	FACT_MESSAGE,
	FACT_HINT,
	FACT_NOT_AFTER,
	FACT_FINGERPRINT,
	FACT_AT,
	FACT_HOST,
	FACT_PORT,
	FACT_CLUSTER,
	FACT_COUNT
}			Fact;

/* "SSL_GUARD_EVENT" in the environment, "event" in JSON */
static const char *const fact_names[FACT_COUNT] = {
	"event", "code", "severity", "object", "message", "hint", "not_after", "fingerprint",
	"at", "host", "port", "cluster"
};

typedef struct Facts
{
	const char *values[FACT_COUNT];
	char		not_after[ESG_TIME_TEXT_SIZE];
	char		fingerprint[ESG_FINGERPRINT_TEXT_SIZE];
	char		at[ESG_TIME_TEXT_SIZE];
	char		host[256];
	char		port[12];
} Facts;

static EsgChild runner =
{
	.purpose = "run the alarm command",
	.title = "running the alarm command",
	.end_signal = SIGTERM,
	.end_patience = 800,
	.bare = true,
	.fd = -1
};

/* What the run under way, or the last one, tells. */
static EsgAlarmNewsKey keys[ESG_MAX_ALARMS];
static int	key_count = 0;
static bool under_way = false;
static TimestampTz started_at = 0;
static int	time_limit = 0;		/* seconds, of the run under way */

/* in a row, and the time of the last one */
static int	failures = 0;
static TimestampTz failed_at = 0;

/* ---- what is told ---- */

static void
set_time(char *buf, EsgTime t)
{
	buf[0] = '\0';
	if (t.state == ESG_TIME_VALID || t.state == ESG_TIME_FOREVER)
		esg_x509_time_text(t, buf, ESG_TIME_TEXT_SIZE);
}

static void
set_fingerprint(char *buf, const unsigned char *fingerprint)
{
	static const unsigned char none[ESG_DIGEST_SIZE] = {0};

	buf[0] = '\0';
	if (memcmp(fingerprint, none, ESG_DIGEST_SIZE) != 0)
		esg_x509_info_fingerprint_text(fingerprint, buf);
}

/* The facts that all alarms share. */
static void
begin_facts(Facts *facts)
{
	memset(facts, 0, sizeof(*facts));
	if (gethostname(facts->host, sizeof(facts->host) - 1) != 0)
		facts->host[0] = '\0';
	snprintf(facts->port, sizeof(facts->port), "%d", PostPortNumber);
	facts->values[FACT_NOT_AFTER] = facts->not_after;
	facts->values[FACT_FINGERPRINT] = facts->fingerprint;
	facts->values[FACT_AT] = facts->at;
	facts->values[FACT_HOST] = facts->host;
	facts->values[FACT_PORT] = facts->port;
	facts->values[FACT_CLUSTER] = cluster_name;
}

static void
set_facts(Facts *facts, const EsgAlarmNews *news)
{
	const EsgAlarm *alarm = &news->alarm;

	facts->values[FACT_EVENT] = esg_alarm_event_name(news->event);
	facts->values[FACT_CODE] = esg_findings_def(alarm->code)->name;
	facts->values[FACT_SEVERITY] = esg_findings_severity_name(alarm->severity);
	facts->values[FACT_OBJECT] = alarm->object;
	facts->values[FACT_MESSAGE] = alarm->message;
	facts->values[FACT_HINT] = esg_alarm_event_is_end(news->event) ? "" : alarm->hint;
	set_time(facts->not_after, alarm->end);
	set_fingerprint(facts->fingerprint, alarm->fingerprint);
	set_time(facts->at, esg_report_time(news->at));
}

/* One line of standard input. */
static void
append_json(StringInfo buf, const Facts *facts)
{
	for (int i = 0; i < FACT_COUNT; i++)
	{
		appendStringInfo(buf, "%s\"%s\":", i == 0 ? "{" : ",", fact_names[i]);
		escape_json(buf, facts->values[i]);
	}
	appendStringInfoString(buf, "}\n");
}

static char *
make_variable(const char *name, const char *value)
{
	char	   *variable = psprintf("SSL_GUARD_%s=%s", name, value);

	for (char *c = variable; *c != '='; c++)
		*c = pg_toupper((unsigned char) *c);
	return variable;
}

/* The environment has the facts of the first, which is the worst. */
static char **
make_environment(const Facts *facts, int count)
{
	char	  **environment = palloc((FACT_COUNT + 2) * sizeof(char *));

	for (int i = 0; i < FACT_COUNT; i++)
		environment[i] = make_variable(fact_names[i], facts->values[i]);
	environment[FACT_COUNT] = psprintf("SSL_GUARD_COUNT=%d", count);
	environment[FACT_COUNT + 1] = NULL;
	return environment;
}

/* ---- running it ---- */

static void
start_run(const EsgAlarmNews *news, int count)
{
	EsgCommand	command = {.text = esg_guc_alarm_command,.time_limit = esg_guc_alarm_command_timeout};
	StringInfoData input;
	Facts		facts;

	initStringInfo(&input);
	begin_facts(&facts);
	for (int i = 0; i < count; i++)
	{
		set_facts(&facts, &news[i]);
		append_json(&input, &facts);
		keys[i] = news[i].key;
	}
	key_count = count;
	set_facts(&facts, &news[0]);
	command.environment = make_environment(&facts, count);
	command.input = input.data;
	command.input_size = input.len;
	/* before what may fail, so that it counts as a failure */
	under_way = true;
	started_at = GetCurrentTimestamp();
	time_limit = command.time_limit;
	esg_child_start(&runner, esg_command_run, &command);
}

/* "alarms=2 tries=1 output=..." of a run that failed; result: NULL if that is not known */
static char *
describe_run(const EsgCommandResult *result)
{
	char	   *detail = psprintf("alarms=%d tries=%d", key_count, failures);
	char	   *buf = palloc(FAILURE_DETAIL_SIZE);
	char	   *output;

	strlcpy(buf, detail, FAILURE_DETAIL_SIZE);
	if (result == NULL)
		return buf;
	output = pnstrdup(result->output, result->output_size);
	for (size_t len = strlen(output); len > 0 && output[len - 1] == '\n'; len--)
		output[len - 1] = '\0';
	if (output[0] != '\0')
		esg_alarm_text_append_pair(buf, FAILURE_DETAIL_SIZE, "output", esg_report_printable(output));
	return buf;
}

/* Why it has failed; NULL: it has not. */
static const char *
describe_failure(const EsgCommandResult *result)
{
	if (result->late != 0)
		return psprintf("it took longer than %d s", result->late);
	if (result->status == 0)
		return NULL;
	return result->status == -1 ? "it could not be run" : wait_result_to_str(result->status);
}

static void
log_failure(const char *reason, const EsgCommandResult *result)
{
	int64		pause = esg_alarm_event_pause(failures);

	ereport(WARNING,
			(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
			 errmsg("alarm command failed: %s", reason),
			 errdetail_internal("%s", esg_report_with_cluster(describe_run(result))),
			 pause >= 0 ? errhint("It is run again in %d s.", (int) pause) :
			 errhint("It was run often enough, and nobody has been told. Mend \"ext_ssl_guard.alarm_command\", and look at \"ssl_guard_alarms\".")));
}

static void
conclude_failure(const char *reason, const EsgCommandResult *result)
{
	failed_at = GetCurrentTimestamp();
	failures++;
	esg_alarms_note_run(true);
	log_failure(reason, result);
	if (esg_alarm_event_pause(failures) >= 0)
		return;
	esg_alarms_note_dropped(keys, key_count);
	failures = 0;
}

/* A clock set back does not end it. */
static bool
is_overdue(void)
{
	TimestampTz now = GetCurrentTimestamp();

	return now >= started_at && esg_elapsed(started_at, time_limit * USECS_PER_SEC + PATIENCE, now);
}

/* Looks what has become of the run. */
static void
finish_run(void)
{
	Size		size;
	const EsgCommandResult *result;
	const char *reason;

	if (!esg_child_is_running(&runner))
	{
		/* its process could not be made, or has come to grief */
		under_way = false;
		conclude_failure("it could not be run", NULL);
		return;
	}
	result = esg_child_take(&runner, &size);
	if (result == NULL && is_overdue())
	{
		esg_child_end(&runner);
		under_way = false;
		conclude_failure(psprintf("it took longer than %d s", time_limit), NULL);
	}
	if (result == NULL)
		return;
	under_way = false;
	reason = describe_failure(result);
	if (reason != NULL)
	{
		conclude_failure(reason, result);
		return;
	}
	failures = 0;
	esg_alarms_note_run(false);
	esg_alarms_note_told(keys, key_count);
}

/* 0: there is none. */
static uint32
identify_command(void)
{
	const char *command = esg_guc_alarm_command;
	size_t		len = strlen(command);

	return len == 0 ? 0 : hash_bytes((const unsigned char *) command, (int) len) | 1;
}

/* Microseconds until it may be run, if there is something to tell. */
static int64
pause_left(TimestampTz now)
{
	int64		left = esg_elapsed_left(started_at, RUN_PAUSE, now);

	if (failures > 0)
		left = Max(left, esg_elapsed_left(failed_at, esg_alarm_event_pause(failures) * USECS_PER_SEC, now));
	return left;
}

/* Another command, or none: who hangs shall not keep it waiting. */
static void
forget_run(void)
{
	esg_child_end(&runner);
	under_way = false;
	failures = 0;
	started_at = 0;
}

void
esg_alarm_command_serve(void)
{
	EsgAlarmNews *news;
	int			count;

	if (esg_alarms_set_listener(identify_command()))
		forget_run();
	if (under_way)
		finish_run();
	if (under_way || pause_left(GetCurrentTimestamp()) > 0)
		return;
	if (esg_alarms_count_news() == 0)
	{
		failures = 0;
		return;
	}
	count = esg_alarms_take_news(&news);
	if (count > 0)
		start_run(news, count);
}

int64
esg_alarm_command_time_left(TimestampTz now)
{
	int64		left = under_way ? 0 : pause_left(now);

	/*
	 * nothing is waiting for the time to pass, but something may happen, or
	 * its process end
	 */
	return left > 0 ? left : PG_INT64_MAX;
}

void
esg_alarm_command_stop(void)
{
	int			count = esg_alarms_count_news();

	esg_child_end(&runner);
	if (count == 0)
		return;
	ereport(LOG,
			(errmsg("the alarm command has not been told of %d alarms", count)));
}
