/*
 * policy/hosts_line.h
 *		A line of pg_hosts.conf: its names, and what is shown to who asks for them.
 *
 * Pure.  What is at fault is said in PostgreSQL's own words.
 */
#ifndef ESG_POLICY_HOSTS_LINE_H
#define ESG_POLICY_HOSTS_LINE_H

#include "policy/auth_text.h"

/* names that stand for others: any that no line has, and none at all */
#define ESG_HOST_ANY "*"
#define ESG_HOST_UNNAMED "/no_sni/"

/* names of hosts are listed up to so many bytes, and one more */
#define ESG_HOST_LIST_SIZE 1000

typedef struct EsgHostsLine
{
	const EsgAuthField *names;
	const char *cert;			/* paths as they stand there */
	const char *key;
	const char *ca;				/* "" if there is none, as the command */
	const char *command;		/* that prints the key's passphrase */
	bool		command_at_reload;
} EsgHostsLine;

/* first: of the line's fields, of which there is one at least.  NULL, or why the server refuses it. */
extern const char *esg_hosts_line_parse(const EsgAuthField *first, EsgHostsLine *out);

/* does the name stand for others? */
extern bool esg_hosts_line_is_general(const char *name);

/* What a list of such lines comes to. */
typedef enum EsgHostsState
{
	ESG_HOSTS_NONE = 0,			/* the settings are in force: ssl_sni is off,
								 * or the file is not there, or empty */
	ESG_HOSTS_LISTED,
	ESG_HOSTS_UNUSABLE			/* the server refuses to load it */
} EsgHostsState;

/* A name, and the line that has it. */
typedef struct EsgHostName
{
	const char *name;
	const char *file;
	int			line;
} EsgHostName;

/* Why a list is refused. */
typedef struct EsgHostsFault
{
	const char *text;			/* in the server's words; NULL: it is not */
	const char *file;			/* that has the line */
	int			line;			/* 0: it is no line's fault */
} EsgHostsFault;

/* The second one of two that are the same; NULL if there are none.  Sorts them. */
extern const EsgHostName *esg_hosts_line_find_double(EsgHostName *names, int count);

/* what the server says of it, cut to size bytes */
extern void esg_hosts_line_say_double(const EsgHostName *name, char *fault, size_t size);

/* What to append, behind a comma, to a list of names: more of them, "...", or NULL: nothing more. */
extern const char *esg_hosts_line_list_more(const char *list, const char *more);

#endif							/* ESG_POLICY_HOSTS_LINE_H */
