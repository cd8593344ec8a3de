/*
 * login/peer.h
 *		What a login shows: its connection, and its client's certificate.
 */
#ifndef ESG_LOGIN_PEER_H
#define ESG_LOGIN_PEER_H

#include <openssl/ssl.h>

#include "libpq/libpq-be.h"

#include "server/report.h"

typedef enum EsgTransport
{
	ESG_TRANSPORT_PLAIN,
	ESG_TRANSPORT_GSS,
	ESG_TRANSPORT_TLS
} EsgTransport;

/* Borrowed from the Port, good during the login. */
typedef struct EsgPeer
{
	const char *role_name;		/* as the client asked for it */
	const char *method;			/* of its line in pg_hba.conf */
	const char *host;			/* address, or name with log_hostname */
	const SockAddr *address;
	bool		local;			/* Unix socket: never denied */
	bool		tls;
	bool		plaintext;		/* over TCP, and no encryption at all */
	bool		line_takes_both;	/* a line of type host: with TLS or
									 * without */
	bool		line_wants_certificate; /* the pg_hba.conf line has
										 * clientcert= or the method cert */
	SSL		   *ssl;			/* NULL without TLS */
	X509	   *cert;			/* verified by core; NULL: none */
	STACK_OF(X509) *chain;		/* as core verified it, cert first; NULL: none */
	int			tls_version;	/* SSL_version(); 0 without TLS */
	bool		has_fingerprint;	/* false: no certificate, or out of memory */
	unsigned char fingerprint[ESG_DIGEST_SIZE]; /* SHA-256 of cert */
	bool		has_anchor;		/* false: no chain, or out of memory */
	unsigned char anchor[ESG_SHA1_SIZE];	/* SHA-1 of the chain's last */
} EsgPeer;

/* Why a check refuses a login; zeroed: it does not. */
typedef struct EsgRefusal
{
	EsgCode		code;			/* ESG_NO_FINDING: nothing to refuse */
	char		pairs[ESG_DETAIL_SIZE]; /* "key=value ..." for the server log,
										 * UTF-8 */
} EsgRefusal;

/* The certificate that the client of this session showed, borrowed; NULL if there is none. */
extern X509 *esg_login_peer_cert(void);

extern void esg_login_peer_read(Port *port, EsgPeer *out);

extern EsgTransport esg_login_peer_transport(const EsgPeer *peer);

/* "tls", "gss" or "plain" */
extern const char *esg_login_peer_transport_name(EsgTransport transport);

/*
 * Is there such a role, and may it log in?  The server itself looks only after
 * our hook: by then anybody may have come as anybody, on a "trust" line.
 */
extern bool esg_login_peer_may_log_in(const EsgPeer *peer);

/* A refusal that tells who: role, client, certificate. */
extern void esg_login_peer_begin_refusal(const EsgPeer *peer, EsgCode code, EsgRefusal *out);

/* appends a pair: printable text; and bytes, to be made printable */
extern void esg_login_peer_add_pair(EsgRefusal *refusal, const char *key, const char *printable);
extern void esg_login_peer_add_bytes(EsgRefusal *refusal, const char *key, const char *value);

/* the object of an alarm about this role and this certificate; size ESG_OBJECT_SIZE */
extern void esg_login_peer_object(const EsgPeer *peer, char *buf);

#endif							/* ESG_LOGIN_PEER_H */
