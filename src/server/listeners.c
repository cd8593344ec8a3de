/*
 * server/listeners.c
 *		Where can this server be reached over TCP?
 *
 * What "listen_addresses" says is not the same as what the server listens on: a
 * name may have got other addresses since, and an address that was another
 * program's at start is left out with a warning, so that this one would be taken
 * for the server.  Linux tells of each socket who has it.
 */
#include "postgres.h"

#include <dirent.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#include "common/ip.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "utils/varlena.h"

#include "server/listeners.h"

/* of the fourth field of /proc/net/tcp */
#define STATE_LISTEN 0x0A

/* The postmaster's sockets, by number. */
typedef struct Sockets
{
	int			count;
	unsigned long items[4 * ESG_MAX_LISTENERS];
} Sockets;

/* ------------------------------------------------------------------------
 * Addresses
 * ------------------------------------------------------------------------ */

static bool
is_loopback(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		return (ntohl(((const struct sockaddr_in *) address)->sin_addr.s_addr) >> 24) == 127;
	return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *) address)->sin6_addr);
}

/* Who listens on all addresses is asked on this one. */
static void
replace_wildcard(struct sockaddr_storage *address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *) address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *) address;

	if (address->ss_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_ANY))
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (address->ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
		v6->sin6_addr = in6addr_loopback;
}

/* A link-local address says nothing without its interface, which the kernel does not tell. */
static bool
is_usable(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		return true;
	return address->ss_family == AF_INET6 &&
		(!IN6_IS_ADDR_LINKLOCAL(&((const struct sockaddr_in6 *) address)->sin6_addr) ||
		 ((const struct sockaddr_in6 *) address)->sin6_scope_id != 0);
}

static void
add_listener(EsgListeners *out, const void *address, socklen_t size)
{
	EsgListener item;
	int			place = out->count;

	memset(&item, 0, sizeof(item));
	item.size = size;
	memcpy(&item.address, address, Min(size, sizeof(item.address)));
	replace_wildcard(&item.address);
	if (!is_usable(&item.address) || out->count == ESG_MAX_LISTENERS)
		return;
	for (int i = 0; i < out->count; i++)
		if (memcmp(&out->items[i], &item, sizeof(item)) == 0)
			return;
	/* these before the others */
	if (is_loopback(&item.address))
		while (place > 0 && !is_loopback(&out->items[place - 1].address))
			place--;
	memmove(&out->items[place + 1], &out->items[place], (out->count - place) * sizeof(item));
	out->items[place] = item;
	out->count++;
}

/* ------------------------------------------------------------------------
 * What the kernel tells
 * ------------------------------------------------------------------------ */

/* False if it does not tell. */
static bool
list_sockets(Sockets *out)
{
	char		path[64];
	char		target[64];
	DIR		   *dir;
	struct dirent *entry;

	out->count = 0;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int) PostmasterPid);
	dir = opendir(path);
	if (dir == NULL)
		return false;
	while ((entry = readdir(dir)) != NULL && out->count < lengthof(out->items))
	{
		ssize_t		len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		target[Max(len, 0)] = '\0';
		if (sscanf(target, "socket:[%lu]", &out->items[out->count]) == 1)
			out->count++;
	}
	closedir(dir);
	return true;
}

static bool
has_socket(const Sockets *sockets, unsigned long number)
{
	for (int i = 0; i < sockets->count; i++)
		if (sockets->items[i] == number)
			return true;
	return false;
}

/* Addresses stand there as the machine reads them, in words. */
static void
add_v4(const unsigned int *words, unsigned int port, EsgListeners *out)
{
	struct sockaddr_in address = {.sin_family = AF_INET,.sin_port = htons((uint16) port)};

	memcpy(&address.sin_addr, words, sizeof(address.sin_addr));
	add_listener(out, &address, sizeof(address));
}

static void
add_v6(const unsigned int *words, unsigned int port, EsgListeners *out)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6,.sin6_port = htons((uint16) port)};

	memcpy(&address.sin6_addr, words, sizeof(address.sin6_addr));
	add_listener(out, &address, sizeof(address));
}

/* One line: number, address:port, the peer's, state, queues, timer, retries, user, timeout, socket. */
static void
read_line(const char *line, const Sockets *sockets, EsgListeners *out)
{
	unsigned int words[4];
	unsigned int port;
	unsigned int state;
	unsigned long number;

#define REST ":%X %*s %X %*s %*s %*s %*s %*s %lu"
	if (sscanf(line, " %*d: %8X%8X%8X%8X" REST, &words[0], &words[1], &words[2], &words[3],
			   &port, &state, &number) == 7)
	{
		if (state == STATE_LISTEN && port == PostPortNumber && has_socket(sockets, number))
			add_v6(words, port, out);
	}
	else if (sscanf(line, " %*d: %8X" REST, &words[0], &port, &state, &number) == 4)
	{
		if (state == STATE_LISTEN && port == PostPortNumber && has_socket(sockets, number))
			add_v4(words, port, out);
	}
#undef REST
}

/* False if there is no such file. */
static bool
read_table(const char *path, const Sockets *sockets, EsgListeners *out)
{
	FILE	   *file = fopen(path, "r");
	char		line[512];

	if (file == NULL)
		return false;
	while (fgets(line, sizeof(line), file) != NULL)
		read_line(line, sockets, out);
	fclose(file);
	return true;
}

static bool
ask_kernel(EsgListeners *out)
{
	Sockets    *sockets = palloc(sizeof(Sockets));

	/* without IPv6 there is no table of it */
	return list_sockets(sockets) && read_table("/proc/net/tcp", sockets, out) &&
		(read_table("/proc/net/tcp6", sockets, out) || errno == ENOENT);
}

/* ------------------------------------------------------------------------
 * What the settings say
 * ------------------------------------------------------------------------ */

static void
look_up(const char *host, EsgListeners *out)
{
	struct addrinfo hints = {.ai_flags = AI_PASSIVE,.ai_family = AF_UNSPEC,.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	char		port[16];

	snprintf(port, sizeof(port), "%d", PostPortNumber);
	if (getaddrinfo(strcmp(host, "*") == 0 ? NULL : host, port, &hints, &found) != 0)
		return;
	for (struct addrinfo *item = found; item != NULL; item = item->ai_next)
		add_listener(out, item->ai_addr, item->ai_addrlen);
	freeaddrinfo(found);
}

static void
ask_settings(EsgListeners *out)
{
	List	   *hosts = NIL;
	ListCell   *cell;

	if (!SplitGUCList(pstrdup(ListenAddresses), ',', &hosts))
		return;
	foreach(cell, hosts)
		look_up(lfirst(cell), out);
}

void
esg_listeners_find(EsgListeners *out)
{
	memset(out, 0, sizeof(*out));
	if (ask_kernel(out))
		return;
	memset(out, 0, sizeof(*out));
	ask_settings(out);
}

void
esg_listeners_text(const EsgListener *listener, char *buf, size_t size)
{
	char		host[NI_MAXHOST];
	char		port[NI_MAXSERV];

	if (pg_getnameinfo_all(&listener->address, listener->size, host, sizeof(host),
						   port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		snprintf(buf, size, "%s port %s", host, port);
	else
		strlcpy(buf, "its address", size);
}
