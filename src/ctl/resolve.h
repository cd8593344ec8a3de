/*
 * ctl/resolve.h
 *		The addresses of a host, within a time limit.
 */
#ifndef ESG_CTL_RESOLVE_H
#define ESG_CTL_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include <sys/types.h>
#include <sys/socket.h>

#include "ctl/target.h"

/* no more of a name's are asked */
#define ESG_MAX_ADDRESSES 64

/* enough for "[ADDRESS%ZONE]:PORT" */
#define ESG_ADDRESS_TEXT_SIZE 96

typedef struct EsgAddress
{
	struct sockaddr_storage address;
	socklen_t	size;
	char		text[ESG_ADDRESS_TEXT_SIZE];	/* "192.0.2.1:5432",
												 * "[::1]:5432" */
} EsgAddress;

typedef struct EsgAddresses
{
	int			count;			/* 0: see reason */
	EsgAddress	items[ESG_MAX_ADDRESSES];
	char		reason[160];	/* what follows "could not find host …: " */
	int64_t		took_us;		/* microseconds */
} EsgAddresses;

/* each address once, in the order in which a client would try them; time_limit in milliseconds */
extern bool esg_resolve_find(const EsgTarget *target, int time_limit, EsgAddresses *out);

#endif							/* ESG_CTL_RESOLVE_H */
