/*
 * login/fallback.h
 *		Who was refused over TLS and then comes in plaintext.
 *
 * libpq's default, sslmode=prefer, does that by itself and tells nobody.
 */
#ifndef ESG_LOGIN_FALLBACK_H
#define ESG_LOGIN_FALLBACK_H

#include "login/peer.h"

extern void esg_fallback_init(void);

/* A login over TLS was refused, by core or by us. */
extern void esg_fallback_note_refused(const EsgPeer *peer);

/* A login that core accepted in plaintext: raises the alarm, and returns true, if it is such a one. */
extern bool esg_fallback_note_plaintext(const EsgPeer *peer);

/* A login over TLS went through: the same client needs no plaintext any more. */
extern void esg_fallback_note_accepted(const EsgPeer *peer);

#endif							/* ESG_LOGIN_FALLBACK_H */
