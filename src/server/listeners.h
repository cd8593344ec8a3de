/*
 * server/listeners.h
 *		Where can this server be reached over TCP?
 */
#ifndef ESG_SERVER_LISTENERS_H
#define ESG_SERVER_LISTENERS_H

#include <sys/socket.h>

/* a server listens on no more */
#define ESG_MAX_LISTENERS 64

/* An address to connect to: loopback, where it listens on all. */
typedef struct EsgListener
{
	struct sockaddr_storage address;
	socklen_t	size;
} EsgListener;

typedef struct EsgListeners
{
	int			count;
	EsgListener items[ESG_MAX_LISTENERS];	/* loopback addresses first */
} EsgListeners;

/*
 * What the postmaster really listens on, where the kernel tells; elsewhere what
 * the settings say, which may take as long as a name server does: for a child.
 * Errors: out of memory.
 */
extern void esg_listeners_find(EsgListeners *out);

/* "127.0.0.1 port 5432", "::1 port 5432" */
extern void esg_listeners_text(const EsgListener *listener, char *buf, size_t size);

#endif							/* ESG_SERVER_LISTENERS_H */
