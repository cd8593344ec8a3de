/*
 * wire/system_roots.h
 *		Does the system's store of root certificates know an issuer?
 *
 * Asked only for a chain whose top nothing else explains, so that one hashed
 * look-up, at most one bundle, is read; the last answer is kept for a minute.
 * Never called in the postmaster or in a login.
 */
#ifndef ESG_WIRE_SYSTEM_ROOTS_H
#define ESG_WIRE_SYSTEM_ROOTS_H

#include "policy/chain.h"

/*
 * For whoever asks for many certificates: until esg_system_roots_forget(), or the end of
 * the process, the store stays open, with its bundle in memory if that was read.
 * False if it is kept already.
 */
extern bool esg_system_roots_keep(void);
extern void esg_system_roots_forget(void);

/* An EsgSystemIssuerFn: a certificate there issued cert, or is a root with its subject and key. */
extern EsgKnownIssuer esg_system_roots_know_issuer(const EsgCertInfo *cert);

#endif							/* ESG_WIRE_SYSTEM_ROOTS_H */
