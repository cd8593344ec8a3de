/*
 * ctl/server_answers.c
 *		What "check" asks of a server's settings.
 *
 * Each setting is a run of the server's program: those of the library only where it is
 * loaded.
 */
#include "ctl/server_answers.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "ctl/settings.h"

static const char *const names[ESG_ASK_COUNT] = {
	[ESG_ASK_SSL] = "ssl",
	[ESG_ASK_CERT] = "ssl_cert_file",
	[ESG_ASK_KEY] = "ssl_key_file",
	[ESG_ASK_CA] = "ssl_ca_file",
	[ESG_ASK_CRL] = "ssl_crl_file",
	[ESG_ASK_CRL_DIR] = "ssl_crl_dir",
	[ESG_ASK_DH] = "ssl_dh_params_file",
	[ESG_ASK_CIPHERS] = "ssl_ciphers",
	[ESG_ASK_CIPHERSUITES] = "ssl_tls13_ciphers",
	[ESG_ASK_CURVE] = "ssl_ecdh_curve",
	[ESG_ASK_GROUPS] = "ssl_groups",
	[ESG_ASK_MIN_VERSION] = "ssl_min_protocol_version",
	[ESG_ASK_MAX_VERSION] = "ssl_max_protocol_version",
	[ESG_ASK_COMMAND] = "ssl_passphrase_command",
	[ESG_ASK_COMMAND_AT_RELOAD] = "ssl_passphrase_command_supports_reload",
	[ESG_ASK_SNI] = "ssl_sni",
	[ESG_ASK_HOSTS_FILE] = "hosts_file",
	[ESG_ASK_LIBRARIES] = "shared_preload_libraries",
	[ESG_ASK_PASSPHRASE_DIRECTORY] = "ext_ssl_guard.passphrase_directory",
	[ESG_ASK_EXTRA_FILES] = "ext_ssl_guard.extra_files",
	[ESG_ASK_PERMISSION_CHECK] = "ext_ssl_guard.file_permission_check",
	[ESG_ASK_MAX_FILE_MODE] = "ext_ssl_guard.max_file_mode",
	[ESG_ASK_MAX_KEY_FILE_MODE] = "ext_ssl_guard.max_key_file_mode",
	[ESG_ASK_OVERRIDES] = "ext_ssl_guard.finding_overrides",
	[ESG_ASK_ALERT] = "ext_ssl_guard.expire_alert_threshold",
	[ESG_ASK_CRITICAL] = "ext_ssl_guard.expire_critical_threshold",
	[ESG_ASK_ALERT_PERCENT] = "ext_ssl_guard.expire_alert_lifetime_percent",
	[ESG_ASK_CRITICAL_PERCENT] = "ext_ssl_guard.expire_critical_lifetime_percent",
	[ESG_ASK_CRL_ALERT_PERCENT] = "ext_ssl_guard.crl_alert_lifetime_percent",
	[ESG_ASK_CRL_CRITICAL_PERCENT] = "ext_ssl_guard.crl_critical_lifetime_percent",
	[ESG_ASK_SECURITY_BITS] = "ext_ssl_guard.min_security_bits",
	[ESG_ASK_VALIDITY] = "ext_ssl_guard.max_validity"
};

const char *
esg_server_answers_name(EsgServerSetting setting)
{
	return names[setting];
}

/* Relative ones are below the data directory; of lists and directories of ours the reader sees to it. */
static bool
is_path(EsgServerSetting setting)
{
	return (setting >= ESG_ASK_CERT && setting <= ESG_ASK_DH) || setting == ESG_ASK_HOSTS_FILE;
}

/* The settings from first to last. */
static bool
ask(EsgSettingsServer *server, int first, int last, EsgServerAnswers *out)
{
	EsgSetting	settings[ESG_ASK_COUNT];
	int			count = last - first + 1;
	bool		good;
	int			i;

	for (i = 0; i < count; i++)
	{
		settings[i].name = names[first + i];
		settings[i].is_path = is_path((EsgServerSetting) (first + i));
	}
	good = esg_settings_read(server, settings, count);
	for (i = 0; good && i < count; i++)
	{
		out->values[first + i] = settings[i].value;
		settings[i].value = NULL;
	}
	esg_settings_free(settings, count);
	return good || out->fault[0] != '\0';
}

bool
esg_server_answers_are_with_library(const EsgServerAnswers *answers)
{
	const char *list = answers->values[ESG_ASK_LIBRARIES];

	return list && strstr(list, "ext_ssl_guard") != NULL;
}

bool
esg_server_answers_ask(const char *directory, const char *postgres, EsgServerAnswers *out)
{
	EsgServerUser self = {.is_other = false};
	EsgSettingsServer server = {.directory = directory,.program = postgres,.user = &self};

	memset(out, 0, sizeof(*out));
	server.fault = out->fault;
	server.fault_size = sizeof(out->fault);
	if (!ask(&server, 0, ESG_ASK_LIBRARIES, out))
		return false;
	snprintf(out->data_directory, sizeof(out->data_directory), "%s", server.data_directory);
	if (out->fault[0] || !esg_server_answers_are_with_library(out))
		return true;
	/* the same program, not looked for again */
	server.program = server.found_program[0] == '/' ? server.found_program : postgres;
	return ask(&server, ESG_ASK_LIBRARIES + 1, ESG_ASK_COUNT - 1, out);
}

void
esg_server_answers_free(EsgServerAnswers *answers)
{
	int			i;

	for (i = 0; i < ESG_ASK_COUNT; i++)
		OPENSSL_free(answers->values[i]);
	memset(answers, 0, sizeof(*answers));
}
