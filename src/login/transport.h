/*
 * login/transport.h
 *		How clients come: in plaintext or encrypted, by which TLS version, cipher and
 *		authentication method, with a certificate or without.
 *
 * One entry for each combination that a role has logged in with over TCP, in
 * shared memory, ext_ssl_guard.max_transport_entries; kept over a restart as the
 * registry of client certificates is.  When there are more, the one not seen for
 * longest gives way, and is counted.
 */
#ifndef ESG_LOGIN_TRANSPORT_H
#define ESG_LOGIN_TRANSPORT_H

#include "datatype/timestamp.h"

#include "login/client_entry.h"
#include "login/peer.h"

/* bytes, with the terminating NUL */
#define ESG_TRANSPORT_METHOD_SIZE 16

/* What tells entries apart; zeroed before it is filled, as it is compared whole. */
typedef struct EsgTransportKey
{
	char		role_name[NAMEDATALEN];
	char		cipher[ESG_CLIENT_CIPHER_SIZE]; /* OpenSSL's name; empty
												 * without TLS */
	char		method[ESG_TRANSPORT_METHOD_SIZE];
	uint16		tls_version;	/* as SSL_version() has it; 0 without TLS */
	uint8		transport;		/* EsgTransport */
	uint8		with_cert;		/* 1: with a certificate, else 0 */
} EsgTransportKey;

typedef struct EsgTransportEntry
{
	EsgTransportKey key;
	TimestampTz first_seen;
	TimestampTz last_seen;
	int64		logins;
	int64		fallbacks;		/* in plaintext, 10 s after a refusal over TLS
								 * at most */
	EsgClientAddress last_address;
	uint8		forward_secrecy;	/* 1 or 0 */
	uint8		offered_tls;	/* 1: the server would have taken TLS */
	uint8		offered_tls13;	/* 1: the server would have taken TLS 1.3 */
	uint8		asked_cert;		/* 1: it asked for a certificate */
} EsgTransportEntry;

/* Would it be locked out? */
typedef enum EsgLockOut
{
	ESG_LOCK_OUT_NO,
	ESG_LOCK_OUT_YES,
	ESG_LOCK_OUT_UNKNOWN		/* it was never asked for what it would need */
} EsgLockOut;

extern void esg_transport_init(void);

/* Counts a login that was let in. */
extern void esg_transport_note(const EsgPeer *peer, bool fallback, TimestampTz now);

/* palloc'd, in no particular order; needs shared memory */
extern int	esg_transport_copy(EsgTransportEntry **out);

/* gave way since the start or the last reset; 0 without shared memory */
extern int64 esg_transport_evicted(void);

/* forgets all, returns how many there were; needs shared memory */
extern int64 esg_transport_reset(void);

/* writes the file if anything changed since; worker, and postmaster at exit */
extern void esg_transport_save(void);

/* by a line of type hostssl; by ssl_min_protocol_version = TLSv1.3; by hostssl with clientcert */
extern EsgLockOut esg_transport_refused_by_hostssl(const EsgTransportEntry *entry);
extern EsgLockOut esg_transport_refused_by_tls13(const EsgTransportEntry *entry);
extern EsgLockOut esg_transport_refused_by_clientcert(const EsgTransportEntry *entry);

#endif							/* ESG_LOGIN_TRANSPORT_H */
