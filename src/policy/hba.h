/*
 * policy/hba.h
 *		Who gets in by pg_hba.conf, and how: its lines and those of pg_ident.conf
 *		judged.
 *
 * Pure.  No PostgreSQL calls, no clock.
 */
#ifndef ESG_POLICY_HBA_H
#define ESG_POLICY_HBA_H

#include "policy/findings.h"

typedef enum EsgHbaType
{
	ESG_HBA_LOCAL,
	ESG_HBA_HOST,
	ESG_HBA_HOSTSSL,
	ESG_HBA_HOSTNOSSL,
	ESG_HBA_HOSTGSSENC,
	ESG_HBA_HOSTNOGSSENC,
	ESG_HBA_MAP,				/* a line of pg_ident.conf */
	ESG_HBA_BROKEN				/* of either file: nothing else is known of it */
} EsgHbaType;

/* What one word of a line's databases or users stands for. */
typedef enum EsgHbaKind
{
	ESG_HBA_NAME,
	ESG_HBA_ALL,
	ESG_HBA_GROUP,				/* +role */
	ESG_HBA_REGEX,
	ESG_HBA_SAMEUSER,
	ESG_HBA_SAMEROLE,
	ESG_HBA_REPLICATION
} EsgHbaKind;

typedef struct EsgHbaWord
{
	EsgHbaKind	kind;
	const char *text;			/* as it stands there */
} EsgHbaWord;

typedef struct EsgHbaWords
{
	int			count;
	EsgHbaWord *items;
} EsgHbaWords;

typedef enum EsgHbaAddressKind
{
	ESG_HBA_ANY_ADDRESS,
	ESG_HBA_RANGE,
	ESG_HBA_SAMEHOST,
	ESG_HBA_SAMENET,
	ESG_HBA_HOST_NAME
} EsgHbaAddressKind;

#define ESG_HBA_ADDRESS_SIZE 16

typedef struct EsgHbaAddress
{
	EsgHbaAddressKind kind;
	int			size;			/* of a range's addresses: 4 or 16 bytes */
	unsigned char base[ESG_HBA_ADDRESS_SIZE];
	unsigned char mask[ESG_HBA_ADDRESS_SIZE];	/* any mask, not only a prefix */
	const char *host_name;
} EsgHbaAddress;

typedef enum EsgHbaCert
{
	ESG_HBA_NO_CERT,
	ESG_HBA_VERIFY_CA,
	ESG_HBA_VERIFY_FULL
} EsgHbaCert;

/* A line in the order in which the server tries them; strings are the caller's. */
typedef struct EsgHbaLine
{
	const char *file;
	int			number;
	bool		of_ident;		/* of pg_ident.conf */
	EsgHbaType	type;
	EsgHbaWords databases;
	EsgHbaWords users;			/* of a map: the role, one word */
	EsgHbaAddress address;
	const char *method;			/* as core calls it */
	EsgHbaCert	cert;
	const char *map;			/* that the line uses, or is of; NULL: none */
	const char *system_user;	/* of a map; a regular expression starts with
								 * '/' */

	unsigned	live;			/* hba.c's: ways that no earlier line takes */
	EsgFindings findings;		/* the verdict */
} EsgHbaLine;

/* What of the server the verdict depends on. */
typedef struct EsgHbaServer
{
	bool		tls;			/* ssl */
	bool		ca;				/* there are CAs to verify certificates by */
} EsgHbaServer;

/* Fills the findings of all lines, the worst first; overrides may be NULL. */
extern void esg_hba_judge(EsgHbaLine *lines, int count, const EsgHbaServer *server,
						  const EsgOverrides overrides);

/* Can somebody on another machine come by a line for these addresses? */
extern bool esg_hba_reaches_others(const EsgHbaAddress *address);

#endif							/* ESG_POLICY_HBA_H */
