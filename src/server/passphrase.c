/*
 * server/passphrase.c
 *		What opens the private key: the passphrase pair.
 *
 * Only OpenSSL knows whether the key is encrypted, so the pair is read when
 * OpenSSL asks, and never without need.
 *
 * What the postmaster has in memory, each of its children inherits, and shows
 * it to whoever finds a way to read there.  So nothing may stay:
 *
 * - Our own copy is on the stack for the time it takes to copy it into
 *	 OpenSSL's buffer.
 * - OpenSSL leaves copies on the stack, whoever answered.  The moment to clear
 *	 it is when the key file's BIO is freed, the last thing that
 *	 SSL_CTX_use_PrivateKey_file() does, failed or not; ex-data of the class BIO
 *	 tells of it.  Nothing of the key's reading is above that call.  Whoever looks
 *	 makes every BIO dearer to free, of which each connection has some: so that
 *	 begins when a passphrase is asked for, and servers with a key that is not
 *	 encrypted never pay for it.
 * - Core reads what ssl_passphrase_command prints through stdio, whose buffer
 *	 goes back to malloc() as it is.  While others answer, the C library is told
 *	 to overwrite what is freed, where it knows how to.
 */
#include "postgres.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "miscadmin.h"
#include "postmaster/postmaster.h"

#include "compat.h"
#include "files/pair_place.h"
#include "policy/access.h"
#include "secret/forget.h"
#include "secret/pair.h"
#include "server/guc.h"
#include "server/passphrase.h"
#include "server/state.h"
#include "server/tls_files.h"

#define KEY_NAME ESG_SERVER_KEY_NAME
#define COMMAND_SIZE 2048

/* the callback's argument: which of the two, by its address */
static char at_start;
static char at_reload;

/* OpenSSL may ask once more for each format that it tries: say it once a load. */
static bool fault_reported;

/* who would answer if it were not for us, and its argument */
static pem_password_cb *prev_answer;
static void *prev_argument;

/*
 * Reads the pair; if that fails, says why.  What max_key_file_mode forbids is an
 * alarm; not to use it is for those who enforce it.
 */
static bool
read_pair(EsgPassphrase *passphrase, EsgPairStatus *status)
{
	EsgKeyRule	rule = {geteuid(), ESG_KEY_MODE_ANY};
	char		directory[MAXPGPATH];

	if (esg_guc_file_permission_check == ESG_MODE_ENFORCE)
		rule.max_mode = esg_guc_max_key_file_mode;
	if (esg_tls_files_passphrase_directory(directory))
		return esg_secret_pair_read(directory, KEY_NAME, &rule, passphrase, status);
	memset(status, 0, sizeof(*status));
	status->fault = ESG_PAIR_PATH_TOO_LONG;
	strlcpy(status->path, directory, sizeof(status->path));
	return false;
}

/*
 * The command that lets this process read the pair, if it may not; "" if it may,
 * or if no command is known.  Made of numbers where the names of accounts might
 * have to be waited for.
 */
static void
find_command(const EsgPairStatus *status, bool numbers, char command[COMMAND_SIZE])
{
	char		directory[MAXPGPATH];
	char		cipher[MAXPGPATH];
	char		random[MAXPGPATH];
	const char *paths[] = {cipher, random};
	EsgReader	reader;
	char	   *text;

	command[0] = '\0';
	if ((status->fault != ESG_PAIR_UNREADABLE && status->fault != ESG_PAIR_NO_DIRECTORY) ||
		status->error != EACCES || !esg_tls_files_passphrase_directory(directory) ||
		snprintf(cipher, MAXPGPATH, "%s/" KEY_NAME ESG_CIPHER_SUFFIX, directory) >= MAXPGPATH ||
		snprintf(random, MAXPGPATH, "%s/" KEY_NAME ESG_RANDOM_SUFFIX, directory) >= MAXPGPATH)
		return;
	esg_access_reader_self(&reader);
	reader.numbers = numbers;
	text = esg_access_suggestion(&reader, paths, lengthof(paths));
	/* part of a command would be another one */
	if (text != NULL && strlen(text) < COMMAND_SIZE)
		strlcpy(command, text, COMMAND_SIZE);
	OPENSSL_free(text);
}

/*
 * At start the server ends here, with the reason; core could only say that it
 * did not get a passphrase.
 */
static void
report_unusable(const EsgPairStatus *status, bool is_server_start)
{
	char		reason[ESG_PAIR_REASON_SIZE];
	char		command[COMMAND_SIZE];
	bool		is_rule = status->fault == ESG_PAIR_TOO_OPEN || status->fault == ESG_PAIR_WRONG_OWNER;

	if (fault_reported)
		return;
	fault_reported = true;
	esg_secret_pair_reason(status, reason, sizeof(reason));
	find_command(status, !is_server_start, command);
	ereport(is_server_start ? FATAL : IsUnderPostmaster ? DEBUG1 : LOG,
			(errcode(ERRCODE_CONFIG_FILE_ERROR),
			 errmsg("passphrase file \"%s\" cannot be used: %s", status->path, reason),
			 command[0] != '\0' ?
			 errhint("Run as root: %s", command) :
			 is_rule ?
			 errhint("It must belong to the server's user and have mode 0600 or less, "
					 "or to root and have mode 0640 or less; "
					 "\"ext_ssl_guard.max_key_file_mode\" may want less.") :
			 errhint("Make the passphrase files anew with ssl_guard_ctl encrypt --force, or remove "
					 "both to have \"ssl_passphrase_command\" or the terminal asked.")));
}

/* A BIO goes: maybe the key file's.  Backends that have inherited it load no key, and free many. */
static void
bio_freed(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	if (IsUnderPostmaster && ESG_CHILDREN_INHERIT)
		return;
	esg_secret_forget_stack();
}

/* From now on, also for the BIOs that are there already. */
static void
watch_bios(void)
{
	static bool watching = false;

	if (watching)
		return;
	ERR_set_mark();
	watching = BIO_get_ex_new_index(0, NULL, NULL, NULL, bio_freed) >= 0;
	ERR_pop_to_mark();
	if (!watching)
		ereport(LOG,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not observe the loading of private keys: OpenSSL has no index for it")));
}

/*
 * OpenSSL's pem_password_cb.  Children that load the key by themselves need not
 * log each time what the postmaster has logged.
 */
static int
answer(char *buf, int size, int rwflag, void *userdata)
{
	EsgPassphrase passphrase;
	EsgPairStatus status;
	int			len = -1;

	watch_bios();
	esg_server_state_key_asked(ESG_KEY_ASKED_PAIR);
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

/* May malloc() hand on what was freed as it is?  Blocks of over 1 kB, with glibc. */
static void
overwrite_freed(bool overwrite)
{
#ifdef M_PERTURB
	mallopt(M_PERTURB, overwrite ? 0xff : 0);
#endif
}

/*
 * OpenSSL's pem_password_cb.  At start core raises an error, and that is the
 * end of the server.  Without core's, OpenSSL's own asks at the terminal.
 */
static int
let_others_answer(char *buf, int size, int rwflag, void *userdata)
{
	int			len;

	watch_bios();
	esg_server_state_key_asked(ESG_KEY_ASKED_OTHERS);
	overwrite_freed(true);
	len = prev_answer(buf, size, rwflag, prev_argument);
	overwrite_freed(false);
	return len;
}

void
esg_passphrase_install(SSL_CTX *context, bool is_server_start)
{
	char		directory[MAXPGPATH];

	esg_server_state_key_asked(ESG_KEY_ASKED_NOBODY);
	if (!esg_tls_files_passphrase_directory(directory) || esg_secret_pair_exists(directory, KEY_NAME))
	{
		fault_reported = false;
		SSL_CTX_set_default_passwd_cb(context, answer);
		SSL_CTX_set_default_passwd_cb_userdata(context, is_server_start ? &at_start : &at_reload);
	}
	else
	{
		/* without one OpenSSL asks at the terminal, by that function */
		prev_answer = SSL_CTX_get_default_passwd_cb(context);
		if (prev_answer == NULL)
			prev_answer = PEM_def_callback;
		prev_argument = SSL_CTX_get_default_passwd_cb_userdata(context);
		SSL_CTX_set_default_passwd_cb(context, let_others_answer);
	}
}

/* OpenSSL's pem_password_cb; what is wrong with the pair is an alarm of its own. */
static int
answer_trial(char *buf, int size, int rwflag, void *userdata)
{
	EsgPassphraseSource *source = userdata;

	*source = ESG_PASSPHRASE_PAIR;
	fault_reported = true;
	return answer(buf, size, rwflag, &at_reload);
}

static int
answer_nobody(char *buf, int size, int rwflag, void *userdata)
{
	*(EsgPassphraseSource *) userdata = ESG_PASSPHRASE_NOBODY;
	return -1;
}

void
esg_passphrase_install_for_trial(SSL_CTX *context, bool with_pair, EsgPassphraseSource *source)
{
	char		directory[MAXPGPATH];
	bool		has_pair = with_pair && (!esg_tls_files_passphrase_directory(directory) ||
										 esg_secret_pair_exists(directory, KEY_NAME));

	*source = ESG_PASSPHRASE_NOT_ASKED;
	overwrite_freed(true);
	SSL_CTX_set_default_passwd_cb(context, has_pair ? answer_trial : answer_nobody);
	SSL_CTX_set_default_passwd_cb_userdata(context, source);
}

/* The alarm about the file at fault. */
static void
fill_alarm(const EsgPairStatus *status, EsgSeverity severity, EsgAlarm *out)
{
	char		reason[ESG_PAIR_REASON_SIZE];
	char		command[COMMAND_SIZE];
	EsgFinding	finding;
	EsgLocation location = {0};

	esg_secret_pair_reason(status, reason, sizeof(reason));
	find_command(status, false, command);
	if (strlen("Run: ") + strlen(command) >= ESG_HINT_SIZE)
		command[0] = '\0';
	finding.code = ESG_PASSPHRASE_UNUSABLE;
	finding.severity = severity;
	finding.detail = reason;
	location.setting = "ext_ssl_guard.passphrase_directory";
	location.path = status->path;
	location.position = 0;
	esg_alarm_text_file(&finding, &location, command, out);
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
	esg_secret_forget_stack();
	if (!good)
		fill_alarm(&status, severity, out);
	return !good;
}

bool
esg_passphrase_in_backup(void)
{
	char		directory[MAXPGPATH];

	return esg_tls_files_passphrase_directory(directory) && esg_pair_place_is_in_backup(directory, DataDir);
}
