/*
 * login/client_check.c
 *		Is a client's certificate good enough to log in with?
 */
#include "postgres.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "common/hashfn.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "login/client_check.h"
#include "policy/chain.h"
#include "policy/elapsed.h"
#include "policy/public_roots.h"
#include "server/alarms.h"
#include "server/guc.h"
#include "x509/cut_text.h"
#include "x509/errors.h"

/* a login raises the alarms of a known certificate again after this long */
#define ALARM_PAUSE (60 * USECS_PER_SEC)

/*
 * Tells apart the settings by which an intermediate was found the worst, and who
 * did it: the registry outlives a change of this library or of OpenSSL.
 */
static uint64
stamp_policy(const EsgPolicy *policy)
{
	/*
	 * not a constant, which would be the only one that each login reads, at
	 * the cost of a page
	 */
	char		version[] = ESG_VERSION;
	uint64		stamp = hash_bytes_extended((const unsigned char *) policy, sizeof(*policy),
											(uint64) OpenSSL_version_num());

	return hash_bytes_extended((const unsigned char *) version, sizeof(version), stamp);
}

/* The last of a verified chain is the trust anchor, whose signature says nothing. */
static int
count_intermediates(STACK_OF(X509) *chain)
{
	return Max(sk_X509_num(chain) - 2, 0);
}

/* A digest of the chain above the client's own certificate; zeros if there is nothing. */
static bool
digest_chain(const EsgPeer *peer, unsigned char *out)
{
	STACK_OF(X509) *chain = peer->chain;
	EVP_MD_CTX *digest = NULL;
	unsigned char one[ESG_DIGEST_SIZE];
	bool		good;

	memset(out, 0, ESG_DIGEST_SIZE);
	if (sk_X509_num(chain) < 2)
		return true;
	if (!peer->has_anchor)
		return false;
	if (count_intermediates(chain) == 0)
	{
		memcpy(out, peer->anchor, sizeof(peer->anchor));
		return true;
	}
	digest = EVP_MD_CTX_new();
	good = digest != NULL && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1;
	for (int i = 1; good && i <= count_intermediates(chain); i++)
		good = esg_x509_info_fingerprint(sk_X509_value(chain, i), one) &&
			EVP_DigestUpdate(digest, one, sizeof(one)) == 1;
	good = good && EVP_DigestUpdate(digest, peer->anchor, sizeof(peer->anchor)) == 1 &&
		EVP_DigestFinal_ex(digest, out, NULL) == 1;
	EVP_MD_CTX_free(digest);
	return good;
}

static void
describe_subject(X509 *cert, EsgClientFacts *out)
{
	unsigned	len;
	bool		found;

	if (X509_NAME_digest(X509_get_subject_name(cert), EVP_sha256(), out->subject_digest, &len) != 1)
		memset(out->subject_digest, 0, ESG_DIGEST_SIZE);
	esg_cut_text_take(out->subject, sizeof(out->subject),
					  esg_x509_name_start(X509_get_subject_name(cert), sizeof(out->subject)));
	esg_cut_text_take(out->issuer, sizeof(out->issuer),
					  esg_x509_name_start(X509_get_issuer_name(cert), sizeof(out->issuer)));
	esg_cut_text_take(out->common_name, sizeof(out->common_name),
					  esg_x509_name_common_name(X509_get_subject_name(cert), &found));
	esg_cut_text_take(out->serial_number, sizeof(out->serial_number),
					  esg_x509_info_serial_text(X509_get0_serialNumber(cert)));
}

/* Who issued it, and is its root one that anybody can get certificates under? */
static bool
describe_issuers(STACK_OF(X509) *chain, EsgClientFacts *out)
{
	int			last = sk_X509_num(chain) - 1;
	unsigned char root[ESG_DIGEST_SIZE];

	if (last < 0)
		return true;
	/* one that is trusted itself is its own issuer */
	if (!esg_x509_info_fingerprint(sk_X509_value(chain, Min(1, last)), out->issuer_fingerprint) ||
		!esg_x509_info_fingerprint(sk_X509_value(chain, last), root))
		return false;
	if (last > 0 && esg_public_roots_name(root, ESG_DIGEST_SIZE) != NULL)
		memcpy(out->public_root, root, ESG_PUBLIC_ROOT_SIZE);
	return true;
}

/* The worst finding for which enforce refuses; the list is in order. */
static EsgCode
find_refusing(const EsgFindings *findings)
{
	for (int i = 0; i < findings->count; i++)
	{
		if (esg_findings_def(findings->items[i].code)->enforced & ESG_PLACE_CLIENT)
			return findings->items[i].code;
	}
	return ESG_NO_FINDING;
}

/* The chain is of no use once its first intermediate has ended. */
static void
note_chain_end(EsgClientFacts *out, const EsgCertInfo *info)
{
	bool		first = out->chain_not_after.state == ESG_TIME_ABSENT;
	bool		endless = out->chain_not_after.state != ESG_TIME_VALID;

	if (!first && (info->not_after.state != ESG_TIME_VALID ||
				   (!endless && out->chain_not_after.unix_seconds <= info->not_after.unix_seconds)))
		return;
	out->chain_not_before = info->not_before;
	out->chain_not_after = info->not_after;
}

/*
 * How bad an intermediate is but for its times, of which the chain's are kept
 * apart: what enforce refuses is worse than anything else.  -1: out of memory.
 */
static int
rank_intermediate(const EsgCertFacts *facts, const EsgPolicy *policy)
{
	static const EsgTime timeless = {ESG_TIME_FOREVER, 0, false};
	EsgCertInfo info;
	EsgFindings findings = {0};
	int			rank;

	esg_cert_facts_restore(facts, NULL, timeless, timeless, &info);
	esg_policy_check_cert(&info, ESG_PLACE_CLIENT_CHAIN, policy, 0, &findings);
	rank = (int) esg_findings_worst(&findings);
	if (find_refusing(&findings) != ESG_NO_FINDING)
		rank += ESG_CRITICAL;
	if (findings.out_of_memory)
		rank = -1;
	esg_findings_free(&findings);
	return rank;
}

static bool
note_intermediate(const EsgCertInfo *info, const EsgPolicy *policy, int *worst,
				  EsgClientFacts *out)
{
	EsgCertFacts facts;
	int			rank;

	note_chain_end(out, info);
	esg_cert_facts_keep(info, &facts, NULL);
	rank = rank_intermediate(&facts, policy);
	if (rank > *worst)
	{
		*worst = rank;
		out->chain = facts;
	}
	return rank >= 0;
}

static void
note_issuer_key(const EsgKeyInfo *key, EsgClientFacts *out)
{
	bool		known = out->issuer_key.algorithm[0] != '\0';

	if (key->security_bits >= 0 && (!known || key->security_bits < out->issuer_key.security_bits))
		esg_cert_facts_keep_key(key, &out->issuer_key);
}

/* The costly part, done once per certificate, chain and settings. */
static bool
analyse(const EsgPeer *peer, const EsgPolicy *policy, EsgClientFacts *out)
{
	STACK_OF(X509) *chain = peer->chain;
	EsgCertInfo info;
	int			worst = -1;
	bool		good = describe_issuers(chain, out);

	describe_subject(peer->cert, out);
	esg_x509_info_read(peer->cert, NULL, &info);
	out->not_before = info.not_before;
	out->not_after = info.not_after;
	esg_cert_facts_keep(&info, &out->cert, &out->texts);
	out->chain_not_after.state = ESG_TIME_ABSENT;
	for (int i = 1; good && i < sk_X509_num(chain); i++)
	{
		esg_x509_info_read(sk_X509_value(chain, i), NULL, &info);
		note_issuer_key(&info.key, out);
		if (i <= count_intermediates(chain))
			good = note_intermediate(&info, policy, &worst, out);
	}
	return good;
}

bool
esg_client_check_facts(const EsgPeer *peer, const EsgPolicy *policy,
					   EsgClientFacts *out, EsgGoodSpan *good, bool *fresh)
{
	unsigned char chain_digest[ESG_DIGEST_SIZE];
	EsgClientKey key = {peer->role_name, peer->fingerprint, chain_digest, stamp_policy(policy)};
	EsgClientKnown known = {0};
	bool		readable;

	memset(out, 0, sizeof(*out));
	*fresh = true;
	readable = peer->has_fingerprint && digest_chain(peer, chain_digest);
	if (readable && esg_clients_lookup(&key, out, &known))
		*fresh = esg_elapsed(known.alarmed_at, ALARM_PAUSE, GetCurrentTimestamp());
	else if (readable)
	{
		memcpy(out->fingerprint, peer->fingerprint, ESG_DIGEST_SIZE);
		memcpy(out->chain_digest, chain_digest, ESG_DIGEST_SIZE);
		out->policy_stamp = key.policy_stamp;
		readable = analyse(peer, policy, out);
	}
	*good = known.good;
	esg_errors_forget();
	return readable;
}

static void
check_public_root(const EsgClientFacts *facts, const EsgPolicy *policy, EsgFindings *out)
{
	static const unsigned char none[ESG_PUBLIC_ROOT_SIZE];
	const char *name = NULL;
	EsgRemark	remark;

	if (memcmp(facts->public_root, none, ESG_PUBLIC_ROOT_SIZE) != 0)
		name = esg_public_roots_name(facts->public_root, ESG_PUBLIC_ROOT_SIZE);
	if (name == NULL || !esg_remark_start(&remark, ESG_CLIENT_CERTIFICATE_PUBLIC_CA, ESG_PLACE_CLIENT))
		return;
	esg_remark_say(&remark, "%s", name);
	(void) esg_findings_add(out, &remark, policy->overrides);
}

void
esg_client_check_findings(const EsgClientFacts *facts, const EsgPolicy *policy,
						  int64 now, EsgFindings *out)
{
	EsgCertInfo info;
	EsgCertInfo issuer;

	memset(out, 0, sizeof(*out));
	esg_cert_facts_restore(&facts->cert, &facts->texts, facts->not_before, facts->not_after, &info);
	esg_policy_check_cert(&info, ESG_PLACE_CLIENT, policy, now, out);
	if (facts->issuer_key.algorithm[0] != '\0')
	{
		memset(&issuer, 0, sizeof(issuer));
		esg_cert_facts_restore_key(&facts->issuer_key, &issuer.key);
		esg_policy_chain_check_client(&info, &issuer, policy, out);
	}
	if (facts->chain_not_after.state != ESG_TIME_ABSENT)
	{
		esg_cert_facts_restore(&facts->chain, NULL, facts->chain_not_before, facts->chain_not_after,
							   &info);
		esg_policy_check_cert(&info, ESG_PLACE_CLIENT_CHAIN, policy, now, out);
	}
	check_public_root(facts, policy, out);
	esg_findings_sort(out);
}

EsgCode
esg_client_check_refused(const EsgClientFacts *facts, const EsgPolicy *policy, int64 now,
						 EsgGoodSpan *good)
{
	EsgFindings findings;
	EsgCode		refused;

	if (now >= good->from && now < good->until)
		return ESG_NO_FINDING;
	esg_client_check_findings(facts, policy, now, &findings);
	/* what was lost may have been a reason */
	refused = findings.out_of_memory ? ESG_CERTIFICATE_NOT_JUDGED : find_refusing(&findings);
	esg_findings_free(&findings);
	if (refused == ESG_NO_FINDING)
	{
		good->from = now;
		good->until = esg_client_check_next_change(facts, policy, now);
	}
	return refused;
}

int64
esg_client_check_next_change(const EsgClientFacts *facts, const EsgPolicy *policy, int64 now)
{
	return Min(esg_policy_time_next(facts->not_before, facts->not_after, policy, now),
			   esg_policy_time_next(facts->chain_not_before, facts->chain_not_after, policy, now));
}

void
esg_client_check_report(const EsgFinding *finding, const EsgClientFacts *facts,
						const char *role_name, EsgAlarm *out)
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
		esg_client_check_report(&findings.items[i], facts, role_name, &alarm);
		(void) esg_alarms_raise(ESG_SCOPE_CLIENTS, &alarm, now);
	}
	if (findings.count > 0)
		esg_clients_mark(facts->fingerprint, role_name, true);
	esg_findings_free(&findings);
}

/*
 * Is it in use although there is a newer one?  For a while that is how a renewal
 * goes; an expired one cannot be in use.
 */
void
esg_client_check_outdated(const EsgClientRow *row, const EsgPolicy *policy, TimestampTz now,
						  EsgFindings *out)
{
	const EsgTime *end = &row->entry.facts.not_after;
	char		newer[ESG_FINGERPRINT_TEXT_SIZE];
	EsgRemark	remark;

	if (!row->outdated ||
		now - row->entry.last_seen > ESG_CLIENT_IDLE_DAYS * USECS_PER_DAY ||
		row->entry.last_seen - row->renewed_since <= ESG_CLIENT_OVERLAP_DAYS * USECS_PER_DAY ||
		(end->state == ESG_TIME_VALID && end->unix_seconds <= esg_report_time(now).unix_seconds) ||
		!esg_remark_start(&remark, ESG_OLD_CERTIFICATE_IN_USE, ESG_PLACE_CLIENT))
		return;
	esg_x509_info_fingerprint_text(row->renewed_as, newer);
	esg_remark_say(&remark, "%s", newer);
	(void) esg_findings_add(out, &remark, policy->overrides);
}

void
esg_client_check_row_findings(const EsgClientRow *row, const EsgPolicy *policy,
							  TimestampTz now, EsgFindings *out)
{
	esg_client_check_findings(&row->entry.facts, policy, esg_report_unix_now(), out);
	esg_client_check_outdated(row, policy, now, out);
	esg_findings_sort(out);
}
