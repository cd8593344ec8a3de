/*
 * ctl/settings.h
 *		Settings of a server that need not run, as "postgres -C" tells them.
 *
 * The server's own program reads its configuration files, whatever they include,
 * so nothing of that is repeated here.
 */
#ifndef ESG_CTL_SETTINGS_H
#define ESG_CTL_SETTINGS_H

#include <limits.h>
#include <stdbool.h>

#include "ctl/server_user.h"

typedef struct EsgSetting
{
	const char *name;			/* "ssl_ca_file" */
	bool		is_path;		/* made absolute as the server has it: a
								 * relative one is below its data directory */
	bool		known;			/* false: this server has no such setting */
	char	   *value;			/* NULL if it is not known; "" is no path */
} EsgSetting;

/* What belongs together to ask them. */
typedef struct EsgSettingsServer
{
	const char *directory;		/* with postgresql.conf or PG_VERSION */
	const char *program;		/* postgres; NULL: it is looked for */
	const EsgServerUser *user;	/* its user, whom root becomes to ask */
	char	   *fault;			/* of fault_size bytes, for what the program
								 * says of a configuration with which the
								 * server would not start; NULL: that is
								 * printed as an error */
	size_t		fault_size;
	/* found, all absolute */
	char		found_program[PATH_MAX];
	char		config_directory[PATH_MAX]; /* directory itself */
	char		data_directory[PATH_MAX];
} EsgSettingsServer;

/*
 * Fills known and value of each, OpenSSL's memory, for esg_settings_free(),
 * whatever is returned; and what is found of the server.  postgres is that of --postgres, which
 * is program; else one beside this program, in the directory that pg_config
 * (beside this program, or in PATH) names, or in PATH: the first whose major
 * version is that of the data directory.  False with a message: the program is
 * not there, cannot read its configuration, or took longer than 30 seconds.
 */
extern bool esg_settings_read(EsgSettingsServer *server, EsgSetting *settings, int count);
extern void esg_settings_free(EsgSetting *settings, int count);

#endif							/* ESG_CTL_SETTINGS_H */
