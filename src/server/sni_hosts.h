/*
 * server/sni_hosts.h
 *		pg_hosts.conf: certificates by the name that the client asks for.
 *
 * With ssl_sni = on.  While the file has lines, they stand in for ssl_cert_file,
 * ssl_key_file and ssl_ca_file.
 */
#ifndef ESG_SERVER_SNI_HOSTS_H
#define ESG_SERVER_SNI_HOSTS_H

#include "nodes/pg_list.h"

#include "policy/hosts_line.h"

/* so many certificates in service are told apart; of those above it nobody says whether they are in service */
#define ESG_MAX_HOSTS 512

/* One line; strings that are not there are "". */
typedef struct EsgHost
{
	int			line;
	char	   *file;			/* that has the line: the file itself, or an
								 * included one */
	List	   *names;			/* of char * */
	char	   *cert;
	char	   *key;
	char	   *ca;
	char	   *command;		/* that prints the key's passphrase */
	bool		command_at_reload;
	List	   *token_files;	/* char *: of which a part of the line comes,
								 * by "@" */
} EsgHost;

typedef struct EsgHosts
{
	EsgHostsState state;
	List	   *hosts;			/* of EsgHost, in the order in which core
								 * loads them */
	EsgHostsFault fault;
} EsgHosts;

/* Tells the file from an edited one; all zero if there is none. */
typedef struct EsgFileMark
{
	int64		mtime_sec;
	int64		mtime_nsec;
	int64		size;
	uint64		device;
	uint64		inode;
} EsgFileMark;

/* of the file as it is now; no allocation, no error: also for the postmaster */
extern void esg_sni_hosts_mark(EsgFileMark *out);

/*
 * What the file has now, palloc'd; logs nothing.  Errors: out of memory.  In the
 * postmaster at server start only.
 */
extern EsgHosts *esg_sni_hosts_read(void);

/* its names, separated by commas; palloc'd */
extern char *esg_sni_hosts_names(const EsgHost *host);

#endif							/* ESG_SERVER_SNI_HOSTS_H */
