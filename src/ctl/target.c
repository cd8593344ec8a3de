/*
 * ctl/target.c
 *		HOST[:PORT] as it stands on the command line.
 */
#include "ctl/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include "ctl/message.h"

#define DEFAULT_PORT "5432"

/* An address without its zone, "%eth0"; length in bytes, 0 if it is none. */
static size_t
read_address(const char *text, unsigned char out[sizeof(struct in6_addr)])
{
	char		bare[INET6_ADDRSTRLEN];
	size_t		len = strcspn(text, "%");

	if (len >= sizeof(bare))
		return 0;
	memcpy(bare, text, len);
	bare[len] = '\0';
	if (inet_pton(AF_INET6, bare, out) == 1)
		return sizeof(struct in6_addr);
	return text[len] == '\0' && inet_pton(AF_INET, bare, out) == 1 ? sizeof(struct in_addr) : 0;
}

bool
esg_target_is_address(const EsgTarget *target, const char *numeric)
{
	unsigned char own[sizeof(struct in6_addr)];
	unsigned char other[sizeof(struct in6_addr)];
	size_t		len = read_address(target->host, own);

	return len > 0 && read_address(numeric, other) == len && memcmp(own, other, len) == 0;
}

static bool
take_port(const char *argument, const char *port, EsgTarget *out)
{
	size_t		digits = strspn(port, "0123456789");
	long		number = digits > 0 && digits < ESG_PORT_SIZE ? strtol(port, NULL, 10) : 0;

	if (port[digits] != '\0' || number < 1 || number > 65535)
		return esg_message_error("invalid port in \"%s\": HOST[:PORT] is needed, with the port as a number",
								 argument);
	(void) snprintf(out->port, sizeof(out->port), "%ld", number);
	return true;
}

static bool
take_host(const char *argument, const char *host, size_t len, EsgTarget *out)
{
	unsigned char address[sizeof(struct in6_addr)];

	if (len == 0)
		return esg_message_error("there is no host in \"%s\": HOST[:PORT] is needed", argument);
	if (len >= sizeof(out->host))
		return esg_message_error("the name of the host is too long");
	memcpy(out->host, host, len);
	out->host[len] = '\0';
	out->is_address = read_address(out->host, address) > 0;
	return true;
}

/* Where the host is, and what is behind it; NULL if there are brackets that do not fit. */
static const char *
find_parts(const char *argument, const char **host, size_t *len)
{
	const char *colon = strchr(argument, ':');
	const char *bracket;

	*host = argument;
	*len = strlen(argument);
	if (argument[0] == '[')
	{
		bracket = strchr(argument, ']');
		if (bracket == NULL || (bracket[1] != '\0' && bracket[1] != ':'))
			return NULL;
		*host = argument + 1;
		*len = (size_t) (bracket - argument - 1);
		return bracket + 1;
	}
	/* several colons are an address of IPv6 */
	if (colon == NULL || strchr(colon + 1, ':') != NULL)
		return argument + *len;
	*len = (size_t) (colon - argument);
	return colon;
}

bool
esg_target_parse(const char *argument, EsgTarget *out)
{
	const char *host;
	const char *rest;
	size_t		len;

	memset(out, 0, sizeof(*out));
	if (argument[0] == '/' || argument[0] == '@')
		return esg_message_error("\"%s\" is a directory of Unix sockets, over which PostgreSQL speaks no TLS: "
								 "HOST[:PORT] is needed", argument);
	rest = find_parts(argument, &host, &len);
	if (rest == NULL)
		return esg_message_error("\"%s\" has brackets that do not fit: [ADDRESS]:PORT is needed", argument);
	if (!take_host(argument, host, len, out) ||
		!take_port(argument, *rest == ':' ? rest + 1 : DEFAULT_PORT, out))
		return false;
	(void) snprintf(out->name, sizeof(out->name), strchr(out->host, ':') ? "[%s]:%s" : "%s:%s",
					out->host, out->port);
	return true;
}
