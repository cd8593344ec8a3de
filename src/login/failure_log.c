/*
 * login/failure_log.c
 *		What the log says of failed handshakes, whoever makes them fail.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/timestamp.h"

#include "login/failure_log.h"
#include "policy/alarm_text.h"
#include "policy/elapsed.h"
#include "server/report.h"
#include "x509/info.h"

/*
 * Bytes.  Core's line takes about 110 with the usual prefix, of which we use a
 * bit less than the half: the rest is for the lines that tell what was not
 * written.  A credit is some seven lines of ours.
 */
#define EARNED_PER_FAILURE 43
#define MAX_CREDIT 5000
/* a message, a detail or a hint: what stands before it */
#define PREFIX_SIZE 45

/* The first failure for a reason in so long has its line. */
#define REASON_PAUSE (5 * USECS_PER_MINUTE)
/* What was not written is told this often if it is so much, */
#define TELL_PAUSE USECS_PER_MINUTE
#define TELL_AT_ONCE 10
/* else this often. */
#define LONGEST_TELL_PAUSE (5 * USECS_PER_MINUTE)

/* more than there are reasons */
#define MAX_REASONS 32
#define MAX_TALLIES 32
/* of them the log names the largest */
#define MAX_TOLD 4

/* Lines that were not written. */
typedef struct Tally
{
	char		reason[ESG_FAILURE_REASON_SIZE];
	EsgClientAddress address;
	int64		count;
} Tally;

typedef struct Seen
{
	char		reason[ESG_FAILURE_REASON_SIZE];
	TimestampTz at;				/* of its last line */
} Seen;

/* Those who come from a CA we know, or the others. */
typedef struct Account
{
	const char *who;
	int64		credit;			/* may be below 0, by a line */
	Seen		seen[MAX_REASONS];
	int			seen_count;
	Tally		tallies[MAX_TALLIES];
	int			tally_count;
	int64		suppressed;		/* lines, since then */
	TimestampTz began;
} Account;

static Account known_account =
{
	.who = "known CAs",.credit = MAX_CREDIT
};
static Account stranger_account =
{
	.who = "other CAs",.credit = MAX_CREDIT
};

/* ---- may it be written ---- */

/* NULL: there are more reasons than places */
static Seen *
find_seen(Account *account, const char *reason)
{
	Seen	   *seen;

	for (int i = 0; i < account->seen_count; i++)
	{
		if (strcmp(account->seen[i].reason, reason) == 0)
			return &account->seen[i];
	}
	if (account->seen_count == MAX_REASONS)
		return NULL;
	seen = &account->seen[account->seen_count++];
	strlcpy(seen->reason, reason, sizeof(seen->reason));
	seen->at = 0;
	return seen;
}

static bool
is_first(const Seen *seen, TimestampTz now)
{
	return seen != NULL && (seen->at == 0 || esg_elapsed(seen->at, REASON_PAUSE, now));
}

/* ---- what is written ---- */

/* DETAIL of the log line. */
static void
describe_failure(const EsgFailure *failure, int depth, char *buf, size_t size)
{
	char		fingerprint[ESG_FINGERPRINT_TEXT_SIZE];
	char		address[ESG_CLIENT_ADDRESS_TEXT_SIZE];
	char		number[32];

	buf[0] = '\0';
	esg_x509_info_fingerprint_text(failure->fingerprint, fingerprint);
	esg_client_entry_address_text(&failure->last_address, address, sizeof(address));
	esg_alarm_text_append_pair(buf, size, "reason", failure->reason);
	esg_alarm_text_append_pair(buf, size, "address", address);
	esg_alarm_text_append_pair(buf, size, "serial", failure->serial_number);
	esg_alarm_text_append_pair(buf, size, "fingerprint", fingerprint);
	snprintf(number, sizeof(number), "%d", depth);
	esg_alarm_text_append_pair(buf, size, "depth", number);
	snprintf(number, sizeof(number), INT64_FORMAT, failure->failures);
	esg_alarm_text_append_pair(buf, size, "failures", number);
	esg_alarm_text_append_pair(buf, size, "subject", failure->subject);
	esg_alarm_text_append_pair(buf, size, "issuer", failure->issuer);
}

/* returns how many bytes it takes in the log */
static int64
write_failure(const EsgFailure *failure, const EsgFailureCause *cause)
{
	char		detail[1024];
	char		address[ESG_CLIENT_ADDRESS_TEXT_SIZE];
	char	   *message;
	char	   *pairs;
	int64		size;

	esg_client_entry_address_text(&failure->last_address, address, sizeof(address));
	describe_failure(failure, cause->depth, detail, sizeof(detail));
	message = psprintf("TLS refused client certificate \"%s\" from %s: %s", failure->subject,
					   address, cause->error);
	pairs = esg_report_with_cluster(detail);
	size = strlen(message) + strlen(pairs) + 2 * PREFIX_SIZE;
	if (cause->hint != NULL)
		size += strlen(cause->hint) + PREFIX_SIZE;
	ereport(LOG,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 errmsg_internal("%s", message),
			 errdetail_internal("%s", pairs),
			 cause->hint != NULL ? errhint("%s", cause->hint) : 0));
	return size;
}

/* ---- what is not written ---- */

/* NULL: there are more than places */
static Tally *
find_tally(Account *account, const EsgFailure *failure)
{
	Tally	   *tally;

	for (int i = 0; i < account->tally_count; i++)
	{
		tally = &account->tallies[i];
		if (strcmp(tally->reason, failure->reason) == 0 &&
			memcmp(&tally->address, &failure->last_address, sizeof(tally->address)) == 0)
			return tally;
	}
	if (account->tally_count == MAX_TALLIES)
		return NULL;
	tally = &account->tallies[account->tally_count++];
	strlcpy(tally->reason, failure->reason, sizeof(tally->reason));
	tally->address = failure->last_address;
	tally->count = 0;
	return tally;
}

static void
suppress(Account *account, const EsgFailure *failure)
{
	Tally	   *tally = find_tally(account, failure);

	account->suppressed++;
	if (tally != NULL)
		tally->count++;
}

static int
compare_tallies(const void *a, const void *b)
{
	int64		left = ((const Tally *) a)->count;
	int64		right = ((const Tally *) b)->count;

	return left > right ? -1 : left < right;
}

/* "unknown_ca from 192.0.2.1: 120, expired from 192.0.2.2: 3, others: 17"; palloc'd */
static char *
describe_tallies(Account *account)
{
	StringInfoData buf;
	char		address[ESG_CLIENT_ADDRESS_TEXT_SIZE];
	int64		others = account->suppressed;

	initStringInfo(&buf);
	qsort(account->tallies, account->tally_count, sizeof(Tally), compare_tallies);
	for (int i = 0; i < Min(account->tally_count, MAX_TOLD); i++)
	{
		const Tally *tally = &account->tallies[i];

		esg_client_entry_address_text(&tally->address, address, sizeof(address));
		appendStringInfo(&buf, "%s%s from %s: " INT64_FORMAT, i > 0 ? ", " : "", tally->reason,
						 address, tally->count);
		others -= tally->count;
	}
	if (others > 0)
		appendStringInfo(&buf, ", others: " INT64_FORMAT, others);
	return buf.data;
}

static bool
is_to_be_told(const Account *account, TimestampTz now)
{
	return account->suppressed > 0 &&
		(esg_elapsed(account->began, LONGEST_TELL_PAUSE, now) ||
		 (account->suppressed >= TELL_AT_ONCE && esg_elapsed(account->began, TELL_PAUSE, now)));
}

static void
tell(Account *account, TimestampTz now)
{
	if (!is_to_be_told(account, now))
		return;
	ereport(LOG,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("too many failed TLS handshakes: " INT64_FORMAT " log lines about clients of %s were suppressed",
					account->suppressed, account->who),
			 errdetail_internal("%s", describe_tallies(account)),
			 errhint("The view \"ssl_guard_handshake_failures\" has the last ones.")));
	account->suppressed = 0;
	account->tally_count = 0;
}

void
esg_failure_log_tell(TimestampTz now)
{
	tell(&known_account, now);
	tell(&stranger_account, now);
}

/* ---- one failure ---- */

void
esg_failure_log_note(EsgFailure *failure, const EsgFailureCause *cause, TimestampTz now)
{
	Account    *account = failure->known_ca ? &known_account : &stranger_account;
	Seen	   *seen = find_seen(account, failure->reason);
	bool		first = is_first(seen, now);
	bool		will_log = first || account->credit > 0;
	int64		size;

	account->credit = Min(account->credit + EARNED_PER_FAILURE, MAX_CREDIT);
	if (!esg_failures_note(failure, will_log))
		return;
	if (!will_log)
	{
		/* the span that is told of begins with the first */
		if (account->suppressed == 0)
			account->began = now;
		suppress(account, failure);
		return;
	}
	size = write_failure(failure, cause);
	if (seen != NULL)
		seen->at = now;
	/* the first of each reason is not at the expense of others */
	if (!first)
		account->credit -= size;
}
