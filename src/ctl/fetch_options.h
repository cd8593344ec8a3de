/*
 * ctl/fetch_options.h
 *		What fetch-crl is told.
 */
#ifndef ESG_CTL_FETCH_OPTIONS_H
#define ESG_CTL_FETCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/output.h"

/* of one option that may be repeated */
#define ESG_FETCH_WORDS 64

typedef struct EsgFetchWords
{
	int			count;
	const char *words[ESG_FETCH_WORDS];
} EsgFetchWords;

typedef struct EsgFetchOptions
{
	const char *directory;		/* NULL: not said, as all texts */
	const char *program;
	const char *user;
	const char *out;
	const char *reload_command;
	EsgFetchWords cas;
	EsgFetchWords certs;
	EsgFetchWords urls;
	int			mode;			/* -1: not said */
	int			seconds;
	size_t		bytes;
	bool		keep_going;
	bool		allow_missing;
	bool		allow_revoked;
	bool		dry_run;
	EsgOutputStyle style;
} EsgFetchOptions;

/* Returns -1, or the exit status: --help, or wrong usage, which has a message. */
extern int	esg_fetch_options_parse(int argc, char **argv, EsgFetchOptions *options);

#endif							/* ESG_CTL_FETCH_OPTIONS_H */
