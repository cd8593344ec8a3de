/*
 * ctl/resolve.c
 *		The addresses of a host, within a time limit.
 *
 * getaddrinfo() takes as long as name servers take, and nothing ends it: a child
 * asks, and is ended when the time is over.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* pipe2() */
#endif

#include "ctl/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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

static bool
write_all(int fd, const void *data, size_t size)
{
	const char *p = data;

	while (size > 0)
	{
		ssize_t		n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		size -= (size_t) n;
	}
	return true;
}

/* All of it before the deadline, microseconds; false with what is missing in *error, ETIMEDOUT too. */
static bool
read_all(int fd, void *data, size_t size, int64_t deadline, int *error)
{
	char	   *p = data;

	while (size > 0)
	{
		struct pollfd item = {.fd = fd,.events = POLLIN};
		int64_t		left = deadline - now_us();
		int			found = left > 0 ? poll(&item, 1, (int) (left / 1000 + 1)) : 0;
		ssize_t		n = found > 0 ? read(fd, p, size) : -1;

		if (found == 0)
			errno = ETIMEDOUT;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
		{
			*error = n == 0 ? ECHILD : errno;
			return false;
		}
		p += n;
		size -= (size_t) n;
	}
	return true;
}

static void
end_child(pid_t pid)
{
	(void) kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void
ask_child(const EsgTarget *target, int64_t deadline, EsgAddresses *out)
{
	int			ends[2] = {-1, -1};
	int			error = 0;
	pid_t		pid = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;

	if (pid == 0)
	{
		look_up(target, out);
		_exit(write_all(ends[1], out, sizeof(*out)) ? 0 : 1);
	}
	if (pid < 0)
		error = errno;
	if (ends[1] >= 0)
		(void) close(ends[1]);
	if (pid > 0)
	{
		(void) read_all(ends[0], out, sizeof(*out), deadline, &error);
		end_child(pid);
	}
	if (ends[0] >= 0)
		(void) close(ends[0]);
	if (error == 0)
		return;
	out->count = 0;
	(void) snprintf(out->reason, sizeof(out->reason), "%s",
					error == ETIMEDOUT ? "name servers did not answer in time" : strerror(error));
}

bool
esg_resolve_find(const EsgTarget *target, int time_limit, EsgAddresses *out)
{
	int64_t		begin = now_us();

	memset(out, 0, sizeof(*out));
	if (target->is_address)
		look_up(target, out);
	else
		ask_child(target, begin + (int64_t) time_limit * 1000, out);
	out->took_us = now_us() - begin;
	return out->count > 0;
}
