/*
 * audit/tls_settings.c
 *		The settings that matter to TLS, as they are in this process, with what
 *		is wrong.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "libpq/libpq.h"
#include "postmaster/postmaster.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "audit/passphrase_files.h"
#include "audit/server_tls.h"
#include "audit/tls_settings.h"
#include "policy/groups.h"
#include "server/guc.h"
#include "server/report.h"

/* All that is known; the pure layer's facts point into it. */
typedef struct Known
{
	EsgTlsOffer offer;
	EsgDhFacts	dh;
	EsgPassphraseCommand command;
	EsgPassphraseFiles files;
	EsgTlsFacts facts;
} Known;

/* Where a row comes from. */
typedef struct Source
{
	const char *name;			/* NULL: see name_of() */
	const char *recommended;
	const char *(*effective) (const Known *known);	/* NULL: as configured */
} Source;

/* ---- what is in effect ---- */

static const char *
effective_min(const Known *known)
{
	for (int i = 0; i < ESG_TLS_VERSION_COUNT; i++)
	{
		if (known->offer.versions[i])
			return esg_tls_settings_version_name(i);
	}
	return NULL;
}

static const char *
effective_max(const Known *known)
{
	for (int i = ESG_TLS_VERSION_COUNT - 1; i >= 0; i--)
	{
		if (known->offer.versions[i])
			return esg_tls_settings_version_name(i);
	}
	return NULL;
}

static char *
list_ciphers(const EsgTlsOffer *offer, bool tls13)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < offer->cipher_count; i++)
	{
		if (offer->ciphers[i].tls13 == tls13)
			appendStringInfo(&buf, "%s%s", buf.len > 0 ? ":" : "", offer->ciphers[i].name);
	}
	return buf.data;
}

static const char *
effective_ciphers(const Known *known)
{
	return list_ciphers(&known->offer, false);
}

static const char *
effective_ciphersuites(const Known *known)
{
	return list_ciphers(&known->offer, true);
}

static const char *
effective_groups(const Known *known)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < known->offer.group_count; i++)
	{
		const char *name = esg_groups_name(known->offer.groups[i]);

		appendStringInfoString(&buf, buf.len > 0 ? ":" : "");
		if (name != NULL)
			appendStringInfoString(&buf, name);
		else
			appendStringInfo(&buf, "0x%04X", known->offer.groups[i]);
	}
	return buf.data;
}

static const char *
effective_dh(const Known *known)
{
	if (!known->dh.valid)
		return "2048 bits, the server's own";
	return psprintf("%d bits", known->dh.bits);
}

static const char *
effective_level(const Known *known)
{
	return psprintf("%d", known->offer.level);
}

/* ---- rows ---- */

static const Source sources[ESG_SET_COUNT] = {
	[ESG_SET_TLS] = {"ssl", "on", NULL},
	[ESG_SET_MIN_VERSION] = {"ssl_min_protocol_version", "TLSv1.2", effective_min},
	[ESG_SET_MAX_VERSION] = {"ssl_max_protocol_version", "", effective_max},
	[ESG_SET_CIPHERS] = {"ssl_ciphers", "HIGH:!aNULL:!kRSA", effective_ciphers},
	[ESG_SET_CIPHERSUITES] = {"ssl_tls13_ciphers", "", effective_ciphersuites},
	[ESG_SET_PREFER_SERVER] = {"ssl_prefer_server_ciphers", "on", NULL},
	[ESG_SET_GROUPS] = {NULL, NULL, effective_groups},
	[ESG_SET_DH] = {"ssl_dh_params_file", "", effective_dh},
	[ESG_SET_COMMAND] = {"ssl_passphrase_command", NULL, NULL},
	[ESG_SET_COMMAND_AT_RELOAD] = {"ssl_passphrase_command_supports_reload", NULL, NULL},
	[ESG_SET_PASSWORDS] = {"password_encryption", "scram-sha-256", NULL},
	[ESG_SET_LEVEL] = {"openssl_security_level", "2", effective_level},
	[ESG_SET_FIPS] = {"openssl_fips", NULL, NULL},
};

static const char *
name_of(EsgTlsSetting setting)
{
	const char *name = sources[setting].name;

	if (setting == ESG_SET_GROUPS)
		return esg_server_tls_groups_name();
	if (setting == ESG_SET_CIPHERSUITES && esg_server_tls_value(name) == NULL)
		return NULL;
	return name;
}

/* A program that is not there is maybe the passphrase itself. */
static const char *
show_command(const Known *known)
{
	if (known->command.program[0] != '\0' && !known->files.program_found)
		return "...";
	return esg_report_printable(known->command.shown);
}

static const char *
value_of(EsgTlsSetting setting, const Known *known)
{
	switch (setting)
	{
		case ESG_SET_COMMAND:
			return show_command(known);
		case ESG_SET_LEVEL:
			return psprintf("%d", known->offer.default_level);
		case ESG_SET_FIPS:
			return known->offer.fips ? "on" : "off";
		default:
			return esg_report_printable(esg_server_tls_value(name_of(setting)));
	}
}

/* Groups of a list, before PostgreSQL 18 one curve; and a command is not for everybody. */
static const char *
recommend(EsgTlsSetting setting, const Known *known)
{
	if (setting == ESG_SET_GROUPS)
		return strcmp(name_of(setting), "ssl_groups") == 0 ? "X25519:prime256v1" : "prime256v1";
	if (setting == ESG_SET_COMMAND_AT_RELOAD && known->facts.key_asked == ESG_KEY_ASKED_OTHERS)
		return "on";
	return sources[setting].recommended;
}

static void
fill_row(EsgTlsSetting setting, const Known *known, EsgTlsSettingRow *row)
{
	const Source *source = &sources[setting];

	row->name = name_of(setting);
	if (row->name == NULL)
		return;
	row->value = value_of(setting, known);
	row->recommended = recommend(setting, known);
	if (source->effective == NULL)
		row->effective = row->value;
	else if (known->offer.refused == ESG_TLS_PART_NONE)
		row->effective = source->effective(known);
}

/* ---- what is known ---- */

static void
ask_openssl(Known *known)
{
	EsgServerSettings settings;

	esg_server_tls_read(&settings);
	esg_server_context_ask(&settings.tls, &known->offer);
	known->dh = settings.dh;
	known->facts.groups_listed = settings.tls.groups != NULL;
	esg_server_settings_forget(&settings);
}

static const char *
text_or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static void
learn(Known *known, EsgKeyAsked key_asked)
{
	EsgTlsFacts *facts = &known->facts;

	ask_openssl(known);
	esg_passphrase_command_read(ssl_passphrase_command, &known->command);
	esg_passphrase_files_look(&known->command, &known->files);
	facts->tls = EnableSSL;
	facts->addresses = esg_report_printable(ListenAddresses != NULL ? ListenAddresses : "");
	facts->offer = &known->offer;
	facts->prefer_server = SSLPreferServerCiphers;
	facts->dh = known->dh;
	facts->has_command = ssl_passphrase_command[0] != '\0';
	facts->command = &known->command;
	facts->command_at_reload = ssl_passphrase_command_supports_reload;
	facts->key_asked = key_asked;
	facts->command_leak = text_or_null(known->files.leak);
	facts->command_fault = text_or_null(known->files.fault);
	facts->md5_passwords = strcmp(esg_server_tls_value("password_encryption"), "md5") == 0;
}

static void
free_findings(EsgTlsSettings *settings)
{
	for (int i = 0; i < ESG_SET_COUNT; i++)
		esg_findings_free(&settings->rows[i].findings);
}

static void
judge(EsgTlsSettings *settings, const Known *known)
{
	EsgFindings findings[ESG_SET_COUNT];
	EsgPolicy	policy;
	bool		out_of_memory = false;

	memset(findings, 0, sizeof(findings));
	esg_guc_policy(&policy);
	esg_tls_settings_judge(&known->facts, policy.overrides, findings);
	for (int i = 0; i < ESG_SET_COUNT; i++)
	{
		settings->rows[i].findings = findings[i];
		out_of_memory |= findings[i].out_of_memory;
	}
	if (!out_of_memory)
		return;
	free_findings(settings);
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory"),
			 errdetail("Failed while judging the settings of TLS.")));
}

EsgTlsSettings *
esg_tls_settings_read(EsgKeyAsked key_asked)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "ext_ssl_guard settings",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	EsgTlsSettings *settings = palloc0(sizeof(EsgTlsSettings));
	Known	   *known = palloc0(sizeof(Known));

	settings->context = context;
	learn(known, key_asked);
	for (int i = 0; i < ESG_SET_COUNT; i++)
		fill_row(i, known, &settings->rows[i]);
	judge(settings, known);
	MemoryContextSwitchTo(old);
	return settings;
}

void
esg_tls_settings_free(EsgTlsSettings *settings)
{
	free_findings(settings);
	MemoryContextDelete(settings->context);
}
