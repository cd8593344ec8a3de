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

#endif							/* ESG_X509_HOST_NAMES_H */
