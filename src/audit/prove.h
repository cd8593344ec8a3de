/*
 * audit/prove.h
 *		Loading certificate, key, CAs and CRLs as the server would.
 */
#ifndef ESG_AUDIT_PROVE_H
#define ESG_AUDIT_PROVE_H

#include "policy/worse.h"

/* Has the server's user loaded certificate, key, CAs and CRLs as the server would? */
typedef enum EsgProof
{
	ESG_PROOF_NONE,				/* it was not tried */
	ESG_PROOF_LOADS,
	ESG_PROOF_NEEDS_COMMAND,	/* only ssl_passphrase_command, which is not
								 * run for it, opens a key; all else loads */
	ESG_PROOF_NEEDS_PERSON,		/* that is not allowed at reload */
	ESG_PROOF_FAILS
} EsgProof;

typedef struct EsgProved
{
	EsgProof	proof;
	char		path[MAXPGPATH];	/* the file at fault, as the settings name
									 * it */
	char		reason[ESG_REASON_SIZE];
} EsgProved;

/* In a process of its own only, which ends soon: it opens private keys. */
extern void esg_prove_loading(EsgProved *out);

#endif							/* ESG_AUDIT_PROVE_H */
