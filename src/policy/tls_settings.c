/*
 * policy/tls_settings.c
 *		The server's settings that matter to TLS, judged.
 *
 * While ssl is off nothing is negotiated, and nothing is found but that.
 */
#include "policy/tls_settings.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "policy/groups.h"

/* ciphers, or groups, that are named; there may be dozens */
#define MAX_NAMED 5

/* bits of a curve's field */
#define WEAK_CURVE 224
#define SMALL_CURVE 255

#define WEAK_DH 2048

/* as Debian has it, and OpenSSL since 3.2 */
#define GOOD_LEVEL 2

typedef struct Judge
{
	const EsgTlsFacts *facts;
	const signed char *overrides;
	EsgFindings *findings;		/* of ESG_SET_COUNT settings */
} Judge;

static void
add(const Judge *judge, EsgTlsSetting setting, const EsgRemark *remark)
{
	(void) esg_findings_add(&judge->findings[setting], remark, judge->overrides);
}

static void
add_said(const Judge *judge, EsgTlsSetting setting, EsgCode code, const char *detail)
{
	EsgRemark	remark;

	if (!esg_remark_start(&remark, code, ESG_PLACE_SERVER))
		return;
	esg_remark_say(&remark, "%s", detail);
	add(judge, setting, &remark);
}

const char *
esg_tls_settings_version_name(int version)
{
	static const char *const names[ESG_TLS_VERSION_COUNT] = {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};

	return version >= 0 && version < ESG_TLS_VERSION_COUNT ? names[version] : "";
}

/* ---- who can come ---- */

static bool
is_local(const char *address, size_t length)
{
	return (length == 9 && strncmp(address, "localhost", length) == 0) ||
		(length == 3 && strncmp(address, "::1", length) == 0) ||
		(length > 4 && strncmp(address, "127.", 4) == 0 &&
		 strspn(address, "0123456789.") >= length);
}

bool
esg_tls_settings_reach_others(const char *addresses)
{
	static const char between[] = " \t\r\n,\"";

	for (addresses += strspn(addresses, between); *addresses != '\0'; addresses += strspn(addresses, between))
	{
		size_t		length = strcspn(addresses, between);

		if (!is_local(addresses, length))
			return true;
		addresses += length;
	}
	return false;
}

/* ---- versions ---- */

static void
judge_versions(const Judge *judge)
{
	const bool *versions = judge->facts->offer->versions;
	EsgRemark	remark;

	if (esg_remark_start(&remark, ESG_WEAK_PROTOCOL, ESG_PLACE_SERVER))
	{
		for (int i = 0; i < ESG_TLS_VERSION_1_2; i++)
		{
			if (versions[i])
				esg_remark_list(&remark, esg_tls_settings_version_name(i));
		}
		if (remark.detail[0] != '\0')
			add(judge, ESG_SET_MIN_VERSION, &remark);
	}
	if (!versions[ESG_TLS_VERSION_1_3])
		add_said(judge, ESG_SET_MAX_VERSION, ESG_TLS13_OFF, "");
}

/* ---- ciphers ---- */

/*
 * Is one without forward secrecy taken although the client has one with it?  All
 * of OpenSSL's lists have some of them at the end, for clients that have nothing
 * better.
 */
static bool
loses_secrecy(const EsgTlsFacts *facts, int n)
{
	const EsgTlsOffer *offer = facts->offer;
	bool		better = false;
	bool		later = false;

	for (int i = 0; i < offer->cipher_count; i++)
	{
		const EsgCipher *other = &offer->ciphers[i];

		if (other->tls13 || (other->faults & ESG_CIPHER_NO_FORWARD_SECRECY) != 0)
			continue;
		better = true;
		later |= i > n;
	}
	return !better || (facts->prefer_server && later);
}

/* What counts of it. */
static unsigned
faults_of(const EsgTlsFacts *facts, int n)
{
	unsigned	faults = facts->offer->ciphers[n].faults;

	if ((faults & ESG_CIPHER_NO_FORWARD_SECRECY) != 0 && !loses_secrecy(facts, n))
		faults &= ~(unsigned) ESG_CIPHER_NO_FORWARD_SECRECY;
	return faults;
}

/* "NULL-SHA256 (no encryption)": the worst fault */
static void
name_cipher(EsgRemark *remark, const EsgCipher *cipher, unsigned faults)
{
	char		text[128];
	int			n = 0;

	while (n + 1 < ESG_CIPHER_FAULT_COUNT && (faults & 1u << n) == 0)
		n++;
	snprintf(text, sizeof(text), "%s (%s)", cipher->name, esg_ciphers_fault_name(n));
	esg_remark_list(remark, text);
}

/* Those of TLS 1.3, or those before. */
static void
judge_ciphers(const Judge *judge, EsgTlsSetting setting, bool tls13)
{
	const EsgTlsOffer *offer = judge->facts->offer;
	EsgRemark	remark;
	char		more[32];
	int			count = 0;

	if (!esg_remark_start(&remark, ESG_WEAK_CIPHER, ESG_PLACE_SERVER))
		return;
	for (int i = 0; i < offer->cipher_count; i++)
	{
		unsigned	faults = faults_of(judge->facts, i);

		if (offer->ciphers[i].tls13 != tls13 || faults == 0)
			continue;
		if ((faults & (ESG_CIPHER_NO_ENCRYPTION | ESG_CIPHER_NO_AUTHENTICATION)) != 0)
			remark.severity = ESG_CRITICAL;
		if (count++ < MAX_NAMED)
			name_cipher(&remark, &offer->ciphers[i], faults);
	}
	snprintf(more, sizeof(more), "%d more", count - MAX_NAMED);
	if (count > MAX_NAMED)
		esg_remark_list(&remark, more);
	if (count > 0)
		add(judge, setting, &remark);
}

/* ---- key exchange ---- */

static void
judge_groups(const Judge *judge)
{
	const EsgTlsOffer *offer = judge->facts->offer;
	EsgRemark	remark;
	int			smallest = SMALL_CURVE;

	if (!esg_remark_start(&remark, ESG_WEAK_GROUP, ESG_PLACE_SERVER))
		return;
	for (int i = 0; i < offer->group_count; i++)
	{
		int			bits = esg_groups_curve_bits(offer->groups[i]);

		if (bits == 0 || bits >= SMALL_CURVE)
			continue;
		smallest = bits < smallest ? bits : smallest;
		esg_remark_list(&remark, esg_groups_name(offer->groups[i]));
	}
	/* TLS 1.3 cannot do without */
	if (offer->group_count == 0 && judge->facts->groups_listed && offer->versions[ESG_TLS_VERSION_1_3])
	{
		smallest = 0;
		esg_remark_say(&remark, "none that OpenSSL's security level allows");
	}
	remark.severity = smallest < WEAK_CURVE ? ESG_WARNING : ESG_NOTICE;
	if (smallest < SMALL_CURVE)
		add(judge, ESG_SET_GROUPS, &remark);
}

static void
judge_dh(const Judge *judge)
{
	const EsgDhFacts *dh = &judge->facts->dh;
	EsgRemark	remark;

	if (!dh->configured || !esg_remark_start(&remark, ESG_WEAK_DH_PARAMS, ESG_PLACE_SERVER))
		return;
	if (dh->unread != NULL)
		esg_remark_say(&remark, "%s", dh->unread);
	else if (dh->bits == 0)
		esg_remark_say(&remark, "it has no DH parameters");
	else if (!dh->valid)
		esg_remark_say(&remark, "the server does not take what is no prime, or has no suitable generator");
	else if (dh->bits < WEAK_DH)
		esg_remark_say(&remark, "%d bits", dh->bits);
	else if (!dh->safe)
		esg_remark_say(&remark, "not a safe prime");
	else
		return;
	add(judge, ESG_SET_DH, &remark);
}

/* ---- the passphrase ---- */

static void
judge_command(const Judge *judge)
{
	const EsgTlsFacts *facts = judge->facts;

	if (facts->command->has_secret)
		add_said(judge, ESG_SET_COMMAND, ESG_PASSPHRASE_COMMAND_LEAKS, "its text has a secret");
	else if (facts->command_leak != NULL)
		add_said(judge, ESG_SET_COMMAND, ESG_PASSPHRASE_COMMAND_LEAKS, facts->command_leak);
	if (facts->command_fault != NULL)
		add_said(judge, ESG_SET_COMMAND, ESG_PASSPHRASE_COMMAND_FAILS, facts->command_fault);
	else if (facts->command->asks_person && facts->command_at_reload)
		add_said(judge, ESG_SET_COMMAND, ESG_PASSPHRASE_COMMAND_FAILS,
				 "the server waits for a person to answer ssl_passphrase_command");
	if (facts->key_asked != ESG_KEY_ASKED_OTHERS)
		return;
	/* at a reload nobody is asked at the terminal */
	if (!facts->has_command)
		add_said(judge, ESG_SET_COMMAND, ESG_PASSPHRASE_COMMAND_FAILS,
				 "the key is encrypted, and ssl_passphrase_command is empty");
	else if (!facts->command_at_reload)
		add_said(judge, ESG_SET_COMMAND_AT_RELOAD, ESG_PASSPHRASE_COMMAND_FAILS,
				 "the key is encrypted, and ssl_passphrase_command_supports_reload is off");
}

/* ---- all of it ---- */

/* Which setting is to blame. */
static EsgTlsSetting
setting_of(EsgTlsPart part)
{
	switch (part)
	{
		case ESG_TLS_PART_MIN_VERSION:
			return ESG_SET_MIN_VERSION;
		case ESG_TLS_PART_MAX_VERSION:
			return ESG_SET_MAX_VERSION;
		case ESG_TLS_PART_DH:
			return ESG_SET_DH;
		case ESG_TLS_PART_GROUPS:
			return ESG_SET_GROUPS;
		case ESG_TLS_PART_CIPHERS:
			return ESG_SET_CIPHERS;
		case ESG_TLS_PART_CIPHERSUITES:
			return ESG_SET_CIPHERSUITES;
		default:
			return ESG_SET_TLS;
	}
}

static void
judge_level(const Judge *judge)
{
	EsgRemark	remark;
	int			level = judge->facts->offer->level;

	if (level >= GOOD_LEVEL || !esg_remark_start(&remark, ESG_LOW_SECURITY_LEVEL, ESG_PLACE_SERVER))
		return;
	esg_remark_say(&remark, "%d", level);
	if (level > 0)
		remark.severity = ESG_NOTICE;
	add(judge, ESG_SET_LEVEL, &remark);
}

static void
judge_offer(const Judge *judge)
{
	const EsgTlsOffer *offer = judge->facts->offer;

	if (offer->refused != ESG_TLS_PART_NONE)
	{
		add_said(judge, setting_of(offer->refused), ESG_TLS_SETTING_REFUSED,
				 offer->reason[0] != '\0' ? offer->reason : "OpenSSL does not take it");
		return;
	}
	judge_versions(judge);
	judge_ciphers(judge, ESG_SET_CIPHERS, false);
	judge_ciphers(judge, ESG_SET_CIPHERSUITES, true);
	judge_groups(judge);
	judge_level(judge);
}

void
esg_tls_settings_judge(const EsgTlsFacts *facts, const EsgOverrides overrides,
					   EsgFindings findings[ESG_SET_COUNT])
{
	Judge		judge = {.facts = facts,.overrides = overrides,.findings = findings};

	if (facts->md5_passwords)
		add_said(&judge, ESG_SET_PASSWORDS, ESG_MD5_PASSWORDS, "");
	if (!facts->tls && esg_tls_settings_reach_others(facts->addresses))
		add_said(&judge, ESG_SET_TLS, ESG_TLS_OFF, facts->addresses);
	if (!facts->tls)
		return;
	judge_offer(&judge);
	if (!facts->prefer_server)
		add_said(&judge, ESG_SET_PREFER_SERVER, ESG_CLIENT_CIPHER_PREFERENCE, "");
	judge_dh(&judge);
	judge_command(&judge);
	for (int i = 0; i < ESG_SET_COUNT; i++)
		esg_findings_sort(&findings[i]);
}
