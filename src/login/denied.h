/*
 * login/denied.h
 *		Is a client's certificate one of those that the administrator denies?
 */
#ifndef ESG_LOGIN_DENIED_H
#define ESG_LOGIN_DENIED_H

#include "login/client_entry.h"
#include "login/peer.h"

/* A login rule: ext_ssl_guard.denied_certificates. */
extern void esg_denied_check(const EsgPeer *peer, EsgRefusal *out);

/* Which entries of the setting is a certificate: by itself, and by its serial number; -1: none. */
extern void esg_denied_find(const EsgClientFacts *facts, int *entries);

/*
 * How many entries of the setting nobody has shown a certificate for, as far as the
 * failed handshakes tell and matches, which counts the known certificates of each,
 * and which, "2 certificates (…)", palloc'd; NULL: there is none.
 */
extern char *esg_denied_unseen(const int *matches);

#endif							/* ESG_LOGIN_DENIED_H */
