/*
 * audit/server_tls.c
 *		The settings of this server by which it makes an SSL_CTX.
 *
 * They are asked for by name, as variables and their number differ between
 * versions of PostgreSQL.
 */
#include "postgres.h"

#include "libpq/libpq.h"
#include "utils/guc.h"

#include "audit/server_tls.h"
#include "compat.h"

/* since PostgreSQL 18; before, it was one curve */
#define GROUPS "ssl_groups"

/* the only one of them that is not the server's alone */
#define PASSWORDS "password_encryption"

const char *
esg_server_tls_value(const char *name)
{
	/* whoever looks may have set one for his own session */
	if (strcmp(name, PASSWORDS) == 0)
		return GetConfigOptionResetString(name);
	return GetConfigOption(name, true, false);
}

const char *
esg_server_tls_groups_name(void)
{
	return esg_server_tls_value(GROUPS) != NULL ? GROUPS : "ssl_ecdh_curve";
}

void
esg_server_tls_read(EsgServerSettings *out)
{
	EsgServerValues values = {
		.min_version = esg_server_tls_value("ssl_min_protocol_version"),
		.max_version = esg_server_tls_value("ssl_max_protocol_version"),
		.ciphers = esg_server_tls_value("ssl_ciphers"),
		.ciphersuites = esg_server_tls_value("ssl_tls13_ciphers"),
		.groups = esg_server_tls_value(esg_server_tls_groups_name()),
		.groups_are_list = strcmp(esg_server_tls_groups_name(), GROUPS) == 0,
		.dh_file = ssl_dh_params_file,
		.cert_file = ssl_sni ? NULL : ssl_cert_file
	};

	esg_server_settings_read(&values, out);
}
