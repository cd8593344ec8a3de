/*
 * ctl/rules.h
 *		What has to hold of the files, for the server to use them.
 *
 * All report what they find, with the command that mends it.
 */
#ifndef ESG_CTL_RULES_H
#define ESG_CTL_RULES_H

#include <sys/stat.h>

#include "ctl/server_user.h"
#include "policy/key_mode.h"

/* The files in question. */
typedef struct EsgRules
{
	const EsgServerUser *user;
	const char *directory;		/* absolute */
	const char *key_name;
	unsigned	max_mode;		/* as max_key_file_mode */
	char	   *remedy;			/* the commands that let the user read key and
								 * pair; "" or NULL if there are none */
} EsgRules;

/* Looks for the remedy, so as long as this process sees most; OpenSSL's to free. */
extern void esg_rules_find_remedy(EsgRules *rules, bool with_pair);

/* the directory of the pair, or, as root, of one to be */
extern bool esg_rules_check_directory(const EsgRules *rules, const struct stat *st);

/* what root would take for a pattern, or for what it made itself */
extern bool esg_rules_check_owner(const EsgRules *rules, const char *suffix, const struct stat *st);

/*
 * As the user: can it be read, and is it the user's or root's, and closed?  What
 * is not there, or no file, is not looked at.
 */
extern bool esg_rules_check_file(const EsgRules *rules, const char *suffix);

/* "Run: COMMAND DIRECTORY" */
extern void esg_rules_tell_command(const EsgRules *rules, const char *command);

/* "Run: COMMAND KEY_FILE" */
extern void esg_rules_tell_key_command(const EsgRules *rules, const char *command);

/* after a failure: the remedy, if the errno is one that it is for */
extern void esg_rules_tell_remedy(const EsgRules *rules, int error);

#endif							/* ESG_CTL_RULES_H */
