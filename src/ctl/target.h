/*
 * ctl/target.h
 *		HOST[:PORT] as it stands on the command line.
 */
#ifndef ESG_CTL_TARGET_H
#define ESG_CTL_TARGET_H

#include <stdbool.h>

/* the longest host name that DNS has, and a zone behind an address */
#define ESG_HOST_SIZE 300
#define ESG_PORT_SIZE 8

typedef struct EsgTarget
{
	char		host[ESG_HOST_SIZE];	/* bytes, without brackets */
	char		port[ESG_PORT_SIZE];	/* digits */
	bool		is_address;		/* host is one, no name */
	char		name[ESG_HOST_SIZE + ESG_PORT_SIZE + 4];	/* "db1:5432",
															 * "[::1]:5432" */
} EsgTarget;

/*
 * "db1", "db1:5433", "192.0.2.1:5432", "::1", "[::1]:5432" (RFC 3986 section
 * 3.2.2); 5432 is the default.  False with a message.
 */
extern bool esg_target_parse(const char *argument, EsgTarget *out);

/* Is the text the numeric form of the same address? */
extern bool esg_target_is_address(const EsgTarget *target, const char *numeric);

#endif							/* ESG_CTL_TARGET_H */
