/*
 * server/passphrase.c
 *		What opens the private key: the passphrase pair.
 *
 * Only OpenSSL knows whether the key is encrypted, so the pair is read when
 * OpenSSL asks, and never without need.  The passphrase is on the stack for
 * the time it takes to copy it into OpenSSL's buffer; nothing else keeps it.
 */
#include "postgres.h"

#include <sys/stat.h>
#include <unistd.h>

#include "miscadmin.h"
#include "postmaster/postmaster.h"

#include "secret/pair.h"
#include "server/guc.h"
#include "server/passphrase.h"
#include "server/tls_files.h"

#define KEY_NAME "server.key"

/* the callback's argument: which of the two, by its address */
static char at_start;
static char at_reload;

/* OpenSSL may ask once more for each format that it tries: say it once a load. */
static bool fault_reported;

/* Reads the pair; if that fails, says why. */
static bool
read_pair(EsgPassphrase *passphrase, EsgPairStatus *status)
{
	char		directory[MAXPGPATH];

	if (esg_tls_files_passphrase_directory(directory))
		return esg_secret_pair_read(directory, KEY_NAME, geteuid(), passphrase, status);
	memset(status, 0, sizeof(*status));
	status->fault = ESG_PAIR_PATH_TOO_LONG;
	strlcpy(status->path, directory, sizeof(status->path));
	return false;
}

/*
 * At start the server ends here, with the reason; core could only say that it
 * did not get a passphrase.
 */
static void
report_unusable(const EsgPairStatus *status, bool is_server_start)
{
	char		reason[ESG_PAIR_REASON_SIZE];
	bool		is_rule = status->fault == ESG_PAIR_TOO_OPEN || status->fault == ESG_PAIR_WRONG_OWNER;

	if (fault_reported)
		return;
	fault_reported = true;
	esg_secret_pair_reason(status, reason, sizeof(reason));
	ereport(is_server_start ? FATAL : LOG,
			(errcode(ERRCODE_CONFIG_FILE_ERROR),
			 errmsg("passphrase file \"%s\" cannot be used: %s", status->path, reason),
			 is_rule ?
			 errhint("It must belong to the server's user and have mode 0600 or less, "
					 "or to root and have mode 0640 or less.") :
			 errhint("Make the passphrase files anew with ssl_guard_ctl encrypt, or remove "
					 "both to have \"ssl_passphrase_command\" or the terminal asked.")));
}

/*
 * OpenSSL's pem_password_cb.  Server children that load the key themselves
 * (EXEC_BACKEND) need not log each time what the postmaster has logged.
 */
static int
answer(char *buf, int size, int rwflag, void *userdata)
{
	EsgPassphrase passphrase;
	EsgPairStatus status;
	int			len = -1;

	if (!read_pair(&passphrase, &status))
	{
		report_unusable(&status, userdata == &at_start);
		return -1;
	}
	if (size > 0 && passphrase.len <= (size_t) size)
	{
		memcpy(buf, passphrase.secret, passphrase.len);
		len = (int) passphrase.len;
	}
	/* before anything that may fail */
	esg_secret_format_wipe(&passphrase);
	ereport(IsUnderPostmaster ? DEBUG1 : LOG,
			(errmsg("taking the passphrase of the private key from \"%s\"", status.path)));
	return len;
}

void
esg_passphrase_install(SSL_CTX *context, bool is_server_start)
{
	char		directory[MAXPGPATH];

	if (esg_tls_files_passphrase_directory(directory) && !esg_secret_pair_exists(directory, KEY_NAME))
		return;
	fault_reported = false;
	SSL_CTX_set_default_passwd_cb(context, answer);
	SSL_CTX_set_default_passwd_cb_userdata(context, is_server_start ? &at_start : &at_reload);
}

/* The alarm about the file at fault. */
static void
fill_alarm(const EsgPairStatus *status, EsgSeverity severity, EsgAlarm *out)
{
	char		reason[ESG_PAIR_REASON_SIZE];
	EsgFinding	finding;
	EsgLocation location = {0};

	esg_secret_pair_reason(status, reason, sizeof(reason));
	finding.code = ESG_PASSPHRASE_UNUSABLE;
	finding.severity = severity;
	finding.detail = reason;
	location.setting = "ext_ssl_guard.passphrase_directory";
	location.path = status->path;
	location.position = 0;
	esg_report_file_alarm(&finding, &location, NULL, out);
}

/*
 * Is there something to try?  A passphrase_directory that is not there counts:
 * it is misspelt, or its file system is not mounted.
 */
static bool
is_expected(void)
{
	char		directory[MAXPGPATH];
	struct stat st;

	if (!esg_tls_files_passphrase_directory(directory) || esg_secret_pair_exists(directory, KEY_NAME))
		return true;
	return esg_guc_passphrase_directory[0] != '\0' && stat(directory, &st) != 0;
}

bool
esg_passphrase_check(const EsgOverrides overrides, EsgAlarm *out)
{
	EsgSeverity severity = esg_findings_severity(ESG_PASSPHRASE_UNUSABLE, ESG_PLACE_FILE,
												 overrides);
	EsgPassphrase passphrase;
	EsgPairStatus status;
	bool		good;

	if (severity == ESG_OK || !EnableSSL || !is_expected())
		return false;
	good = read_pair(&passphrase, &status);
	esg_secret_format_wipe(&passphrase);
	if (!good)
		fill_alarm(&status, severity, out);
	return !good;
}
