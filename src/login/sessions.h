/*
 * login/sessions.h
 *		The open sessions over TCP: who, with which certificate, since when.
 *
 * A table in shared memory, with a place for each connection that the server
 * allows.  A login takes one, its backend gives it back before it exits; after a
 * crash the table begins anew, as all sessions have ended then.
 *
 * Database, TLS version and cipher are not in it: the server keeps them itself.
 */
#ifndef ESG_LOGIN_SESSIONS_H
#define ESG_LOGIN_SESSIONS_H

#include "datatype/timestamp.h"

#include "login/client_entry.h"
#include "login/peer.h"
#include "policy/revocation.h"

typedef struct EsgSession
{
	int			pid;			/* 0: the place is free */
	int			place;			/* of a free one: the next that is; -1: none */
	TimestampTz started_at;		/* of the backend: with pid it is one of a
								 * kind */
	TimestampTz login_at;
	TimestampTz bad_since;		/* when it was found to be revoked or denied;
								 * 0: it is neither */
	int64		not_after;		/* seconds since 1970; ESG_TIME_NEVER: it has
								 * no end */
	uint64		issue;			/* digest of serial number and issuer's
								 * fingerprint, see esg_sessions_hash_issue() */
	EsgRevocationKey keys[ESG_REVOCATION_DEPTH];
	unsigned char fingerprint[ESG_DIGEST_SIZE];
	uint32		ended_at;		/* seconds since 1970: when it was told to
								 * end; 0: it was not */
	EsgClientAddress address;
	uint8		transport;		/* EsgTransport */
	uint8		key_count;		/* of keys */
	bool		has_cert;
	bool		has_issue;
	bool		replication;
	bool		revoked;		/* as judged last */
	bool		listed;			/* the same: in denied_certificates, by
								 * another certificate of its issuer's */
	bool		denied;			/* by the last look of the worker */
	bool		alarmed;		/* an alarm about it was raised */
	char		role_name[NAMEDATALEN];
} EsgSession;

/* What has happened; each rises. */
typedef struct EsgSessionEvents
{
	uint32		late;			/* logins of backends that were forked before
								 * the last load */
	uint32		judged;			/* times that revocation was judged */
	uint32		gone;			/* sessions with an alarm that have ended */
	uint32		judged_load;	/* the load whose CRLs were judged by last,
								 * see EsgLoadState's served_number */
	uint32		judged_late;	/* late, before that */
	int64		next_end;		/* of the certificates of sessions since the
								 * last look; ESG_TIME_NEVER: of none */
} EsgSessionEvents;

extern void esg_sessions_init(void);

/*
 * The login of this process has come to its good end: it is open until the process
 * exits.  facts: of its certificate, NULL if there is none or they are not known.
 */
extern void esg_sessions_open(const EsgPeer *peer, const EsgClientFacts *facts);

/* palloc'd, in no particular order; place says which */
extern int	esg_sessions_copy(EsgSession **out);

extern void esg_sessions_events(EsgSessionEvents *out);

/* before a look at all of them: the ends from now on are news */
extern void esg_sessions_forget_end(void);

/* keeps bad_since, ended_at, denied and alarmed of a copy, if that session is still there */
extern void esg_sessions_keep(const EsgSession *session);

/* Is it still there? */
extern bool esg_sessions_is_open(const EsgSession *session);

/* SIGTERM to its backend, and to no other; false: it is gone */
extern bool esg_sessions_end(const EsgSession *session);

/*
 * revoked, listed: of each copy.  load and late: what that is about, as they were when the
 * sessions were copied.
 */
extern void esg_sessions_judged(const EsgSession *sessions, const bool *revoked, const bool *listed,
								int count, uint32 load, uint32 late);

/* the secret of this start of the server, for the keys */
extern uint64 esg_sessions_seed(void);

/* serial: upper-case hexadecimal; leading zeros do not matter */
extern uint64 esg_sessions_hash_issue(const char *serial, const unsigned char *issuer);

#endif							/* ESG_LOGIN_SESSIONS_H */
