/*
 * login/client_check.c
 *		Is a client's certificate good enough to log in with?
 */
#include "postgres.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "common/hashfn.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "login/client_check.h"
#include "policy/certificate.h"
#include "server/alarms.h"
#include "server/guc.h"
#include "x509/cut_text.h"

/* a login raises the alarms of a known certificate again after this long */
#define ALARM_PAUSE (60 * USECS_PER_SEC)

#define CODE_BIT(code) (UINT64CONST(1) << ((code) % 64))

StaticAssertDecl(ESG_CODE_COUNT <= 128, "a finding must have a bit in EsgClientFacts");

static bool
has_code(const uint64 *bits, EsgCode code)
{
	return (bits[code / 64] & CODE_BIT(code)) != 0;
}

/* These come and go with the clock, so they are not kept. */
static bool
is_about_now(EsgCode code)
{
	return code == ESG_EXPIRED || code == ESG_EXPIRES_VERY_SOON ||
		code == ESG_EXPIRES_SOON || code == ESG_NOT_YET_VALID;
}

/*
 * Tells apart the settings that an analysis depends on, and who made it: the
 * registry outlives a change of this library or of OpenSSL.
 */
static uint64
stamp_policy(const EsgPolicy *policy)
{
	uint64		stamp = hash_bytes_extended((const unsigned char *) policy->overrides,
											sizeof(policy->overrides), 0);

	stamp = hash_combine64(stamp, hash_bytes_extended((const unsigned char *) ESG_VERSION,
													  sizeof(ESG_VERSION), ESG_CODE_COUNT));
	stamp = hash_combine64(stamp, (uint64) OpenSSL_version_num());
	stamp = hash_combine64(stamp, (uint64) policy->min_security_bits);
	return hash_combine64(stamp, (uint64) policy->max_validity);
}

/* The last of a verified chain is the trust anchor, whose signature says nothing. */
static int
count_intermediates(STACK_OF(X509) *chain)
{
	return Max(sk_X509_num(chain) - 2, 0);
}

/* A digest of the intermediates; zeros if there are none. */
static bool
digest_chain(STACK_OF(X509) *chain, unsigned char *out)
{
	EVP_MD_CTX *digest = NULL;
	unsigned char one[EVP_MAX_MD_SIZE];
	unsigned	len;
	bool		good;

	memset(out, 0, ESG_DIGEST_SIZE);
	if (count_intermediates(chain) == 0)
		return true;
	digest = EVP_MD_CTX_new();
	good = digest != NULL && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1;
	for (int i = 1; good && i <= count_intermediates(chain); i++)
		good = X509_digest(sk_X509_value(chain, i), EVP_sha256(), one, &len) == 1 &&
			EVP_DigestUpdate(digest, one, len) == 1;
	good = good && EVP_DigestFinal_ex(digest, out, NULL) == 1;
	EVP_MD_CTX_free(digest);
	return good;
}

static void
describe_subject(X509 *cert, EsgClientFacts *out)
{
	unsigned	len;
	bool		found;
	bool		exact;

	if (X509_NAME_digest(X509_get_subject_name(cert), EVP_sha256(), out->subject_digest, &len) != 1)
		memset(out->subject_digest, 0, ESG_DIGEST_SIZE);
	esg_cut_text_take(out->subject, sizeof(out->subject),
					  esg_x509_name_text(X509_get_subject_name(cert)));
	esg_cut_text_take(out->issuer, sizeof(out->issuer),
					  esg_x509_name_text(X509_get_issuer_name(cert)));
	esg_cut_text_take(out->common_name, sizeof(out->common_name),
					  esg_x509_name_common_name(X509_get_subject_name(cert), &found, &exact));
	esg_cut_text_take(out->serial_number, sizeof(out->serial_number),
					  esg_x509_info_serial_text(X509_get0_serialNumber(cert)));
}

/* Keeps what is said of the worst finding, and of which certificate. */
static void
keep_detail(EsgClientFacts *out, const EsgFinding *finding, EsgPlace place)
{
	char		text[2 * ESG_CLIENT_DETAIL_SIZE];

	snprintf(text, sizeof(text), "%s%s", finding->detail,
			 place == ESG_PLACE_CHAIN ? ", in an intermediate certificate" : "");
	out->detail_code = finding->code;
	esg_cut_text_copy(out->detail, sizeof(out->detail), text);
}

/* Notes one finding; the worst of all leaves its detail. */
static void
note_finding(EsgClientFacts *out, const EsgFinding *finding, EsgPlace place,
			 EsgSeverity *worst)
{
	const EsgFindingDef *def = esg_findings_def(finding->code);

	/* of an intermediate only what would matter in the client's own, too */
	if (is_about_now(finding->code) || (def->places & ESG_PLACE_CLIENT) == 0)
		return;
	out->findings[finding->code / 64] |= CODE_BIT(finding->code);
	if (def->enforced & place)
		out->refused[finding->code / 64] |= CODE_BIT(finding->code);
	if (finding->severity <= *worst)
		return;
	*worst = finding->severity;
	keep_detail(out, finding, place);
}

static void
note_findings(EsgClientFacts *out, const EsgFindings *list, EsgPlace place, EsgSeverity *worst)
{
	for (int i = 0; i < list->count; i++)
		note_finding(out, &list->items[i], place, worst);
}

/* The chain is of no use once its first intermediate has ended. */
static void
note_chain_end(EsgClientFacts *out, const EsgCertInfo *info)
{
	if (info->not_after.state != ESG_TIME_VALID)
		return;
	if (out->chain_not_after.state == ESG_TIME_VALID &&
		out->chain_not_after.unix_seconds <= info->not_after.unix_seconds)
		return;
	out->chain_not_before = info->not_before;
	out->chain_not_after = info->not_after;
}

static void
judge_issuer(const EsgCertInfo *issuer, const EsgPolicy *policy, EsgFindings *out)
{
	if (issuer->key.security_bits >= 0 && issuer->key.security_bits < policy->min_security_bits)
		(void) esg_findings_add(out, ESG_WEAK_ISSUER_KEY, ESG_PLACE_CLIENT, policy->overrides,
								"%s, %d bits", issuer->key.algorithm, issuer->key.bits);
}

/* One certificate of the verified chain: the client's own at 0. */
static bool
judge_link(X509 *cert, int depth, int intermediates, const EsgPolicy *policy,
		   int64 now, EsgClientFacts *out, EsgSeverity *worst)
{
	EsgPlace	place = depth == 0 ? ESG_PLACE_CLIENT : ESG_PLACE_CHAIN;
	EsgCertInfo info;
	EsgFindings findings = {0};
	bool		good;

	esg_x509_info_read(cert, NULL, &info);
	if (depth > 0)
		judge_issuer(&info, policy, &findings);
	if (depth <= intermediates)
		esg_policy_check_cert(&info, place, policy, now, &findings);
	if (depth > 0 && depth <= intermediates)
		note_chain_end(out, &info);
	if (depth == 0)
	{
		out->not_before = info.not_before;
		out->not_after = info.not_after;
		out->key_bits = info.key.bits;
		strlcpy(out->key_algorithm, info.key.algorithm, sizeof(out->key_algorithm));
		strlcpy(out->signature_algorithm, info.signature.algorithm,
				sizeof(out->signature_algorithm));
	}
	note_findings(out, &findings, place, worst);
	good = !findings.out_of_memory;
	esg_findings_free(&findings);
	return good;
}

/* The costly part, done once per certificate, chain and settings. */
static bool
analyse(const EsgPeer *peer, STACK_OF(X509) *chain, const EsgPolicy *policy,
		EsgClientFacts *out)
{
	int64		now = esg_report_unix_now();
	EsgSeverity worst = ESG_OK;
	bool		good;

	out->chain_not_after.state = ESG_TIME_ABSENT;
	describe_subject(peer->cert, out);
	good = judge_link(peer->cert, 0, count_intermediates(chain), policy, now, out, &worst);
	for (int i = 1; good && i < sk_X509_num(chain); i++)
		good = judge_link(sk_X509_value(chain, i), i, count_intermediates(chain),
						  policy, now, out, &worst);
	return good;
}

bool
esg_client_check_facts(const EsgPeer *peer, const EsgPolicy *policy,
					   EsgClientFacts *out, bool *fresh)
{
	/* NULL is an empty stack to OpenSSL */
	STACK_OF(X509) *chain = SSL_get0_verified_chain(peer->ssl);
	unsigned char chain_digest[ESG_DIGEST_SIZE];
	EsgClientKey key = {peer->role_name, peer->fingerprint, chain_digest, stamp_policy(policy)};
	TimestampTz alarmed_at;
	bool		good;

	memset(out, 0, sizeof(*out));
	*fresh = true;
	good = peer->has_fingerprint && digest_chain(chain, chain_digest);
	if (good && esg_clients_lookup(&key, out, &alarmed_at))
		*fresh = GetCurrentTimestamp() - alarmed_at > ALARM_PAUSE;
	else if (good)
	{
		memcpy(out->fingerprint, peer->fingerprint, ESG_DIGEST_SIZE);
		memcpy(out->chain_digest, chain_digest, ESG_DIGEST_SIZE);
		out->policy_stamp = key.policy_stamp;
		good = analyse(peer, chain, policy, out);
	}
	ERR_clear_error();
	return good;
}

/* The finding about how much is left between begin and end. */
static void
judge_time(EsgTime begin, EsgTime end, const char *suffix, const EsgPolicy *policy,
		   int64 now, EsgFindings *out)
{
	static const EsgCode codes[] = {
		[ESG_LEFT_ENOUGH] = ESG_NO_FINDING,
		[ESG_LEFT_SOON] = ESG_EXPIRES_SOON,
		[ESG_LEFT_VERY_SOON] = ESG_EXPIRES_VERY_SOON,
		[ESG_LEFT_NOTHING] = ESG_EXPIRED
	};
	char		span[64];
	int64		left;
	EsgCode		code = codes[esg_policy_time_left(begin, end, policy, now, &left)];

	if (code == ESG_NO_FINDING || esg_findings_has(out, code))
		return;
	esg_x509_time_span_text(left, span, sizeof(span));
	(void) esg_findings_add(out, code, ESG_PLACE_CLIENT, policy->overrides, "%s%s", span, suffix);
}

static void
judge_begin(const EsgClientFacts *facts, const EsgPolicy *policy, int64 now, EsgFindings *out)
{
	char		wait[128];

	if (!esg_policy_time_known(facts->not_before) || facts->not_before.unix_seconds <= now)
		return;
	esg_policy_wait_text(facts->not_before, now, wait, sizeof(wait));
	(void) esg_findings_add(out, ESG_NOT_YET_VALID, ESG_PLACE_CLIENT, policy->overrides, "%s", wait);
}

/* What can be said of a finding whose own words were not kept; "" is nothing. */
static void
describe_code(const EsgClientFacts *facts, EsgCode code, char *buf, size_t size)
{
	buf[0] = '\0';
	if ((int) code == facts->detail_code)
		strlcpy(buf, facts->detail, size);
	else if (code == ESG_WEAK_SIGNATURE || code == ESG_UNKNOWN_SIGNATURE ||
			 code == ESG_BAD_PSS_PARAMETERS)
		strlcpy(buf, facts->signature_algorithm, size);
	else if (code == ESG_WEAK_KEY || code == ESG_BROKEN_KEY || code == ESG_UNUSABLE_KEY)
		snprintf(buf, size, "%s, %d bits", facts->key_algorithm, facts->key_bits);
	else if (code == ESG_MULTIPLE_COMMON_NAMES)
		strlcpy(buf, "several", size);
	else if (code == ESG_WRONG_PURPOSE)
		strlcpy(buf, "clients", size);
	else if (code == ESG_VALIDITY_TOO_LONG)
		esg_x509_time_span_text(facts->not_after.unix_seconds - facts->not_before.unix_seconds,
								buf, size);
}

void
esg_client_check_findings(const EsgClientFacts *facts, const EsgPolicy *policy,
						  int64 now, EsgFindings *out)
{
	char		detail[ESG_CLIENT_NAME_SIZE];

	memset(out, 0, sizeof(*out));
	for (int code = 1; code < ESG_CODE_COUNT; code++)
	{
		if (!has_code(facts->findings, (EsgCode) code))
			continue;
		describe_code(facts, (EsgCode) code, detail, sizeof(detail));
		(void) esg_findings_add(out, (EsgCode) code, ESG_PLACE_CLIENT, policy->overrides, "%s", detail);
	}
	judge_begin(facts, policy, now, out);
	judge_time(facts->not_before, facts->not_after, "", policy, now, out);
	if (facts->chain_not_after.state != ESG_TIME_ABSENT)
		judge_time(facts->chain_not_before, facts->chain_not_after,
				   " (an intermediate certificate of its chain)", policy, now, out);
	esg_findings_sort(out);
}

EsgCode
esg_client_check_refused(const EsgClientFacts *facts, const EsgPolicy *policy, int64 now)
{
	EsgFindings findings;
	EsgCode		refused = ESG_NO_FINDING;

	esg_client_check_findings(facts, policy, now, &findings);
	for (int i = 0; i < findings.count && refused == ESG_NO_FINDING; i++)
	{
		EsgCode		code = findings.items[i].code;

		if (has_code(facts->refused, code) ||
			(is_about_now(code) && (esg_findings_def(code)->enforced & ESG_PLACE_CLIENT)))
			refused = code;
	}
	esg_findings_free(&findings);
	return refused;
}

static void
report_finding(const EsgFinding *finding, const EsgClientFacts *facts, const char *role_name,
			   EsgAlarm *out)
{
	EsgShownCert cert = {
		.role_name = role_name,
		.subject = facts->subject,
		.serial_number = facts->serial_number,
		.fingerprint = facts->fingerprint,
		.not_after = facts->not_after,
	};

	esg_report_client_alarm(finding, &cert, out);
}

void
esg_client_check_alarm(const EsgClientFacts *facts, const char *role_name,
					   const EsgPolicy *policy, TimestampTz now)
{
	EsgFindings findings;
	EsgAlarm	alarm;

	esg_client_check_findings(facts, policy, esg_report_unix_now(), &findings);
	for (int i = 0; i < findings.count; i++)
	{
		report_finding(&findings.items[i], facts, role_name, &alarm);
		(void) esg_alarms_raise(ESG_SCOPE_CLIENTS, &alarm, now);
	}
	esg_findings_free(&findings);
}

/*
 * Has the newer certificate taken this one's place?  Where both are in use, as
 * on two hosts of which one was forgotten, that shows only after a while.
 */
static bool
is_replaced(const EsgClientRow *row, TimestampTz now)
{
	return row->superseded &&
		(row->entry.last_seen <= row->superseded_since ||
		 now - row->entry.last_seen > ESG_CLIENT_OVERLAP_DAYS * USECS_PER_DAY);
}

/* A certificate that was replaced, or is not used any more, bothers nobody. */
static bool
is_active(const EsgClientRow *row, TimestampTz now)
{
	return !is_replaced(row, now) &&
		now - row->entry.last_seen <= ESG_CLIENT_IDLE_DAYS * USECS_PER_DAY;
}

/* Is the alarm behind the list in it already?  Several roles share a certificate. */
static bool
is_listed(const EsgAlarm *alarms, int count)
{
	const EsgAlarm *next = &alarms[count];

	for (int i = 0; i < count; i++)
	{
		if (alarms[i].code == next->code && strcmp(alarms[i].object, next->object) == 0)
			return true;
	}
	return false;
}

static int
append_alarms(const EsgClientRow *row, const EsgPolicy *policy, EsgSeverity severity,
			  EsgAlarm *alarms, int count)
{
	EsgFindings findings;

	esg_client_check_findings(&row->entry.facts, policy, esg_report_unix_now(), &findings);
	for (int i = 0; i < findings.count && count < ESG_MAX_ALARMS; i++)
	{
		if (findings.items[i].severity != severity)
			continue;
		report_finding(&findings.items[i], &row->entry.facts, row->entry.role_name,
					   &alarms[count]);
		if (!is_listed(alarms, count))
			count++;
	}
	esg_findings_free(&findings);
	return count;
}

/* Worst first: there may be more than find a place. */
static int
collect_alarms(const EsgPolicy *policy, TimestampTz now, EsgAlarm *alarms)
{
	EsgClientRow *rows;
	int			row_count = esg_clients_copy(&rows);
	int			count = 0;

	for (int severity = ESG_CRITICAL; severity > ESG_OK; severity--)
	{
		for (int i = 0; i < row_count && count < ESG_MAX_ALARMS; i++)
		{
			if (is_active(&rows[i], now))
				count = append_alarms(&rows[i], policy, (EsgSeverity) severity, alarms, count);
		}
	}
	if (rows != NULL)
		pfree(rows);
	return count;
}

void
esg_client_check_review(void)
{
	TimestampTz now = GetCurrentTimestamp();
	EsgAlarm   *alarms = palloc(sizeof(EsgAlarm) * ESG_MAX_ALARMS);
	EsgPolicy	policy;
	int			count = 0;

	esg_guc_policy(&policy);
	if (esg_guc_client_certificate_check != ESG_MODE_OFF)
		count = collect_alarms(&policy, now, alarms);
	esg_alarms_reconcile(ESG_SCOPE_CLIENTS, alarms, count, now);
	pfree(alarms);
}
