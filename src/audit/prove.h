/*
 * audit/prove.h
 *		Loading certificate, key, CAs and CRLs as the server would.
 */
#ifndef ESG_AUDIT_PROVE_H
#define ESG_AUDIT_PROVE_H

#include "files/load.h"

/* In a process of its own only, which ends soon: it opens private keys. */
extern void esg_prove_loading(EsgProved *out);

#endif							/* ESG_AUDIT_PROVE_H */
