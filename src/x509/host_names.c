/*
 * x509/host_names.c
 *		The names by which clients know a server: will any client match them?
 */
#include "x509/host_names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include <openssl/crypto.h>

#include "x509/cut_text.h"
#include "x509/name.h"

/* bytes of a name in a remark */
#define MAX_NAME_SHOWN 180

static bool
is_address(const char *name)
{
	unsigned char octets[16];

	return inet_pton(AF_INET, name, octets) == 1 || inet_pton(AF_INET6, name, octets) == 1;
}

static bool
has_empty_label(const char *name)
{
	size_t		len = strlen(name);

	return len == 0 || name[0] == '.' || name[len - 1] == '.' || strstr(name, "..") != NULL;
}

/* ":5432" at the end; an IPv6 address has been told before. */
static bool
has_port(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon != NULL && colon[1] != '\0' && strspn(colon + 1, "0123456789") == strlen(colon + 1);
}

/* Why no client matches the name; NULL if one may. */
static const char *
find_fault(const char *name)
{
	if (is_address(name))
		return "an IP address is no DNS name";
	if (strstr(name, "://") != NULL)
		return "it has a scheme";
	if (has_port(name))
		return "it has a port";
	if (strpbrk(name, " \t") != NULL)
		return "it has a blank";
	if (strchr(name, ',') != NULL)
		return "it has a comma";
	if (strcmp(name, "*") == 0)
		return "the asterisk stands for one label, not for all names";
	if (has_empty_label(name))
		return "it has an empty label";
	return NULL;
}

/* "<name>": <why>; the name is cut rather than the reason */
static void
say_fault(const char *name, const char *why, char *fault, size_t size)
{
	char		quoted[MAX_NAME_SHOWN];

	esg_cut_text_quote(quoted, sizeof(quoted), name);
	snprintf(fault, size, "%s: %s", quoted, why);
}

bool
esg_x509_host_names_bad(X509 *cert, char *fault, size_t size)
{
	EsgAltNames names;
	bool		bad = false;
	int			i;

	fault[0] = '\0';
	if (!esg_x509_name_alt_names(cert, &names))
		return false;
	for (i = 0; i < names.count && !bad; i++)
	{
		const char *why;

		/* what is not text is malformed_name's */
		if (names.items[i].kind != ESG_ALT_DNS || names.items[i].exact == NULL)
			continue;
		why = find_fault(names.items[i].exact);
		bad = why != NULL;
		if (bad)
			say_fault(names.items[i].text, why, fault, size);
	}
	esg_x509_name_alt_names_free(&names);
	return bad;
}

/* A dot and nothing but what host names are made of (RFC 1123 section 2.1). */
static bool
looks_like_host(const char *name)
{
	const char *p;

	if (strchr(name, '.') == NULL || is_address(name) || has_empty_label(name))
		return false;
	for (p = name; *p != '\0'; p++)
	{
		if (!isascii((unsigned char) *p) ||
			(!isalnum((unsigned char) *p) && strchr("-._*", *p) == NULL))
			return false;
	}
	return true;
}

bool
esg_x509_host_names_cover(const char *pattern, const char *name)
{
	const char *dot = strchr(name, '.');

	if (strcasecmp(pattern, name) == 0)
		return true;
	return strncmp(pattern, "*.", 2) == 0 && dot != NULL && dot != name &&
		strcasecmp(pattern + 1, dot) == 0 && !is_address(name);
}

static bool
is_covered(const EsgAltNames *names, const char *host)
{
	bool		any = false;
	int			i;

	for (i = 0; i < names->count; i++)
	{
		if (names->items[i].kind != ESG_ALT_DNS)
			continue;
		any = true;
		if (names->items[i].exact != NULL && esg_x509_host_names_cover(names->items[i].exact, host))
			return true;
	}
	/* without any, clients that know no better take the common name */
	return !any;
}

bool
esg_x509_host_names_lost(X509 *cert, char *name, size_t size)
{
	EsgAltNames names;
	EsgNameFault fault;
	bool		lost = false;
	char	   *host;

	name[0] = '\0';
	if (!esg_x509_name_alt_names(cert, &names))
		return false;
	if (esg_x509_name_exact_common_name(X509_get_subject_name(cert), &fault, &host) &&
		host != NULL && looks_like_host(host))
		lost = !is_covered(&names, host);
	if (lost)
		snprintf(name, size, "%s", host);
	OPENSSL_free(host);
	esg_x509_name_alt_names_free(&names);
	return lost;
}

/* ------------------------------------------------------------------------
 * Listing
 * ------------------------------------------------------------------------ */

typedef struct Listing
{
	EsgHostNameFn fn;			/* may be NULL */
	void	   *arg;
	int			count;
} Listing;

/* Without regard to the locale; what is not ASCII stays. */
static void
fold_case(char *name)
{
	for (char *p = name; *p != '\0'; p++)
	{
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	}
}

/* A dNSName that is an address is a fault, but libpq matches it. */
static void
list_name(Listing *to, char *name)
{
	if (name == NULL || to->count == ESG_MAX_HOST_NAMES ||
		(!is_address(name) && find_fault(name) != NULL))
		return;
	fold_case(name);
	if (to->fn != NULL)
		to->fn(name, to->arg);
	to->count++;
}

/* Are there any, of whatever use? */
static bool
list_alt_names(Listing *to, const EsgAltNames *names)
{
	bool		any = false;

	for (int i = 0; i < names->count; i++)
	{
		if (names->items[i].kind != ESG_ALT_DNS && names->items[i].kind != ESG_ALT_IP)
			continue;
		any = true;
		list_name(to, names->items[i].exact);
	}
	return any;
}

static void
list_common_name(Listing *to, X509 *cert)
{
	EsgNameFault fault;
	char	   *name;

	(void) esg_x509_name_exact_common_name(X509_get_subject_name(cert), &fault, &name);
	list_name(to, name);
	OPENSSL_free(name);
}

int
esg_x509_host_names_each(X509 *cert, EsgHostNameFn fn, void *arg)
{
	Listing		to = {.fn = fn,.arg = arg,.count = 0};
	EsgAltNames names;

	if (!esg_x509_name_alt_names(cert, &names))
		return 0;
	if (!list_alt_names(&to, &names))
		list_common_name(&to, cert);
	esg_x509_name_alt_names_free(&names);
	return to.count;
}
