/*
 * x509/host_names.h
 *		The names by which clients know a server: will any client match them?
 *
 * Pure.  OpenSSL's error queue is left empty.
 */
#ifndef ESG_X509_HOST_NAMES_H
#define ESG_X509_HOST_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509.h>

/*
 * Is there a dNSName that no client ever matches (RFC 6125 section 6.4: a
 * scheme, a port, a blank, a comma, "*" alone, an IP address, an empty label)?
 * Then fault is "NAME: why", cut at size.
 */
extern bool esg_x509_host_names_bad(X509 *cert, char *fault, size_t size);

/*
 * Does the first common name look like a host name that no dNSName covers,
 * although there are some?  Clients that know subjectAltName ignore the common
 * name then (RFC 6125 section 6.4.4).  It is printed to name, cut at size.
 */
extern bool esg_x509_host_names_lost(X509 *cert, char *name, size_t size);

/* no CA puts as many into a certificate; those behind are not listed */
#define ESG_MAX_HOST_NAMES 1000

typedef void (*EsgHostNameFn) (const char *name, void *arg);

/*
 * The names by which clients know the server, in lower case: dNSName and
 * iPAddress, or the first common name where there is neither; not what no client
 * ever matches.  Returns how many; fn may be NULL.
 */
extern int	esg_x509_host_names_each(X509 *cert, EsgHostNameFn fn, void *arg);

/*
 * The name itself, or a host's with one label in place of the pattern's leading
 * "*" (RFC 6125 section 6.4.3).
 */
extern bool esg_x509_host_names_cover(const char *pattern, const char *name);

#endif							/* ESG_X509_HOST_NAMES_H */
