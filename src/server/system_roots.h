/*
 * server/system_roots.h
 *		Does the system's store of root certificates know an issuer?
 *
 * Asked only for a chain whose top nothing else explains, so that one hashed
 * look-up, at most one bundle, is read; the last answer is kept for a minute.
 * Never called in the postmaster or in a login.
 */
#ifndef ESG_SERVER_SYSTEM_ROOTS_H
#define ESG_SERVER_SYSTEM_ROOTS_H

#include "x509/info.h"

/* An EsgSystemRootFn: true if a certificate there issued top. */
extern bool esg_system_roots_has_issuer(const EsgCertInfo *top);

#endif							/* ESG_SERVER_SYSTEM_ROOTS_H */
