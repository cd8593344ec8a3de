/*
 * login/client_entry.c
 *		Filling and showing what is remembered of a client certificate.
 *
 * No palloc and no error: also for a backend in its handshake.
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "login/client_entry.h"

void
esg_client_entry_set_address(const SockAddr *from, EsgClientAddress *out)
{
	memset(out, 0, sizeof(*out));
	if (from->addr.ss_family == AF_INET)
	{
		out->family = 4;
		memcpy(out->bytes, &((const struct sockaddr_in *) &from->addr)->sin_addr, 4);
	}
	else if (from->addr.ss_family == AF_INET6)
	{
		out->family = 6;
		memcpy(out->bytes, &((const struct sockaddr_in6 *) &from->addr)->sin6_addr, 16);
	}
}

void
esg_client_entry_address_text(const EsgClientAddress *address, char *buf, size_t size)
{
	if (address->family == 0 ||
		inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->bytes, buf, size) == NULL)
		strlcpy(buf, "unknown", size);
}
