/*
 * ctl/resolve.c
 *		The addresses of a host, within a time limit.
 *
 * getaddrinfo() takes as long as name servers take, and nothing ends it: a child
 * asks, and is ended when the time is over.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* getnameinfo() */
#endif

#include "ctl/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "ctl/child.h"

static int64_t
now_us(void)
{
	struct timespec t;

	(void) clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void
write_text(EsgAddress *item)
{
	char		host[NI_MAXHOST];
	char		port[NI_MAXSERV];

	if (getnameinfo((const struct sockaddr *) &item->address, item->size, host, sizeof(host), port,
					sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		(void) snprintf(item->text, sizeof(item->text), "?");
	else
		(void) snprintf(item->text, sizeof(item->text),
						item->address.ss_family == AF_INET6 ? "[%.64s]:%.8s" : "%.64s:%.8s", host, port);
}

/* /etc/hosts may have a line twice. */
static bool
has_address(const EsgAddresses *list, const struct addrinfo *info)
{
	int			i;

	for (i = 0; i < list->count; i++)
		if (list->items[i].size == info->ai_addrlen &&
			memcmp(&list->items[i].address, info->ai_addr, info->ai_addrlen) == 0)
			return true;
	return false;
}

static void
take_addresses(const struct addrinfo *info, EsgAddresses *out)
{
	for (; info != NULL && out->count < ESG_MAX_ADDRESSES; info = info->ai_next)
	{
		EsgAddress *item = &out->items[out->count];

		if (info->ai_addrlen > sizeof(item->address) || has_address(out, info))
			continue;
		memcpy(&item->address, info->ai_addr, info->ai_addrlen);
		item->size = info->ai_addrlen;
		write_text(item);
		out->count++;
	}
}

static void
look_up(const EsgTarget *target, EsgAddresses *out)
{
	struct addrinfo hints = {
		.ai_flags = AI_NUMERICSERV | (target->is_address ? AI_NUMERICHOST : 0),
		.ai_family = AF_UNSPEC,.ai_socktype = SOCK_STREAM
	};
	struct addrinfo *info = NULL;
	int			error = getaddrinfo(target->host, target->port, &hints, &info);

	if (error == 0)
	{
		take_addresses(info, out);
		freeaddrinfo(info);
	}
	if (out->count == 0)
		(void) snprintf(out->reason, sizeof(out->reason), "%s",
						error == EAI_SYSTEM ? strerror(errno) :
						error != 0 ? gai_strerror(error) : "it has no address");
}

/* In the child: an EsgAddresses. */
static int
answer(const void *arg, int fd)
{
	EsgAddresses found;

	memset(&found, 0, sizeof(found));
	look_up(arg, &found);
	return esg_child_write(fd, &found, sizeof(found)) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void
ask_child(const EsgTarget *target, int time_limit, EsgAddresses *out)
{
	EsgChildWork work = {.run = answer,.arg = target,.time_limit = time_limit,.size_limit = sizeof(*out)};
	EsgChildResult result;
	const char *reason = "the process that asked for it has failed";

	if (esg_child_run(&work, &result) && result.size == sizeof(*out))
		memcpy(out, result.output, sizeof(*out));
	else
	{
		if (result.end == ESG_CHILD_LATE)
			reason = "name servers did not answer in time";
		else if (result.end == ESG_CHILD_FAILED)
			reason = strerror(result.status);
		(void) snprintf(out->reason, sizeof(out->reason), "%s", reason);
	}
	OPENSSL_free(result.output);
}

bool
esg_resolve_find(const EsgTarget *target, int time_limit, EsgAddresses *out)
{
	int64_t		begin = now_us();

	memset(out, 0, sizeof(*out));
	if (target->is_address)
		look_up(target, out);
	else
		ask_child(target, time_limit, out);
	out->took_us = now_us() - begin;
	return out->count > 0;
}
