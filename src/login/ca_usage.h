/*
 * login/ca_usage.h
 *		Which CA certificates the logins depended on, and when last: is an old CA
 *		still in use?
 *
 * One entry per CA certificate in the chain of an accepted login, as OpenSSL
 * verified it, in shared memory; kept over a restart as the registry of client
 * certificates is.  When there are more, the least recently used one gives way.
 */
#ifndef ESG_LOGIN_CA_USAGE_H
#define ESG_LOGIN_CA_USAGE_H

#include <openssl/x509.h>

#include "datatype/timestamp.h"

#include "login/peer.h"
#include "x509/info.h"

#define ESG_MAX_CA_USES 100

/*
 * Known by its SHA-1, which costs a login nothing: in a verified chain there are
 * only certificates that a trusted CA has made, and what hangs on it is a count.
 */
typedef struct EsgCaUse
{
	unsigned char sha1[ESG_SHA1_SIZE];
	TimestampTz last_used;
	int64		logins;
} EsgCaUse;

/* copied out; in no particular order */
typedef struct EsgCaUses
{
	int			count;
	EsgCaUse	items[ESG_MAX_CA_USES];
} EsgCaUses;

extern void esg_ca_usage_init(void);

/*
 * Counts a login for each CA of the peer's chain, which is as verified; for a
 * client's certificate that is trusted itself, alone in its chain, too.
 */
extern void esg_ca_usage_note(const EsgPeer *peer, TimestampTz now);

/* false: there is no shared memory */
extern bool esg_ca_usage_copy(EsgCaUses *out);

/*
 * How often, 0 if at no time; *last_used is 0 then.  -1: nobody knows, as more
 * CAs were used than there are places.
 */
extern int64 esg_ca_usage_find(const EsgCaUses *uses, const X509 *cert, TimestampTz *last_used);

/* forgets all, returns how many there were; needs shared memory */
extern int64 esg_ca_usage_reset(void);

/* writes the file if anything changed since; worker, and postmaster at exit */
extern void esg_ca_usage_save(void);

#endif							/* ESG_LOGIN_CA_USAGE_H */
