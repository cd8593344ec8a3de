/*
 * policy/tls_settings.h
 *		The server's settings that matter to TLS, judged.
 *
 * Pure.  No PostgreSQL calls, no clock.
 */
#ifndef ESG_POLICY_TLS_SETTINGS_H
#define ESG_POLICY_TLS_SETTINGS_H

#include "policy/findings.h"
#include "policy/passphrase_command.h"
#include "policy/tls_offer.h"

/* What is judged, each a row of ssl_guard_settings. */
typedef enum EsgTlsSetting
{
	ESG_SET_TLS,				/* ssl */
	ESG_SET_MIN_VERSION,
	ESG_SET_MAX_VERSION,
	ESG_SET_CIPHERS,			/* up to TLS 1.2 */
	ESG_SET_CIPHERSUITES,		/* of TLS 1.3; not before PostgreSQL 18 */
	ESG_SET_PREFER_SERVER,
	ESG_SET_GROUPS,
	ESG_SET_DH,
	ESG_SET_COMMAND,			/* ssl_passphrase_command */
	ESG_SET_COMMAND_AT_RELOAD,
	ESG_SET_PASSWORDS,			/* password_encryption */
	ESG_SET_LEVEL,				/* OpenSSL's */
	ESG_SET_FIPS,
	ESG_SET_COUNT
} EsgTlsSetting;

/* Who was asked for the private key's passphrase when the server loaded it last? */
typedef enum EsgKeyAsked
{
	ESG_KEY_ASKED_UNKNOWN = 0,
	ESG_KEY_ASKED_NOBODY,		/* it has none */
	ESG_KEY_ASKED_PAIR,			/* the passphrase pair */
	ESG_KEY_ASKED_OTHERS		/* ssl_passphrase_command, or a person */
} EsgKeyAsked;

/* ssl_dh_params_file */
typedef struct EsgDhFacts
{
	bool		configured;
	const char *unread;			/* why it cannot be read; NULL if it was */
	bool		valid;			/* the server takes them */
	bool		safe;			/* a safe prime, or one with its q */
	int			bits;
} EsgDhFacts;

typedef struct EsgTlsFacts
{
	bool		tls;			/* ssl */
	const char *addresses;		/* listen_addresses, printable */
	const EsgTlsOffer *offer;
	bool		groups_listed;	/* some are configured */
	bool		prefer_server;
	EsgDhFacts	dh;
	bool		has_command;	/* ssl_passphrase_command is not empty */
	const EsgPassphraseCommand *command;
	bool		command_at_reload;
	EsgKeyAsked key_asked;
	const char *command_leak;	/* what of the command's files gives it away,
								 * NULL: nothing */
	const char *command_fault;	/* why it cannot be run, NULL: it can */
	bool		md5_passwords;
} EsgTlsFacts;

/* Adds to the findings of each; overrides may be NULL. */
extern void esg_tls_settings_judge(const EsgTlsFacts *facts, const EsgOverrides overrides,
								   EsgFindings findings[ESG_SET_COUNT]);

/* Does a list like listen_addresses name more than this host? */
extern bool esg_tls_settings_reach_others(const char *addresses);

/* "TLSv1.2", of 0 .. ESG_TLS_VERSION_COUNT - 1 */
extern const char *esg_tls_settings_version_name(int version);

#endif							/* ESG_POLICY_TLS_SETTINGS_H */
