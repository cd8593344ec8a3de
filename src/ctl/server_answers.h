/*
 * ctl/server_answers.h
 *		What "check" asks of a server's settings.
 */
#ifndef ESG_CTL_SERVER_ANSWERS_H
#define ESG_CTL_SERVER_ANSWERS_H

#include <limits.h>
#include <stdbool.h>

typedef enum EsgServerSetting
{
	ESG_ASK_SSL,
	ESG_ASK_CERT,
	ESG_ASK_KEY,
	ESG_ASK_CA,
	ESG_ASK_CRL,
	ESG_ASK_CRL_DIR,
	ESG_ASK_DH,
	ESG_ASK_CIPHERS,
	ESG_ASK_CIPHERSUITES,		/* since PostgreSQL 18 */
	ESG_ASK_CURVE,				/* until PostgreSQL 17 */
	ESG_ASK_GROUPS,				/* since PostgreSQL 18 */
	ESG_ASK_MIN_VERSION,
	ESG_ASK_MAX_VERSION,
	ESG_ASK_COMMAND,
	ESG_ASK_COMMAND_AT_RELOAD,
	ESG_ASK_SNI,				/* since PostgreSQL 19 */
	ESG_ASK_HOSTS_FILE,			/* likewise */
	ESG_ASK_LIBRARIES,			/* shared_preload_libraries */
	/* of the library: what the configuration files say, as it stands there */
	ESG_ASK_PASSPHRASE_DIRECTORY,
	ESG_ASK_EXTRA_FILES,
	ESG_ASK_PERMISSION_CHECK,
	ESG_ASK_MAX_FILE_MODE,
	ESG_ASK_MAX_KEY_FILE_MODE,
	ESG_ASK_OVERRIDES,
	ESG_ASK_ALERT,
	ESG_ASK_CRITICAL,
	ESG_ASK_ALERT_PERCENT,
	ESG_ASK_CRITICAL_PERCENT,
	ESG_ASK_CRL_ALERT_PERCENT,
	ESG_ASK_CRL_CRITICAL_PERCENT,
	ESG_ASK_SECURITY_BITS,
	ESG_ASK_VALIDITY,
	ESG_ASK_COUNT
} EsgServerSetting;

typedef struct EsgServerAnswers
{
	char	   *values[ESG_ASK_COUNT];	/* paths absolute; NULL: there is no
										 * such setting, or it is not set */
	char		data_directory[PATH_MAX];
	char		fault[1024];	/* what the server's program says where it
								 * does not take its own files: it would not
								 * start.  "" if it does */
} EsgServerAnswers;

/*
 * Of the server of a directory with PG_VERSION or postgresql.conf; postgres: its
 * program, or NULL.  This process is its user's.  False with a message if they could
 * not be asked.  Answers are to be freed in any case.
 */
extern bool esg_server_answers_ask(const char *directory, const char *postgres, EsgServerAnswers *out);
extern void esg_server_answers_free(EsgServerAnswers *answers);

/* is the library loaded by this server? */
extern bool esg_server_answers_are_with_library(const EsgServerAnswers *answers);

/* the setting's name */
extern const char *esg_server_answers_name(EsgServerSetting setting);

#endif							/* ESG_CTL_SERVER_ANSWERS_H */
