/*
 * login/client_review.c
 *		The worker's look at the registry of clients, as time passes.
 */
#include "postgres.h"

#include <time.h>

#include "postmaster/interrupt.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "login/client_check.h"
#include "login/client_renewed.h"
#include "login/client_review.h"
#include "login/clients.h"
#include "login/denied.h"
#include "policy/elapsed.h"
#include "server/alarm_list.h"
#include "server/alarms.h"
#include "server/guc.h"
#include "server/state.h"

/* What changes nothing but counters waits so long, microseconds; alarms are repeated then. */
#define LONGEST_PAUSE (60 * USECS_PER_SEC)
/* between any two */
#define SHORTEST_PAUSE USECS_PER_SEC
/* 10 ms of a minute; but so few, however long they take here, are not spared: alarms are in time */
#define PAUSE_PER_COST 6000
#define FEW_CLIENTS 1000

/* entries whose counters are copied in one go */
#define USES_CHUNK 256

/* a bit for each identity, as good as random; what shares one is looked at for nothing */
#define TOUCHED_BITS 65536

/* What is known of the entry in one place. */
typedef struct Known
{
	EsgClientLife life;			/* the first, so that one can be told from the
								 * other */
	unsigned char fingerprint[ESG_DIGEST_SIZE];
	uint32		version;		/* of the registry's; 0: nothing is there */
	uint32		superseded_by;	/* the version of that one when this was
								 * judged, 0: none */
	uint32		renewed_as;
	bool		is_open;		/* to be judged */
	bool		replaced;		/* as of then */
	bool		idle;
	bool		watched;		/* it is not the only one of its identity */
	uint8		severities;		/* of what was found, a bit for each */
	int			denied[2];		/* entries of the deny-list that it is */
	int64		due;			/* seconds since 1970: it is to be judged
								 * again */
} Known;

/* The worker's own; in TopMemoryContext. */
typedef struct Book
{
	Known	   *known;			/* by their numbers, as many as the registry
								 * has places */
	int			used;			/* of them */
	uint32		resets;			/* of the registry */
	bool		complete;		/* of all that there was */
	int64		judged_at;		/* seconds since 1970: no verdict is later */
	int		   *matches;		/* known certificates of each entry of the
								 * deny-list */
	char	   *unseen;			/* what was said of that list, NULL: nothing */
	TimestampTz reviewed_at;
	int64		pause;			/* until the next one */
	TimestampTz told_at;		/* when the alarms were last reported */
} Book;

static Book book =
{
	.pause = SHORTEST_PAUSE
};

/* One review. */
typedef struct Review
{
	EsgPolicy	policy;
	bool		off;			/* nothing is wrong with any of them */
	TimestampTz now;
	int64		unix_now;
	bool		all;			/* of them are looked at */
	uint64		touched[TOUCHED_BITS / 64]; /* identities of which one has
											 * changed */
	bool		any_touched;
	bool		news;			/* alarms may be others */
	int			judged;
} Review;

/* ---- when ---- */

static int64
longest_pause(void)
{
	if (esg_guc_alarm_repeat_interval > 0)
		return Min(LONGEST_PAUSE, (int64) esg_guc_alarm_repeat_interval * USECS_PER_SEC);
	return LONGEST_PAUSE;
}

static bool
is_verdict_due(void)
{
	return esg_clients_have_news() || esg_server_state_client_change() <= esg_report_unix_now();
}

bool
esg_client_review_is_due(TimestampTz now)
{
	return esg_elapsed(book.reviewed_at, longest_pause(), now) ||
		(esg_elapsed(book.reviewed_at, book.pause, now) && is_verdict_due());
}

int64
esg_client_review_time_left(TimestampTz now)
{
	int64		left = esg_elapsed_left(book.reviewed_at, longest_pause(), now);
	int64		pause = esg_elapsed_left(book.reviewed_at, book.pause, now);
	int64		change = esg_server_state_client_change();
	EsgTime		at = {ESG_TIME_VALID, change, false};
	bool		is_null;

	if (esg_clients_have_news())
		return Min(left, pause);
	if (change != ESG_TIME_NEVER)
		left = Min(left, Max(pause, esg_report_timestamp(at, &is_null) - now));
	return left;
}

/* of this process, microseconds */
static int64
processor_time(void)
{
	struct timespec spent;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent) != 0)
		return 0;
	return spent.tv_sec * USECS_PER_SEC + spent.tv_nsec / 1000;
}

void
esg_client_review_forget(void)
{
	book.complete = false;
	book.reviewed_at = 0;
}

/* ---- what is known ---- */

static Known *
known_of(const EsgClientLife *life)
{
	return (Known *) unconstify(EsgClientLife *, life);
}

static uint32
version_of(const EsgClientLife *life)
{
	return life != NULL ? known_of(life)->version : 0;
}

static void
touch(Review *review, const Known *known)
{
	uint32		bit = known->life.identity[0] % TOUCHED_BITS;

	review->touched[bit / 64] |= UINT64CONST(1) << (bit % 64);
	review->any_touched = true;
}

static bool
is_touched(const Review *review, const Known *known)
{
	uint32		bit = known->life.identity[0] % TOUCHED_BITS;

	return (review->touched[bit / 64] >> (bit % 64) & 1) != 0;
}

static void
count_matches(const Known *known, int change)
{
	for (int i = 0; i < (int) lengthof(known->denied); i++)
	{
		if (book.matches != NULL && known->denied[i] >= 0)
			book.matches[known->denied[i]] += change;
	}
}

static void
forget(Review *review, Known *known)
{
	if (known->version == 0)
		return;
	touch(review, known);
	count_matches(known, -1);
	review->news |= known->severities != 0;
	memset(known, 0, sizeof(*known));
}

/* Another certificate, role or analysis than the one that was there. */
static void
learn(Review *review, int number)
{
	Known	   *known = &book.known[number];
	EsgClientEntry entry;

	forget(review, known);
	known->version = esg_clients_read(number, &entry);
	if (known->version == 0)
		return;
	esg_client_renewed_describe(&entry, &known->life);
	memcpy(known->fingerprint, entry.facts.fingerprint, ESG_DIGEST_SIZE);
	esg_denied_find(&entry.facts, known->denied);
	count_matches(known, 1);
	known->is_open = true;
	touch(review, known);
}

/* A login has changed it. */
static void
take_use(Review *review, int number, const EsgClientUse *use)
{
	Known	   *known = &book.known[number];

	if (known->version != use->version)
	{
		learn(review, number);
		return;
	}
	known->life.last_seen = use->last_seen;
	if (known->watched)
		touch(review, known);
	/* a login may have raised an alarm after it was judged */
	known->is_open |= known->watched || known->idle || use->alarming != (known->severities != 0);
}

/* Everything anew: of the registry, of the settings, or of a clock that was set back. */
static void
begin_book(Review *review)
{
	const EsgDenyList *list = esg_guc_denied_certificates;
	int			capacity = esg_guc_max_client_certificates;

	if (book.known == NULL)
		book.known = MemoryContextAllocHuge(TopMemoryContext, sizeof(Known) * capacity);
	memset(book.known, 0, sizeof(Known) * capacity);
	book.used = 0;
	if (book.matches != NULL)
		pfree(book.matches);
	book.matches = NULL;
	if (list != NULL)
		book.matches = MemoryContextAllocZero(TopMemoryContext, sizeof(int) * list->count);
	review->all = review->news = true;
}

static void
take_changed(Review *review)
{
	EsgClientUse uses[USES_CHUNK];
	uint32		resets;
	int			used;
	int		   *numbers;
	int			count = esg_clients_take_changed(!book.complete, &resets, &used, &numbers);

	if (book.complete && resets != book.resets)
	{
		pfree(numbers);
		count = esg_clients_take_changed(true, &resets, &used, &numbers);
		book.complete = false;
	}
	if (!book.complete)
		begin_book(review);
	book.complete = false;
	book.resets = resets;
	book.used = used;
	for (int i = 0; i < count && !ShutdownRequestPending; i += USES_CHUNK)
	{
		int			chunk = Min(USES_CHUNK, count - i);

		esg_clients_read_uses(numbers + i, chunk, uses);
		for (int n = 0; n < chunk; n++)
			take_use(review, numbers[i + n], &uses[n]);
	}
	if (numbers != NULL)
		pfree(numbers);
}

/* ---- beside others ---- */

static void
set_watched(Known *known, bool watched)
{
	if (known->watched == watched)
		return;
	known->watched = watched;
	esg_clients_watch((int) (known - book.known), known->version, watched);
}

static bool
same_identity(const EsgClientLife *a, const EsgClientLife *b)
{
	return memcmp(a->identity, b->identity, sizeof(a->identity)) == 0;
}

/* Those that may have another place among the certificates of their identity. */
static void
regroup(Review *review)
{
	EsgClientLife **lives;
	int			count = 0;

	if (!review->any_touched)
		return;
	lives = palloc_extended(sizeof(*lives) * (book.used + 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < book.used; i++)
	{
		if (book.known[i].version != 0 && is_touched(review, &book.known[i]))
			lives[count++] = &book.known[i].life;
	}
	esg_client_renewed_resolve(lives, count);
	for (int i = 0; i < count; i++)
	{
		Known	   *known = known_of(lives[i]);

		set_watched(known, (i > 0 && same_identity(lives[i - 1], lives[i])) ||
					(i + 1 < count && same_identity(lives[i], lives[i + 1])));
		known->is_open |= version_of(known->life.superseded_by) != known->superseded_by ||
			version_of(known->life.renewed_as) != known->renewed_as;
	}
	pfree(lives);
}

/*
 * Has the newer certificate taken this one's place?  Where both are in use, as
 * on two hosts of which one was forgotten, that shows only after a while.
 */
static bool
is_replaced(const EsgClientLife *life, TimestampTz now)
{
	return life->superseded_by != NULL &&
		(life->last_seen <= life->superseded_by->first_seen ||
		 now - life->last_seen > ESG_CLIENT_OVERLAP_DAYS * USECS_PER_DAY);
}

static bool
is_idle(const EsgClientLife *life, TimestampTz now)
{
	return now - life->last_seen > ESG_CLIENT_IDLE_DAYS * USECS_PER_DAY;
}

/* ---- is it good ---- */

/* false: something else is there by now, which the next review looks at */
static bool
read_row(const Known *known, EsgClientRow *out)
{
	const EsgClientLife *newer = known->life.superseded_by;

	memset(out, 0, sizeof(*out));
	if (known->version == 0 ||
		esg_clients_read((int) (known - book.known), &out->entry) != known->version)
		return false;
	out->superseded = newer != NULL;
	if (newer != NULL)
		out->superseded_since = newer->first_seen;
	newer = known->life.renewed_as;
	out->outdated = newer != NULL;
	if (newer != NULL)
	{
		memcpy(out->renewed_as, known_of(newer)->fingerprint, ESG_DIGEST_SIZE);
		out->renewed_since = newer->first_seen;
	}
	return true;
}

/*
 * What is wrong with one.  A certificate that was replaced, or is not used any
 * more, bothers nobody, but for its being used nevertheless.
 */
static void
find_faults(const Review *review, const Known *known, const EsgClientRow *row, EsgFindings *out)
{
	memset(out, 0, sizeof(*out));
	if (review->off)
		return;
	if (!is_replaced(&known->life, review->now) && !is_idle(&known->life, review->now))
		esg_client_check_row_findings(row, &review->policy, review->now, out);
	else
		esg_client_check_outdated(row, &review->policy, review->now, out);
}

/* The first whole second at which so much has passed since then. */
static int64
unix_after(TimestampTz since, int days)
{
	return esg_report_time(since + days * USECS_PER_DAY).unix_seconds + 1;
}

/* When is it to be judged again, if no login comes? */
static int64
find_due(const Review *review, const Known *known, const EsgClientRow *row)
{
	const EsgClientFacts *facts = &row->entry.facts;
	int64		due = ESG_TIME_NEVER;

	if (review->off)
		return due;
	if (!known->replaced && !known->idle)
		due = esg_client_check_next_change(facts, &review->policy, review->unix_now);
	if (!known->replaced && known->life.superseded_by != NULL)
		due = Min(due, unix_after(known->life.last_seen, ESG_CLIENT_OVERLAP_DAYS));
	if (!known->idle && known->severities != 0)
		due = Min(due, unix_after(known->life.last_seen, ESG_CLIENT_IDLE_DAYS));
	if (known->life.renewed_as != NULL && facts->not_after.state == ESG_TIME_VALID &&
		facts->not_after.unix_seconds > review->unix_now)
		due = Min(due, facts->not_after.unix_seconds);
	return Max(due, review->unix_now + 1);
}

/* The entry is told, too, as those with an alarm give way last. */
static void
judge(Review *review, Known *known)
{
	EsgClientRow row;
	EsgFindings findings;
	uint8		severities = 0;

	known->is_open = false;
	review->judged++;
	if (!read_row(known, &row))
		return;
	known->life.last_seen = row.entry.last_seen;
	known->replaced = is_replaced(&known->life, review->now);
	known->idle = is_idle(&known->life, review->now);
	known->superseded_by = version_of(known->life.superseded_by);
	known->renewed_as = version_of(known->life.renewed_as);
	find_faults(review, known, &row, &findings);
	for (int i = 0; i < findings.count; i++)
		severities |= 1 << findings.items[i].severity;
	esg_findings_free(&findings);
	if ((severities != 0) != (row.entry.alarming != 0))
		esg_clients_mark(row.entry.facts.fingerprint, row.entry.role_name, severities != 0);
	review->news |= severities != 0 || known->severities != 0 || row.entry.alarming != 0;
	known->severities = severities;
	known->due = find_due(review, known, &row);
}

/* Returns the next moment at which one of them is to be judged. */
static int64
judge_open(Review *review)
{
	int64		next = ESG_TIME_NEVER;

	for (int i = 0; i < book.used && !ShutdownRequestPending; i++)
	{
		Known	   *known = &book.known[i];

		if (known->version == 0)
			continue;
		if (known->is_open || known->due <= review->unix_now)
			judge(review, known);
		next = Min(next, known->due);
	}
	return next;
}

/* ---- alarms ---- */

static bool
has_finding(const Review *review, const Known *known, EsgCode code)
{
	EsgClientRow row;
	EsgFindings findings;
	bool		found;

	if (!read_row(known, &row))
		return false;
	find_faults(review, known, &row, &findings);
	found = esg_findings_has(&findings, code);
	esg_findings_free(&findings);
	return found;
}

/*
 * EsgAlarmFateFn: mended is what is not found any more in a certificate that is
 * there, or was replaced.  Of one that gave way to others nothing is known.
 */
static EsgAlarmFate
judge_missing(const EsgAlarm *alarm, const void *arg)
{
	const Review *review = arg;
	EsgAlarmFate fate = ESG_FATE_UNTRACKED;
	int			count;
	int		   *numbers;

	if (alarm->code == ESG_DENIED_CERTIFICATE_UNSEEN)
		return ESG_FATE_MENDED;
	numbers = palloc(sizeof(int) * esg_guc_max_client_certificates);
	count = esg_clients_find(alarm->fingerprint, numbers, esg_guc_max_client_certificates);
	for (int i = 0; i < count && fate != ESG_FATE_STANDS; i++)
	{
		const Known *known = &book.known[numbers[i]];

		if (known->version == 0 ||
			(known->severities != 0 && has_finding(review, known, alarm->code)))
			fate = ESG_FATE_STANDS;
		else if (known->replaced || !known->idle)
			fate = ESG_FATE_MENDED;
	}
	pfree(numbers);
	return fate;
}

/* Is the list's last alarm in it already?  Several roles share a certificate. */
static bool
is_listed(const EsgAlarmList *list)
{
	const EsgAlarm *last = &list->items[list->count - 1];

	for (const EsgAlarm *alarm = list->items; alarm < last; alarm++)
	{
		if (alarm->code == last->code && strcmp(alarm->object, last->object) == 0)
			return true;
	}
	return false;
}

static void
collect_client(EsgAlarmList *list, const Review *review, const Known *known)
{
	EsgClientRow row;
	EsgFindings findings;

	if (!read_row(known, &row))
		return;
	find_faults(review, known, &row, &findings);
	for (int i = 0; i < findings.count; i++)
	{
		EsgAlarm   *alarm = esg_alarm_list_next(list, &findings.items[i]);

		if (alarm == NULL)
			continue;
		esg_client_check_report(&findings.items[i], &row.entry.facts, row.entry.role_name, alarm);
		if (is_listed(list))
			list->count--;
	}
	esg_findings_free(&findings);
}

/* One alarm for all: a list may be long. */
static void
collect_unseen(EsgAlarmList *list, const Review *review)
{
	EsgFinding	finding = {
		.code = ESG_DENIED_CERTIFICATE_UNSEEN,
		.place = ESG_PLACE_SERVER,
		.severity = esg_findings_severity(ESG_DENIED_CERTIFICATE_UNSEEN, ESG_PLACE_SERVER,
										  review->policy.overrides),
	};
	EsgAlarm   *alarm;

	if (book.unseen == NULL || finding.severity == ESG_OK ||
		(alarm = esg_alarm_list_next(list, &finding)) == NULL)
		return;
	esg_report_server_alarm(finding.code, finding.severity, book.unseen, NULL, alarm);
	strlcpy(alarm->object, "ext_ssl_guard.denied_certificates", sizeof(alarm->object));
}

/* EsgAlarmCollectFn; what finds no place is not put into words. */
static void
collect_clients(EsgAlarmList *list, void *arg)
{
	const Review *review = arg;

	for (int i = 0; i < book.used && list->count < list->room; i++)
	{
		if ((book.known[i].severities >> list->severity & 1) != 0)
			collect_client(list, review, &book.known[i]);
	}
	collect_unseen(list, review);
}

/* What the alarm about the deny-list says: is that another? */
static void
look_for_unseen(Review *review)
{
	char	   *unseen = esg_denied_unseen(book.matches);
	bool		same = unseen == NULL || book.unseen == NULL ? unseen == book.unseen :
	strcmp(unseen, book.unseen) == 0;

	if (same)
		return;
	review->news = true;
	if (book.unseen != NULL)
		pfree(book.unseen);
	book.unseen = NULL;
	if (unseen != NULL)
		book.unseen = MemoryContextStrdup(TopMemoryContext, unseen);
}

static void
tell(const Review *review)
{
	EsgAlarmList list;

	esg_alarm_list_fill(&list, ESG_MAX_REPORTED, collect_clients, (void *) review);
	esg_alarms_reconcile_judged(ESG_SCOPE_CLIENTS, list.items, list.count, review->now,
								judge_missing, review);
	pfree(list.items);
	book.told_at = review->now;
}

/*
 * Whoever notes an earlier moment meanwhile has changed an entry that is looked at,
 * or marked.  A worker that is to end does not finish a long look.
 */
static void
look(Review *review)
{
	int64		next;

	esg_server_state_forget_client_change();
	take_changed(review);
	regroup(review);
	next = judge_open(review);
	if (ShutdownRequestPending)
		return;
	if (review->judged > 0)
		ereport(DEBUG1,
				(errmsg_internal("judged %d of %d client certificates", review->judged, book.used)));
	look_for_unseen(review);
	if (review->news || esg_elapsed(book.told_at, longest_pause(), review->now))
		tell(review);
	esg_server_state_note_client_change(next);
	book.judged_at = review->unix_now;
	book.complete = true;
}

void
esg_client_review_run(void)
{
	Review	   *review = palloc0(sizeof(*review));
	int64		began = processor_time();

	review->off = esg_guc_client_certificate_check == ESG_MODE_OFF;
	review->now = book.reviewed_at = GetCurrentTimestamp();
	review->unix_now = esg_report_unix_now();
	esg_guc_policy(&review->policy);
	if (review->unix_now < book.judged_at)
		book.complete = false;
	/* if it comes to no end */
	book.pause = LONGEST_PAUSE;
	look(review);
	/* one of all has a cause that is not a login */
	book.pause = SHORTEST_PAUSE;
	if (!review->all && book.used > FEW_CLIENTS)
		book.pause = Min(LONGEST_PAUSE, Max(SHORTEST_PAUSE, (processor_time() - began) * PAUSE_PER_COST));
	if (review->all && book.used > FEW_CLIENTS)
		esg_clients_let_go();
	pfree(review);
}
